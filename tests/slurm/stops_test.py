"""Jobs that are stopped, and go on by themselves to the result of one that was not: told by a person, by the time limit,
by the loss of a rank, of a node, of all of Slurm; and those that must not go on."""

import re
import resource
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from cluster import open_cluster, wait_until
from session import read_tsv

session, cluster = open_cluster()
# The nodes are one machine, and their jobs must not all be bound to its first core.
SETTINGS = ["submit.cpus_per_rank=1", 'submit.time="5"', "submit.exclusive=false", 'submit.prologue=["export OMP_PROC_BIND=false"]']
SECONDS = 2  # of processor time of a solve: what is to happen in the middle of one finds it paused
references = {}  # numbers of the jobs that are not stopped


def words(*settings):
    return [word for setting in settings for word in ("--set", setting)]


def states(name):
    return sorted(path.name for path in (session.folder / name / "checkpoint").rglob("state_*.h5"))


def start(name, *settings):
    """Submits the long job; once it has a state its ranks are paused."""
    number = cluster.submit("long.toml", "--out", name, *words(*SETTINGS, *settings))
    if number is not None:
        wait_until(session, lambda: states(name), 60, f"{name}: a state")
        cluster.signal_ranks(number, signal.SIGSTOP)
    return number


def go_on_when_told(name, number, limit):
    """Once every rank has been sent SIGUSR1, which a paused one does not see, they go on; at a time limit Slurm wakes them."""
    wait_until(session, lambda: cluster.is_pending(number, signal.SIGUSR1), limit, f"{name}: SIGUSR1")
    cluster.signal_ranks(number, signal.SIGCONT)


def same_result(name, reference):
    cluster.ended(references[reference], 240)
    session.check(read_tsv(session.folder / reference / "index.tsv")[0]["stop_reason"] == "max_iterations", f"{reference}: as long as was asked for")
    solution = "solution/0.0_1.0.h5"
    there = session.folder / name / solution
    session.check(there.exists() and there.read_bytes() == (session.folder / reference / solution).read_bytes(),
                  f"{name}: the result of {reference}, which was not stopped")


def went_on(name, number, reference, restarts=1, limit=90):
    """The job came to its end after so many restarts, in one log, with the result of the one that was not stopped."""
    facts = cluster.ended(number, limit)
    session.check(int(facts.get("Restarts", -1)) == restarts, f"{name}: restarted {facts.get('Restarts')} times, not {restarts}")
    text = (session.folder / name / f"slurm-{number}.log").read_text()
    session.check(len(re.findall(r"thalweg \S+ \(", text)) == restarts + 1, f"{name}: one log of all starts: {text[-2000:]}")
    same_result(name, reference)


def check_user_signal():
    number = start("signalled")
    cluster.call("scancel", "--signal=USR1", number)
    go_on_when_told("signalled", number, 20)
    went_on("signalled", number, "whole")
    text = (session.folder / "signalled" / f"slurm-{number}.log").read_text()
    session.check("requeued after exit code 5" in text, f"signalled: ended with 5: {text[-2000:]}")


def check_fresh():
    """A job that begins anew does so once: after a requeue it goes on."""
    number = start("anew", "run.resume=false")
    cluster.call("scancel", "--signal=USR1", number)
    go_on_when_told("anew", number, 20)
    went_on("anew", number, "whole")
    text = (session.folder / "anew" / f"slurm-{number}.log").read_text()
    session.check("goes on from" in text, f"anew: goes on from its state: {text[-2000:]}")


def check_time_limit():
    """The smallest limit there is; Slurm looks at limits every 30 s."""
    number = start("limited", 'submit.time="1"', "submit.signal_lead_s=55")
    session.check(cluster.ranks(number, "n1"), "limited: not on the node that is lost meanwhile")
    go_on_when_told("limited", number, 60)
    facts = cluster.ended(number, 120)
    session.check(int(facts.get("Restarts", 0)) >= 1, f"limited: restarted {facts.get('Restarts')} times")
    same_result("limited", "whole")


def check_killed_rank():
    number = start("killed", "submit.nodes=2")
    cluster.kill_rank(number, "n2")
    went_on("killed", number, "whole_two")


def check_cancelled():
    """Who cancels a running job does not want it back."""
    number = start("cancelled")
    cluster.call("scancel", number)
    cluster.ended(number, 20, "CANCELLED")


def check_no_progress():
    """Killed twice before there is a state, and stopped once: not again and again."""
    number = cluster.submit("long.toml", "--out", "stuck", *words(*SETTINGS, "run.checkpoint_every_s=0"))
    for restart in range(2):
        wait_until(session, lambda: int(cluster.facts(number).get("Restarts", 0)) == restart and (cluster.ranks(number, "n1") or cluster.ranks(number, "n2")),
                   40, f"stuck: start {restart}")
        for node in ("n1", "n2"):
            if cluster.ranks(number, node):
                cluster.kill_rank(number, node)
    facts = cluster.ended(number, 40, "FAILED")
    session.check(facts.get("Restarts") == "1", f"stuck: restarted {facts.get('Restarts')} times")
    text = (session.folder / "stuck" / f"slurm-{number}.log").read_text()
    session.check("not requeued: no checkpoint between start and stop" in text, f"stuck: {text[-2000:]}")


def check_lost_node():
    number = start("orphaned", "submit.nodes=2")
    cluster.machine("kill_node", "n2")
    wait_until(session, lambda: int(cluster.facts(number).get("Restarts", 0)) == 1, 30, "orphaned: requeued by Slurm")
    cluster.machine("start_node", "n2")
    went_on("orphaned", number, "whole_two")


def check_power_cut():
    number = start("cut", "submit.nodes=2")
    time.sleep(6)  # Slurm saves its queue at most every 5 s
    cluster.machine("power_cut")
    went_on("cut", number, "whole_two")


def seconds_per_iteration():
    """Processor time of an iteration."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    begin, few, many = used(), 20, 220
    session.done(session.run("transport", "long.toml", "--out", "few", *words(f"solver.max_iterations={few}", "run.threads=1")))
    between = used()
    session.done(session.run("transport", "long.toml", "--out", "many", *words(f"solver.max_iterations={many}", "run.threads=1")))
    return ((used() - between) - (between - begin)) / (many - few)


def prepare():
    """Solves of a known number of iterations, whatever is gained by them: slow ones, which do not stagnate before."""
    cells = session.job("cells", "simulate", {"simulate": {"model": "mixture", "cells": 2000, "times": 2, "dimensions": 8}})
    session.done(session.run("simulate", cells))
    tables = {"input": {"file": "cells/simulation.h5ad", "time_key": "time"},
              "solver": {"epsilon": 0.0005, "acceleration": "none", "precision": "float64", "tolerance": 1e-30, "allow_unconverged": True},
              "run": {"checkpoint_every_s": 0.3}}
    session.job("long", "transport", tables)
    tables["solver"]["max_iterations"] = int(SECONDS / seconds_per_iteration())
    session.job("long", "transport", tables)


def main():
    prepare()
    for name, settings in (("whole", []), ("whole_two", ["submit.nodes=2"])):
        references[name] = cluster.submit("long.toml", "--out", name, *words(*SETTINGS, *settings))
    checks = [check_user_signal, check_fresh, check_killed_rank, check_cancelled, check_no_progress]
    with ThreadPoolExecutor(max_workers=len(checks) + 1) as pool:
        limited = pool.submit(check_time_limit)
        list(pool.map(lambda check: check(), checks))
        check_lost_node()
        limited.result()
    check_power_cut()
    return session.finish()


sys.exit(main())
