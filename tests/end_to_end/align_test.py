"""`thalweg align`: slices turned, moved, mirrored and warped; chains of them; any number of ranks; bad input."""
import sys
import warnings
from shutil import copytree

from session import open_session, read_tsv

session = open_session(needs=("anndata",))
import anndata  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

warnings.simplefilter("error")
PLACES = 120
SPACING = 0.25  # no more than that of the places in a slice


def turn_of(degrees):
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def features_of(places, rng, noise=0.1):
    x, y = places.T
    waves = np.c_[np.sin(x), np.cos(1.3 * y), np.sin(0.7 * x + y), x / 3, y / 2, np.cos(x - 0.4 * y)]
    return waves + noise * rng.normal(size=waves.shape)


def make_slices():
    """Three slices: the second turned by 37 degrees and moved, the third a mirror image turned by -20."""
    rng = np.random.default_rng(11)
    tissue = rng.random((3000, 2)) * [6, 4]
    tissue = tissue[(np.hypot(tissue[:, 0] - 3, 1.3 * (tissue[:, 1] - 2)) < 2.6)]
    parts, truth = [], []
    for number in range(3):
        own = tissue[number * PLACES:(number + 1) * PLACES] if number != 1 else tissue[:PLACES] + 0.02 * rng.normal(size=(PLACES, 2))
        stored = [own, own @ turn_of(-37).T + [4, 1], (own * [-1, 1]) @ turn_of(20).T + [-3, 0]][number]
        cells = anndata.AnnData(obs=pd.DataFrame({"slice": np.full(PLACES, number + 1.0)}, index=[f"s{number}_{i}" for i in range(PLACES)]))
        cells.obsm["X_pca"] = features_of(own, rng).astype(np.float32)
        cells.obsm["spatial"] = stored.astype(np.float32)
        cells.obsm["truth"] = own.astype(np.float32)
        cells.obsm["counts"] = np.random.default_rng(number).poisson(20 * np.exp(features_of(own, rng, 0.0))).astype(np.float32)
        parts.append(cells)
        cells.write_h5ad(session.folder / f"slice{number + 1}.h5ad")
    together = anndata.concat(parts)
    together = together[rng.permutation(together.n_obs)].copy()
    together.write_h5ad(session.folder / "slices.h5ad")
    return together


def tables_of(align=(), problem=(), gromov=(), data=None, **others):
    return {**(data or {"input": {"file": "slices.h5ad", "time_key": "slice"}}), "align": dict(align), "problem": {"alpha": 0.3, **dict(problem)},
            "gromov": {"epsilon": 0.002, "epsilon_decay": 0.7, "inner_tolerance": 1e-5, **dict(gromov)}, "solver": {"precision": "float64"}, **others}


def motions(name):
    return {row["slice"]: row for row in read_tsv(session.folder / name / "tables/align.tsv")}


def error_of(name, cells, which, key="spatial_aligned"):
    """Root mean square distance from where the places of a slice were."""
    saved = anndata.read_h5ad(session.folder / name / "result.h5ad")
    session.check(list(saved.obs_names) == list(cells.obs_names), f"{name}: places in file order")
    rows = (cells.obs["slice"] == which).to_numpy()
    return np.sqrt(((saved.obsm[key][rows] - cells.obsm["truth"][rows]) ** 2).sum(1).mean())


def check_motions(cells):
    for name, align in (("chain", {}), ("squared", {"cost": "sq_euclidean"}), ("mirror", {"reflection": True}), ("scaled", {"scale": True})):
        if not session.done(session.run("align", session.job(name, "align", tables_of(align)), timeout=120)):
            return
        second = motions(name)["2.0"]
        session.check(abs(float(second["angle"]) - 37) < 0.5, f"{name}: turned by {second['angle']}, made by 37")
        session.check(error_of(name, cells, 2.0) < 0.08, f"{name}: second slice lies {error_of(name, cells, 2.0)} off")
        session.check(error_of(name, cells, 1.0) < 1e-6 and float(motions(name)["1.0"]["angle"]) == 0, f"{name}: the reference stays")
    third = motions("chain")["3.0"]
    session.check(abs(float(third["determinant"]) - 1) < 1e-10, f"mirror image kept as a turn: {third['determinant']}")
    session.check(abs(float(motions("mirror")["3.0"]["determinant"]) + 1) < 1e-10, "mirrored where it may be")
    session.check(error_of("mirror", cells, 3.0) < SPACING < 1 < error_of("chain", cells, 3.0), f"third slice {error_of('mirror', cells, 3.0)} off as a mirror image")
    session.check(error_of("mirror", cells, 2.0, "spatial_warped") < 0.4, f"warped places {error_of('mirror', cells, 2.0, 'spatial_warped')} off")
    session.check(abs(float(motions("scaled")["2.0"]["scale"]) - 1) < 0.05, f"scale {motions('scaled')['2.0']['scale']}")


def check_saved_motion(cells):
    saved = anndata.read_h5ad(session.folder / "mirror/result.h5ad")
    for which in (2.0, 3.0):
        motion = saved.uns["thalweg"]["align"][str(which)]
        rows = (cells.obs["slice"] == which).to_numpy()
        places = cells.obsm["spatial"][rows].astype(float) @ motion["rotation"].T * motion["scale"] + motion["translation"]
        session.check(np.allclose(places, saved.obsm["spatial_aligned"][rows], atol=1e-6), f"slice {which}: uns holds its motion")
        session.check(float(motions("mirror")[str(which)]["residual_rms"]) == motion["residual_rms"], f"slice {which}: residual")
    second = (cells.obs["slice"] == 2.0).to_numpy()
    match = cells.obsm["truth"][(cells.obs["slice"] == 1.0).to_numpy()][saved.obs["match"][second]]
    session.check(np.median(np.linalg.norm(match - cells.obsm["truth"][second], axis=1)) < 0.3, "matches lie where the places were")


def check_policies(cells):
    tables = tables_of({"reflection": True}, {"policy": "star", "reference": 2})
    if session.done(session.run("align", session.job("star", "align", tables), timeout=120)):
        session.check([row["neighbour"] for row in motions("star").values()] == ["2.0", "", "2.0"], "all are coupled with the reference")
        session.check(abs(float(motions("star")["1.0"]["angle"]) + 37) < 0.5, f"turned back: {motions('star')['1.0']['angle']}")
    last = tables_of({"reflection": True}, {"reference": 3})
    if session.done(session.run("align", session.job("last", "align", last), timeout=120)):
        session.check([row["neighbour"] for row in motions("last").values()] == ["2.0", "3.0", ""], "each is coupled with its neighbour")


def check_other_inputs():
    files = {"input": {"file": "slice1.h5ad"}, "target": {"file": "slice2.h5ad"}}
    if session.done(session.run("align", session.job("files", "align", tables_of(data=files)), timeout=120)):
        session.check(abs(float(motions("files")["target"]["angle"]) - 37) < 0.5, f"two files: {motions('files')['target']['angle']}")
        saved = anndata.read_h5ad(session.folder / "files/result_target.h5ad")
        session.check(saved.obsm["spatial_aligned"].shape == (PLACES, 2), "a result a file")
    counts = tables_of({"dissimilarity": "kl"}, gromov={"epsilon": 0.005}, data={"input": {"file": "slices.h5ad", "time_key": "slice", "days": [1, 2], "joint": "obsm/counts"}})
    if session.done(session.run("align", session.job("counts", "align", counts), timeout=120)):
        session.check(abs(float(motions("counts")["2.0"]["angle"]) - 37) < 1.0, f"divergences: {motions('counts')['2.0']['angle']}")


def check_ranks():
    if session.ranks == 1:
        copytree(session.folder / "chain", session.folder / "one")
    for name, ranks in (("one", 1), ("many", session.ranks))[session.ranks == 1:]:
        session.done(session.run("align", session.job(name, "align", tables_of()), ranks=ranks, timeout=120))
    starts = read_tsv(session.folder / "one/tables/starts.tsv")
    for pair, which in (("2.0_1.0", "2.0"), ("3.0_2.0", "3.0")):
        own = [row for row in starts if row["pair"] == pair]
        best = [row for row in own if row["chosen"] == "True"]
        session.check(len(own) == 8 and len(best) == 1, f"starts of {pair}: {own}")
        session.check(motions("one")[which]["start"] == best[0]["name"] and motions("one")[which]["F"] == best[0]["F"], f"{pair}: the chosen start {best}")
        session.check(all(float(row["F"]) >= (1 - 1e-3) * float(best[0]["F"]) for row in own), f"least F of {pair}: {own}")
        close = [row for row in own if float(row["overlap"]) < 0.8 and float(row["F"]) <= 1.02 * float(best[0]["F"])]
        session.check(motions("one")[which]["ambiguous"] == str(bool(close)), f"{pair}: {close}")
    one, many = (anndata.read_h5ad(session.folder / name / "result.h5ad") for name in ("one", "many"))
    for key in ("spatial_aligned", "spatial_warped"):
        session.check(np.array_equal(one.obsm[key], many.obsm[key]), f"{key} of 1 and {session.ranks} ranks")


def check_refusals(cells):
    three = cells.copy()
    three.obsm["wide"] = np.ones((three.n_obs, 4), np.float32)
    three.obsm["same"] = np.ones((three.n_obs, 2), np.float32)
    three.write_h5ad(session.folder / "bad.h5ad")
    series = {"file": "bad.h5ad", "time_key": "slice"}
    cases = [({"input": {**series, "spatial": "obsm/same"}}, {}, {}, ["all places", "input.spatial"]),
             ({"input": {**series, "spatial": "obsm/places"}}, {}, {}, ["places", "input.spatial", "truth"]),
             ({"input": {**series, "spatial": "obsm/wide"}}, {}, {}, ["obsm/wide", "4", "input.spatial"]),
             ({"input": series}, {"dissimilarity": "kl"}, {}, ["not below 0", "align.dissimilarity"]),
             ({"input": {**series, "days": [2]}}, {}, {}, ["1 slice", "input.days"]),
             ({"input": {"file": "bad.h5ad"}}, {}, {}, ["input.time_key"]),
             ({"input": {"file": "slice1.h5ad"}, "target": {"file": "slice2.h5ad", "key": "obsm/spatial"}}, {}, {}, ["6 and 2 features"]),
             ({"input": series}, {"dissimilarity": "kl", "cost": "sq_euclidean"}, {}, ["align.dissimilarity"]),
             ({"input": series}, {"cost": "geodesic"}, {}, ["align.cost"]),
             ({"input": series}, {}, {"alpha": 1.5}, ["problem.alpha = 1.5 is not allowed"]),
             ({"input": series}, {}, {"reference": 9}, ["problem.reference", "1.0, 2.0, 3.0"])]

    def refused(case):
        number, (data, align, problem, texts) = case
        job = session.job(f"bad{number}", "align", tables_of(align, problem, data=data))
        session.refused(session.run("align", job), 2, *texts, result=f"bad{number}")

    session.in_parallel(refused, session.some(enumerate(cases)))  # among them what only the values tell


all_slices = make_slices()
if session.ranks == 1:
    check_motions(all_slices)
    check_saved_motion(all_slices)
    check_policies(all_slices)
    check_other_inputs()
check_ranks()
check_refusals(all_slices)
sys.exit(session.finish())
