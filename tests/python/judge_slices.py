"""Judges an alignment of two slices of tissue against another coupling of them, in the objective of PASTE.

Usage: python judge_slices.py RESULT_DIR DATA.h5ad PLAN.npz [--pot]   (numpy, h5py, scipy; POT for its exact solver)

PLAN.npz: arrays shape, row, col, mass of a coupling of the first slice of tables/align.tsv with its neighbour. The
objective is (1 - 0.1) <M, P> + 0.1 E_gw(P), M the divergence of counts plus 0.01, distances as stored, uniform weights.
Losses of the alignment are those of its table, brought to the units of the data by their values at the product of the
weights. Exit status 1 where the alignment is more than 1e-3 above the plan.
"""

import csv
import sys
from pathlib import Path

import h5py
import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

ALPHA, PSEUDOCOUNT = 0.1, 0.01


def read_slices(path, names):
    with h5py.File(path) as file:
        x, times = file["X"], file["obs/time"][:]
        shape = len(times), x.attrs["shape"][1] if "shape" in x.attrs else file["var/_index"].shape[0]
        counts = csr_matrix((x["data"][:], x["indices"][:], x["indptr"][:]), shape=shape).toarray() if isinstance(x, h5py.Group) else x[:]
        places = file["obsm/spatial"][:]
    return [(counts[times == float(name)].astype(float), places[times == float(name)]) for name in names]


def divergences(x, y):
    p, q = (counts + PSEUDOCOUNT for counts in (x, y))
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    return (p * np.log(p)).sum(1)[:, None] - p @ np.log(q).T


class Objective:
    def __init__(self, source, target):
        self.m = divergences(source[0], target[0])
        self.c, self.d = (cdist(side[1], side[1]) for side in (source, target))

    def parts(self, coupling):
        p, q = coupling.sum(1), coupling.sum(0)
        quadratic = p @ self.c**2 @ p + q @ self.d**2 @ q - 2 * ((self.c @ coupling @ self.d) * coupling).sum()
        return (self.m * coupling).sum(), quadratic

    def __call__(self, linear, quadratic):
        return (1 - ALPHA) * linear + ALPHA * quadratic


def main(result, data, plan_path, *options):
    with open(Path(result) / "tables/align.tsv") as file:
        row = next(row for row in csv.DictReader(file, delimiter="\t") if row["neighbour"] and row["neighbour"] != row["slice"])
    objective = Objective(*read_slices(data, (row["slice"], row["neighbour"])))
    n, m = objective.m.shape
    linear, quadratic = objective.parts(np.full((n, m), 1 / (n * m)))
    own = objective(float(row["linear"]) / float(row["s_w"]) * linear, float(row["E_gw"]) / float(row["s_gw"]) * quadratic)
    with np.load(plan_path) as stored:
        plan = np.zeros(stored["shape"])
        plan[stored["row"], stored["col"]] = stored["mass"]
    given = objective(*objective.parts(plan / plan.sum()))
    share = ALPHA * quadratic / (ALPHA * quadratic + (1 - ALPHA) * linear)
    print(f"thalweg {own:.6f}, plan {given:.6f}; problem.alpha = {share:.7f} gives these weights")
    if "--pot" in options:
        import ot

        exact = ot.gromov.fused_gromov_wasserstein(objective.m, objective.c, objective.d, np.full(n, 1 / n), np.full(m, 1 / m), alpha=ALPHA)
        print(f"POT {objective(*objective.parts(exact)):.6f}")
    return int(own > given * 1.001)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
