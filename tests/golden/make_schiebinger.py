"""Principal components and reference maps of 250 reprogramming cells for the test of transport on real data.

Usage: python make_schiebinger.py schiebinger_250.h5ad   (anndata 0.12, numpy 2.4)
Writes schiebinger_pairs.h5ad: per pair of days the 50 components of both days' cells together (obsm, 0 for other cells)
and the maps of moscot for epsilon 0.5, lambda 1 and 10, entropy relative to the counting measure (uns, float32).

Source of the cells and the maps: moscot, tests/data (theislab/moscot 89a79363, BSD-3-Clause, Copyright (c) 2022, Theis
Lab), a subsample of Schiebinger et al. (2019), Cell 176, 928-943; https://doi.org/10.1016/j.cell.2019.01.006.
"""

import sys
from pathlib import Path

import anndata
import numpy as np

PAIRS = {(10.0, 10.5): "10_105", (10.5, 11.0): "105_11", (10.0, 11.0): "10_11"}

cells = anndata.read_h5ad(sys.argv[1])
genes = np.asarray(cells.X.todense() if hasattr(cells.X, "todense") else cells.X, dtype=np.float64)
day = cells.obs["time"].astype(float).to_numpy()
result = anndata.AnnData(obs=cells.obs[["time", "cell_type"]])
for (source, target), name in PAIRS.items():
    here = np.isin(day, (source, target))
    centred = genes[here] - genes[here].mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    components = np.zeros((len(day), 50), dtype=np.float32)
    components[here] = (left * singular)[:, :50]
    result.obsm[f"X_pca_{source}_{target}"] = components
    result.uns[f"map_{source}_{target}"] = np.asarray(cells.uns[f"ref_tmap_{name}"], dtype=np.float32)
result.uns["source"] = "theislab/moscot tests/data (89a79363), BSD-3-Clause, Copyright (c) 2022, Theis Lab"
result.write_h5ad(Path(__file__).parent / "schiebinger_pairs.h5ad", compression="gzip")
