"""Transport on bad and degenerate input, and stopped in the middle: the documented exit, never a hang."""

import json
import os
import signal
import subprocess
import sys
import time

from session import open_session, read_tsv

session = open_session(needs=("anndata", "h5py"))
import anndata  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from transport_cells import Result, make_cells, pair_costs  # noqa: E402

INPUT = {"file": "cells.h5ad", "time_key": "day"}


def write_inputs():
    make_cells(session.folder / "cells.h5ad")

    def edited(name, edit):
        cells = anndata.read_h5ad(session.folder / "cells.h5ad")
        edit(cells)
        cells.write_h5ad(session.folder / name)

    def set_feature(row, value):
        def edit(cells):
            cells.obsm["X_pca"][row] = value
        return edit

    def set_weights(weights_of):
        def edit(cells):
            cells.obs["mass"] = weights_of(cells.obs["day"].to_numpy())
        return edit

    edited("nan.h5ad", set_feature((41, 2), np.nan))
    edited("inf.h5ad", set_feature((41, 2), np.inf))
    edited("zero_row.h5ad", set_feature(np.s_[17, :], 0.0))
    edited("negative.h5ad", set_weights(lambda day: np.where(np.arange(1000) == 9, -1.0, 1.0)))
    edited("infinite.h5ad", set_weights(lambda day: np.where(np.arange(1000) == 9, np.inf, 1.0)))
    edited("weightless.h5ad", set_weights(lambda day: (day == 1.0) * 1.0))
    edited("equal.h5ad", set_feature(np.s_[:], 2.5))
    many = anndata.AnnData(obs=pd.DataFrame({"day": np.arange(2 * 23171) % 2 + 1.0}, index=[f"c{i}" for i in range(2 * 23171)]))
    many.obsm["X_pca"] = np.zeros((2 * 23171, 1), np.float32)
    many.write_h5ad(session.folder / "large.h5ad")
    tiny = anndata.AnnData(obs=pd.DataFrame({"day": [1.0, 2.0]}, index=["x", "y"]))
    tiny.obsm["X_pca"] = np.array([[0, 0], [3, 4]], np.float32)
    tiny.write_h5ad(session.folder / "two.h5ad")


def cases():
    yield {"input.file": "nan.h5ad"}, ["nan.h5ad", "row 41", "column 2"]
    yield {"input.file": "inf.h5ad"}, ["inf.h5ad", "row 41", "column 2"]
    yield {"input.file": "negative.h5ad", "input.weights": "mass"}, ["row 9", "obs/mass", "negative.h5ad"]
    yield {"input.file": "infinite.h5ad", "input.weights": "mass"}, ["row 9", "obs/mass", "infinite.h5ad"]
    yield {"input.file": "weightless.h5ad", "input.weights": "mass"}, ["all weights of time 2.5", "weightless.h5ad"]
    yield {"input.weights": "wide", "solver.normalise": "false"}, ["weights sum to", "solver.lambda1"]
    yield {"solver.cost": "cosine", "input.file": "zero_row.h5ad"}, ["row"]
    yield {"solver.epsilon": 0}, ["solver.epsilon = 0 is not allowed", "greater than 0"]
    yield {"solver.epsilon": -1}, ["solver.epsilon = -1 is not allowed"]
    yield {"solver.epsilon": "nan"}, ["solver.epsilon"]
    yield {"solver.epsilon": 1e-11}, ["too small for entropic transport", "hiref"]
    yield {"solver.lambda1": 0}, ["solver.lambda1 = 0 is not allowed"]
    yield {"solver.tau_a": 1.5}, ["solver.tau_a = 1.5 is not allowed"]
    yield {"solver.tau_b": 0}, ["solver.tau_b = 0 is not allowed"]
    yield {"solver.tau_a": 0.9, "solver.lambda1": 2}, ["solver.tau_a and solver.lambda1", "remove one"]
    yield {"solver.tau_b": 0.9, "solver.lambda2": 2}, ["solver.tau_b and solver.lambda2"]
    yield {"solver.cost": "euclidian"}, ["solver.cost", "did you mean 'euclidean'"]
    yield {"solver.form": "rings"}, ["solver.form", "did you mean 'ring'"]
    yield {"solver.scale_cost": "average"}, ["solver.scale_cost", "allowed: mean, median, max, none"]
    yield {"solver.scale_cost": 0}, ["solver.scale_cost = 0 is not allowed"]
    yield {"solver.epsilom": 1}, ["unknown key 'solver.epsilom'", "did you mean 'solver.epsilon'?"]
    yield {"transport.label": "type"}, ["unknown key 'transport.label'", "transport.labels"]
    yield {"solver.cost": "dense"}, ["cost matrix", "5 columns", "300", "1000"]
    yield {"solver.cost": "dense", "transport.divergence": "true", "input.joint": "obsm/C_all"}, ["transport.divergence"]
    yield {"input.time_key": '""', "target.key": "obsm/X_two"}, ["5 and 2", "source.key"]
    yield {"input.time_key": '""'}, ["transport needs two sides"]
    yield {"input.days": "[1]"}, ["1 times", "two sides are needed"]
    yield {"input.days": "[1, 3]"}, ["3"]
    yield {"source.filter.group": '["c"]'}, ["c"]
    yield {"transport.project": '["obsm/X_umap"]'}, ["X_umap", "available"]
    yield {"transport.project": '["obsm/X_pca", "X_pca"]'}, ["transport.project", "obsm/projected_X_pca"]
    yield {"transport.labels": "typ"}, ["obs column 'typ'", "nearest: type"]
    yield {"export.prefix": '"a/b"'}, ["export.prefix"]
    yield {"input.file": "large.h5ad", "output.store": "sparse", "export.format": "dense"}, ["export.format", "at most 4 GiB"]
    yield {"output.store": "dense"}, ["output.store", "potentials, sparse"]


def check_refusals():
    job = session.job("base", "transport", {"input": INPUT})
    chosen = session.some(cases())

    def refused(number):
        settings, texts = chosen[number]
        words = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        session.refused(session.run("transport", job, "--out", f"out{number}", *words), 2, *texts, result=f"out{number}")

    session.in_parallel(refused, range(len(chosen)))
    short = session.run("transport", job, "--out", "short", "--set", "run.memory_gib=0.001")
    session.refused(short, 3, "run.memory_gib", result="short")
    session.check("points" in short.err, "the table of a shortage", short)


def report_of(name):
    return {row["quantity"]: float(row["value"]) for row in read_tsv(session.folder / name / "tables/transport.tsv")}


def solved(name, *words, code=0, file="cells.h5ad"):
    run = session.run("transport", session.job(name, "transport", {"input": {**INPUT, "file": file}}), *words)
    session.done(run, code)
    return run


def check_degenerate():
    for number, cost in enumerate(("sq_euclidean", "euclidean", "manhattan")):
        solved(f"two{number}", "--set", f"solver.cost={cost}", "--set", "solver.scale_cost=none", file="two.h5ad")
        report = report_of(f"two{number}")
        session.check(abs(report["cost"] - (25.0, 5.0, 7.0)[number]) < 1e-5 and abs(report["mass"] - 1.0) < 1e-9, f"one cell to one cell, {cost}: {report['cost']}")
    run = solved("equal", file="equal.h5ad")
    session.check(any("zero_costs" in line for line in run.warnings) and abs(report_of("equal")["cost"]) < 1e-12, "points that are all equal", run)
    solved("vague", "--set", "solver.epsilon=1e5")
    session.check(abs(report_of("vague")["cost"] - 1.0) < 1e-3, f"huge epsilon: the product coupling, cost {report_of('vague')['cost']}")
    run = solved("collapsed", "--set", "solver.lambda1=1e-4", "--set", "solver.lambda2=1e-4", "--set", "solver.epsilon=0.01")
    session.check(any("collapsed" in line for line in run.warnings), "a coupling that lost its mass", run)


def check_state(name):
    """The cells are described by the coupling that is stored, wherever the solve has stopped."""
    points = anndata.read_h5ad(session.folder / "cells.h5ad").obsm["X_pca"]
    result = Result(session.folder / name, lambda rows, columns: pair_costs(points[rows], points[columns], "sq_euclidean"))
    cells = anndata.read_h5ad(session.folder / name / "result.h5ad").obs
    for side, mass, p in (("source", result.r, result.coupling), ("target", result.c, result.coupling.T)):
        written = cells[cells["side"] == side]
        error = np.abs(written["mass"].to_numpy() / mass - 1).max()
        session.check(error < 1e-3, f"{name}: masses of the {side} cells, relative error {error}")
        costs = result.costs if side == "source" else result.costs.T
        error = np.nanmax(np.abs(written["cost"].to_numpy() - (p * costs).sum(1) / mass))
        session.check(error < 1e-3, f"{name}: costs of the {side} cells, error {error}")


def check_exit_codes():
    run = solved("unfinished", "--set", "solver.max_iterations=3", "--set", "solver.tolerance=1e-9", code=4)
    session.check(any("not_converged" in line for line in run.warnings), "a warning when the solve gave up", run)
    row = read_tsv(session.folder / "unfinished/index.tsv")[0]
    session.check(row["stop_reason"] == "max_iterations" and row["converged"] == "False", f"index {row}")
    check_state("unfinished")
    run = solved("tiny", "--set", "solver.epsilon=5e-7", "--set", "solver.max_iterations=70", code=4)
    session.check(sum("small_epsilon" in line for line in run.warnings) == 1, "one warning of a small epsilon", run)
    check_state("tiny")
    solved("allowed", "--set", "solver.max_iterations=3", "--set", "solver.tolerance=1e-9", "--set", "solver.allow_unconverged=true")
    run = solved("limited", "--set", "run.stop_after_iterations=2", "--set", "output.store=sparse", code=5)
    there = {path.name for path in (session.folder / "limited").iterdir()}
    session.check(there == {"checkpoint", "convergence.csv", "index.tsv", "job.toml", "log.jsonl", "run.json", "versions.yml"}, f"nothing of the cells: {there}", run)
    session.check(len((session.folder / "limited/convergence.csv").read_text().splitlines()) == 3, "a row for each of two evaluations", run)
    again = session.run("transport", "limited.toml", "--set", "solver.epsilon=0.2")
    session.refused(again, 2, "holds the result of another job", "solver.epsilon")


def check_memory():
    """What a rank has needed is no more than the plan said."""
    units = {"B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}
    cells = session.job("many", "simulate", {"simulate": {"model": "mixture", "cells": 3500, "dimensions": 40, "times": 2}})
    session.done(session.run("simulate", cells, ranks=1))
    job = session.job("planned", "transport", {
        "input": {"file": "many/simulation.h5ad", "time_key": "time", "annotation": "component"}, "run": {"threads": 1},
        "transport": {"project": ["obsm/X_pca"]}, "solver": {"allow_unconverged": True, "max_iterations": 3}, "output": {"store": "sparse"}})
    export = session.job("exported", "export", {"input": {"result": "planned"}, "run": {"threads": 1}})
    for name, command, words in (("planned", "transport", job), ("exported", "export", export)):
        session.done(session.run(command, words, timeout=100))
        plan = session.run("plan", words)
        number, unit = next(line.split()[4:6] for line in plan.out.splitlines() if "most at a time" in line)
        measured = json.loads((session.folder / name / "run.json").read_text())["peak_bytes"]["host"] / 2**20
        planned = float(number) * units[unit] / 2**20
        session.check(0.4 * planned <= measured <= planned, f"{command}: {measured:.1f} MiB measured, {planned:.1f} MiB planned", plan)


def planned_gib(job, *words):
    """What `plan` says a rank needs at most, and its text."""
    plan = session.run("plan", job, *words)
    number, unit = next(line.split()[4:6] for line in plan.out.splitlines() if "most at a time" in line)
    return float(number) * {"MiB": 2.0**-10, "GiB": 1.0}[unit], plan.out


def check_ring():
    """Points that do not fit on every rank pass in a ring, if the user leaves the form open."""
    cells = session.job("wide", "simulate", {"simulate": {"model": "mixture", "cells": 10000, "dimensions": 140, "times": 2}})
    session.done(session.run("simulate", cells, ranks=1))
    job = session.job("ringed", "transport", {"input": {"file": "wide/simulation.h5ad", "time_key": "time"}, "run": {"threads": 1},
                                              "solver": {"allow_unconverged": True, "max_iterations": 1}})
    whole, ring = (planned_gib(job, "--set", f"solver.form={form}")[0] for form in ("two_pass", "ring"))
    if session.ranks == 1:
        session.check(whole > 0 and ring > 0, "plans of both forms")
        return
    session.check(ring < 0.9 * whole, f"a ring needs {ring:.3f} GiB, whole sides {whole:.3f} GiB")
    limit = ("--set", f"run.memory_gib={0.5 * (ring + whole)}")
    session.check('form "ring"' in planned_gib(job, *limit)[1] and 'form "ring"' not in planned_gib(job)[1], "a plan takes the ring where it must")
    run = session.run("transport", job, *limit, timeout=200)
    session.done(run)
    session.check("pass in a ring" in run.err, "the log says so", run)
    measured = json.loads((session.folder / "ringed/run.json").read_text())["peak_bytes"]["host"] / 2**30
    session.check(0.4 * ring <= measured <= ring, f"ring: {measured:.3f} GiB measured, {ring:.3f} GiB planned")
    refused = session.run("transport", job, *limit, "--set", "solver.form=two_pass", "--out", "toolarge")
    session.refused(refused, 3, "run.memory_gib", result="toolarge")


def start_long_job(name):
    """A solve of many evaluations, left when it has made a few."""
    job = session.job(name, "transport", {"input": {"file": "cells/simulation.h5ad", "time_key": "time"},
                                          "solver": {"precision": "float64", "epsilon": 0.001, "tolerance": 1e-13, "max_iterations": 100000, "acceleration": "none"}})
    process = session.start("transport", job)
    log = session.folder / name / "log.jsonl"
    for _ in range(1000):
        if log.exists() and log.read_text().count('"event":"check"') >= 3:
            return process
        if process.poll() is not None:
            break
        time.sleep(0.02)
    session.check(False, f"{name}: evaluations begin")
    return process


def ranks_of(process):
    if session.ranks == 1:
        return [process.pid]
    return [int(pid) for pid in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()]


def end_of(process):
    try:
        _, err = process.communicate(timeout=40)
        return process.returncode, err
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, process.communicate()[1]


def check_signals():
    cells = session.job("cells", "simulate", {"simulate": {"model": "mixture", "cells": 4000, "dimensions": 16, "times": 2}})
    session.done(session.run("simulate", cells, ranks=1))
    process = start_long_job("stopped")
    os.kill(ranks_of(process)[-1], signal.SIGTERM)
    code, err = end_of(process)
    session.check(code == 5, f"SIGTERM: exit {code}, expected 5: {err}")
    session.check(err.count("warning: interrupted:") == 1 and "goes on from the state saved" in err, f"SIGTERM: no word of checkpoints: {err}")
    record = session.folder / "stopped/run.json"
    if session.check(record.exists(), "results after SIGTERM"):
        session.check(json.loads(record.read_text())["stop_reasons"] == {"0.0_1.0": "interrupted"}, record.read_text())
        session.check((session.folder / "stopped/convergence.csv").exists(), "history after SIGTERM")
    process = start_long_job("killed")
    os.kill(ranks_of(process)[-1], signal.SIGKILL)
    code, err = end_of(process)
    session.check(code not in (None, 0), f"kill -9: exit {code}: {err}")
    session.check(not (session.folder / "killed/result.h5ad").exists() and not (session.folder / "killed/run.json").exists(), "kill -9 leaves no result")
    again = session.run("transport", "killed.toml", "--set", "run.stop_after_iterations=2")
    session.done(again, 5)
    session.check((session.folder / "killed/run.json").exists() and not list((session.folder / "killed").rglob("*.tmp")), "the next run into the folder", again)


def main():
    write_inputs()
    check_refusals()
    check_degenerate()
    check_exit_codes()
    check_signals()
    check_memory()
    check_ring()
    return session.finish()


sys.exit(main())
