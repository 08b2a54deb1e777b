"""Runs in pieces: what is done to jobs that are stopped or killed and go on, and what their results are compared by."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from session import VENV_PYTHON, open_session, read_tsv

session = open_session()
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


COMPARE = """
import sys, h5py, numpy
first, second = (h5py.File(path) for path in sys.argv[1:])
def everything(file):
    names = {}
    file.visititems(lambda name, item: names.update({name: item}))
    return {"": file, **names}
def equal(x, y):
    x, y = numpy.asarray(x), numpy.asarray(y)
    return x.dtype == y.dtype and x.shape == y.shape and (x.tobytes() == y.tobytes() if x.dtype.kind in "fiub" else (x == y).all())
a, b = everything(first), everything(second)
assert a.keys() == b.keys()
for name, item in a.items():
    assert item.attrs.keys() == b[name].attrs.keys() and all(equal(item.attrs[key], b[name].attrs[key]) for key in item.attrs), name
    assert not isinstance(item, h5py.Dataset) or equal(item[()], b[name][()]), name
"""


def same_arrays(found, reference):
    """Every array and attribute of two HDF5 files: between them lies what the memory of several ranks held."""
    if not found or not reference or not VENV_PYTHON.exists():
        return False
    with tempfile.TemporaryDirectory(dir=session.folder) as folder:
        paths = [Path(folder, f"{name}.h5") for name in ("found", "reference")]
        for path, data in zip(paths, (found, reference), strict=True):
            path.write_bytes(data)
        return subprocess.run([VENV_PYTHON, "-c", COMPARE, *paths]).returncode == 0


def same(name, reference, what, run=None):
    """To the bit."""
    found = content(session.folder / name)
    different = [file for file in sorted(set(found) | set(reference)) if found.get(file) != reference.get(file)]
    different = [file for file in different if not (file.endswith(".h5ad") and same_arrays(found.get(file), reference.get(file)))]
    return session.check(not different, f"{what}: {different} differ", run)


def nearly_same(name, reference, what, run=None):
    """Texts, labels and counts equal, objectives to 1e-10, of trained encoders to 1e-8: for another number of ranks."""
    tolerance = 1e-8 if "model.h5" in reference else 1e-10
    header, *wanted = reference["index.tsv"]
    for row, values in zip(read_tsv(session.folder / name / "index.tsv"), wanted, strict=True):
        for key, value in zip(header, values, strict=True):
            if key in ("cost", "primal", "dual") and value:
                session.check(abs(float(row[key]) - float(value)) <= tolerance * abs(float(value)), f"{what}: {key} {row[key]} and {value}", run)
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


def side_by_side(action, items):
    """Two at a time: a run waits for its launcher, its ranks for one another."""
    return session.in_parallel(action, items, 2)


class Case:
    """A job and its result without interruption; of several problems, whose states it keeps, or of one."""

    def __init__(self, name, command, tables, has_parts=False):
        self.name, self.command, self.has_parts = name, command, has_parts
        self.job = session.job(name, self.command, tables)
        begin = time.monotonic()
        self.run("--quiet", out=f"{name}_whole")
        self.seconds = time.monotonic() - begin
        self.whole = content(session.folder / f"{name}_whole")
        self.iterations = runs_of(f"{name}_whole")[0]["to_iteration"]
        session.check(self.iterations > 10 and not (session.folder / f"{name}_whole/checkpoint").exists(), f"{name}: {self.iterations} stop tests")

    def run(self, *words, out, code=0, ranks=None, wrap=(), environment=None):
        if environment:
            wrap = ["env", *[f"{key}={value}" for key, value in environment.items()], *wrap]
        run = session.run(*self.command.split(), self.job, "--out", out, *words, ranks=ranks, wrap=wrap, timeout=60)
        if code is not None:
            session.done(run, code)
        return run


def check_stops(case, stops):
    """Stopped over and over, {after a step: copies go on to the end on so many ranks}, and on its own ranks to the next stop."""
    out, before = f"{case.name}_stopped_{min(stops)}", 0
    for step, ranks in stops.items():
        run = case.run("--set", f"run.stop_after_iterations={step - before}", out=out, code=5)
        folders = [path.parent for path in states(out)]
        most = 2 if before else 1
        session.check(folders and all(folders.count(folder) <= most for folder in folders), f"{out}: at most {most} states each, {folders}", run)
        session.check(case.has_parts or len(set(folders)) == 1, f"{out}: states of one problem, {folders}", run)
        session.check("goes on from" in run.err, f"{out} at step {step}", run)
        before = step
        for number in ranks:
            copy(out, f"{out}_at_{step}_on{number}")
            check_resumed(case, f"{out}_at_{step}_on{number}", number)
    check_resumed(case, out, session.ranks)


def check_resumed(case, out, ranks):
    """To the end: on its own ranks to the bit."""
    num_stops = len(runs_of(out))
    run = case.run("--resume", out=out, ranks=ranks)
    what = f"{out} on {session.ranks}, resumed on {ranks} ranks"
    session.check("goes on from" in run.err and not states(out), f"{what}: from the state, which is then gone", run)
    starts = runs_of(out)
    links = [after["from_iteration"] == before["to_iteration"] > 0 for before, after in pairwise(starts)]
    session.check(len(links) == num_stops and all(links), f"{what}: runs {starts}", run)
    (same if ranks == session.ranks else nearly_same)(out, case.whole, what, run)


def planned_bytes(case):
    """Of a state, by the plan of the job."""
    units = {"B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}
    plan = session.run("plan", case.job)
    number, unit = next(line.split()[7:9] for line in plan.out.splitlines() if "a state of the solve" in line)
    return float(number) * units[unit.rstrip(",")]


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


def check_broken(case, ways=("truncated", "flipped")):
    two_states(case, "two")
    for how in ways:
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


def wait_for_state(process, out, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if states(out):
            return True
        time.sleep(0.002)
    return False


def check_random_kills(case, most):
    """Kills at random moments; whatever is there then, the next run goes on to the same result."""
    draw = random.Random(session.ranks)
    kills = finished = 0
    while kills < most:
        process = session.start(*case.command.split(), case.job, "--out", "killed")
        try:
            process.communicate(timeout=draw.uniform(0.2, 1.1) * case.seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        if process.returncode == -signal.SIGKILL:
            kills += 1
            continue
        session.check(process.returncode == 0, f"after {kills} kills: exit {process.returncode}")
        same("killed", case.whole, f"after {kills} kills")
        finished += 1
        shutil.rmtree(session.folder / "killed")
    run = case.run(out="killed")
    same("killed", case.whole, f"after {kills} kills", run)
    print(f"{kills} kills, {finished + 1} results, a whole run takes {case.seconds:.2f} s")
