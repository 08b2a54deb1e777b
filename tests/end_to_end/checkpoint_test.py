"""Runs that are stopped, killed or broken and go on: the result is that of a run without interruption."""

import json
import os
import shutil
import signal
import subprocess
import sys

from interrupted import Case, check_broken, check_random_kills, check_stops, copy, same, session, side_by_side, states, wait_for_state
from session import DATA

# Two groups of 147 and 23 cells: maps between all of a time take seconds before the first start.
one_batch = {"batch": ["Waterston_300_minutes"]}
two_times = {"file": DATA, "time_key": "time", "days": ["300", "360"]}
precise = {"precision": "float64"}
JOBS = {
    "transport": ("transport", {"input": two_times, "solver": {**precise, "epsilon": 0.01, "tolerance": 1e-9}}),
    "overrelaxed": ("transport", {"input": two_times, "solver": {"epsilon": 0.02, "tolerance": 1e-7, "acceleration": "overrelax", "lambda1": 5.0, "gap_tolerance": 1e-6}}),
    "hmot": ("hmot", {"input": {**two_times, "days": ["300", "360", "420"]}, "hmot": {"rank": 5, "restarts": 4, "subsample": 60}, "solver": precise}),
    "lowrank_gw": ("lowrank", {"input": {"file": DATA}, "source.filter": {"time": ["300"], **one_batch}, "target": {"key": "X"}, "target.filter": {"time": ["360"], **one_batch},
                               "lowrank": {"rank": [4, 3], "objective": "gw", "restarts": 3}, "solver": precise}),
    "lowrank": ("lowrank", {"input": two_times, "lowrank": {"rank": [6, 4]}, "solver": precise}),
}

def check_no_gain(case):
    """A run that is stopped within its first round of starts again and again gains nothing: its state keeps its number."""
    out = f"{case.name}_idle"
    for _ in range(3):
        run = case.run("--set", "run.stop_after_iterations=1", out=out, code=5)
        session.check([path.name for path in states(out)] == ["state_00000001.h5"], f"{out}: states {states(out)}", run)
    same(out, case.whole, out, case.run(out=out))


def check_other_item(case):
    """The end of one job leaves the state of another one in the same folder."""
    case.run("--set", "run.stop_after_iterations=3", out="mixed", code=5)
    before = states("mixed")
    case.run("--set", 'input.days=["360", "420"]', "--set", "output.overwrite=true", out="mixed")
    session.check(before and states("mixed") == before, f"mixed: states {before}, then {states('mixed')}")


def check_finished_files():
    """Simulated cells and exported couplings are finished results too."""
    simulate = session.job("simulated", "simulate", {"simulate": {"model": "mixture", "cells": 60, "times": 2, "dimensions": 4}})
    session.done(session.run("simulate", simulate))
    session.job("pair", "transport", {"input": {"file": "simulated/simulation.h5ad", "time_key": "time"}, "solver": {"epsilon": 0.1}})
    session.done(session.run("transport", "pair.toml"))
    exports = session.job("exported", "export", {"input": {"result": "pair"}})
    session.done(session.run("export", exports))
    for command, job in (("simulate", simulate), ("export", exports)):
        again, fresh = session.run(command, job), session.run(command, job, "--fresh")
        session.check(again.code == 0 and "nothing to do" in again.err, f"{command}: finished", again)
        session.check(fresh.code == 0 and "nothing to do" not in fresh.err, f"{command} --fresh", fresh)
    session.done(session.run("transport", "pair.toml", "--set", "solver.epsilon=0.2", "--set", "output.overwrite=true"))
    changed = session.run("export", exports, "--set", "output.overwrite=true")
    session.check(changed.code == 0 and "nothing to do" not in changed.err, "another coupling is exported anew", changed)


def check_finished(case):
    """A finished result is kept, and is computed anew with --fresh or when a file is missing."""
    out = f"{case.name}_whole"
    before = (session.folder / out / "run.json").read_bytes()
    again = case.run(out=out)
    session.check("nothing to do" in again.err and (session.folder / out / "run.json").read_bytes() == before, "a finished job is skipped", again)
    copy(out, "anew")
    fresh = case.run("--fresh", out="anew")
    session.check("nothing to do" not in fresh.err and (session.folder / "anew/run.json").read_bytes() != before, "--fresh", fresh)
    same("anew", case.whole, "--fresh", fresh)
    (session.folder / "anew/index.tsv").unlink()
    case.run(out="anew")
    same("anew", case.whole, "a missing file")
    both = case.run("--fresh", "--resume", out="anew", code=2)
    session.check(len(both.errors) == 1, "--fresh and --resume exclude one another", both)


def check_other_jobs(case):
    copy("two", "other")
    for file in ("run.json",):
        (session.folder / "other" / file).unlink()  # as after a kill
    run = case.run("--set", "solver.epsilon=0.02", "--set", "solver.tolerance=1e-8", out="other", code=2)
    session.check(any("solver.epsilon: 0.01 there, 0.02 here" in line and "solver.tolerance" in line for line in run.errors), "other settings", run)
    case.run("--set", "solver.epsilon=0.02", "--fresh", "--set", "run.stop_after_iterations=3", out="other", code=5)


def check_other_input():
    def cells(seed):
        job = session.job("cells", "simulate", {"simulate": {"model": "mixture", "cells": 300, "dimensions": 4, "times": 2}, "run": {"seed": seed}})
        session.done(session.run("simulate", job, "--fresh", "--set", "output.overwrite=true", ranks=1))

    cells(1)
    job = session.job("moved", "transport", {"input": {"file": session.folder / "cells/simulation.h5ad", "time_key": "time"}})
    session.done(session.run("transport", job, "--set", "run.stop_after_iterations=4"), 5)
    cells(2)
    run = session.run("transport", job)
    session.check(run.code == 2 and any("obsm/X_pca" in line and "other input" in line for line in run.errors), "input that changed", run)
    session.done(session.run("transport", job, "--fresh"))
    cells(3)
    session.check("nothing to do" not in session.run("transport", job).err, "a result of other input is not kept")


def check_side_file():
    """A file that a setting names counts as input by its content."""
    pairs = session.folder / "pairs.tsv"
    pairs.write_text("source\ttarget\n0\t0\n")
    job = session.job("anchored", "gromov", {"input": two_times, "gromov": {"epsilon": 0.05, "starts": 1, "anchors": "pairs.tsv"}, "output": {"plots": False}})
    session.done(session.run("gromov", job))
    again = session.run("gromov", job)
    session.check("nothing to do" in again.err, "the same pairs: nothing to do", again)
    pairs.write_text("source\ttarget\n1\t1\n")
    anew = session.run("gromov", job)
    session.done(anew)
    session.check("nothing to do" not in anew.err, "other pairs: computed anew", anew)


def long_job():
    cells = session.job("many", "simulate", {"simulate": {"model": "mixture", "cells": 1200, "dimensions": 8, "times": 2}})
    session.done(session.run("simulate", cells, ranks=1))
    JOBS["long"] = ("transport", {"input": {"file": session.folder / "many/simulation.h5ad", "time_key": "time"}, "solver": {"epsilon": 0.02, "tolerance": 1e-8, **precise},
                                  "run": {"checkpoint_every_s": 0.05}, "output": {"plots": False}})
    return Case("long", *JOBS["long"])


def rank_processes(process):
    if session.ranks == 1:
        return [process.pid]
    return [int(pid) for pid in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()]


def check_second_job(case):
    """While one works in a folder another is refused; a signal to one rank stops all of them at the same step."""
    process = session.start(case.command, case.job, "--out", "busy")
    session.check(wait_for_state(process, "busy"), "a state while running")
    ranks = rank_processes(process)
    for rank in ranks:
        os.kill(rank, signal.SIGSTOP)  # until the other has been refused
    second = case.run(out="busy", code=2)
    session.check(any("in use by process" in line for line in second.errors), "a second job on the folder", second)
    os.kill(ranks[-1], signal.SIGUSR1)
    for rank in ranks:
        os.kill(rank, signal.SIGCONT)
    _, err = process.communicate(timeout=30)
    session.check(process.returncode == 5, f"SIGUSR1: exit {process.returncode}: {err}")
    session.check(not (session.folder / "busy/lock").exists(), "the lock is gone")
    same("busy", case.whole, "after SIGUSR1", case.run("--resume", out="busy"))


def has_faults(case):
    run = case.run(out="faults", code=None, ranks=1, environment={"THALWEG_FAULT": "solve.iteration=1:kill"})
    shutil.rmtree(session.folder / "faults", ignore_errors=True)
    return run.code != 0


def check_faults(case):
    """One fault after the other in a folder, and then to the end."""
    often = ["--set", "run.checkpoint_every_s=1e-4"]
    last = session.ranks - 1

    def check_in_a_row(faults):
        out = "_".join(["fault", *[word for fault in faults for word in fault]])
        for point, action in faults:
            rank = 0 if point in ("checkpoint.layout", "checkpoint.publish") else last
            run = case.run(*often, out=out, code=None, environment={"THALWEG_FAULT": f"{point}@{rank}:{action}"})
            if point.startswith("checkpoint") and action == "throw":
                session.check(run.code == 0 and "warning: no_checkpoint" in run.err, f"{out}: a warning", run)
            else:
                session.check(run.code not in (0, None), f"{out}: the run fails", run)
            session.check(not (session.folder / out / "run.json").exists() or run.code == 0, f"{out}: no result", run)
        same(out, case.whole, out, case.run("--resume", out=out))
        session.check(not list((session.folder / out).rglob("*.tmp")), f"{out}: no temporaries")

    solve = f"solve.iteration={case.iterations // 2}"
    if session.ranks == 1:
        points = ("checkpoint.layout", "checkpoint.fill", "checkpoint.publish", "result.fill", solve, "read.block")
        rows = [[(point, action)] for point in points for action in ("kill", "throw")]
    else:
        rows = [[("checkpoint.publish", "kill"), (solve, "throw"), ("result.fill", "throw")], [("read.block", "throw"), (solve, "kill")], [("checkpoint.fill", "throw")]]
    side_by_side(check_in_a_row, rows)


def check_failed_stop(case):
    failed = case.run("--set", "run.stop_after_iterations=3", out="stop_fails", code=1, environment={"THALWEG_FAULT": "checkpoint.fill:throw"})
    session.check(len(failed.errors) == 1, "a state that cannot be saved at a stop", failed)


def check_hang(case):
    process = subprocess.Popen(session.command_line([case.command, case.job, "--out", "hung"], wrap=["env", f"THALWEG_FAULT=solve.iteration=4@{session.ranks - 1}:hang"]),
                               cwd=session.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        process.wait(max(0.5, 1.5 * case.seconds))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    session.check(process.wait() == -signal.SIGKILL, "a hanging rank hangs the run")
    same("hung", case.whole, "after a hang", case.run("--resume", out="hung"))


def main():
    cases = side_by_side(lambda item: Case(item[0], *item[1]), JOBS.items())
    transport, hmot = cases[0], cases[2]

    def check_case(case):
        first, second = [(2, 3), (4, 2), (3, 4)][cases.index(case) % 3]
        middle, last = case.iterations // 2, case.iterations - 1
        if session.is_alone:
            check_stops(case, {1: (first,), 2: (), middle: (second,)})
            check_stops(case, {last: ()})
        else:
            check_stops(case, {middle: (1, 2 if 2 in (first, second) else 4)})

    side_by_side(check_case, cases)
    side_by_side(lambda check: check(transport), [check_finished, check_broken if session.is_alone else lambda case: check_broken(case, ("flipped",))])
    if session.is_alone:
        check_other_jobs(transport)
        check_no_gain(hmot)
        check_other_item(transport)
        check_finished_files()
        check_other_input()
        check_side_file()
    if has_faults(transport):
        check_faults(transport)
        side_by_side(lambda check: check(transport), [check_failed_stop, check_hang])
    else:
        print("built without fault points: not tested")
    case = long_job()
    check_second_job(case)
    check_random_kills(case, 6 if session.is_alone else 3)
    return session.finish()


sys.exit(main())
