"""lowrank between two files: names of the sides, labels of both, pairs of cells, random starts; scores by plain loops."""

import sys

from session import open_session, read_tsv

session = open_session(needs=("anndata",))
import anndata  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

CELLS, TYPES = 300, ("a", "b", "c", "d")
PRECISE = {"precision": "float64"}
SCORES = ["transfer_to_source", "transfer_to_target", "foscttm", "foscttm_source_projected", "foscttm_target_projected",
          "transfer_to_source_1nn", "transfer_to_target_1nn", "transfer_to_source_5nn", "transfer_to_target_5nn"]


def write_sides():
    """Four clusters in three dimensions and the same cells turned, in another order and with a fourth feature; a tenth has no label."""
    rng = np.random.default_rng(3)
    kind = rng.integers(0, 4, CELLS)
    x = np.array([[0, 0, 0], [3, 0, 0], [0, 5, 0], [1, 1, 7]], float)[kind] + 0.3 * rng.normal(size=(CELLS, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    order = rng.permutation(CELLS)
    y = np.c_[x @ turn, 0.1 * rng.normal(size=CELLS)][order]
    label = np.array(TYPES)[kind].astype(object)
    label[rng.random(CELLS) < 0.1] = np.nan
    names = np.array([f"p{i}" for i in range(CELLS)])
    for name, features, rows in (("x", x, np.arange(CELLS)), ("y", y, order)):
        obs = pd.DataFrame({"pair": names[rows], "kind": pd.Categorical(label[rows], TYPES)}, index=[f"{name}{i}" for i in range(CELLS)])
        if name == "y":
            obs["kind"] = obs["kind"].cat.add_categories(["only_here"])
            obs.loc["y0", "kind"] = "only_here"
        anndata.AnnData(np.zeros((CELLS, 1), np.float32), obs=obs, obsm={"X_feat": features.astype(np.float32)}).write_h5ad(session.folder / f"{name}.h5ad")


def tables_of(lowrank=(), **tables):
    return {"input": {"file": "x.h5ad", "joint": "obsm/X_feat", "annotation": "kind"}, "source": {"file": "x.h5ad"}, "target": {"file": "y.h5ad"},
            "lowrank": {"rank": [6, 5], "objective": "gw", "restarts": 4, "pair_key": "pair", "names": ["ATAC", "RNA"], "write_q": True, **dict(lowrank)},
            "solver": PRECISE, **tables}


def solve(name, tables, **options):
    run = session.run("lowrank", session.job(name, "lowrank", tables), **options)
    session.done(run)
    return run


def scores_of(name):
    return {row["score"]: float(row["value"]) for row in session.table(name, "side_scores")}


def foscttm(u, v):
    squares = ((u[:, None] - v[None]) ** 2).sum(2)
    match = np.diag(squares)
    return ((squares < match[:, None]).mean() + (squares < match[None]).mean()) / 2


def expected_scores(name):
    """From memberships, T and the features themselves."""
    saved = {side: anndata.read_h5ad(session.folder / name / f"result_{side}.h5ad") for side in ("source", "target")}
    given = [anndata.read_h5ad(session.folder / f"{file}.h5ad") for file in "xy"]
    q = [saved["source"].obsm["lowrank_Q"][:, :6].astype(float), saved["target"].obsm["lowrank_Q"][:, :5].astype(float)]
    t = np.array([[float(value) for key, value in row.items() if key != "source"] for row in session.table(name, "T")])
    coupling = (q[0] / q[0].sum(0)) @ t @ (q[1] / q[1].sum(0)).T
    features = [cells.obsm["X_feat"].astype(float) for cells in given]
    labels = [cells.obs["kind"].astype(object).to_numpy() for cells in given]
    categories = sorted([*TYPES, "only_here"])
    shares = [np.array([[label == category for category in categories] for label in side], float) for side in labels]
    partner = {pair: i for i, pair in enumerate(given[1].obs["pair"])}
    match = [partner[pair] for pair in given[0].obs["pair"]]
    projected = [coupling @ features[1] / coupling.sum(1)[:, None], coupling.T @ features[0] / coupling.sum(0)[:, None]]
    projected = [rows.astype(np.float32).astype(float) for rows in projected]
    in_target, in_source = foscttm(projected[0], features[1][match]), foscttm(projected[1][match], features[0])
    found = {"foscttm": (in_target + in_source) / 2, "foscttm_source_projected": in_target, "foscttm_target_projected": in_source}
    for side, law, other in (("source", coupling, 1), ("target", coupling.T, 0)):
        best = np.array(categories)[(law @ shares[other]).argmax(1)]
        own = labels[1 - other]
        known = np.array([isinstance(label, str) for label in own])
        found[f"transfer_to_{side}"] = (best[known] == own[known]).mean()
    masses = {(c, d): value for c, row in zip(categories, shares[0].T @ coupling @ shares[1]) for d, value in zip(categories, row)}
    return found, masses


def check_scores():
    run = solve("named", tables_of())
    scores = scores_of("named")
    session.check(list(scores) == SCORES, f"scores: {list(scores)}", run)
    expected, masses = expected_scores("named")
    # float32 memberships, and pairs that are as close as another
    session.check(all(abs(scores[key] - value) < 2e-3 for key, value in expected.items()), f"scores {scores}, expected {expected}", run)
    session.check(scores["foscttm"] < 0.2 and scores["transfer_to_source"] > 0.9, f"clusters find each other: {scores}", run)
    labels = {(row["source_label"], row["target_label"]): float(row["mass"]) for row in session.table("named", "labels")}
    session.check(labels.keys() == masses.keys() and all(abs(labels[key] - mass) < 1e-5 for key, mass in masses.items()), f"labels {labels}, expected {masses}")


def check_names():
    nodes = session.table("named", "nodes")
    session.check([(row["time"], row["type"]) for row in nodes] == [("ATAC", f"ATAC_{k}") for k in range(6)] + [("RNA", f"RNA_{k}") for k in range(5)], f"nodes: {nodes}")
    session.check(all(row["annotation"] in TYPES or row["cells"] == "0" for row in nodes), f"types have their commonest label: {nodes}")
    session.check({row["time"] for row in session.table("named", "scores")} == {"ATAC", "RNA"}, "agreement of types with labels on both sides")
    heat_map, sankey = ((session.folder / "named/plots" / file).read_text() for file in ("transition_ATAC_RNA.svg", "sankey.svg"))
    session.check("side ATAC" in heat_map and "side RNA" in heat_map, "the ends of the heat map")
    for text in (heat_map, sankey):
        session.check("Low-rank coupling of ATAC and RNA" in text and "time " not in text, "plots speak of sides")
    table = tables_of({"pair_key": "", "names": [], "write_q": False})
    table["input"]["annotation"] = ""
    solve("plain", table)
    session.check(not (session.folder / "plain/tables/side_scores.tsv").exists(), "nothing is known, nothing is scored")
    session.check({row["type"][:7] for row in session.table("plain", "nodes")} == {"source_", "target_"}, "names by default")


def check_random():
    """Random starts find the clusters, if no coupling as good as that of the others."""
    run = solve("random", tables_of({"init": "random", "restarts": 100, "rank": 6}))
    solve("transport", tables_of({"rank": 6}))
    starts = session.table("random", "restarts")
    session.check(len(starts) == 100 and {row["start"] for row in starts} == {"random"} and len({row["objective"] for row in starts}) > 1, f"starts: {starts}", run)
    cost = {name: float(read_tsv(session.folder / name / "index.tsv")[0]["cost"]) for name in ("random", "transport")}
    session.check(cost["random"] < 2 * cost["transport"] and scores_of("random")["transfer_to_source"] > 0.9, f"objectives: {cost}", run)
    (npmi,) = [float(row["npmi"]) for row in session.table("random", "scores") if row["clustering"] == "ml" and row["npmi"]]
    session.check(npmi > 0.9, f"types without cells of their own do not disturb the agreement between the sides: {npmi}")
    shared = {"rank": 4, "objective": "w", "init": "random"}
    solve("linear", tables_of(shared, target={"file": "x.h5ad"}))
    session.check(scores_of("linear")["foscttm"] < 0.2, "random starts of transport between equal features")
    solve("lot", tables_of({**shared, "form": "lot"}, target={"file": "x.h5ad"}))
    session.check(scores_of("lot")["foscttm"] < 0.2, "random starts with one set of types")


def check_ranks():
    solve("one", tables_of(), ranks=1)
    solve("many", tables_of())
    one, many = scores_of("one"), scores_of("many")
    session.check(one.keys() == many.keys() and all(abs(one[key] - many[key]) < 1e-9 for key in one), f"scores of 1 and {session.ranks} ranks: {one}, {many}")
    solve("random", tables_of({"init": "random"}))
    solve("random_one", tables_of({"init": "random"}), ranks=1)
    chosen = [[row["chosen"] for row in session.table(name, "restarts")] for name in ("random", "random_one")]
    session.check(chosen[0] == chosen[1], f"random starts of 1 and {session.ranks} ranks: {chosen}")


def check_bad_input():
    job = session.job("bad", "lowrank", tables_of())
    cases = [({"lowrank.names": '["ATAC"]'}, ["lowrank.names", "two different names"]),
             ({"lowrank.names": '["RNA", "RNA"]'}, ["lowrank.names", "two different names"]),
             ({"lowrank.pair_key": '"kind"'}, ["occurs twice", "lowrank.pair_key"]),
             ({"lowrank.pair_key": '"nothing"'}, ["nothing"]),
             ({"input.annotation": '"nothing"'}, ["nothing"]),
             ({"lowrank.init": '"given"'}, ["lowrank.init", "not available in this version"])]
    for number, (settings, texts) in enumerate(cases):
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        session.refused(session.run("lowrank", job, "--out", f"bad{number}", *words), 2, *texts, result=f"bad{number}")


write_sides()
if session.ranks == 1:
    check_scores()
    check_names()
    check_random()
else:
    check_ranks()
check_bad_input()
sys.exit(session.finish())
