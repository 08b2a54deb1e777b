"""Signals and lost ranks in the middle of a solve: the end that is documented, never a hang."""

import json
import os
import signal
import subprocess
import sys
import time

from session import open_session, read_tsv

session = open_session()


def wait_for_sweeps(process, folder):
    """True once the descent over all cells has made a few sweeps."""
    log = folder / "log.jsonl"
    for _ in range(1000):
        if log.exists() and log.read_text().count('"pair":"all"') >= 2:
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    return False


def rank_processes(process):
    if session.ranks == 1:
        return [process.pid]
    return [int(pid) for pid in subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()]


def start_solve(job, name):
    process = session.start("hmot", job, "--out", name)
    if not session.check(wait_for_sweeps(process, session.folder / name), f"{name}: sweeps over all cells begin"):
        process.kill()
        print(process.communicate()[1])
    return process


def end_of(process, timeout):
    """Exit code and messages; None when it hangs."""
    begin = time.monotonic()
    try:
        _, err = process.communicate(timeout=timeout)
        return process.returncode, err, time.monotonic() - begin
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, process.communicate()[1], timeout


def check_interrupt(job, number):
    """The signal of one rank stops all ranks."""
    name = f"stopped{number}"
    process = start_solve(job, name)
    os.kill(rank_processes(process)[-1], number)
    code, err, seconds = end_of(process, 20)
    session.check(code == 5, f"signal {number}: exit {code} after {seconds:.1f} s, expected 5: {err}")
    folder = session.folder / name
    if not session.check((folder / "run.json").exists(), f"signal {number}: results are written"):
        return
    record = json.loads((folder / "run.json").read_text())
    session.check(record["stop_reasons"] == {"hmot": "interrupted"} and record["exit_code"] == 5, f"run.json {record['stop_reasons']}")
    row = read_tsv(folder / "index.tsv")[0]
    session.check(row["converged"] == "False" and float(row["marginal_error_target"]) < 1e-5, f"a feasible state: {row}")
    masses = {}
    for edge in read_tsv(folder / "tables/edges.tsv"):
        masses[edge["t0"]] = masses.get(edge["t0"], 0.0) + float(edge["mass"])
    session.check(all(abs(mass - 1) < 1e-6 for mass in masses.values()), f"couplings of mass 1: {masses}")


def check_kill(job):
    process = start_solve(job, "killed")
    os.kill(rank_processes(process)[-1], signal.SIGKILL)
    code, err, seconds = end_of(process, 20)
    session.check(code not in (None, 0), f"kill -9: exit {code} after {seconds:.1f} s: {err}")
    session.check(not (session.folder / "killed/result.h5ad").exists(), "kill -9 leaves no result")
    again = session.run("hmot", job, "--out", "killed", "--set", "run.max_wall_s=0.01")
    session.done(again, 5)
    session.check((session.folder / "killed/result.h5ad").exists() and not list((session.folder / "killed").rglob("*.tmp")),
                  "the next run into the same folder succeeds", again)


def main():
    simulated = session.job("cells", "simulate", {"simulate": {"model": "mixture", "cells": 40000, "dimensions": 16, "separation": 1.0}})
    session.done(session.run("simulate", simulated, ranks=1))
    job = session.job("long", "hmot", {
        "input": {"file": session.folder / "cells/simulation.h5ad", "time_key": "time"},
        "hmot": {"rank": 16, "restarts": 1, "subsample": 500, "tolerance": 1e-9},
        "solver": {"precision": "float64"}})
    check_interrupt(job, signal.SIGTERM)
    if session.ranks == 1:
        check_interrupt(job, signal.SIGINT)
    check_kill(job)
    return session.finish()


sys.exit(main())
