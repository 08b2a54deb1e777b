"""Inputs and reference numbers of the hidden-Markov and low-rank tests.

Usage: python make_hm_ot.py   (numpy 2.4, POT 0.9.7, scikit-learn 1.9)
Writes, little-endian and row-major:
    tristable.f64       3 x 300 x 2 (slice, cell, coordinate): 300 particles in a three-well potential
    tristable_fate.i32  300: nearest well at the end, in the order (-3,0), (2,2), (2,-2)
    mixture.f64         2 x 1000 x 30: X then Y, ten drifting Gaussian components
    hm_ot.json          reference costs
    supervised.txt      exact couplings between class means, in the form of make_exact.py: the value is the cost of the
                        transition, the array T
and fails where a check sum differs.
"""

import json
from pathlib import Path

import numpy as np
import ot
from sklearn.cluster import KMeans

folder = Path(__file__).parent
wells = np.array([[-3.0, 0.0], [2.0, 2.0], [2.0, -2.0]])


def tristable_gradient(x, y, s=0.6):
    gx, gy = np.zeros_like(x), np.zeros_like(y)
    for centre in (-2.0, 2.0):
        ridge = 2 * np.exp(-(x**2 / (2 * s**2) + (y - centre) ** 2 / (4 * s**2)))
        gx -= ridge * x / s**2
        gy -= ridge * (y - centre) / (2 * s**2)
    for wx, wy in wells:
        well = -5 * np.exp(-((x - wx) ** 2 + (y - wy) ** 2) / (2 * 0.7**2))
        gx -= well * (x - wx) / 0.7**2
        gy -= well * (y - wy) / 0.7**2
    return gx, gy


def tristable(dt=0.02, diffusion=0.01, snapshots=(0, 200, 399)):
    """Euler-Maruyama with numpy's legacy generator; x's noise is drawn before y's."""
    np.random.seed(42)
    x, y = np.random.multivariate_normal([0, 0], np.diag([0.1, 0.1]), size=300).T
    states = [np.stack([x, y], 1)]
    for _ in range(snapshots[-1]):
        gx, gy = tristable_gradient(x, y)
        x = x - gx * dt + np.sqrt(2 * dt * diffusion) * np.random.randn(300)
        y = y - gy * dt + np.sqrt(2 * dt * diffusion) * np.random.randn(300)
        states.append(np.stack([x, y], 1))
    return np.stack([states[k] for k in snapshots])


def mixture(n=1000, d=30, components=10):
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(components, d))
    centres *= 4 / np.linalg.norm(centres, axis=1, keepdims=True)
    drift = rng.normal(size=(components, d))
    drift *= 1.5 / np.linalg.norm(drift, axis=1, keepdims=True)
    weights_x, weights_y = rng.dirichlet(5 * np.ones(components)), rng.dirichlet(5 * np.ones(components))
    of_x, of_y = rng.choice(components, n, p=weights_x), rng.choice(components, n, p=weights_y)
    x = centres[of_x] + rng.normal(size=(n, d))
    y = centres[of_y] + drift[of_y] + rng.normal(size=(n, d))
    return np.stack([x, y])


def class_means(points, labels):
    counts = np.bincount(labels)
    sums = np.stack([np.bincount(labels, column) for column in points.T], 1)
    return counts / len(points), sums / counts[:, None]


def within(points, labels):
    return ((points - class_means(points, labels)[1][labels]) ** 2).sum() / len(points)


def chain_cost(slices, labels, diagonal=False):
    """sum_t <C, P_t> for hard types with the exact T, or T = diag."""
    total = 0.0
    for x, y, k, l in zip(slices[:-1], slices[1:], labels[:-1], labels[1:]):
        (a, mx), (b, my) = class_means(x, k), class_means(y, l)
        transfer = (a * ((mx - my) ** 2).sum(1)).sum() if diagonal else ot.emd2(a, b, ot.dist(mx, my))
        total += within(x, k) + within(y, l) + transfer
    return total


def exact_cost(x, y):
    uniform = np.full(len(x), 1 / len(x))
    return ot.emd2(uniform, uniform, ot.dist(x, y), numItermax=10_000_000)


def kmeans_cost(slices, clusters):
    labels = [KMeans(clusters, n_init=10, random_state=0).fit_predict(x) for x in slices]
    return chain_cost(slices, labels)


def supervised(x, y, k, l):
    """Cost and T of one transition between given types; coordinates as the program reads them."""
    x, y = x.astype(np.float32).astype(float), y.astype(np.float32).astype(float)
    (a, mx), (b, my) = class_means(x, k), class_means(y, l)
    coupling = ot.emd(a, b, ot.dist(mx, my))
    return within(x, k) + within(y, l) + (coupling * ((mx[:, None] - my) ** 2).sum(2)).sum(), coupling


def write_supervised(slices, pair):
    def labels(n, classes, divisor):
        return np.arange(n) // divisor % classes

    of_slice = [labels(300, 4, 1), labels(300, 3, 2), labels(300, 5, 7)]
    cases = {"mixture": supervised(*pair, labels(1000, 7, 1), labels(1000, 5, 3))}
    for t in range(2):
        cases[f"tristable_{t}"] = supervised(slices[t], slices[t + 1], of_slice[t], of_slice[t + 1])
    with open(folder / "supervised.txt", "w") as file:
        for name, (cost, coupling) in cases.items():
            file.write(f"case {name} {coupling.shape[0]} {coupling.shape[1]} {cost:.17g}\n")
            file.write(" ".join(f"{value:.17g}" for value in coupling.ravel()) + "\n")


def check(what, value, expected, tolerance):
    assert np.all(np.abs(np.asarray(value) - expected) <= tolerance), f"{what}: {value}, expected {expected}"


def main():
    slices, pair = tristable(), mixture()
    fate = ((slices[2][:, None] - wells) ** 2).sum(2).argmin(1)
    values = {
        "tristable": {
            "coordinate_sums": [float(x.sum()) for x in slices],
            "fate_counts": np.bincount(fate).tolist(),
            "truth": chain_cost(slices, [fate] * 3, diagonal=True),
            "kmeans_exact_t": kmeans_cost(slices, 3),
            "exact": sum(exact_cost(x, y) for x, y in zip(slices[:-1], slices[1:])),
        },
        "mixture": {"exact": exact_cost(*pair),
                    "kmeans_exact_t": {str(r): kmeans_cost(pair, r) for r in (10, 20, 40)}},
    }
    check("sums", values["tristable"]["coordinate_sums"], [-2.565101, -97.408097, -107.821712], 5e-7)
    check("fates", values["tristable"]["fate_counts"], [143, 80, 77], 0)
    check("truth", values["tristable"]["truth"], 6.4202, 5e-5)
    check("k-means", values["tristable"]["kmeans_exact_t"], 7.6124, 5e-5)
    check("exact", values["mixture"]["exact"], 37.967, 5e-4)
    slices.astype("<f8").tofile(folder / "tristable.f64")
    fate.astype("<i4").tofile(folder / "tristable_fate.i32")
    pair.astype("<f8").tofile(folder / "mixture.f64")
    write_supervised(slices, pair)
    (folder / "hm_ot.json").write_text(json.dumps(values, indent=2) + "\n")
    print(json.dumps(values, indent=2))


if __name__ == "__main__":
    main()
