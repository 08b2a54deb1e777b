"""Couplings of small Gromov-Wasserstein problems, by POT.

Usage: python make_gromov.py   (numpy 2.4, POT 0.9.7.post1)
Writes, little-endian and row-major:
    gromov_couplings.f64   5 x 36 x 28: couplings in the order of the cases
    gromov_cases.txt       name, E_gw, <M, P>, |P| of each of them
Points, weights and M are those of tests/src/solvers/gromov/toy.hpp; costs are Euclidean distances over their maximum.
Arguments of POT for our alpha, epsilon and rho, without normalisation of both parts:
    entropic, proximal: alpha, epsilon   unbalanced: (1 - alpha) / alpha, epsilon / (2 alpha), rho / (2 alpha)
"""

from pathlib import Path

import numpy as np
import ot

folder = Path(__file__).parent
N, M = 36, 28


def problem():
    i, j = np.arange(N), np.arange(M)
    x = np.c_[np.cos(0.7 * i), np.sin(1.3 * i + 0.2), i / 10]
    y = np.c_[np.sin(0.9 * j + 1), 1.2 * np.cos(0.4 * j), j / 9, np.cos(2.1 * j)]
    a, b = 1 + 0.5 * np.cos(i), 1 + 0.5 * np.sin(j)
    costs = [ot.dist(points, metric="euclidean") for points in (x, y)]
    shared = [np.c_[np.sin(step * k), np.cos(step * k)] for step, k in ((1.0, i), (1.1, j))]
    return *(cost / cost.max() for cost in costs), a / a.sum(), b / b.sum(), ot.dist(*shared)


def energy(c_x, c_y, p):
    return float((p.sum(1) @ c_x**2 @ p.sum(1)) + (p.sum(0) @ c_y**2 @ p.sum(0)) - 2 * np.sum((c_x @ p @ c_y) * p))


def couplings(c_x, c_y, a, b, linear):
    """Fused problems, each from a b^T; Frank-Wolfe from the first."""
    tight = dict(symmetric=True, max_iter=100_000, tol=1e-14)
    inner = dict(numItermax=200_000, stopThr=1e-15)
    entropic = ot.gromov.entropic_fused_gromov_wasserstein(
        linear, c_x, c_y, a, b, epsilon=0.02, alpha=0.6, solver="PGD", **tight, **inner)
    proximal = ot.gromov.entropic_fused_gromov_wasserstein(
        linear, c_x, c_y, a, b, epsilon=0.05, alpha=0.6, solver="PPA", **tight, **inner)
    semi_relaxed = ot.gromov.entropic_semirelaxed_fused_gromov_wasserstein(
        linear, c_x, c_y, a, epsilon=0.05, alpha=0.6, G0=np.outer(a, b), **tight)
    unbalanced = ot.gromov.fused_unbalanced_gromov_wasserstein(
        c_x, c_y, a, b, reg_marginals=0.5 / 1.2, epsilon=0.02 / 1.2, alpha=0.4 / 0.6, M=linear, max_iter=20_000, tol=1e-14,
        unbalanced_solver="sinkhorn_log", max_iter_ot=100_000, tol_ot=1e-15)[0]
    sharp = ot.gromov.fused_gromov_wasserstein(
        linear, c_x, c_y, a, b, alpha=0.6, G0=entropic, symmetric=True, max_iter=10_000, tol_rel=1e-15, tol_abs=1e-15)
    return {"entropic": entropic, "proximal": proximal, "semi_relaxed_proximal": semi_relaxed, "unbalanced": unbalanced,
            "frank_wolfe": sharp}


def main():
    c_x, c_y, a, b, linear = problem()
    solved = couplings(c_x, c_y, a, b, linear)
    np.stack(list(solved.values())).astype("<f8").tofile(folder / "gromov_couplings.f64")
    lines = [f"{name} {energy(c_x, c_y, p):.12f} {np.sum(linear * p):.12f} {p.sum():.12f}" for name, p in solved.items()]
    (folder / "gromov_cases.txt").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
