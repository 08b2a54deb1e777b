"""Reduces the amphid-neuron subset of the C. elegans embryo atlas to the demo file.

Usage: python scripts/make_demo_data.py SOURCE.h5ad [jobs/data/celegans_amphid.h5ad]   (anndata 0.12)

SOURCE holds the 1,805 cells x 10,000 genes of inst/extdata/worm_embryo/*.rds of cole-trapnell-lab/monocle3 as counts,
with obs time, cell_type, lineage, batch, embryo_time and obsm X_pca (50 components); jobs/data/README.md says more.
"""

import sys

import anndata
import numpy as np
import pandas as pd

markers = ["hlh-4", "flp-34", "ham-1", "dmd-5", "lin-11", "ceh-37", "hlh-14", "ins-2", "unc-130", "odr-7", "flp-27",
           "ets-5", "lim-4", "sox-2", "hot-5", "ceh-36", "nsy-7", "srt-28", "odr-1"]
num_components = 30


def log_normalised(counts):
    """log(1 + counts per 10,000); totals over all genes of the source."""
    totals = np.asarray(counts.sum(1)).ravel()
    return np.log1p(counts.toarray() / totals[:, None] * 1e4).astype(np.float32)


def text_column(values, missing):
    text = values.astype(object).where(values.notna(), missing).astype(str)
    return pd.Categorical(text, categories=sorted(set(text)))


def reduced(source):
    names = source.var["gene_short_name"].astype(str).to_numpy()
    columns = [int(np.flatnonzero(names == marker)[0]) for marker in markers]
    obs = pd.DataFrame(index=source.obs_names)
    obs["time"] = source.obs["time"].astype(np.float32)
    obs["embryo_time"] = source.obs["embryo_time"].astype(np.float32)
    for key in ("cell_type", "lineage", "batch"):
        obs[key] = text_column(source.obs[key], "unassigned")
    var = pd.DataFrame({"gene_id": source.var_names[columns].to_numpy()}, index=markers)
    demo = anndata.AnnData(log_normalised(source.X)[:, columns], obs=obs, var=var)
    demo.obsm["X_pca"] = source.obsm["X_pca"][:, :num_components].astype(np.float32)
    demo.uns = {
        "source": "cole-trapnell-lab/monocle3, inst/extdata/worm_embryo, commit 1336cc97d053d46322148947a3375e2beb2f8652",
        "licence": "MIT, Copyright (c) 2019 Cole Trapnell; sequencing data GSE126954",
        "paper": "Packer et al. (2019), A lineage-resolved molecular atlas of C. elegans embryogenesis at single-cell "
                 "resolution, Science 365, eaax1971",
        "X_recipe": "counts per 10,000 over all 10,000 genes of the source, log(1 + x), marker genes only",
        "X_pca_recipe": f"first {num_components} of: {source.uns['X_pca_recipe']}",
        "time_unit": "minutes of embryo time, bin centres",
    }
    return demo


if __name__ == "__main__":
    target = sys.argv[2] if len(sys.argv) > 2 else "jobs/data/celegans_amphid.h5ad"
    reduced(anndata.read_h5ad(sys.argv[1])).write_h5ad(target, compression="gzip", compression_opts=9)
