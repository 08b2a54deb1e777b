"""Trainings of encoders that are stopped or killed and go on: the result is that of a training without interruption."""

import csv
import sys

from interrupted import Case, check_random_kills, check_stops, copy, nearly_same, planned_bytes, runs_of, same, session, states
from session import DATA

two_times = {"file": DATA, "time_key": "time", "days": ["300", "360"]}
one_batch = {"batch": ["Waterston_300_minutes"]}  # 147 and 23 cells
common = {"input": two_times, "input.filter": one_batch, "solver": {"precision": "float64"}, "output": {"plots": False}}
random_alone = {"init": "random", "random_starts": 2, "random_steps": 12}


def check_alignments(name, embed=(), resumed_on=()):
    """Encoders that are fitted to alignments: both have states, from which what is done is not done again."""
    case = Case(name, "embed train", {**common, "gromov": {"geodesic_k": 12, "starts": 2},
                                      "embed": {"pretrain_steps": 20, "steps": 8, "random_starts": 1, "random_steps": 8, **dict(embed)}})
    with open(session.folder / f"{name}_whole/convergence.csv", newline="") as file:
        steps = sum(row["stage"] in ("fit", "train") for row in csv.DictReader(file))
    before = case.iterations - steps
    session.check(before > 10, f"{name}: {before} stop tests of alignments, {steps} of the training")
    planned = planned_bytes(case)
    stops = ((2, "coupling"), (before // 2, "coupling"), (case.iterations - 20, ""), (case.iterations - 3, ""))
    for number, item in stops if session.is_alone else stops[1:3]:
        out = f"{name}_{number}"
        first = case.run("--set", f"run.stop_after_iterations={number}", out=out, code=5)
        session.check(len(states(out)) == 1 and states(out)[0].parent.name.startswith(item) and "goes on from" in first.err, f"{out}: one state, {states(out)}", first)
        session.check(max(path.stat().st_size for path in states(out)) <= 1.1 * planned + 2**18, f"{out}: {planned} bytes planned", first)
        for ranks in (session.ranks, *resumed_on):
            copy(out, f"{out}_on{ranks}")
            run = case.run("--resume", out=f"{out}_on{ranks}", ranks=ranks)
            starts = runs_of(f"{out}_on{ranks}")
            session.check(starts[1]["from_iteration"] == number and not states(f"{out}_on{ranks}"), f"{out} on {ranks} ranks: {starts}", run)
            if ranks != session.ranks:
                nearly_same(f"{out}_on{ranks}", case.whole, f"{out} on {ranks} ranks", run)
                continue
            session.check(starts[1]["to_iteration"] == case.iterations, f"{out}: what is done is not done again: {starts}", run)
            same(f"{out}_on{ranks}", case.whole, out, run)


def check_without_steps():
    """Alignments that were stopped, and nothing after them that would ask."""
    job = session.job("no_steps", "embed train", {**common, "gromov": {"geodesic_k": 12, "starts": 2},
                                                 "embed": {"pretrain_steps": 0, "steps": 0, "random_starts": 0}})
    session.done(session.run("embed", "train", job, "--set", "run.stop_after_iterations=2", timeout=60), 5)


case = Case("embed", "embed train", {**common, "embed": random_alone})
middle, last = case.iterations // 2, case.iterations - 1
if session.is_alone:
    check_stops(case, {1: (2,), 2: (), middle: (3,)})
    check_stops(case, {last: (4,)})
    check_alignments("fitted")
    check_without_steps()
else:
    check_stops(case, {middle: (1, 2), last: (4,)})
check_alignments("landmarks", {"gw_cells": 16, "gw_landmarks": 100}, resumed_on=(2,))
check_random_kills(Case("often", "embed train", {**common, "embed": random_alone, "run": {"checkpoint_every_s": 0.02}}), 6 if session.is_alone else 3)
sys.exit(session.finish())
