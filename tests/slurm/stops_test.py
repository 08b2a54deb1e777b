"""Jobs that are stopped, and go on by themselves to the result of one that was not: told by a person, by the time limit,
by the loss of a rank, of a node, of all of Slurm; and those that must not go on."""

import re
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from cluster import open_cluster, wait_until
from session import read_tsv

session, cluster = open_cluster()
# The nodes are one machine, and their jobs must not all be bound to its first core.
SETTINGS = ["submit.cpus_per_rank=1", 'submit.time="5"', "submit.exclusive=false", 'submit.prologue=["export OMP_PROC_BIND=false"]']
SECONDS, TWO_RANKS_SECONDS, LIMITED_SECONDS = 6, 24, 38  # of processor time of a solve
references = {}  # numbers of the jobs that are not stopped


def words(*settings):
    return [word for setting in settings for word in ("--set", setting)]


def states(name):
    return sorted(path.name for path in (session.folder / name / "checkpoint").rglob("state_*.h5"))


def two_ranks():
    return ["submit.nodes=2", f"solver.max_iterations={iterations_of(TWO_RANKS_SECONDS)}"]


def start(name, *settings):
    """Submits the long job; once it has a state the wait is over."""
    number = cluster.submit("long.toml", "--out", name, *words(*SETTINGS, *settings))
    if number is not None:
        wait_until(session, lambda: states(name), 60, f"{name}: a state")
    return number


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
    went_on("signalled", number, "whole")
    text = (session.folder / "signalled" / f"slurm-{number}.log").read_text()
    session.check("requeued after exit code 5" in text, f"signalled: ended with 5: {text[-2000:]}")


def check_fresh():
    """A job that begins anew does so once: after a requeue it goes on."""
    number = start("anew", "run.resume=false")
    cluster.call("scancel", "--signal=USR1", number)
    went_on("anew", number, "whole")
    text = (session.folder / "anew" / f"slurm-{number}.log").read_text()
    session.check("goes on from" in text, f"anew: goes on from its state: {text[-2000:]}")


def check_time_limit():
    """The smallest limit there is; Slurm looks at limits every 30 s."""
    number = cluster.submit("long.toml", "--out", "limited", *words(
        *SETTINGS, 'submit.time="1"', "submit.signal_lead_s=55", f"solver.max_iterations={iterations_of(LIMITED_SECONDS)}"))
    facts = cluster.ended(number, 240)
    session.check(int(facts.get("Restarts", 0)) >= 1, f"limited: restarted {facts.get('Restarts')} times")
    same_result("limited", "whole_long")


def check_killed_rank():
    number = start("killed", *two_ranks())
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
    number = start("orphaned", *two_ranks())
    cluster.machine("kill_node", "n2")
    wait_until(session, lambda: int(cluster.facts(number).get("Restarts", 0)) == 1, 30, "orphaned: requeued by Slurm")
    cluster.machine("start_node", "n2")
    went_on("orphaned", number, "whole_two")


def check_power_cut():
    number = start("cut", *two_ranks())
    time.sleep(6)  # Slurm saves its queue at most every 5 s
    cluster.machine("power_cut")
    went_on("cut", number, "whole_two")


def iterations_of(seconds):
    return int(seconds / seconds_per_iteration)


def time_iterations():
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
    cells = session.job("cells", "simulate", {"simulate": {"model": "mixture", "cells": 4000, "times": 2, "dimensions": 8}})
    session.done(session.run("simulate", cells))
    tables = {"input": {"file": "cells/simulation.h5ad", "time_key": "time"},
              "solver": {"epsilon": 0.0005, "acceleration": "none", "precision": "float64", "tolerance": 1e-30, "allow_unconverged": True},
              "run": {"checkpoint_every_s": 1}}
    session.job("long", "transport", tables)
    global seconds_per_iteration
    seconds_per_iteration = time_iterations()
    tables["solver"]["max_iterations"] = iterations_of(SECONDS)
    session.job("long", "transport", tables)


def main():
    prepare()
    for name, settings in (("whole_long", [f"solver.max_iterations={iterations_of(LIMITED_SECONDS)}"]), ("whole", []), ("whole_two", two_ranks())):
        references[name] = cluster.submit("long.toml", "--out", name, *words(*SETTINGS, *settings))
    checks = [check_time_limit, check_user_signal, check_fresh, check_killed_rank, check_cancelled, check_no_progress]
    with ThreadPoolExecutor(max_workers=len(checks)) as pool:
        list(pool.map(lambda check: check(), checks))
    check_lost_node()
    check_power_cut()
    return session.finish()


sys.exit(main())
