"""Forms of the costs of an alignment end to end: factors, matrices of the file, what is written, memory, bad input."""

import json
import sys
import warnings

from session import open_session, read_tsv

session = open_session(needs=("anndata", "scipy"))
import anndata  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import scipy.sparse  # noqa: E402
from scipy.sparse.csgraph import dijkstra  # noqa: E402

warnings.simplefilter("error")
SOURCES, TARGETS, NEIGHBOURS = 310, 150, 12
FACTORED = {"cost": "factored", "factors": ["obsm/U", "obsm/V"]}
KEPT = {f"{side}.filter": {"kept": ["yes"]} for side in ("source", "target")}


def squared_distances(points):
    return ((points[:, None].astype(float) - points[None].astype(float)) ** 2).sum(2)


def make_sides():
    """A bent line seen through two sets of features; matrices of its distances, some of them spoiled."""
    rng = np.random.default_rng(3)
    place = np.sort(rng.random(SOURCES))
    seen = {"x": np.c_[np.cos(2 * place), np.sin(2 * place), place**2, np.ones(SOURCES)], "y": np.c_[place, np.sqrt(place), 1 - place**3]}
    chosen = rng.permutation(SOURCES)[:TARGETS]
    for name, cells in (("x", np.arange(SOURCES)), ("y", chosen)):
        obs = pd.DataFrame({"half": pd.Categorical(np.where(place[cells] < 0.5, "early", "late")), "kept": pd.Categorical(np.where(np.arange(len(cells)) % 3 == 0, "no", "yes"))},
                           index=[f"{name}{i}" for i in cells])
        side = anndata.AnnData(obs=obs)
        side.obsm["X_pca"] = (seen[name][cells] + 0.01 * rng.normal(size=(len(cells), seen[name].shape[1]))).astype(np.float32)
        x = side.obsm["X_pca"].astype(float)
        squares = squared_distances(x)
        s = (x**2).sum(1, keepdims=True)
        side.obsm["U"], side.obsm["V"] = np.hstack([s, np.ones_like(s), -2 * x]), np.hstack([np.ones_like(s), s, x])
        side.obsm["skew"] = side.obsm["V"] * np.where(np.arange(len(cells)) < 40, 1.0, 1.001)[:, None]
        side.obsm["short"] = side.obsm["V"][:, :2]
        side.obsp["squares"] = squares
        side.obsp["sparse"] = scipy.sparse.csr_matrix(squares)
        side.obsp["near"] = scipy.sparse.csr_matrix(np.where(squares < 0.02, squares, 0.0))
        for key, value, mirrored in (("asymmetric", squares[70, 21] + 1e-4, False), ("negative", -1e-3, True), ("nan", np.nan, True)):
            spoiled = squares.copy()
            spoiled[70, 21] = value
            if mirrored:
                spoiled[21, 70] = value
            side.obsp[key] = spoiled
        side.obsp["zeros"] = np.zeros_like(squares)
        side.write_h5ad(session.folder / f"{name}.h5ad")


def tables_of(gromov=(), both=(), **sides):
    has_graph = any({**dict(both), **sides.get(side, {})}.get("cost", "geodesic") == "geodesic" for side in ("source", "target"))
    keys = {"epsilon": 0.005, **({"geodesic_k": NEIGHBOURS} if has_graph else {}), "label_key": "half", "starts": 1, **dict(gromov)}
    own = {name: {"file": f"{file}.h5ad", **dict(both), **sides.get(name, {})} for name, file in (("source", "x"), ("target", "y"))}
    return {"input": {"file": "x.h5ad"}, **own, "gromov": keys, "solver": {"precision": "float64"}}


def report_of(name):
    return {row["quantity"]: row["value"] for row in read_tsv(session.folder / name / "tables/gromov.tsv")}


def solved(name, tables, ranks=None):
    run = session.run("gromov", session.job(name, "gromov", tables), ranks=ranks, timeout=60)
    session.done(run)
    return run, report_of(name)


def hops(points):
    """Hop counts on the graph of neighbours by correlation, over the largest."""
    rows = points / np.linalg.norm(points, axis=1, keepdims=True)
    rows = rows - rows.mean(1, keepdims=True)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    order = np.argsort(-(rows @ rows.T), axis=1, kind="stable")[:, :NEIGHBOURS]
    graph = scipy.sparse.csr_matrix((np.ones(order.size), (np.repeat(np.arange(len(points)), NEIGHBOURS), order.ravel())), shape=(len(points),) * 2)
    graph = graph.maximum(graph.T)
    graph.setdiag(0)
    graph.eliminate_zeros()
    counts = dijkstra(graph, unweighted=True, directed=False)
    return counts / counts.max()


def loss_of(coupling, c, d):
    p, q = coupling.sum(1), coupling.sum(0)
    return p @ c**2 @ p + q @ d**2 @ q - 2 * ((c @ coupling @ d) * coupling).sum()


def check_low_rank():
    """The exact loss that is reported against the coupling that is written and hop counts of scipy."""
    run, report = solved("low", tables_of({"storage": "low_rank", "landmarks": 60, "factor_rank": 30, "coupling": "dense", "starts": 4}))
    _, dense = solved("dense", tables_of({"storage": "dense"}))
    session.check("relative error" in run.err and 0 < float(report["factor_error_source"]) < 0.15 and int(report["factor_rank_target"]) == 30, f"factor: {report}", run)
    cells = {side: anndata.read_h5ad(session.folder / f"{side}.h5ad").obsm["X_pca"].astype(float) for side in "xy"}
    source = anndata.read_h5ad(session.folder / "low/result_source.h5ad")
    coupling = source.obsm["coupling"].astype(float)
    exact = loss_of(coupling, hops(cells["x"]), hops(cells["y"]))
    session.check(abs(float(report["loss_exact"]) - exact) < 1e-6, f"exact loss {report['loss_exact']} against {exact}")
    session.check(report["loss_exact_sources"] == str(SOURCES) and report["loss_exact_targets"] == str(TARGETS), f"all cells: {report}")
    session.check(float(report["loss_exact"]) < 1.05 * float(dense["E_gw"]), f"loss {report['loss_exact']} with a factor, {dense['E_gw']} without")
    check_entries(source, coupling)
    run, poor = solved("allowed", tables_of({"storage": "low_rank", "landmarks": 2, "allow_poor_factor": True}))
    session.check(float(poor["factor_error_target"]) > 0.3 and any("poor_factor" in line for line in run.warnings), f"a poor factor: {poor}", run)


def check_entries(source, coupling):
    """The largest entries of rows and the mass between labels, from the coupling as a whole."""
    order = np.argsort(-coupling, axis=1, kind="stable")[:, :32]
    values = np.take_along_axis(coupling, order, axis=1)
    index = source.obsm["coupling_top_index"]
    session.check(np.allclose(source.obsm["coupling_top_value"], values, rtol=1e-6), "largest entries of the rows")
    found = np.take_along_axis(coupling, np.maximum(index, 0), axis=1)
    session.check(np.allclose(found, source.obsm["coupling_top_value"], rtol=1e-6, atol=1e-30), "their columns")
    session.check((source.obs["match"].to_numpy() == index[:, 0]).all(), "the first of them is the match")
    targets = anndata.read_h5ad(session.folder / "y.h5ad").obs["half"].to_numpy()
    for row in read_tsv(session.folder / "low/tables/labels.tsv"):
        mass = coupling[source.obs_names.isin(labelled(row["source_label"]))][:, targets == row["target_label"]].sum()
        session.check(abs(float(row["mass"]) - mass) < 1e-6, f"mass between labels: {row}, {mass}")


def labelled(label):
    obs = anndata.read_h5ad(session.folder / "x.h5ad").obs
    return obs.index[obs["half"] == label]


def check_equal_forms():
    """Squared distances in four forms have one loss."""
    scale = {"scale": "max"}
    reports = {}
    for name, both in (("points", {"cost": "sq_euclidean"}), ("given", {"cost": "obsp/squares"}), ("sparse", {"cost": "obsp/sparse"}),
                       ("factors", FACTORED)):
        _, reports[name] = solved(name, tables_of(scale, both))
    _, reports["multiplied"] = solved("multiplied", tables_of({**scale, "storage": "dense"}, FACTORED))
    _, reports["mixed"] = solved("mixed", tables_of(scale, source={"cost": "sq_euclidean"}, target=FACTORED))
    expected = reports["points"]
    for name, report in reports.items():
        session.check(abs(float(report["E_gw"]) - float(expected["E_gw"])) < 2e-6 * float(expected["E_gw"]) + 1e-7 and report["stop_reason"] == "converged",
                      f"{name}: loss {report['E_gw']}, of points {expected['E_gw']}")
        session.check(abs(float(report["scale_source"]) / float(expected["scale_source"]) - 1) < 1e-5, f"{name}: scale {report['scale_source']}")
    session.check(reports["factors"]["factor_rank_source"] == "6" and "loss_exact" not in reports["factors"], "an exact factor")
    # Cells left out leave out their columns too.
    some = {}
    for name, cost in (("some_points", "sq_euclidean"), ("some_given", "obsp/squares")):
        _, some[name] = solved(name, {**tables_of(scale, {"cost": cost}), **KEPT})
    session.check(abs(float(some["some_given"]["E_gw"]) / float(some["some_points"]["E_gw"]) - 1) < 1e-5 and int(some["some_given"]["n"]) < SOURCES, f"part of a matrix: {some}")
    run, _ = solved("near", tables_of({**scale, "max_outer": 200}, {"cost": "obsp/near"}))
    session.check(any("sparse_costs" in line for line in run.warnings), "a warning of entries that are not stored", run)


def check_auto():
    """Dense as long as it fits: squared distances of many targets are short as factors."""
    def job(name, targets, **run):
        keys = {"geodesic_k": 15, "landmarks": 60, "factor_rank": 30, "epsilon": 0.05, "max_outer": 1, "inner_iterations": 5, "starts": 1}
        return session.job(name, "gromov", {**sides_of("few", targets), "target": {"file": f"{targets}/simulation.h5ad", "cost": "sq_euclidean"}, "run": {"threads": 1, **run},
                                            "solver": {"precision": "float64", "allow_unconverged": True}, "gromov": keys})

    def plan_of(targets, storage):
        return gib_of(session.run("plan", job("planned", targets), "--set", f"gromov.storage={storage}"))

    dense = {targets: plan_of(targets, "dense") for targets in ("few", "most")}
    session.check(plan_of("most", "low_rank") < 0.85 * dense["most"] and plan_of("few", "auto") == dense["few"], f"plans: {dense}")
    run = session.run("gromov", job("roomy", "few", memory_gib=1.1 * dense["few"]), timeout=60)
    session.check('gromov.storage = "dense"' in run.err and "factor_rank_source" not in report_of("roomy"), "dense fits", run)
    run = session.run("gromov", job("tight", "most", memory_gib=0.9 * dense["most"]), timeout=100)
    session.check("dense costs do not fit" in run.err and report_of("tight")["factor_rank_source"] == "30", "dense does not fit", run)


def gib_of(plan):
    units = {"B": 2.0**-30, "KiB": 2.0**-20, "MiB": 2.0**-10, "GiB": 1.0}
    number, unit = next(line.split()[4:6] for line in plan.out.splitlines() if "most at a time" in line)
    return float(number) * units[unit]


def check_rank_independence():
    def form(gromov=(), both=(), **sides):
        return tables_of({**dict(gromov), "coupling": "dense"}, both, **sides)

    forms = {"low_rank": form({"storage": "low_rank", "landmarks": 60}), "obsp": form(both={"cost": "obsp/squares"}), "part": {**form(both={"cost": "obsp/sparse"}), **KEPT},
             "factors": form(both=FACTORED), "multiplied": form({"storage": "dense"}, FACTORED), "mixed": form(source={"cost": "sq_euclidean"}, target=FACTORED)}
    for kind, tables in forms.items():
        for name, ranks in ((f"{kind}_one", 1), (f"{kind}_many", session.ranks)):
            solved(name, tables, ranks=ranks)
        one, many = (anndata.read_h5ad(session.folder / f"{kind}_{name}/result_source.h5ad") for name in ("one", "many"))
        for key in ("coupling_top_index", "coupling_top_value", "coupling", "projected_x"):
            session.check(np.array_equal(one.obsm[key], many.obsm[key]), f"{kind}: {key} of 1 and {session.ranks} ranks")
        reports = [report_of(f"{kind}_{name}") for name in ("one", "many")]
        session.check(all(reports[0][key] == reports[1][key] for key in reports[0] if key != "seconds"), f"{kind}: {reports}")


def sides_of(sources, targets):
    """The first time of one simulation, the second of another: with few targets a solve is short and the sources fill the memory."""
    return {"input": {"file": f"{sources}/simulation.h5ad"}, "source": {"file": f"{sources}/simulation.h5ad"}, "source.filter": {"time": ["0.0"]},
            "target": {"file": f"{targets}/simulation.h5ad"}, "target.filter": {"time": ["1.0"]}}


def check_memory():
    """What a rank has needed is no more than the plan said."""
    for name, count in (("few", 300), ("many", 3000), ("most", 9000)):
        cells = session.job(name, "simulate", {"simulate": {"model": "mixture", "cells": count, "dimensions": 30, "times": 2}})
        session.done(session.run("simulate", cells, ranks=1))
    graph = {"geodesic_k": 15}
    for name, sources, targets, cost, keys in (("dense", "many", "few", "geodesic", {**graph, "storage": "dense"}), ("stored", "many", "few", "euclidean", {}),
                                               ("factor", "many", "few", "geodesic", {**graph, "storage": "low_rank", "landmarks": 100, "exchange_groups": 0}),
                                               ("squares", "most", "few", "sq_euclidean", {})):
        tables = sides_of(sources, targets)
        for side in ("source", "target"):
            tables[side]["cost"] = cost
        job = session.job(f"planned_{name}", "gromov", {
            **tables, "run": {"threads": 1}, "solver": {"allow_unconverged": True},
            "gromov": {**keys, "label_key": "component", "epsilon": 0.05, "max_outer": 1, "inner_iterations": 5, "starts": 1}})
        session.done(session.run("gromov", job, timeout=100))
        plan = session.run("plan", job)
        planned = gib_of(plan) * 2**10
        measured = json.loads((session.folder / f"planned_{name}/run.json").read_text())["peak_bytes"]["host"] / 2**20
        print(f"{name}: {measured:.1f} MiB measured, {planned:.1f} MiB planned")
        session.check(0.4 * planned <= measured <= planned, f"{name}: {measured:.1f} MiB measured, {planned:.1f} MiB planned", plan)


def check_refusals():
    of_values = [({"cost": "obsp/asymmetric"}, {}, ["obsp/asymmetric", "y.h5ad", "not symmetric", "row 21"]),
                 ({"cost": "obsp/negative"}, {}, ["obsp/negative", "negative", "row 21"]),
                 ({"cost": "obsp/nan"}, {}, ["obsp/nan", "non-finite", "row 21"]),
                 ({"cost": "obsp/zeros"}, {}, ["all obsp/zeros costs of the target", "0"]),
                 ({"cost": "factored", "factors": ["obsm/U", "obsm/skew"]}, {}, ["target.factors", "not symmetric", "row 0"]),
                 ({}, {"storage": "low_rank", "landmarks": 2}, ["relative error", "at most 0.3", "gromov.allow_poor_factor"])]
    of_keys = [({"cost": "obsp/nothing"}, {}, ["nothing", "squares", "target.cost"]),
               ({"cost": "obsp/"}, {}, ["target.cost", "obsp/.."]),
               ({"cost": "factored"}, {}, ["target.factors", "obsm keys"]),
               ({"cost": "euclidean", "factors": ["obsm/U"]}, {}, ["target.factors", "remove it"]),
               ({"cost": "factored", "factors": ["obsm/U", "obsm/short"]}, {}, ["target.factors", "5 columns", "has 2"]),
               ({"cost": "factored", "factors": ["obsm/W"]}, {}, ["W", "target.factors"]),
               ({"cost": "euclidean"}, {"storage": "low_rank"}, ["gromov.storage", "low_rank", "target.cost"]),
               ({}, {"landmarks": 0}, ["gromov.landmarks = 0 is not allowed"]),
               ({}, {"factor_rank": 0}, ["gromov.factor_rank = 0 is not allowed"]),
               ({}, {"storage": "lowrank"}, ["gromov.storage", "did you mean 'low_rank'"]),
               ({}, {"coupling": "full"}, ["gromov.coupling", "top, dense"])]
    cases = of_values + session.some(of_keys, every=4)

    def refused(case):
        number, (target, gromov, texts) = case
        source = FACTORED if target.get("cost") == "factored" else {"cost": "obsp/squares"} if target.get("cost", "").startswith("obsp") else {}
        job = session.job(f"bad{number}", "gromov", tables_of(gromov, source=source, target=target))
        session.refused(session.run("gromov", job), 2, *texts, result=f"bad{number}")

    session.in_parallel(refused, list(enumerate(cases)))


make_sides()
if session.ranks == 1:
    check_low_rank()
    check_equal_forms()
    check_memory()
    check_auto()
else:
    check_rank_independence()
check_refusals()
sys.exit(session.finish())
