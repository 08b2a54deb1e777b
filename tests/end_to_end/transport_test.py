"""Transport and export against dense matrices in numpy, for every cost and kind of sides."""

import json
import shutil
import sys
import warnings

from session import open_session, read_tsv

session = open_session(needs=("anndata", "h5py"))
import anndata  # noqa: E402
import h5py  # noqa: E402
import numpy as np  # noqa: E402

from transport_cells import SOURCES, TARGETS, Result, make_cells, pair_costs  # noqa: E402

warnings.simplefilter("error")
INPUT = {"file": "cells.h5ad", "time_key": "day"}
ACCURATE = {"precision": "float64", "epsilon": 0.1, "tolerance": 1e-8}


def run_job(name, tables, code=0):
    tables = {"input": INPUT, **tables, "solver": {**ACCURATE, **tables.get("solver", {})}}
    run = session.run("transport", session.job(name, "transport", tables))
    return run if session.done(run, code) else None


def points(key):
    return anndata.read_h5ad(session.folder / "cells.h5ad").obsm[key]


def result_of(name, cost="sq_euclidean", key="X_pca", target_key=None):
    x, y = points(key), points(target_key or key)
    return Result(session.folder / name, lambda rows, columns: pair_costs(x[rows], y[columns], cost))


def near(actual, expected, tolerance, what):
    error = np.nanmax(np.abs(np.asarray(actual, float) - expected)) if np.size(expected) else 0.0
    same_gaps = (np.isnan(np.asarray(actual, float)) == np.isnan(expected)).all()
    session.check(error <= tolerance and same_gaps, f"{what}: error {error}, gaps agree {same_gaps}")


def check_numbers(result, what, relaxed=False):
    """The report, recomputed from the dense coupling."""
    report, p, costs = result.report, result.coupling, result.costs
    near(report["mass"], p.sum(), 1e-9, f"{what}: mass")
    near(report["cost"], (p * costs).sum(), 1e-8, f"{what}: cost")
    inside = p > 0
    near(report["entropy"], -(p[inside] * np.log(p[inside])).sum(), 1e-6, f"{what}: entropy")
    if not relaxed:
        near(result.r, result.a, 1e-9, f"{what}: row sums")
        session.check(np.abs(result.c - result.b).sum() <= 1.01e-8, f"{what}: column sums")
    session.check(report["dual"] <= report["upper"] + 1e-12, f"{what}: D <= U")
    near(report["gap"], report["upper"] - report["dual"], 1e-12, f"{what}: gap")


def check_cells():
    """Weights with zeros, labels with gaps, projections: everything in result.h5ad."""
    run_job("cells", {"input": {**INPUT, "weights": "mass", "annotation": "type"}, "transport": {"project": ["obsm/X_pca", "obsm/X_two"]}})
    result = result_of("cells")
    check_numbers(result, "cells")
    session.check((result.a == 0).any(), "some cells have no weight")
    saved = anndata.read_h5ad(session.folder / "cells/result.h5ad")
    input_cells = anndata.read_h5ad(session.folder / "cells.h5ad")
    session.check(list(saved.obs_names) == list(input_cells.obs_names), "all cells in file order")
    is_source = (saved.obs["side"] == "source").to_numpy()
    session.check((saved.obs["source_row"][is_source] == result.source_row).all(), "rows of the sources")
    codes = input_cells.obs["type"].cat.codes.to_numpy()
    for side in ("source", "target"):
        forward = side == "source"
        p, mass, demanded = (result.coupling, result.r, result.a) if forward else (result.coupling.T, result.c, result.b)
        costs = result.costs if forward else result.costs.T
        own, other = (result.source_row, result.target_row) if forward else (result.target_row, result.source_row)
        cells, rows = saved.obs[is_source == forward], saved[is_source == forward]
        with np.errstate(invalid="ignore", divide="ignore"):
            shares = np.where(demanded[:, None] > 0, p / mass[:, None], np.nan)
            logs = np.where(shares > 0, np.log(shares), np.where(np.isnan(shares), np.nan, 0.0))
        near(cells["mass"], mass, 1e-12, f"{side} mass")
        near(cells["entropy"], -(shares * logs).sum(1), 1e-8, f"{side} entropy")
        near(cells["cost"], (shares * costs).sum(1), 1e-8, f"{side} cost")
        near(cells["potential_f" if forward else "potential_g"], result.f if forward else result.g, 0.0, f"{side} potential")
        session.check(cells["potential_g" if forward else "potential_f"].isna().all(), f"no potential of the other side for {side}")
        session.check((cells["zero_weight"] == (demanded == 0)).all() and (cells["unmatched"] == (demanded == 0)).all(), f"{side} flags")
        for key in ("X_pca", "X_two"):
            near(rows.obsm[f"projected_{key}"], shares @ input_cells.obsm[key][other].astype(float), 1e-5, f"{side} projection of {key}")
        hot = (codes[other][:, None] == np.arange(3)[None]).astype(float)
        near(rows.obsm["transferred_labels"], shares @ hot, 1e-6, f"{side} label shares")
        known = ~np.isnan(shares[:, 0])
        best = (shares @ hot)[known]
        session.check((cells["transferred_label"].cat.codes.to_numpy()[known] == best.argmax(1)).all(), f"{side} labels")
        near(cells["transferred_confidence"][known], best.max(1), 1e-9, f"{side} confidence")
    session.check(list(saved.uns["thalweg"]["columns"]["transferred_labels"]) == ["low", "mid", "high"], "names of the label columns")
    check_transitions(result, codes, input_cells)


def check_transitions(result, codes, cells):
    names = list(cells.obs["type"].cat.categories)
    table = read_tsv(session.folder / "cells/tables/transition_1.0_2.5.tsv")
    for row in table:
        k, l = names.index(row["source"]), names.index(row["target"])
        expected = result.coupling[np.ix_(codes[result.source_row] == k, codes[result.target_row] == l)].sum()
        near(float(row["mass"]), expected, 1e-9, f"transition {row['source']} to {row['target']}")
    session.check(len(table) == 9, "nine transitions")


def check_costs():
    for number, cost in enumerate(("euclidean", "manhattan", "cosine", "correlation")):
        run_job(cost, {"solver": {"cost": cost, "scale_cost": ("median", "max", "none", 2.5)[number]}})
        result = result_of(cost, cost)
        check_numbers(result, cost)
        unscaled = result.costs * result.report["scale"]
        near(result.report["scale"], (np.median(unscaled), unscaled.max(), 1.0, 2.5)[number], 1e-6, f"{cost}: divisor")
    run_job("factored", {"input": {"file": "cells.h5ad"}, "solver": {"cost": "factored", "scale_cost": 4.0}, "source": {"key": "obsm/U"},
                         "source.filter": {"group": "a"}, "target": {"key": "obsm/X_pca"}, "target.filter": {"group": "b"}})
    check_numbers(result_of("factored", "factored", "U", "X_pca"), "factored")
    for key in ("C_targets", "C_all"):
        run_job(key, {"input": {**INPUT, "joint": f"obsm/{key}"}, "solver": {"cost": "dense"}})
        costs = points("C_all").astype(float)
        check_numbers(Result(session.folder / key, lambda rows, columns: costs[np.ix_(rows, columns)]), key)


def check_relaxed():
    for reference in ("product", "uniform", "counting"):
        run_job(reference, {"solver": {"lambda1": 1, "tau_b": 0.9, "entropy_reference": reference, "gap_tolerance": 1e-9}})
        result = result_of(reference)
        check_numbers(result, reference, relaxed=True)
        near(result.report["lambda2"], 0.9, 1e-12, f"{reference}: lambda2 of tau_b")
        near(result.r, result.a * np.exp(-result.f / 1.0), 1e-9, f"{reference}: row sums of the relaxed side")
    run = run_job("normalised", {"input": {**INPUT, "weights": "wide"}})
    session.check(any("unequal_sums" in line for line in run.warnings), "sums that differ are scaled with a warning", run)
    near(result_of("normalised").report["mass"], 1.0, 1e-9, "mass after scaling")


def check_sides():
    """Each side with a file of its own: two sidecars."""
    cells = anndata.read_h5ad(session.folder / "cells.h5ad")
    for name, day in (("first", 1.0), ("second", 2.5)):
        cells[cells.obs["day"] == day].write_h5ad(session.folder / f"{name}.h5ad")
    run_job("sides", {"input": {"file": "first.h5ad", "annotation": "type"}, "target": {"file": "second.h5ad"}, "transport": {"project": ["obsm/X_two"]}})
    run_job("times", {"input": {**INPUT, "annotation": "type"}})
    sides, times = session.folder / "sides", session.folder / "times"
    near([float(read_tsv(sides / "index.tsv")[0][key]) for key in ("cost", "dual")],
         np.array([float(read_tsv(times / "index.tsv")[0][key]) for key in ("cost", "dual")]), 0.0, "sides as files and as times")
    whole = anndata.read_h5ad(times / "result.h5ad").obs
    for side, potential in (("source", "potential_f"), ("target", "potential_g")):
        part = anndata.read_h5ad(sides / f"result_{side}.h5ad")
        near(part.obs[potential], whole[whole["side"] == side][potential].to_numpy(), 0.0, f"{side} of files and of times")
        session.check(part.obsm["projected_X_two"].shape == (len(part), 2) and len(part) == (SOURCES if side == "source" else TARGETS), f"{side} shapes")


def check_divergence():
    run_job("divergence", {"transport": {"divergence": True}, "solver": {"epsilon": 0.5}})
    report = result_of("divergence").report
    session.check(report["divergence"] > 10 * report["divergence_resolution"], f"divergence {report['divergence']}")
    near(report["divergence"], report["dual"] - (report["self_source"] + report["self_target"]) / 2, 1e-12, "divergence of its parts")
    run = run_job("same", {"input": {"file": "first.h5ad"}, "target": {"file": "first.h5ad"}, "transport": {"divergence": True}, "solver": {"epsilon": 0.5}})
    report = {row["quantity"]: float(row["value"]) for row in read_tsv(session.folder / "same/tables/transport.tsv")}
    session.check(abs(report["divergence"]) <= 10 * report["divergence_resolution"] + 1e-12, f"no divergence from itself: {report['divergence']}", run)


def check_rank_independence():
    """float32 tiles, gzip: the numbers of the files do not depend on the ranks."""
    tables = {"input": {**INPUT, "annotation": "type"}, "output": {"compression": "none", "store": "sparse"}}
    for name, ranks in (("one", 1), ("many", session.ranks)):
        job = session.job(name, "transport", tables)
        session.done(session.run("transport", job, ranks=ranks))
    for file in ("solution/1.0_2.5.h5", "result.h5ad", "tmaps/tmaps_1.0_2.5.h5ad"):
        session.check((session.folder / "one" / file).read_bytes() == (session.folder / "many" / file).read_bytes(), f"{file} of 1 and {session.ranks} ranks")


def check_ring():
    """Points that stay on their ranks: the results of whole sides, exports and all."""
    tables = {"input": {**INPUT, "weights": "mass", "annotation": "type"}, "transport": {"project": ["obsm/X_two"], "divergence": True}, "output": {"store": "sparse"}}
    for form in ("ring", "two_pass"):
        run_job(form, {**tables, "solver": {"form": form}})
    result = result_of("ring")
    check_numbers(result, "ring")
    whole = result_of("two_pass")
    near(result.f, whole.f, 1e-9, "f of a ring")
    near(result.g, whole.g, 1e-9, "g of a ring")
    near(result.report["divergence"], whole.report["divergence"], 1e-9, "divergence of a ring")
    cells, others = (anndata.read_h5ad(session.folder / form / "result.h5ad") for form in ("ring", "two_pass"))
    for column in ("mass", "entropy", "cost"):
        near(cells.obs[column], others.obs[column].to_numpy(), 1e-8, f"{column} of a ring")
    for key in ("transferred_labels", "projected_X_two"):
        near(cells.obsm[key], others.obsm[key], 1e-6, f"{key} of a ring")
    rows, of_whole = (anndata.read_h5ad(session.folder / form / "tmaps/tmaps_1.0_2.5.h5ad").X.toarray() for form in ("ring", "two_pass"))
    near(rows, of_whole, 1e-8, "export of a ring")
    job = session.job("ring_export", "export", {"input": {"result": "ring"}})
    session.done(session.run("export", job))


def kept_entries(row, rule):
    """A row of the reference, sparsified."""
    order = np.lexsort((np.arange(len(row)), -row))
    if "top_k" in rule:
        kept = order[: rule["top_k"]]
    elif "threshold" in rule:
        kept = np.flatnonzero(row >= min(rule["threshold"] * row.sum(), row.max()))
    elif "row_mass" in rule:
        kept = order[: np.searchsorted(np.cumsum(row[order]), rule["row_mass"] * row.sum()) + 1]
    else:
        kept = np.flatnonzero(row >= rule["least"])
    result = np.zeros_like(row)
    result[kept] = row[kept]
    return result


def check_export():
    run_job("solved", {"input": {**INPUT, "weights": "mass"}, "solver": {"precision": "float32", "epsilon": 0.05, "tolerance": 1e-4}})
    result = result_of("solved")
    dense = result.coupling * SOURCES
    cells = anndata.read_h5ad(session.folder / "cells.h5ad")
    least = dense.max(1)[result.a > 0].min()
    for number, rule in enumerate(({"top_k": 7}, {"threshold": 0.02}, {"row_mass": 0.9}, {"least": least})):
        sparsify = next(iter(rule)).replace("least", "min_row")
        name = f"exported{number}"
        keys = {key: value for key, value in rule.items() if key != "least"}
        job = session.job(name, "export", {"input": {"result": "solved"}, "export": {"sparsify": sparsify, "keep_row_sums": number % 2 == 0, **keys}})
        if not session.done(session.run("export", job)):
            continue
        files = sorted(path.name for path in (session.folder / name / "tmaps").iterdir())
        session.check(files == ["tmaps_1.0_2.5.h5ad"], f"{name}: {files}")
        stem = files[0].removesuffix(".h5ad").split("_")[-2:]
        session.check([float(time) for time in stem] == [1.0, 2.5], f"{name}: times in the file name {stem}")
        saved = anndata.read_h5ad(session.folder / name / "tmaps" / files[0])
        session.check(list(saved.obs_names) == list(cells.obs_names[result.source_row]) and list(saved.var_names) == list(cells.obs_names[result.target_row]), f"{name}: names")
        session.check(saved.X.dtype == np.float64 and saved.X.has_sorted_indices and (np.diff(saved.X.indptr)[result.a > 0] > 0).all(), f"{name}: form")
        expected = np.array([kept_entries(row, rule) if row.sum() > 0 else row for row in dense])
        with np.errstate(invalid="ignore"):
            dropped = np.nan_to_num(1 - expected.sum(1) / dense.sum(1))
            if number % 2 == 0:
                expected *= np.nan_to_num(dense.sum(1) / expected.sum(1))[:, None]
        near(saved.obs["dropped_mass"], dropped, 1e-11, f"{name}: dropped mass")
        error = np.abs(saved.X.toarray() - expected) / np.where(expected > 0, expected, 1.0)
        session.check(error.max() < 1e-11, f"{name}: entries differ by {error.max()} of themselves")
    job = session.job("dense", "export", {"input": {"result": "solved"}, "export": {"format": "dense", "prefix": "all"}})
    session.done(session.run("export", job))
    near(anndata.read_h5ad(session.folder / "dense/tmaps/all_1.0_2.5.h5ad").X, dense, 1e-12, "dense export")


def check_export_refusals():
    def refused(name, result, *texts, tables=()):
        job = session.job(name, "export", {"input": {"result": result}, **dict(tables)})
        session.refused(session.run("export", job), 2, *texts, result=name)

    refused("nothing", "no_such_folder", "no_such_folder", "holds no finished result")
    refused("badkey", "solved", "export.top_k = 0", tables={"export": {"top_k": 0}}.items())
    refused("unknown", "solved", "unknown key 'export.topk'", "export.top_k", tables={"export": {"topk": 5}}.items())
    shutil.copytree(session.folder / "solved", session.folder / "moved")
    shutil.copyfile(session.folder / "cells.h5ad", session.folder / "kept.h5ad")
    with h5py.File(session.folder / "cells.h5ad", "r+") as file:
        file["obsm/X_pca"][3, 2] += 0.5
    refused("changed", "solved", "obsm/X_pca", "has changed since the coupling was computed", "run the job again")
    shutil.copyfile(session.folder / "kept.h5ad", session.folder / "cells.h5ad")
    with h5py.File(session.folder / "cells.h5ad", "r+") as file:
        names = file["obs/_index"][...]
        names[np.flatnonzero(file["obs/day"][...] == 2.5)[:2]] = "twin"
        file["obs/_index"][...] = names
    refused("twins", "solved", "cell name 'twin' occurs twice")
    shutil.copyfile(session.folder / "kept.h5ad", session.folder / "cells.h5ad")
    record = json.loads((session.folder / "solved/run.json").read_text())
    session.check(record["command"] == "transport" and "1.0_2.5" in record["stop_reasons"], "run.json of transport")


def main():
    make_cells(session.folder / "cells.h5ad")
    check_cells()
    check_costs()
    check_relaxed()
    check_sides()
    check_divergence()
    check_rank_independence()
    check_ring()
    check_export()
    check_export_refusals()
    return session.finish()


sys.exit(main())
