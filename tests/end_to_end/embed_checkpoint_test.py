"""Trainings of encoders that are stopped or killed and go on: the result is that of a training without interruption."""

import sys

from interrupted import Case, check_pieces, check_random_kills, check_stops, runs_of, same, session, states
from session import DATA

two_times = {"file": DATA, "time_key": "time", "days": ["300", "360"]}
common = {"input": two_times, "solver": {"precision": "float64"}, "output": {"plots": False}}
random_alone = {"init": "random", "random_starts": 2, "random_steps": 12}


def check_alignments():
    """Encoders that are fitted to alignments: a state has these, so that they are solved once."""
    case = Case("fitted", "embed train", {**common, "gromov": {"geodesic_k": 12, "starts": 2},
                                          "embed": {"pretrain_steps": 20, "steps": 8, "random_starts": 1, "random_steps": 8}})
    for number in (case.iterations - 3, case.iterations - 20):
        out = f"fitted_{number}"
        case.run("--set", f"run.stop_after_iterations={number}", out=out, code=5)
        session.check(len(states(out)) == 1, f"{out}: one state")
        run = case.run("--resume", out=out)
        same(out, case.whole, f"encoders after {number} stop tests", run)
        starts = runs_of(out)
        session.check(starts[1]["from_iteration"] == number and starts[1]["to_iteration"] == case.iterations, f"{out}: alignments are not solved again: {starts}", run)
    early = case.run("--set", "run.stop_after_iterations=2", out="fitted_early", code=5)
    session.check(not states("fitted_early") and "begins anew" in early.err, "no state of encoders within an alignment", early)
    same("fitted_early", case.whole, "encoders after an alignment that was stopped", case.run(out="fitted_early"))


def check_without_steps():
    """Alignments that were stopped, and nothing after them that would ask."""
    job = session.job("no_steps", "embed train", {**common, "gromov": {"geodesic_k": 12, "starts": 2},
                                                 "embed": {"pretrain_steps": 0, "steps": 0, "random_starts": 0}})
    session.done(session.run("embed", "train", job, "--set", "run.stop_after_iterations=2", timeout=60), 5)


case = Case("embed", "embed train", {**common, "embed": random_alone})
check_stops(case)
check_pieces(case)
check_alignments()
check_without_steps()
check_random_kills(Case("often", "embed train", {**common, "embed": random_alone, "run": {"checkpoint_every_s": 0.02}}), most=10)
sys.exit(session.finish())
