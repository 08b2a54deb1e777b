"""Cells for the tests of transport, and couplings recomputed from potentials with numpy."""

import anndata
import h5py
import numpy as np
import pandas as pd

from session import read_tsv

SOURCES, TARGETS, FEATURES = 700, 300, 5


def make_cells(path):
    """Two times in one file, mixed; labels with gaps, weights with zeros, costs as a matrix and as factors."""
    rng = np.random.default_rng(4)
    count = SOURCES + TARGETS
    is_source = rng.permutation(count) < SOURCES
    points = rng.normal(size=(count, FEATURES)) + np.where(is_source, 0.0, 0.4)[:, None]
    points = points.astype(np.float32)
    labels = pd.Categorical.from_codes(np.where(rng.random(count) < 0.05, -1, (points[:, 0] > 0) + (points[:, 1] > 1).astype(int)), ["low", "mid", "high"])
    weights = np.where(rng.random(count) < 0.1, 0.0, rng.random(count) + 0.5)
    weights[is_source] *= weights[~is_source].sum() / weights[is_source].sum()
    obs = pd.DataFrame({"day": np.where(is_source, 1.0, 2.5), "type": labels, "mass": weights, "wide": 3 * weights + is_source, "group": np.where(is_source, "a", "b")},
                       index=[f"cell{i}" for i in range(count)])
    cells = anndata.AnnData(obs=obs)
    cells.obsm["X_pca"] = points
    cells.obsm["X_two"] = points[:, :2].copy()
    cells.obsm["U"] = np.abs(points).astype(np.float32)
    costs = (np.abs(points[:, None] - points[None]) ** 1.5).sum(2).astype(np.float32)
    cells.obsm["C_all"] = costs
    cells.obsm["C_targets"] = costs[:, ~is_source].copy()
    cells.write_h5ad(path)


def pair_costs(x, y, cost):
    x, y = x.astype(float), y.astype(float)
    if cost == "factored":
        return x @ y.T
    if cost in ("cosine", "correlation"):
        if cost == "correlation":
            x, y = x - x.mean(1, keepdims=True), y - y.mean(1, keepdims=True)
        x, y = x / np.linalg.norm(x, axis=1)[:, None], y / np.linalg.norm(y, axis=1)[:, None]
        return 1 - x @ y.T
    difference = x[:, None] - y[None]
    if cost == "manhattan":
        return np.abs(difference).sum(2)
    squares = (difference**2).sum(2)
    return np.sqrt(squares) if cost == "euclidean" else squares


class Result:
    """A results directory: its report, its cells, and its coupling as a dense matrix."""

    def __init__(self, folder, costs):
        """costs(source rows, target rows) gives the unscaled cost matrix."""
        self.report = {row["quantity"]: float(row["value"]) for row in read_tsv(folder / "tables/transport.tsv")}
        self.index = read_tsv(folder / "index.tsv")[0]
        with h5py.File(folder / self.index["file"]) as file:
            self.attributes = dict(file.attrs)
            self.f, self.g, log_a, log_b, self.source_row, self.target_row = (
                file[key][...] for key in ("f", "g", "log_a", "log_b", "source_row", "target_row"))
        self.a, self.b = np.exp(log_a), np.exp(log_b)
        alpha, beta = log_a, log_b
        if self.attributes["entropy_reference"] != "product":
            alpha = np.where(self.a > 0, self.attributes["log_alpha"], -np.inf)
            beta = np.where(self.b > 0, self.attributes["log_beta"], -np.inf)
        self.costs = costs(self.source_row, self.target_row) / self.attributes["scale"]
        with np.errstate(invalid="ignore"):
            exponents = alpha[:, None] + beta[None] + (self.f[:, None] + self.g[None] - self.costs) / self.attributes["epsilon"]
        self.coupling = np.where((self.a[:, None] > 0) & (self.b[None] > 0), np.exp(exponents), 0.0)
        self.r, self.c = self.coupling.sum(1), self.coupling.sum(0)
