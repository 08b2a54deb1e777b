"""Golden agreement scores by scikit-learn and the NPMI table by its definition.

Usage: python make_metrics.py   (numpy 2.4, scikit-learn 1.9)
Writes metrics.txt, two lines a case: `case <name> <rows> <columns> <AMI> <ARI>` and the contingency table, row-major.
"""

from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score


def labels_of(table):
    cells = np.repeat(np.arange(table.size), table.ravel())
    return cells // table.shape[1], cells % table.shape[1]


def tables(rng):
    yield "equal", np.diag([5, 3, 9])
    yield "permuted", np.diag([5, 3, 9])[:, [2, 0, 1]]
    yield "one_cluster", np.array([[12]])
    yield "one_against_three", np.array([[4, 5, 6]])
    yield "singletons", np.eye(6, dtype=int)
    yield "singletons_against_pairs", np.repeat(np.eye(3, dtype=int), 2, axis=0)
    yield "opposed", np.array([[1, 1], [1, 1]])
    yield "empty_cluster", np.array([[7, 0, 3], [0, 0, 0], [2, 0, 8]])
    yield "random", rng.integers(0, 20, (4, 6))
    yield "skewed", rng.integers(0, 2, (8, 5)) * rng.integers(0, 400, (8, 5)) + np.eye(8, 5, dtype=int)
    yield "noisy_diagonal", np.diag(rng.integers(50, 90, 10)) + rng.integers(0, 6, (10, 10))
    yield "large", rng.integers(0, 5000, (5, 5))


if __name__ == "__main__":
    with open(Path(__file__).parent / "metrics.txt", "w") as file:
        for name, table in tables(np.random.default_rng(0)):
            first, second = labels_of(table)
            ami, ari = adjusted_mutual_info_score(first, second), adjusted_rand_score(first, second)
            file.write(f"case {name} {table.shape[0]} {table.shape[1]} {ami:.17g} {ari:.17g}\n")
            file.write(" ".join(map(str, table.ravel())) + "\n")
