"""Judges a finished demo: the differentiation map of jobs/demo.toml against POT and the known lineage.

Usage: python judge_demo.py RESULT_DIR [DATA.h5ad]   (numpy, POT, h5py); exit status 1 on any difference

Checks tables/nodes.tsv (time, type, mass, cells, confidence) and tables/edges.tsv (t0, t1, source, target, mass,
forward, ancestor, npmi; further columns are allowed, edges left out count as mass 0).
"""

import csv
import sys
from pathlib import Path

import h5py
import numpy as np
import ot

default_data = Path(__file__).parents[2] / "jobs" / "data" / "celegans_amphid.h5ad"
lineage_shares = [0.794, 0.720, 0.735, 0.705, 0.777]
descent = {
    "Neuroblast_ASG_AWA": {"Neuroblast_ASG_AWA", "ASG_AWA", "ASG", "AWA"},
    "ASG_AWA": {"ASG_AWA", "ASG", "AWA"},
    "ADL_parent": {"ADL_parent", "ADL"},
    "AWC": {"AWC", "AWC_ON"},
}


def read_cells(path):
    with h5py.File(path) as file:
        group = file["obs/cell_type"]
        names = np.array([name.decode() for name in group["categories"][:]])
        return file["obs/time"][:], names[group["codes"][:]], file["obsm/X_pca"][:].astype(float)


def expected_maps(times, types, points):
    """Per pair of times: type names, cells and masses of both sides and the exact coupling of their centroids."""
    slices = []
    for time in np.unique(times):
        at = times == time
        names, labels, cells = np.unique(types[at], return_inverse=True, return_counts=True)
        centroids = np.stack([points[at][labels == k].mean(0) for k in range(len(names))])
        slices.append((float(time), names, cells, cells / at.sum(), centroids))
    maps = []
    for (t0, source, _, a, x), (t1, target, _, b, y) in zip(slices[:-1], slices[1:]):
        maps.append((t0, t1, source, target, a, b, ot.emd(a, b, ot.dist(x, y), numItermax=1_000_000)))
    return slices, maps


def read_table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


class Judge:
    def __init__(self):
        self.differences = 0

    def near(self, what, value, expected, tolerance):
        if not abs(float(value) - expected) <= tolerance:
            self.differences += 1
            print(f"DIFFERS {what}: {value}, expected {expected:.12g} within {tolerance:g}")

    def true(self, what, holds):
        if not holds:
            self.differences += 1
            print(f"DIFFERS {what}")


def judge_nodes(judge, rows, slices):
    nodes = {(float(row["time"]), row["type"]): row for row in rows}
    judge.true(f"{len(rows)} nodes, each once", len(nodes) == len(rows) == sum(len(s[1]) for s in slices))
    for time, names, cells, masses, _ in slices:
        for name, count, mass in zip(names, cells, masses):
            row = nodes.get((time, name))
            judge.true(f"node {time:g} {name} present", row is not None)
            if row:
                judge.near(f"cells of {time:g} {name}", row["cells"], count, 0)
                judge.near(f"mass of {time:g} {name}", row["mass"], mass, 1e-10)
                judge.near(f"confidence of {time:g} {name}", row["confidence"], 1.0, 1e-12)


def npmi(mass, g0, g1):
    return -1.0 if mass < 1e-12 else 1.0 if mass == 1.0 else np.log(mass / (g0 * g1)) / -np.log(mass)


def judge_edges(judge, rows, maps):
    edges = {(float(r["t0"]), float(r["t1"]), r["source"], r["target"]): r for r in rows}
    judge.true("each edge once", len(edges) == len(rows))
    known = {(t0, t1, k, l) for t0, t1, source, target, *_ in maps for k in source for l in target}
    judge.true("edges join types of neighbouring times", set(edges) <= known)
    for t0, t1, source, target, a, b, coupling in maps:
        for k, name0 in enumerate(source):
            for l, name1 in enumerate(target):
                row, mass, edge = edges.get((t0, t1, name0, name1)), coupling[k, l], f"{t0:g} {name0} -> {t1:g} {name1}"
                judge.near(f"mass of {edge}", row["mass"] if row else 0.0, mass, 1e-10)
                if row:
                    judge.near(f"forward of {edge}", row["forward"], mass / a[k], 1e-9)
                    judge.near(f"ancestor of {edge}", row["ancestor"], mass / b[l], 1e-9)
                    if mass > 1e-8 or mass < 1e-14:  # between, rounding decides on which side of 1e-12 it falls
                        judge.near(f"npmi of {edge}", row["npmi"], npmi(mass, a[k], b[l]), 1e-6)


def judge_lineage(judge, rows):
    for (t0, share) in zip(sorted({float(row["t0"]) for row in rows}), lineage_shares):
        steps = [row for row in rows if float(row["t0"]) == t0]
        allowed = sum(float(r["mass"]) for r in steps if r["target"] in descent.get(r["source"], {r["source"]}))
        judge.near(f"share of mass on lineage steps from {t0:g}", allowed, share, 5e-4)


def main(result, data=default_data):
    tables = Path(result) / "tables"
    slices, maps = expected_maps(*read_cells(data))
    judge = Judge()
    judge_nodes(judge, read_table(tables / "nodes.tsv"), slices)
    rows = read_table(tables / "edges.tsv")
    judge.near("number of transitions", len({row["t0"] for row in rows}), len(maps), 0)
    judge_edges(judge, rows, maps)
    judge_lineage(judge, rows)
    print(f"demo: {len(rows)} edges judged, {judge.differences} differences")
    return 1 if judge.differences else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
