"""Runs bench_scaling on growing numbers of ranks, in turn, and adds its lines to a file; standard library only.

usage: bench/scaling.py PROGRAM OUT.jsonl JOB.toml.. [--ranks 1 2] [--repeats 3] [--machine FILE] [--folder DIR]
                        [--launcher "mpirun -n {ranks} --map-by core --bind-to core"] [--ranks-per-node N] [--table]

PROGRAM is build/release/bench/bench_scaling. Ranks have one thread each unless OMP_NUM_THREADS says otherwise. A repeat is
a run of every number of ranks, so that what else goes on meets all of them. bench/plot.py OUT.jsonl draws the lines, and
--table prints those that are there: medians over repeats, efficiency against one rank, the model's time. {nodes} in the
launcher stands for the fewest nodes that hold the ranks.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAUNCHER = "mpirun -n {ranks} --map-by core --bind-to core"


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("out")
    parser.add_argument("jobs", nargs="*")
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--machine", help="file of bench_calibrate")
    parser.add_argument("--folder", help="for the state of the solve")
    parser.add_argument("--launcher", default=LAUNCHER)
    parser.add_argument("--ranks-per-node", type=int, default=1 << 30)
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def run(arguments, job, ranks):
    nodes = -(-ranks // arguments.ranks_per_node)
    words = shlex.split(arguments.launcher.format(ranks=ranks, nodes=nodes)) + [arguments.program, job]
    words += ["--machine", arguments.machine] if arguments.machine else []
    words += ["--folder", arguments.folder] if arguments.folder else []
    environment = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", **launcher_environment(), **os.environ}
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{shlex.join(words)}: exit code {done.returncode}\n{done.stderr}")
    return {"job": Path(job).stem, **json.loads(done.stdout)}


def launcher_environment():
    lines = (ROOT / "scripts/launcher.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line[:1].isupper())


def read_lines(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines() if '"bench":"scaling"' in line.replace(" ", "")]


def summary(lines):
    """For each job and number of ranks the medians over its runs, and the efficiency against the fewest ranks."""
    groups = {}
    for line in lines:
        groups.setdefault((line["job"], line["growth"], line["variant"]), {}).setdefault(line["G"], []).append(line)
    rows = []
    for (job, growth, solver), sizes in sorted(groups.items()):
        middle = {ranks: {key: statistics.median(line.get(key, 0.0) for line in runs) for key in
                          ("iteration_s", "compute_s", "communication_s", "wait_s", "state_s", "bytes_sent", "predicted_s", "n")}
                  for ranks, runs in sizes.items()}
        first = min(middle)
        for ranks, row in sorted(middle.items()):
            # In weak runs of transport n is rounded: the work is counted, not taken as equal.
            power = 2 if solver == "sinkhorn" else 1
            work = (row["n"] / middle[first]["n"]) ** power
            efficiency = work * first * middle[first]["iteration_s"] / (ranks * row["iteration_s"])
            contended = any("contended" in line.get("flags", "") for line in sizes[ranks])
            rows.append({"job": job, "growth": growth, "solver": solver, "G": ranks, "runs": len(sizes[ranks]), "efficiency": efficiency, "contended": contended, **row})
    return rows


def print_table(rows):
    print(f"{'job':<18}{'ranks':>6}{'runs':>6}{'n':>9}{'s':>10}{'computing':>11}{'sending':>9}{'waiting':>9}{'state':>8}{'bytes':>11}{'efficiency':>12}{'model s':>10}{'model/s':>9}")
    for row in rows:
        model = f"{row['predicted_s']:>10.4f}{row['predicted_s'] / row['iteration_s']:>9.2f}" if row["predicted_s"] else ""
        print(f"{row['job']:<18}{row['G']:>6}{row['runs']:>6}{row['n']:>9.0f}{row['iteration_s']:>10.4f}{row['compute_s']:>11.4f}{row['communication_s']:>9.4f}"
              f"{row['wait_s']:>9.4f}{row['state_s']:>8.3f}{row['bytes_sent']:>11.0f}{row['efficiency']:>12.3f}{model}{'  contended' if row['contended'] else ''}")


def main():
    arguments = read_arguments()
    for _ in range(arguments.repeats):
        for job in arguments.jobs:
            for ranks in arguments.ranks:
                with open(arguments.out, "a", encoding="utf-8") as out:
                    out.write(json.dumps(run(arguments, job, ranks)) + "\n")
    if arguments.table or arguments.jobs:
        print_table(summary(read_lines(arguments.out)))


if __name__ == "__main__":
    main()
