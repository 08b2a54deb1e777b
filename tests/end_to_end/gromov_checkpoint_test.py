"""Alignments that are stopped, killed or broken and go on: the result is that of a run without interruption."""

import sys

from interrupted import Case, check_broken, check_random_kills, check_stops, copy, planned_bytes, same, session, side_by_side, states
from session import read_tsv

few_steps = {"epsilon": 0.03, "epsilon_decay": 0.6, "starts": 3}
precise = {"solver": {"precision": "float64"}}


def make_cells(name, cells, dimensions, times):
    job = session.job(name, "simulate", {"simulate": {"model": "mixture", "cells": cells, "dimensions": dimensions, "times": times}})
    session.done(session.run("simulate", job, ranks=1))
    return {"file": f"{name}/simulation.h5ad", "time_key": "time"}


def cases():
    few, many = make_cells("few", 125, 4, 2), make_cells("many", 520, 4, 2)  # more than the 512 anchors of a side
    smaller = make_cells("smaller", 80, 4, 2)
    slices = {**make_cells("slices", 80, 2, 3), "spatial": "obsm/X_pca"}
    plain = {"output": {"plots": False}}
    yield Case("whole", "gromov", {"input": few, "gromov": {**few_steps, "epsilon": 0.06}, **precise})
    yield Case("anchors", "gromov", {"input": many, "gromov": {**few_steps, "epsilon": 0.1, "starts": 2}, **precise, **plain})
    yield Case("sweep", "gromov", {"input": smaller, "gromov": few_steps, "sweep": {"epsilon": [0.08, 0.06], "geodesic_k": [10, 14]}, **precise, **plain}, has_parts=True)
    yield Case("chain", "align", {"input": slices, "gromov": {**few_steps, "epsilon": 0.06}, **precise, **plain}, has_parts=True)
    yield Case("unbalanced", "gromov", {"input": smaller, "gromov": {"epsilon": 0.06, "mode": "unbalanced"}, **precise, **plain})


def check_unconverged():
    """Parts that did not converge do not hide that a later one was stopped; parts of nearly the same epsilon are two."""
    slices = {**make_cells("other_slices", 100, 2, 3), "spatial": "obsm/X_pca"}
    few = make_cells("fewer", 100, 4, 2)
    loose = {"gromov": {**few_steps, "max_outer": 1}, "solver": {"precision": "float64", "allow_unconverged": True}, "output": {"plots": False}}
    for case in (Case("loose_chain", "align", {"input": slices, **loose}, has_parts=True),
                 Case("loose_sweep", "gromov", {"input": few, **loose, "sweep": {"epsilon": [0.04, 0.040004]}}, has_parts=True)):
        out = f"{case.name}_stopped"
        case.run("--set", f"run.stop_after_iterations={case.iterations - 1}", out=out, code=5)
        run = case.run("--resume", out=out)
        same(out, case.whole, f"{case.name} stopped in its last part", run)
    rows = read_tsv(session.folder / "loose_sweep_whole/tables/sweep.tsv")
    session.check([float(row["epsilon"]) for row in rows] == [0.040004, 0.04], f"sweep over nearly the same epsilon: {rows}")


def check_other_settings(case):
    copy("two", "other")
    (session.folder / "other/run.json").unlink()  # as after a kill
    run = case.run("--set", "gromov.epsilon=0.04", out="other", code=2)
    session.check(any("gromov.epsilon: 0.06 there, 0.04 here" in line for line in run.errors), "other settings", run)


def check_size(case):
    """A state takes no more than the plan said, headers aside."""
    planned = planned_bytes(case)
    for number in (case.iterations // 2, case.iterations - 1):
        case.run("--set", f"run.stop_after_iterations={number}", "--fresh", out=f"sized_{case.name}", code=5)
        size = max(path.stat().st_size for path in states(f"sized_{case.name}"))
        session.check(0.1 * planned <= size <= 1.1 * planned + 2**18, f"state of {size} bytes, {planned} planned")


def main():
    made = list(cases())

    def check_case(case):
        middle, last = case.iterations // 2, case.iterations - 1
        if session.is_alone:
            check_stops(case, {1: (2,) if case.name in ("whole", "anchors") else (), 2: (), middle: (4 if case.name == "whole" else 2,)})
            check_stops(case, {last: ()})
        else:
            check_stops(case, {middle: (1,), last: ()} if case.name in ("anchors", "sweep") else {middle: (1,)})

    side_by_side(check_case, made)
    if session.is_alone:
        whole, anchors, *_ = made
        check_broken(whole)
        check_other_settings(whole)
        side_by_side(check_size, [whole, anchors])
        check_unconverged()
    many = make_cells("often", 520, 4, 2)
    check_random_kills(Case("long", "gromov", {"input": many, "gromov": {**few_steps, "epsilon": 0.1, "starts": 2}, **precise,
                                               "run": {"checkpoint_every_s": 0.05}, "output": {"plots": False}}), 6 if session.is_alone else 3)
    return session.finish()


sys.exit(main())
