"""Golden scores of paired clouds by scipy's distances and scikit-learn's classifier.

Usage: python make_pairing.py   (numpy 2.4, scipy 1.17, scikit-learn 1.9)
Writes pairing.txt, five lines a case: `case <name> <cells> <dimension> <foscttm> <accuracy 1> <accuracy 5>`, positions of
both sides row-major, labels of both sides (numbers of the names in sorted order).
"""

from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

NAMES = np.array(["B", "NK", "T", "erythroid"])


def foscttm(u, v):
    distances = cdist(u, v)
    match = np.diag(distances)
    return np.mean([(np.mean(distances[i] < match[i]) + np.mean(distances[:, i] < match[i])) / 2 for i in range(len(u))])


def accuracy_with_ties(u, v, u_labels, v_labels, k):
    right = 0
    for row, label in zip(cdist(u, v), u_labels):
        votes, counts = np.unique(v_labels[np.argsort(row, kind="stable")[:k]], return_counts=True)
        right += votes[np.argmax(counts)] == label
    return right / len(u)


def accuracy(u, v, u_labels, v_labels, k):
    model = KNeighborsClassifier(k, algorithm="brute").fit(v, v_labels)
    return np.mean(model.predict(u) == u_labels)


def cases(rng):
    labels = NAMES[rng.integers(0, 4, 200)]
    centres = rng.normal(size=(4, 3))[np.searchsorted(NAMES, labels)]
    u, v = centres + 0.8 * rng.normal(size=(200, 3)), centres + 0.8 * rng.normal(size=(200, 3))
    yield "apart", u, v, labels, labels, accuracy
    yield "ties", np.round(2 * u), np.round(2 * v), labels, labels, accuracy_with_ties
    yield "equal", np.round(u), np.round(u), labels, labels, accuracy_with_ties
    yield "coincident", np.zeros((200, 2)), np.zeros((200, 2)), labels, labels[::-1], accuracy_with_ties


if __name__ == "__main__":
    with open(Path(__file__).parent / "pairing.txt", "w") as file:
        for name, u, v, u_labels, v_labels, score in cases(np.random.default_rng(0)):
            scores = [score(u, v, u_labels, v_labels, k) for k in (1, 5)]
            file.write(f"case {name} {u.shape[0]} {u.shape[1]} {foscttm(u, v):.17g} {scores[0]:.17g} {scores[1]:.17g}\n")
            for values in (u, v, np.searchsorted(NAMES, u_labels), np.searchsorted(NAMES, v_labels)):
                file.write(" ".join(f"{value:.17g}" for value in values.ravel()) + "\n")
