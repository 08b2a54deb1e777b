"""Scripts that thalweg submit renders: accepted by Slurm, on one and two nodes, with the result of a single process."""

import re
import sys

from cluster import ROOT, open_cluster
from session import read_tsv

session, cluster = open_cluster()
CELLS = {"simulate": {"model": "mixture", "cells": 400, "times": 4, "dimensions": 8, "components": 4}}
PAIR = {"input": {"file": "cells/simulation.h5ad", "time_key": "time"}, "solver": {"epsilon": 0.1, "precision": "float64"}}


def days(first=0):
    return [float(day) for day in range(first, first + 2)]


def check_repository():
    for script in sorted((ROOT / "jobs/slurm").rglob("*.sbatch")):
        done = cluster.call("sbatch", "--test-only", script)
        session.check(done.returncode == 0, f"{script.name}: {done.stderr}")


def check_results():
    """One rank, two ranks on one node, two nodes with two ranks each, and these by mpirun."""
    job = session.job("alone", "transport", {**PAIR, "input": {**PAIR["input"], "days": days()}})
    session.done(session.run("transport", job))
    jobs = {}
    for name, nodes, ranks, launcher in (("one", 1, 1, "srun"), ("node", 1, 2, "srun"), ("nodes", 2, 2, "srun"), ("launched", 2, 1, "mpirun")):
        jobs[name] = cluster.submit(job, "--out", name, *[word for setting in (
            f"submit.nodes={nodes}", f"submit.ranks_per_node={ranks}", "submit.cpus_per_rank=1", "submit.exclusive=false",
            f"submit.launcher={launcher}", 'submit.time="5"') for word in ("--set", setting)])
    alone = (session.folder / "alone/solution/0.0_1.0.h5").read_bytes()
    for name, number in jobs.items():
        if number is None:
            continue
        cluster.ended(number, 60)
        solution = session.folder / name / "solution/0.0_1.0.h5"
        session.check(solution.exists() and solution.read_bytes() == alone, f"{name}: the solution of a single process")
        text = (session.folder / name / f"slurm-{number}.log").read_text()
        ranks = {"one": 1, "node": 2, "nodes": 4, "launched": 2}[name]
        session.check(re.search(rf"{ranks} ranks? on cpu", text) is not None, f"{name}: {ranks} ranks: {text}")


def check_array():
    """Three pairs, two at a time, submitted by hand; the second one asks for a time that there is not."""
    job = session.job("pairs", "transport", PAIR)
    session.done(session.run("submit", job, "--dry-run", "--set", "submit.array=pairs", "--set", "submit.array_limit=2", "--set", "submit.cpus_per_rank=1"))
    items = session.folder / "pairs/items.tsv"
    rows = read_tsv(items)
    session.check([row["name"] for row in rows] == ["0.0_1.0", "1.0_2.0", "2.0_3.0"], f"items {rows}")
    text = items.read_text()
    items.write_text(text.replace('""1.0"", ""2.0""', '""1.5"", ""2.0""'))
    session.check(items.read_text() != text, "an item is broken")
    number = cluster.sbatch("pairs/job.sbatch")
    for task, state in ((0, "COMPLETED"), (1, "FAILED"), (2, "COMPLETED")):
        cluster.ended(f"{number}_{task}", 60, state)
    run = session.run("report", "pairs")
    session.done(run)
    states = {row["name"]: (row["state"], row["exit_code"]) for row in read_tsv(session.folder / "pairs/tables/items.tsv")}
    session.check(states == {"0.0_1.0": ("done", "0"), "1.0_2.0": ("failed", "2"), "2.0_3.0": ("done", "0")}, f"report {states}", run)
    session.check("2 done, 1 failed" in run.out, "report counts", run)


CHAIN = {**PAIR, "submit": {"memory": "1G", "time": "5", "cpus_per_rank": 1}}


def check_chain():
    """Four stages over files; with a second one that fails, the third and fourth are cancelled."""
    chains = {}
    for name, days_of_job in (("chain", days()), ("broken", [0.0, 7.0])):
        session.job(f"{name}_cells", "simulate", {"simulate": {**CELLS["simulate"], "times": 2}})
        session.job(f"{name}_coupling", "export", {"input": {"result": name}})
        tables = {**CHAIN, "input": {**PAIR["input"], "file": f"{name}_cells/simulation.h5ad", "days": days_of_job}}
        tables["submit"] = {**CHAIN["submit"], "chain": [f"simulate {name}_cells.toml", "transport", f"export {name}_coupling.toml", "report"]}
        run = session.run("submit", session.job(name, "transport", tables))
        if session.done(run):
            chains[name] = [row["job_id"] for row in read_tsv(session.folder / name / "chain.tsv")]
            session.check(len(chains[name]) == 4, "four stages", run)
    for number in chains.get("chain", []):
        cluster.ended(number, 90)
    session.check(bool(list((session.folder / "chain_coupling/tmaps").glob("*.h5ad"))), "the chain's coupling is exported")
    for number, state in zip(chains.get("broken", []), ("COMPLETED", "FAILED", "CANCELLED", "CANCELLED")):
        cluster.ended(number, 60, state)


def check_cancel():
    """A job that waits keeps its files, and is cancelled by the results folder that it came from."""
    job = session.job("waiting", "transport", {**PAIR, "input": {**PAIR["input"], "days": days()}})
    number = cluster.submit(job, "--set", 'submit.extra_sbatch=["--begin=now+1hour"]', "--set", "submit.cpus_per_rank=1")
    session.refused(session.run("submit", job), 2, f"job {number}", "still in the queue")
    run = session.run("submit", job, "--cancel")
    session.done(run)
    session.check(f"cancelled {number}" in run.out, "what was cancelled is said", run)
    cluster.ended(number, 10, "CANCELLED")


def main():
    session.done(session.run("simulate", session.job("cells", "simulate", CELLS)))
    check_repository()
    session.in_parallel(lambda check: check(), [check_results, check_array, check_chain, check_cancel])
    return session.finish()


sys.exit(main())
