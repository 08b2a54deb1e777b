"""Gromov-Wasserstein of a low-rank coupling, by POT.

Usage: python make_low_rank_gromov.py   (numpy 2.4, POT 0.9.7.post1)
Writes low_rank_gromov.f64, little-endian and row-major: x 20 x 3, y 17 x 2, Q 20 x 4, R 17 x 3 (float32 values; rows of
any sum), T 4 x 3 with the masses of Q and R, and gwloss of P = Q diag(1/g) T diag(1/h) R^T between squared distances
with equal weights.
"""

from pathlib import Path

import numpy as np
import ot

rng = np.random.default_rng(5)


def values(shape, low):
    return rng.uniform(low, 3.0, shape).astype(np.float32).astype(np.float64)


def main():
    x, y, q, r = values((20, 3), -3), values((17, 2), -3), values((20, 4), 0.1), values((17, 3), 0.1)
    shares = [rows / rows.sum(1, keepdims=True) / len(rows) for rows in (q, r)]
    g, h = (rows.sum(0) for rows in shares)
    t = ot.sinkhorn(g, h, rng.uniform(size=(4, 3)), 0.2, numItermax=100_000, stopThr=1e-16)
    p = shares[0] / g @ t @ (shares[1] / h).T
    costs = [ot.dist(points) for points in (x, y)]
    weights = [np.full(len(rows), 1 / len(rows)) for rows in (x, y)]
    value = ot.gromov.gwloss(*ot.gromov.init_matrix(*costs, *weights, "square_loss"), p)
    np.concatenate([v.ravel() for v in (x, y, q, r, t, np.array(value))]).astype("<f8").tofile(
        Path(__file__).parent / "low_rank_gromov.f64")
    print(f"{value:.12f}")


main()
