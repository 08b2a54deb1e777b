"""Encoders trained on two small files and applied to others end to end: results, any number of ranks, bad input."""

import sys
import warnings

from session import open_session, read_tsv

session = open_session(needs=("anndata", "h5py"))
import anndata  # noqa: E402
import h5py  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

warnings.simplefilter("error")
SOURCES, TARGETS = 310, 290
ONE_START = {"starts": 1, "exchange_groups": 0, "epsilon_decay": 0.6}
QUICK = {"pretrain_steps": 80, "steps": 10, "random_starts": 1, "random_steps": 10, "pair_key": "pair", "label_key": "half"}


def make_sides():
    """A bent line seen through two sets of features: x and y to train on, new_x and new_y other cells of it."""
    rng = np.random.default_rng(3)

    def write(name, place, cells, features):
        obs = pd.DataFrame({"pair": cells, "half": pd.Categorical(np.where(place < 0.5, "early", "late"))}, index=[f"{name}{i}" for i in cells])
        side = anndata.AnnData(X=features.astype(np.float32), obs=obs, var=pd.DataFrame(index=[f"{name[-1]}{k}" for k in range(features.shape[1])]))
        side.obsm["X_pca"] = features.astype(np.float32)
        side.obsm["X_shared"] = np.c_[place, place**2].astype(np.float32)
        side.obsm["X_wide"] = np.ones((len(cells), 1 + len(name) + (name == "y")), np.float32)
        side.write_h5ad(session.folder / f"{name}.h5ad")

    def see_x(place):
        return np.c_[np.cos(2 * place), np.sin(2 * place), place**2, np.ones(len(place))] + 0.01 * rng.normal(size=(len(place), 1)) * [1, 1, 1, 0]

    def see_y(place):
        return np.c_[place, np.sqrt(place), 1 - place**3] + 0.01 * rng.normal(size=(len(place), 3))

    place = np.sort(rng.random(SOURCES)) ** 1.5
    chosen = rng.permutation(SOURCES)[:TARGETS]
    write("x", place, np.arange(SOURCES), see_x(place))
    write("y", place[chosen], chosen, see_y(place[chosen]))
    unseen = rng.random(150) ** 1.5
    order = rng.permutation(150)
    write("new_x", unseen, np.arange(150), see_x(unseen))
    write("new_y", unseen[order], order, see_y(unseen[order]))


def tables_of(embed=(), source=(), target=(), gromov=()):
    return {"input": {"file": "x.h5ad"}, "source": {"file": "x.h5ad", **dict(source)}, "target": {"file": "y.h5ad", **dict(target)},
            "gromov": {"geodesic_k": 12, "starts": 3, **dict(gromov)}, "embed": {**QUICK, **dict(embed)}}


def values(path, name):
    return {row[name]: row["value"] for row in read_tsv(path)}


def encoded(model, side, features):
    """The encoder of a model file by numpy."""
    group = model[side]
    z = features / np.linalg.norm(features, axis=1)[:, None] if group.attrs["normalise_rows"] else features
    z = (z[:, group["kept"][:]].astype(np.float32) - group["mean"][:]) / group["deviation"][:]
    for layer in range(group.attrs["hidden_layers"] + 1):
        z = z @ group[f"layer{layer}/weights"][:] + group[f"layer{layer}/biases"][:]
        if layer < group.attrs["hidden_layers"]:
            z = np.maximum(z, 0)
    return z


def check_training():
    if not session.done(session.run("embed", "train", session.job("train", "embed train", tables_of()), timeout=120)):
        sys.exit(session.finish())
    folder = session.folder / "train"
    x, y = (anndata.read_h5ad(session.folder / f"{side}.h5ad") for side in "xy")
    source, target = (anndata.read_h5ad(folder / f"result_{side}.h5ad") for side in ("source", "target"))
    session.check(list(source.obs_names) == list(x.obs_names) and list(target.obs_names) == list(y.obs_names), "cells in file order")
    with h5py.File(folder / "model.h5") as model:
        session.check(model.attrs["format"] == "thalweg-embedding" and list(model["source/kept"][:]) == [0, 1, 2, 3], f"model: {dict(model.attrs)}")
        for side, cells, result in (("source", x, source), ("target", y, target)):
            z = encoded(model, side, cells.obsm["X_pca"].astype(float))
            saved = result.obsm[f"X_embed_{side}"]
            session.check(saved.dtype == np.float32 and np.abs(z - saved).max() < 1e-4, f"embedding of the {side} side by numpy")
    report = values(folder / "tables/training.tsv", "quantity")
    session.check(report["stop_reason"] == report["training_stop_reason"] == "converged" and 0 < float(report["gw_loss"]) < 0.1, f"{report}")
    session.check(float(report["marginal_error_target"]) <= 1e-6, f"marginals: {report}")
    starts = read_tsv(folder / "tables/starts.tsv")
    best = min(starts, key=lambda row: float(row["gw"]))
    session.check(best["chosen"] == "True" and best["name"] == report["start"] and sum(row["chosen"] == "True" for row in starts) == 1, f"starts: {starts}")
    session.check([row["gw_fitted"] == "" for row in starts] == [row["name"].startswith("random") for row in starts], f"starts: {starts}")
    session.check(len(read_tsv(folder / "tables/gw_starts.tsv")) == 9, "starts of the alignment, six of them exchanges")
    steps = pd.read_csv(folder / "convergence.csv")
    session.check(set(steps["stage"]) == {"fit", "train", "result"} and steps["stop_reason"].iloc[-1] == "converged", f"stages: {set(steps['stage'])}")
    session.check(abs(steps["objective"].iloc[-1] - float(report["gw_loss"])) < 1e-12, "the last row is the result")
    scores = values(folder / "tables/scores.tsv", "score")
    f = float(scores["foscttm"])
    session.check(min(f, 1 - f) < 0.45 and 0 <= float(scores["transfer_to_source_5nn"]) <= 1, f"scores: {scores}")  # or the mirror image
    for name in ("fit", "convergence", "embedding"):
        session.check((folder / f"plots/{name}.svg").exists() and (folder / f"tables/{name}.tsv").exists(), f"plot {name}")
    return f


def check_applying(trained):
    model = {"input": {"file": "new_x.h5ad", "model": "train/model.h5"}}
    keys = {"embed": {"pair_key": "pair", "label_key": "half"}}
    both = {**model, "source": {"file": "new_x.h5ad"}, "target": {"file": "new_y.h5ad"}, **keys}
    if session.done(session.run("embed", "apply", session.job("apply", "embed apply", both), timeout=60)):
        f = float(values(session.folder / "apply/tables/scores.tsv", "score")["foscttm"])
        session.check(abs(f - trained) < 0.06, f"foscttm {f} of other cells, {trained} of those of the training")
        report = values(session.folder / "apply/tables/apply.tsv", "quantity")
        again = session.run("embed", "apply", "apply.toml")
        session.check("nothing to do" in again.err, "a finished result is kept", again)
        session.check(float(report["epsilon"]) == 0.02 and float(report["outside_training_source"]) == 0, f"{report}")
    session.done(session.run("embed", "apply", session.job("wide", "embed apply", {**both, "embed": {"epsilon": 0.5}}), timeout=60))
    session.check(float(values(session.folder / "wide/tables/apply.tsv", "quantity")["epsilon"]) == 0.5, "another epsilon")
    one = {**model, "target": {"file": "new_y.h5ad"}}
    if session.done(session.run("embed", "apply", session.job("alone", "embed apply", one), timeout=60)):
        alone = anndata.read_h5ad(session.folder / "alone/result.h5ad").obsm["X_embed_target"]
        together = anndata.read_h5ad(session.folder / "apply/result_target.h5ad").obsm["X_embed_target"]
        session.check(np.array_equal(alone, together), "one side alone is embedded as with the other")


def check_losses():
    """Other losses and terms run; the fit alone is one of them."""
    runs = {"fit": {"steps": 0, "random_starts": 0}, "frob": {"loss": "frob"}, "rank": {"loss": "rank", "symmetrise": True},
            "squares": {"embedding_cost": "sq_euclidean", "epsilon_end": 0.01}, "random": {"init": "random", "random_starts": 2},
            "fused": {"lambda_fused": 0.1, "fused_key": "obsm/X_shared"}, "classes": {"anchor_labels": "obs/half", "label_key": ""},
            "pairs": {"anchors": "pairs.tsv"}, "verified": {"verify": True}}
    if session.ranks > 1:  # those whose sums go over cells of several ranks
        runs = {name: runs[name] for name in ("rank", "fused", "pairs", "verified")}
    position = {cell: row for row, cell in enumerate(anndata.read_h5ad(session.folder / "y.h5ad").obs["pair"])}
    pairs = [(cell, position[cell]) for cell in range(SOURCES) if cell in position][::40]
    (session.folder / "pairs.tsv").write_text("source\ttarget\n" + "".join(f"x{cell}\ty{cell}\n" for cell, _ in pairs))

    def check_loss(item):
        name, keys = item
        if session.done(session.run("embed", "train", session.job(name, "embed train", tables_of(keys, gromov=ONE_START)), timeout=120)):
            report = values(session.folder / name / "tables/training.tsv", "quantity")
            session.check(0 < float(report["gw_loss"]) < 0.2 and report["stop_reason"] == "converged", f"{name}: {report}")

    session.in_parallel(check_loss, runs.items(), 2)
    errors = pd.read_csv(session.folder / "verified/convergence.csv")["gradient_error"].dropna()
    session.check(len(errors) >= 2 and 0 < errors.max() < 1e-4, f"gradients and differences: {list(errors)}")


def check_far_cells():
    """Rows as they are: a constant feature is not read, and a cell far from those of the training is told."""
    plain = {"normalise_rows": False}
    tables = tables_of({"steps": 0, "random_starts": 0}, plain, plain, ONE_START)
    if not session.done(session.run("embed", "train", session.job("plain", "embed train", tables), timeout=120)):
        return
    with h5py.File(session.folder / "plain/model.h5") as model:
        session.check(list(model["source/kept"][:]) == [0, 1, 2], "the constant feature is not read")
    far = anndata.read_h5ad(session.folder / "new_y.h5ad")
    far.obsm["X_pca"][5] *= [1, -50, 1]
    far.write_h5ad(session.folder / "far.h5ad")
    tables = {"input": {"file": "far.h5ad", "model": "plain/model.h5"}, "target": {"file": "far.h5ad"}}
    run = session.run("embed", "apply", session.job("far", "embed apply", tables), timeout=60)
    session.check(any("outside_training" in line for line in run.warnings), "a warning of cells that the training has not seen", run)


def check_rank_independence():
    """Where all cells are coupled first, and where landmarks are."""
    for name, keys, many in (("all", {}, (session.ranks,)), ("landmarks", {"gw_cells": 100, "gw_landmarks": 280}, {2, session.ranks})):
        tables = {**tables_of({**keys, "random_starts": 0}, gromov=ONE_START), "solver": {"precision": "float64"}, "output": {"compression": "none"}}

        def embedded(out, ranks):
            session.done(session.run("embed", "train", session.job(out, "embed train", tables), ranks=ranks, timeout=120))
            return anndata.read_h5ad(session.folder / out / "result_source.h5ad").obsm["X_embed_source"]

        one = embedded(f"{name}_one", 1)
        for ranks in many:
            difference = np.abs(one - embedded(f"{name}_many{ranks}", ranks)).max()
            session.check(difference <= 1e-5 * np.abs(one).max(), f"{name}: embeddings of 1 and {ranks} ranks differ by {difference}")


def check_refusals():
    def edited(name, edit):
        cells = anndata.read_h5ad(session.folder / "y.h5ad")
        cells = edit(cells) or cells
        cells.write_h5ad(session.folder / name)

    def set_rows(rows, value):
        def edit(cells):
            cells.obsm["X_pca"][rows] = value
        return edit

    edited("zero_row.h5ad", set_rows(np.s_[17, :], 0.0))
    edited("nan.h5ad", set_rows((4, 1), np.nan))
    edited("few.h5ad", lambda cells: cells[:12].copy())
    edited("renamed.h5ad", lambda cells: setattr(cells, "var_names", ["y0", "y1", "z"]))
    edited("narrow.h5ad", lambda cells: cells.obsm.__setitem__("X_pca", cells.obsm["X_pca"][:, :2]))
    (session.folder / "unknown.tsv").write_text("source\ttarget\nx0\ty_none\n")
    (session.folder / "twice.tsv").write_text("source\ttarget\nx0\ty0\nx0\ty1\n")
    cases = [({"file": "zero_row.h5ad"}, {}, ["row 17", "target.normalise_rows"]),
             ({"file": "nan.h5ad"}, {}, ["nan.h5ad", "row 4", "column 1"]),
             ({"file": "few.h5ad"}, {}, ["12 cells", "at least 16"]),
             ({"key": "obsm/X_none"}, {}, ["X_none"]),
             ({}, {"anchors": "unknown.tsv"}, ["unknown.tsv:2", "y_none", "target"]),
             ({}, {"anchors": "twice.tsv"}, ["twice.tsv:3", "x0", "occurs twice"]),
             ({}, {"epsilon_end": 0}, ["embed.epsilon_end = 0 is not allowed"]),
             ({}, {"epsilon_end": 2}, ["embed.epsilon_end", "embed.epsilon_start"]),
             ({}, {"delta": 0}, ["embed.delta = 0 is not allowed"]),
             ({}, {"loss": "gww"}, ["embed.loss", "gw, frob, rank"]),
             ({}, {"batch": "half"}, ["embed.batch", "full"]),
             ({}, {"batch": 300}, ["embed.batch", "1024"]),
             ({}, {"batch": 2000}, ["embed.batch = 2000", "310 cells"]),
             ({}, {"anchor_labels": "half"}, ["embed.label_key", "embed.anchor_labels"]),
             ({}, {"fused_key": "obsm/X_shared"}, ["embed.fused_key", "embed.lambda_fused"]),
             ({}, {"fused_key": "obsm/X_wide", "lambda_fused": 1}, ["embed.fused_key", "2 columns", "3 on the target side"]),
             ({}, {"init": "random", "random_starts": 0}, ["embed.random_starts"]),
             ({}, {"stepss": 1}, ["unknown key 'embed.stepss'", "did you mean 'embed.steps'"]),
             ({}, {"gromov": {"geodesic_k": 5000}}, ["5000"]),
             ({}, {"gromov": {"mode": "semi_relaxed"}}, ["gromov.mode", "embed train"])]

    def refused(case):
        number, (target, embed, texts) = case
        keys = {key: value for key, value in embed.items() if key != "gromov"}
        job = session.job(f"bad{number}", "embed train", tables_of(keys, target=target, gromov=embed.get("gromov", {})))
        session.refused(session.run("embed", "train", job), 2, *texts, result=f"bad{number}")

    session.in_parallel(refused, session.some(enumerate(cases)))
    model = {"input": {"file": "x.h5ad", "model": "train/model.h5"}, "source": {"file": "x.h5ad"}}
    for name, tables, texts in (("narrow", {**model, "target": {"file": "narrow.h5ad"}}, ["2 features", "trained on 3", "target.key"]),
                                ("nothing", {**model, "input": {"file": "x.h5ad", "model": "x.h5ad"}}, ["x.h5ad", "input.model"]),
                                ("absent", {"input": {"file": "x.h5ad"}}, ["input.model"])):
        session.refused(session.run("embed", "apply", session.job(f"apply_{name}", "embed apply", tables)), 2, *texts, result=f"apply_{name}")
    session.refused(session.run("embed", "bad0.toml"), 2, "embed train", "embed apply")
    genes = {"source": {"key": "X"}, "target": {"key": "X"}, "embed": {"steps": 0, "random_starts": 0}, "gromov": ONE_START}
    if session.done(session.run("embed", "train", session.job("genes", "embed train", tables_of(**genes)), timeout=60)):
        tables = {"input": {"file": "x.h5ad", "model": "genes/model.h5"}, "target": {"file": "renamed.h5ad", "key": "X"}}
        session.refused(session.run("embed", "apply", session.job("apply_renamed", "embed apply", tables)), 2, "feature 2", "'z'", "'y2'")


make_sides()
check_applying(check_training())
check_losses()
if session.ranks == 1:
    check_far_cells()
else:
    check_rank_independence()
check_refusals()
sys.exit(session.finish())
