"""Transport on real cells: the maps and masses that moscot and wot give (tests/golden/make_schiebinger.py)."""

import sys

from session import ROOT, open_session, read_tsv

session = open_session(needs=("anndata",))
import anndata  # noqa: E402
import numpy as np  # noqa: E402

PAIRS = ROOT / "tests" / "golden" / "schiebinger_pairs.h5ad"
MASSES = {(10.0, 10.5): (1.3505, 0.9197), (10.5, 11.0): (1.3511, 0.9206), (10.0, 11.0): (1.3523, 0.9195)}


def check_pair(source, target, reference, precision, mass):
    name = f"{source}_{target}_{reference}_{precision}"
    job = session.job(name, "transport", {
        "input": {"file": PAIRS, "time_key": "time", "days": [source, target], "joint": f"obsm/X_pca_{source}_{target}"},
        "solver": {"epsilon": 0.5, "lambda1": 1, "lambda2": 10, "entropy_reference": reference, "precision": precision,
                   "tolerance": 1e-7, "gap_tolerance": 1e-8},
        "export": {"format": "dense"},
        "output": {"store": "sparse", "plots": False}})
    run = session.run("transport", job)
    if not session.done(run):
        return
    report = {row["quantity"]: float(row["value"]) for row in read_tsv(session.folder / name / "tables/transport.tsv")}
    session.check(abs(report["mass"] - mass) < 6e-5, f"{name}: mass {report['mass']}, expected {mass}", run)
    exported = anndata.read_h5ad(session.folder / name / f"tmaps/tmaps_{source}_{target}.h5ad").X
    coupling = exported / exported.shape[0]
    session.check(abs(coupling.sum() - report["mass"]) < 1e-5, f"{name}: the exported mass is that of the report")
    expected = anndata.read_h5ad(PAIRS).uns[f"map_{source}_{target}"].astype(float)
    error = np.abs(coupling / coupling.sum() - expected / expected.sum()).max() / (expected / expected.sum()).max()
    session.check(error < 5e-5, f"{name}: maximal error {error} of the largest entry")


def main():
    for (source, target), (counting, product) in MASSES.items():
        check_pair(source, target, "counting", "auto", counting)
        check_pair(source, target, "product", "float64", product)
    return session.finish()


sys.exit(main())
