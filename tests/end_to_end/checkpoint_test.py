"""Runs that are stopped, killed or broken and go on: the result is that of a run without interruption."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

from session import DATA, open_session, read_tsv

session = open_session()
two_times = {"file": DATA, "time_key": "time", "days": ["300", "360"]}
precise = {"precision": "float64"}
JOBS = {
    "transport": ("transport", {"input": two_times, "solver": {**precise, "epsilon": 0.01, "tolerance": 1e-9}}),
    "overrelaxed": ("transport", {"input": two_times, "solver": {"epsilon": 0.02, "tolerance": 1e-7, "acceleration": "overrelax", "lambda1": 5.0, "gap_tolerance": 1e-6}}),
    "hmot": ("hmot", {"input": {"file": DATA, "time_key": "time"}, "hmot": {"rank": 5, "restarts": 8, "subsample": 100}, "solver": precise}),
    "lowrank_gw": ("lowrank", {"input": {"file": DATA}, "source.filter": {"time": ["300"]}, "target": {"key": "X"}, "target.filter": {"time": ["360"]},
                               "lowrank": {"rank": [6, 4], "objective": "gw", "restarts": 3}, "solver": precise}),
    "lowrank": ("lowrank", {"input": two_times, "lowrank": {"rank": [6, 4]}, "solver": precise}),
}
# What a clock says differs from run to run; what a run sends and which starts it had, between runs in one and in two pieces.
CLOCKS = {"seconds", "peak_gib", "bytes_sent"}
NO_RESULT = {"run.json", "versions.yml", "log.jsonl", "job.toml"}


def without_clocks(path):
    delimiter = "\t" if path.suffix == ".tsv" else ","
    with open(path, newline="") as file:
        rows = list(csv.reader(file, delimiter=delimiter))
    kept = [k for k, name in enumerate(rows[0]) if name not in CLOCKS]
    return [[row[k] for k in kept if k < len(row)] for row in rows if row[0] not in CLOCKS]


def content(folder):
    """Every file of a result, without clocks."""
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in NO_RESULT:
            files[name] = without_clocks(path) if path.suffix in (".tsv", ".csv") else path.read_bytes()
    return files


def same(name, reference, what, run=None):
    """To the bit."""
    found = content(session.folder / name)
    different = [file for file in sorted(set(found) | set(reference)) if found.get(file) != reference.get(file)]
    return session.check(not different, f"{what}: {different} differ", run)


def nearly_same(name, reference, what, run=None):
    """Texts, labels and counts equal, objectives to 1e-10: for another number of ranks."""
    row, wanted = read_tsv(session.folder / name / "index.tsv")[0], dict(zip(*reference["index.tsv"], strict=True))
    for key, value in wanted.items():
        if key in ("cost", "primal", "dual") and value:
            session.check(abs(float(row[key]) - float(value)) <= 1e-10 * abs(float(value)), f"{what}: {key} {row[key]} and {value}", run)
        elif key in ("n", "m", "stop_reason", "converged"):
            session.check(row[key] == value, f"{what}: {key} {row[key]} and {value}", run)
    labels = [file for file in reference if file.startswith("tables/") and ("census" in file or "label" in file)]
    found = content(session.folder / name)
    for file in labels:
        session.check(found.get(file) == reference[file], f"{what}: {file}", run)


def states(name):
    return sorted((session.folder / name / "checkpoint").rglob("state_*.h5"))


def copy(name, new):
    shutil.rmtree(session.folder / new, ignore_errors=True)
    shutil.copytree(session.folder / name, session.folder / new)


def runs_of(name):
    return json.loads((session.folder / name / "run.json").read_text())["runs"]


class Case:
    """A job and its result without interruption."""

    def __init__(self, name):
        self.name, (self.command, tables) = name, JOBS[name]
        self.job = session.job(name, self.command, tables)
        self.run("--quiet", out=f"{name}_whole")
        self.whole = content(session.folder / f"{name}_whole")
        self.iterations = runs_of(f"{name}_whole")[0]["to_iteration"]
        session.check(self.iterations > 10 and not (session.folder / f"{name}_whole/checkpoint").exists(), f"{name}: {self.iterations} stop tests")

    def run(self, *words, out, code=0, ranks=None, wrap=(), environment=None):
        if environment:
            wrap = ["env", *[f"{key}={value}" for key, value in environment.items()], *wrap]
        run = session.run(self.command, self.job, "--out", out, *words, ranks=ranks, wrap=wrap, timeout=60)
        if code is not None:
            session.done(run, code)
        return run


def check_stops(case):
    """Early, in the middle and at the last step; then on as many ranks, and on others."""
    for number in sorted({1, 2, case.iterations // 2, case.iterations - 1}):
        stopped = f"{case.name}_{number}"
        first = case.run("--set", f"run.stop_after_iterations={number}", out=stopped, code=5)
        session.check(len(states(stopped)) == 1 and "goes on from" in first.err, f"{stopped}: one state", first)
        for ranks in (1, 2, 3, 4):
            copy(stopped, f"{stopped}_on{ranks}")
            run = case.run("--resume", out=f"{stopped}_on{ranks}", ranks=ranks)
            if run.code != 0:
                continue
            what = f"{case.name} stopped after {number} on {session.ranks}, resumed on {ranks} ranks"
            session.check("goes on from" in run.err and not states(f"{stopped}_on{ranks}"), f"{what}: from the state, which is then gone", run)
            starts = runs_of(f"{stopped}_on{ranks}")
            session.check(len(starts) == 2 and starts[1]["from_iteration"] == starts[0]["to_iteration"] > 0, f"{what}: runs {starts}", run)
            if ranks == session.ranks:
                same(f"{stopped}_on{ranks}", case.whole, what, run)
            else:
                nearly_same(f"{stopped}_on{ranks}", case.whole, what, run)


def check_pieces(case):
    """A run that is stopped over and over again, in pieces long enough for a round of starts, which begins anew."""
    num_pieces = 2 if case.command == "lowrank" and session.ranks > 1 else 6
    length = max(2, case.iterations // num_pieces)
    out, pieces = f"{case.name}_pieces", 0
    while pieces < 30:
        run = case.run("--set", f"run.stop_after_iterations={length}", out=out, code=None)
        pieces += 1
        if run.code != 5:
            break
        session.check(len(states(out)) <= 2, f"{out}: at most two states")
    session.done(run)
    session.check(pieces >= min(num_pieces, 4), f"{out}: {pieces} pieces")
    same(out, case.whole, f"{out}: {pieces} pieces", run)


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


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "flipped":
        numbers = max(bytes(data).split(bytes(8)), key=len)  # no metadata is that long without zeros
        data[data.index(numbers) + len(numbers) // 2] ^= 1
    path.write_bytes(data[:len(data) // 2] if how == "truncated" else data)


def two_states(case, out):
    for number in (case.iterations // 3, case.iterations // 3):
        case.run("--set", f"run.stop_after_iterations={number}", out=out, code=5)
    return session.check(len(states(out)) == 2, f"{out}: two states, {states(out)}")


def check_broken(case):
    two_states(case, "two")
    for how in ("truncated", "flipped"):
        copy("two", how)
        newest = states(how)[-1]
        damage(newest, how)
        run = case.run("--resume", out=how)
        session.check("warning: broken_state" in run.err and newest.name in run.err, f"{how}: a warning", run)
        same(how, case.whole, how, run)
    copy("two", "broken")
    for path in states("broken"):
        damage(path, "truncated")
    run = case.run("--resume", out="broken", code=2)
    session.check(any("--fresh" in line for line in run.errors), "all states broken", run)
    same("broken", content(session.folder / "broken"), "all states broken: nothing is touched")
    run = case.run("--fresh", out="broken")
    same("broken", case.whole, "all states broken, --fresh", run)


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
    cells = session.job("many", "simulate", {"simulate": {"model": "mixture", "cells": 2000, "dimensions": 8, "times": 2}})
    session.done(session.run("simulate", cells, ranks=1))
    JOBS["long"] = ("transport", {"input": {"file": session.folder / "many/simulation.h5ad", "time_key": "time"}, "solver": {"epsilon": 0.01, "tolerance": 1e-8, **precise},
                                  "run": {"checkpoint_every_s": 0.05}, "output": {"plots": False}})
    return Case("long")


def wait_for_state(process, out, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if states(out):
            return True
        time.sleep(0.01)
    return False


def rank_processes(process):
    if session.ranks == 1:
        return [process.pid]
    return [int(pid) for pid in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()]


def check_random_kills(case):
    """Twenty kills at random moments; whatever is there then, the next run goes on to the same result."""
    draw = random.Random(session.ranks)
    kills = finished = 0
    begin = time.monotonic()
    case.run(out="timed")
    length = time.monotonic() - begin
    while kills < 20:
        process = session.start(case.command, case.job, "--out", "killed")
        try:
            process.communicate(timeout=draw.uniform(0.2, 1.1) * length)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
            continue
        session.check(process.returncode == 0, f"after {kills} kills: exit {process.returncode}")
        same("killed", case.whole, f"after {kills} kills")
        finished += 1
        shutil.rmtree(session.folder / "killed")
    run = case.run(out="killed")
    same("killed", case.whole, f"after {kills} kills", run)
    print(f"{kills} kills, {finished + 1} results, a whole run takes {length:.2f} s")


def check_second_job(case):
    """While one works in a folder another is refused; a signal to one rank stops all of them at the same step."""
    process = session.start(case.command, case.job, "--out", "busy")
    session.check(wait_for_state(process, "busy"), "a state while running")
    second = case.run(out="busy", code=2)
    session.check(any("in use by process" in line for line in second.errors), "a second job on the folder", second)
    os.kill(rank_processes(process)[-1], signal.SIGUSR1)
    _, err = process.communicate(timeout=30)
    session.check(process.returncode == 5, f"SIGUSR1: exit {process.returncode}: {err}")
    session.check(not (session.folder / "busy/lock").exists(), "the lock is gone")
    same("busy", case.whole, "after SIGUSR1", case.run("--resume", out="busy"))


def has_faults(case):
    run = case.run(out="faults", code=None, environment={"THALWEG_FAULT": "solve.iteration=1:kill"})
    shutil.rmtree(session.folder / "faults", ignore_errors=True)
    return run.code != 0


def check_faults(case):
    if not has_faults(case):
        print("built without fault points: not tested")
        return
    often = ["--set", "run.checkpoint_every_s=1e-4"]
    last = session.ranks - 1
    for point in ("checkpoint.layout", "checkpoint.fill", "checkpoint.publish", "result.fill", f"solve.iteration={case.iterations // 2}", "read.block"):
        for action in ("kill", "throw"):
            rank = 0 if point in ("checkpoint.layout", "checkpoint.publish") else last
            out = f"fault_{point}_{action}"
            run = case.run(*often, out=out, code=None, environment={"THALWEG_FAULT": f"{point}@{rank}:{action}"})
            if point.startswith("checkpoint") and action == "throw":
                session.check(run.code == 0 and "warning: no_checkpoint" in run.err, f"{out}: a warning", run)
            else:
                session.check(run.code not in (0, None), f"{out}: the run fails", run)
            session.check(not (session.folder / out / "run.json").exists() or run.code == 0, f"{out}: no result", run)
            same(out, case.whole, out, case.run("--resume", out=out))
            session.check(not list((session.folder / out).rglob("*.tmp")), f"{out}: no temporaries")
    stop = ["--set", "run.stop_after_iterations=3"]
    failed = case.run(*stop, out="stop_fails", code=1, environment={"THALWEG_FAULT": "checkpoint.fill:throw"})
    session.check(len(failed.errors) == 1, "a state that cannot be saved at a stop", failed)
    process = subprocess.Popen(session.command_line([case.command, case.job, "--out", "hung"], wrap=["env", f"THALWEG_FAULT=solve.iteration=4@{last}:hang"]),
                               cwd=session.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    time.sleep(1.5)
    session.check(process.poll() is None, "a hanging rank hangs the run")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    same("hung", case.whole, "after a hang", case.run("--resume", out="hung"))


def main():
    cases = [Case(name) for name in JOBS]
    for case in cases:
        check_stops(case)
        check_pieces(case)
    check_no_gain(cases[2])
    check_other_item(cases[0])
    check_finished(cases[0])
    check_finished_files()
    check_broken(cases[0])
    check_other_jobs(cases[0])
    check_other_input()
    check_side_file()
    check_faults(cases[0])
    case = long_job()
    check_second_job(case)
    check_random_kills(case)
    return session.finish()


sys.exit(main())
