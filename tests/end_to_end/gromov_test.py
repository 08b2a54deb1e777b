"""Alignment of two small files end to end: its scores and projections, any number of ranks, bad input."""

import sys
import warnings

from session import open_session, read_tsv

session = open_session(needs=("anndata",))
import anndata  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

warnings.simplefilter("error")
SOURCES, TARGETS = 310, 290
SIDES = {"source": {"file": "x.h5ad"}, "target": {"file": "y.h5ad"}}


def make_sides():
    """A bent line seen through two sets of features; the targets in another order, some of them missing."""
    rng = np.random.default_rng(3)
    place = np.sort(rng.random(SOURCES))
    seen = {"x": np.c_[np.cos(2 * place), np.sin(2 * place), place**2, np.ones(SOURCES)], "y": np.c_[place, np.sqrt(place), 1 - place**3]}
    chosen = rng.permutation(SOURCES)[:TARGETS]
    for name, cells in (("x", np.arange(SOURCES)), ("y", chosen)):
        obs = pd.DataFrame({"pair": cells, "half": pd.Categorical(np.where(place[cells] < 0.5, "early", "late"))}, index=[f"{name}{i}" for i in cells])
        side = anndata.AnnData(obs=obs)
        side.obsm["X_shared"] = np.c_[place[cells], place[cells] ** 2].astype(np.float32)
        side.obsm["X_wide"] = np.zeros((len(cells), 1 + len(name) + (name == "y")), np.float32)
        side.obsm["X_pca"] = (seen[name][cells] + 0.01 * rng.normal(size=(len(cells), seen[name].shape[1]))).astype(np.float32)
        side.write_h5ad(session.folder / f"{name}.h5ad")


def tables_of(gromov=(), **sides):
    has_graph = any(sides.get(side, {}).get("cost", "geodesic") == "geodesic" for side in ("source", "target"))
    keys = {"epsilon": 0.005, "epsilon_decay": 0.6, **({"geodesic_k": 12} if has_graph else {}), "pair_key": "pair", "label_key": "half", **dict(gromov)}
    return {"input": {"file": "x.h5ad"}, "source": {**SIDES["source"], **sides.get("source", {})},
            "target": {**SIDES["target"], **sides.get("target", {})}, "gromov": keys}


def values(path, name):
    return {row[name]: row["value"] for row in read_tsv(path)}


def foscttm(u, v):
    distances = np.sqrt(((u[:, None].astype(float) - v[None].astype(float)) ** 2).sum(2))
    own = np.diag(distances)
    return ((distances < own[:, None]).mean(1) + (distances < own[None]).mean(0)).mean() / 2


def check_result(name, is_normalised):
    """Scores again from the projections that were written."""
    x, y = (anndata.read_h5ad(session.folder / f"{side}.h5ad") for side in "xy")
    source, target = (anndata.read_h5ad(session.folder / name / f"result_{side}.h5ad") for side in ("source", "target"))
    session.check(list(source.obs_names) == list(x.obs_names) and list(target.obs_names) == list(y.obs_names), f"{name}: cells in file order")
    points = [side.obsm["X_pca"] / (np.linalg.norm(side.obsm["X_pca"], axis=1)[:, None] if is_normalised else 1) for side in (x, y)]
    position = pd.Series(np.arange(TARGETS), index=y.obs["pair"])
    pairs = np.array([(i, position[pair]) for i, pair in enumerate(x.obs["pair"]) if pair in position.index])
    expected = (foscttm(source.obsm["projected_x"][pairs[:, 0]], points[1][pairs[:, 1]]) + foscttm(target.obsm["projected_y"][pairs[:, 1]], points[0][pairs[:, 0]])) / 2
    scores = {key: float(value) for key, value in values(session.folder / name / "tables/scores.tsv", "score").items()}
    session.check(abs(scores["foscttm"] - expected) < 1e-4, f"{name}: foscttm {scores['foscttm']} against {expected}")
    report = values(session.folder / name / "tables/gromov.tsv", "quantity")
    session.check(report["stop_reason"] == "converged" and 0 < float(report["E_gw"]) < 0.1, f"{name}: {report}")
    session.check(float(report["marginal_error_source"]) < 1e-6 and float(report["marginal_error_target"]) <= 1e-5, f"{name}: marginals {report}")
    session.check(np.allclose(source.obs["mass"], 1 / SOURCES, rtol=1e-5) and not source.obs["unmatched"].any(), f"{name}: masses")
    session.check(source.obs["match"].between(0, TARGETS - 1).all() and target.obs["confidence"].between(0, 1).all(), f"{name}: matches")
    return scores


def check_costs():
    for number, cost in enumerate(("geodesic", "sq_euclidean", "euclidean")[: 3 if session.ranks == 1 else 1]):
        precision = {"solver": {"precision": ("float32", "float64", "float64")[number]}}
        keys = {"epsilon": 0.02, "starts": 4} if cost == "sq_euclidean" else {}
        job = session.job(cost, "gromov", {**tables_of(keys, source={"cost": cost}, target={"cost": cost}), **precision})
        if not session.done(session.run("gromov", job)):
            continue
        scores = check_result(cost, cost == "geodesic")
        if cost == "geodesic":  # the line, or its mirror image
            session.check(min(scores["foscttm"], 1 - scores["foscttm"]) < 0.48, f"{cost}: {scores}")


def check_kinds():
    """A cost between the sides finds the line, not its mirror image; other couplings and algorithms."""
    exact = {"solver": {"precision": "float64"}}
    runs = {"fused": ({"linear": "obsm/X_shared"}, {"problem": {"alpha": 0.5}}),
            "fused_squares": ({"linear": "obsm/X_shared"}, {}),
            "semi_relaxed": ({"mode": "semi_relaxed"}, {}),
            "unbalanced": ({"mode": "unbalanced", "rho_1": 0.1, "rho_2": 0.1}, {}),
            "proximal": ({"regularisation": "proximal", "epsilon": 0.05, "tolerance": 1e-4}, exact),
            "sharp": ({"algorithm": "frank_wolfe"}, exact)}
    reports = {}
    for name, (keys, tables) in runs.items():
        cost = {"cost": "sq_euclidean"} if name == "fused_squares" else {"cost": "euclidean"}
        job = session.job(name, "gromov", {**tables_of({"starts": 3 if session.ranks == 1 else 1, **keys}, source=cost, target=cost), **tables})
        if not session.done(session.run("gromov", job)):
            continue
        reports[name] = values(session.folder / name / "tables/gromov.tsv", "quantity")
        session.check(reports[name]["stop_reason"] == "converged", f"{name}: {reports[name]}")
        scores = {key: float(value) for key, value in values(session.folder / name / "tables/scores.tsv", "score").items()}
        if name.startswith("fused"):
            session.check(scores["foscttm"] < 0.1, f"{name}: {scores}")
            parts = {key: float(reports[name][key]) for key in ("E", "E_gw", "linear", "alpha", "unit_quadratic", "unit_linear")}
            loss = parts["alpha"] * parts["E_gw"] / parts["unit_quadratic"] + (1 - parts["alpha"]) * parts["linear"] / parts["unit_linear"]
            session.check(abs(loss - parts["E"]) < 1e-6 and parts["alpha"] == 0.5, f"{name}: {parts}")
    masses = anndata.read_h5ad(session.folder / "semi_relaxed/result_target.h5ad").obs["mass"]
    session.check(abs(masses.sum() - 1) < 1e-6 and masses.std() > 1e-6, "learnt weights of the targets")
    session.check(0.05 < float(reports["unbalanced"]["mass"]) < 0.999, f"unbalanced: {reports['unbalanced']}")
    session.check(float(reports["sharp"]["epsilon"]) == 0 and float(reports["sharp"]["marginal_error_target"]) < 1e-12, f"sharp: {reports['sharp']}")


def check_starts():
    """Tables of the starts that check_costs left, and a sweep."""
    starts = read_tsv(session.folder / "geodesic/tables/starts.tsv")
    report = values(session.folder / "geodesic/tables/gromov.tsv", "quantity")
    chosen = [row for row in starts if row["chosen"] == "True"]
    session.check(len(starts) == 14 and len(chosen) == 1 and chosen[0]["name"] == report["start"], f"starts: {starts}")
    session.check(all(float(row["F"]) >= float(report["primal"]) for row in starts), f"least F: {starts}")
    session.check(report["ambiguous"] == str(any(float(row["overlap"]) < 0.8 and float(row["F"]) <= 1.02 * float(report["primal"]) for row in starts)),
                  f"ambiguous: {report['ambiguous']} of {starts}")
    session.check(0 < float(report["lower_bound_flb"]) <= float(report["lower_bound_tlb"]) == float(report["lower_bound"]) < float(report["E_gw"]), f"bounds: {report}")
    sweep = {"sweep": {"geodesic_k": [24, 8, 12], "epsilon": [0.005, 0.02]}}
    if not session.done(session.run("gromov", session.job("sweep", "gromov", {**tables_of({"starts": 2}), **sweep}))):
        return
    rows = read_tsv(session.folder / "sweep/tables/sweep.tsv")
    session.check([(row["geodesic_k"], float(row["epsilon"])) for row in rows] == [(k, e) for k in ("8", "12", "24") for e in (0.02, 0.005)], f"sweep: {rows}")
    session.check(all(row["stop_reason"] == "converged" and float(row["lower_bound"]) < float(row["E_gw"]) < float(row["F"]) for row in rows), f"sweep: {rows}")
    session.check([row["ambiguous"] != "" for row in rows] == [True, False] * 3, f"sweep, ambiguous: {rows}")
    session.check(all(0 < float(row["overlap_next_k"]) <= 1.001 for row in rows[:4]) and all(row["overlap_next_k"] == "" for row in rows[4:]), f"sweep, overlaps: {rows}")
    means = [sum(float(row["overlap_next_k"]) for row in rows[k:k + 2]) for k in (0, 2)]
    marked = [row["most_overlap"] == "True" for row in rows]
    session.check(marked == ([True] * 4 + [False] * 2 if means[0] >= means[1] else [False] * 2 + [True] * 4), f"sweep, marks: {rows}")
    own = values(session.folder / "sweep/tables/gromov.tsv", "quantity")
    same = next(row for row in rows if row["geodesic_k"] == "12" and float(row["epsilon"]) == 0.005)
    session.check(abs(float(own["primal"]) / float(same["F"]) - 1) < 0.02 and own["geodesic_k"] == "12", f"result of the job itself: {own['primal']} and {same}")
    session.check(all(0 <= float(row["foscttm"]) <= 1 for row in rows), f"sweep, scores: {rows}")


def check_times():
    """Both sides as times of one file."""
    cells = anndata.read_h5ad(session.folder / "x.h5ad")
    cells.obs["day"] = np.where(np.arange(SOURCES) % 2 == 0, 1.0, 2.5)
    cells.write_h5ad(session.folder / "times.h5ad")
    tables = {"input": {"file": "times.h5ad", "time_key": "day"}, "gromov": {"geodesic_k": 12}}
    if session.done(session.run("gromov", session.job("times", "gromov", tables))):
        saved = anndata.read_h5ad(session.folder / "times/result.h5ad")
        is_source = (saved.obs["side"] == "source").to_numpy()
        session.check(np.isfinite(saved.obsm["projected_x"]).all(1).tolist() == is_source.tolist(), "sources alone have projected_x")


def check_init():
    """An alignment begins where an earlier one ended, and where a table says."""
    x, y = (anndata.read_h5ad(session.folder / f"{side}.h5ad") for side in "xy")
    names = {pair: name for pair, name in zip(y.obs["pair"], y.obs_names)}
    known = [(name, names[pair]) for pair, name in zip(x.obs["pair"], x.obs_names) if pair in names]
    pd.DataFrame([(*pair, 2.0) for pair in known], columns=["source", "target", "mass"]).to_csv(session.folder / "given.tsv", sep="\t", index=False)
    (session.folder / "given_bad.tsv").write_text("source\ttarget\tmass\n" + "\t".join(known[0]) + "\t1\nnobody\ty0\t1\n")
    runs = {"from_result": ("geodesic", 1), "from_file": ("geodesic/result_source.h5ad", 1), "from_table": ("given.tsv", 1), "from_both": ("given.tsv", 3)}
    for name, (init, starts) in runs.items():
        if not session.done(session.run("gromov", session.job(name, "gromov", tables_of({"init": init, "starts": starts})), ranks=2 if name == "from_result" else 1)):
            continue
        rows = read_tsv(session.folder / name / "tables/starts.tsv")
        session.check([row["name"] for row in rows] == ["given", "product", "product_direct"][:starts], f"{name}: {rows}")
    before, after = (values(session.folder / name / "tables/gromov.tsv", "quantity") for name in ("geodesic", "from_result"))
    session.check(abs(float(before["primal"]) / float(after["primal"]) - 1) < 1e-5 and int(after["outer"]) <= 20, f"again: {before['primal']}, {after}")
    scores = {key: float(value) for key, value in values(session.folder / "from_table/tables/scores.tsv", "score").items()}
    session.check(scores["foscttm"] < 0.15, f"from the true pairs: {scores}")
    both = {row["name"]: float(row["F"]) for row in read_tsv(session.folder / "from_both/tables/starts.tsv")}
    chosen = values(session.folder / "from_both/tables/gromov.tsv", "quantity")
    session.check(abs(float(chosen["primal"]) - min(both.values())) < 1e-12, f"least F: {both}, {chosen}")


def check_rank_independence():
    tables = {**tables_of({"starts": 4}), "output": {"compression": "none"}}
    for name, ranks in (("one", 1), ("many", session.ranks)):
        session.done(session.run("gromov", session.job(name, "gromov", tables), ranks=ranks))
    one, many = (anndata.read_h5ad(session.folder / name / "result_source.h5ad") for name in ("one", "many"))
    session.check(np.array_equal(one.obs["potential"], many.obs["potential"]) and np.array_equal(one.obsm["projected_x"], many.obsm["projected_x"]),
                  f"potentials and projections of 1 and {session.ranks} ranks")
    one, many = (line(name, {"anchors": "as_is.tsv"}, ranks=ranks)[1] for name, ranks in (("pairs_one", 1), ("pairs_many", session.ranks)))
    session.check(np.array_equal(one.obs["potential"], many.obs["potential"]), f"potentials with pairs on 1 and {session.ranks} ranks")


def make_line():
    """A line that is its own mirror image."""
    place = np.sort(np.r_[np.linspace(0.02, 0.98, 75), 0.5 + np.array([-0.33, 0.33, -0.2, 0.2, -0.07, 0.07])])
    for name, seen in (("a", np.c_[place, 0 * place]), ("b", np.c_[0 * place, 2 * place + 5])):
        side = anndata.AnnData(obs=pd.DataFrame(index=[f"{name}{i}" for i in range(len(place))]))
        side.obsm["X_pca"] = seen.astype(np.float32)
        side.write_h5ad(session.folder / f"{name}.h5ad")
    for name, pair in (("as_is", (2, 2)), ("mirrored", (2, len(place) - 3))):
        (session.folder / f"{name}.tsv").write_text(f"source\ttarget\n{pair[0]}\t{pair[1]}\n")
    return place


def line(name, keys, cost="euclidean", ranks=1):
    side = {"cost": cost, "normalise_rows": False}
    graph = {"geodesic_k": 4, "metric": "euclidean"} if cost == "geodesic" else {}
    tables = {"input": {"file": "a.h5ad"}, "source": {"file": "a.h5ad", **side}, "target": {"file": "b.h5ad", **side},
              "gromov": {"epsilon": 0.002, "scale": "max", **graph, **keys}, "solver": {"precision": "float64"}}
    run = session.run("gromov", session.job(name, "gromov", tables), ranks=ranks)
    if not session.done(run):
        sys.exit(session.finish())
    return run, anndata.read_h5ad(session.folder / name / "result_source.h5ad"), values(session.folder / name / "tables/gromov.tsv", "quantity")


def check_anchors(place):
    """Both couplings are told, and one pair at an end says which is meant."""

    def turned(match):
        return np.corrcoef(place, place[match])[0, 1]

    run, saved, report = line("either", {})
    session.check(report["ambiguous"] == "True" and any("ambiguous" in text and report["other_start"] in text for text in run.warnings), f"either: {report}")
    session.check(abs(float(report["other_primal"]) / float(report["primal"]) - 1) < 1e-3, f"either: {report}")
    session.check(turned(saved.obs["match"]) * turned(saved.obs["match_other"]) < -0.99, f"either: {turned(saved.obs['match'])}, {turned(saved.obs['match_other'])}")
    session.check(np.corrcoef(saved.obsm["projected_x"][:, 1], saved.obsm["projected_x_other"][:, 1])[0, 1] < -0.9, "either: projections of both")
    for name, sign in (("as_is", 1), ("mirrored", -1)):
        for cost in ("euclidean", "sq_euclidean", "geodesic"):
            run, saved, report = line(f"{name}_{cost}", {"anchors": f"{name}.tsv"}, cost)
            session.check(sign * turned(saved.obs["match"]) > 0.99 and report["ambiguous"] == "False", f"{name}, {cost}: {turned(saved.obs['match'])}, {report}")


def check_refusals():
    def edited(name, edit):
        cells = anndata.read_h5ad(session.folder / "y.h5ad")
        edit(cells)
        cells.write_h5ad(session.folder / name)

    def set_rows(rows, value):
        def edit(cells):
            cells.obsm["X_pca"][rows] = value
        return edit

    (session.folder / "far.tsv").write_text(f"source\ttarget\n3\t4\n5\t{TARGETS}\n")
    (session.folder / "again.tsv").write_text("source\ttarget\n3\t4\n3\t5\n")
    (session.folder / "none.tsv").write_text("source\ttarget\n")
    edited("zero_row.h5ad", set_rows(np.s_[17, :], 0.0))
    edited("equal.h5ad", set_rows(np.s_[:], 2.5))
    edited("nan.h5ad", set_rows((4, 1), np.nan))
    edited("twice.h5ad", lambda cells: cells.obs.__setitem__("pair", np.arange(TARGETS) // 2))
    edited("others.h5ad", lambda cells: cells.obs.__setitem__("pair", np.arange(TARGETS) + 5000))
    cases = [({"file": "zero_row.h5ad"}, {}, ["row 17", "target.normalise_rows"]),
             ({"file": "nan.h5ad"}, {}, ["nan.h5ad", "row 4", "column 1"]),
             ({"file": "equal.h5ad", "cost": "sq_euclidean"}, {}, ["target", "0"]),
             ({"file": "twice.h5ad"}, {}, ["occurs twice", "pair", "gromov.pair_key"]),
             ({"file": "others.h5ad"}, {}, ["no name", "gromov.pair_key"]),
             ({"cost": "geodesics"}, {}, ["target.cost", "did you mean 'geodesic'"]),
             ({"cost": "factored"}, {}, ["target.cost", "target.factors"]),
             ({}, {"geodesic_k": 5000}, ["5000"]),
             ({}, {"geodesic_k": 1}, ["gromov.geodesic_k = 1 is not allowed"]),
             ({}, {"mode": "unbalanced", "rho_1": 0}, ["gromov.rho_1 = 0 is not allowed"]),
             ({}, {"mode": "unbalanced", "regularisation": "proximal"}, ["gromov.regularisation", "semi_relaxed"]),
             ({}, {"algorithm": "frank_wolfe"}, ["gromov.algorithm", "float64"]),
             ({}, {"regularisation": "proximal"}, ["gromov.regularisation", "float64"]),
             ({}, {"linear": "obsm/X_wide"}, ["gromov.linear", "2 columns", "3 on the target side"]),
             ({}, {"linear": "obsm/X_none"}, ["X_none", "gromov.linear"]),
             ({}, {"alpha": 0.5}, ["problem.alpha", "gromov.linear"]),
             ({}, {"anchors": "far.tsv"}, ["far.tsv:3", f"target is {TARGETS}", "cells of the target side", f"0 to {TARGETS - 1}"]),
             ({}, {"anchors": "again.tsv"}, ["source 3 occurs twice in", "again.tsv"]),
             ({}, {"anchors": "none.tsv"}, ["none.tsv", "no pairs", "gromov.anchors"]),
             ({}, {"anchors": "far.tsv", "linear": "obsm/X_shared"}, ["gromov.anchors", "gromov.linear", "remove one"]),
             ({}, {"alpha": 1.5}, ["problem.alpha = 1.5 is not allowed"]),
             ({}, {"init": "nowhere"}, ["gromov.init", "nowhere"]),
             ({}, {"init": "given_bad.tsv"}, ["given_bad.tsv:3", "'nobody'", "source side"]),
             ({}, {"init": "given.tsv", "mode": "semi_relaxed"}, ["gromov.init", "balanced"]),
             ({}, {"solve_points": 100}, ["gromov.solve_points is not read by gromov on cells"]),
             ({}, {"rho_1": 2.0}, ["gromov.rho_1 is not read", "unbalanced"]),
             ({"cost": "sq_euclidean"}, {"metric": "cosine"}, ["gromov.metric is not read", "geodesic"]),
             ({}, {"anchors": "far.tsv", "normalise": "none"}, ["gromov.normalise is not read", "gromov.linear"]),
             ({}, {"starts": 0}, ["gromov.starts = 0 is not allowed"]),
             ({}, {"epsilon": 0}, ["gromov.epsilon = 0 is not allowed"]),
             ({}, {"epsilonn": 1}, ["unknown key 'gromov.epsilonn'", "did you mean 'gromov.epsilon'"]),
             ({}, {"pair_key": "nothing"}, ["nothing", "pair, half"])]

    cases.append(({"cost": "sq_euclidean"}, {"sweep": {"geodesic_k": [8, 12]}}, ["sweep.geodesic_k", "remove it"]))
    cases.append(({}, {"sweep": {"epsilon": [0.1, 0]}}, ["sweep.epsilon", "is not allowed"]))

    def refused(case):
        number, (target, gromov, texts) = case
        sides = {"source": {"cost": "sq_euclidean"}} if target.get("cost") == "sq_euclidean" else {}
        keys = {key: value for key, value in gromov.items() if key not in ("alpha", "sweep")}
        more = {"problem": {"alpha": gromov["alpha"]}} if "alpha" in gromov else {}
        more |= {"sweep": gromov["sweep"]} if "sweep" in gromov else {}
        job = session.job(f"bad{number}", "gromov", {**tables_of(keys, target=target, **sides), **more})
        session.refused(session.run("gromov", job), 2, *texts, result=f"bad{number}")

    session.in_parallel(refused, session.some(enumerate(cases)))


make_sides()
mirror_line = make_line()
check_costs()
check_kinds()
check_starts()
check_times()
if session.ranks == 1:
    check_anchors(mirror_line)
    check_init()
else:
    check_rank_independence()
check_refusals()
sys.exit(session.finish())
