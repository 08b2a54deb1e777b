"""thalweg beside its peers on the same points, in one run, one process each, in turn.

  bench/peers/setup.sh                                                     once: the peers, into build/peers
  bench/compare.py --suite iteration --n 20000 --epsilon 0.05              seconds of one iteration
  bench/compare.py --suite solution --n 5000 --epsilon 0.01 --cap 600      seconds to a marginal error of 1e-6
  bench/compare.py --suite solution --n 20000 --epsilon 0.01 --factor 50   the same, peers given 50 times our seconds
  bench/compare.py --device cuda --python python3 --d 64 --n 20000         on a GPU, peers that this Python has
  bench/compare.py --table results.jsonl                                   a table of earlier lines

iteration: (time of 2k iterations - time of k) / k, so that set-up and compilation cancel; median of --repeats.
solution: a peer gets more iterations until its error, by our float64 judge and outside the clock, is reached or its
time is beyond --cap; its seconds are those of the last, shortest sufficient run. Peers do not stop by this error
themselves, so they are told the number of iterations: that flatters them. On a GPU all this is within one process. With
--factor a peer has one run, of as many iterations as fit into that many times our seconds: flag `not_reached` and its
error say that it needs more.
One JSON line a measurement (keys: bench/README.md); results that disagree by more than 1e-3 in cost are marked.
"""
import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEER_FOLDER = ROOT / "bench/peers"
OURS = {"thalweg": [], "thalweg_two_pass": ["--form", "two_pass"]}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", choices=["iteration", "solution"], default="iteration")
    parser.add_argument("--n", type=int, nargs="+", default=[5000])
    parser.add_argument("--d", type=int, default=30)
    parser.add_argument("--epsilon", type=float, nargs="+", default=[0.05])
    parser.add_argument("--tolerance", type=float, default=1e-6)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--tools", nargs="+", help="names; absent: ours and every peer")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cap", type=float, default=120.0, help="seconds after which a run is given up")
    parser.add_argument("--factor", type=float, help="solution: a peer's one run is this many times as long as ours")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--python", help="of all peers; absent: those of setup.sh")
    parser.add_argument("--build", default="build/release", help="where bench_sinkhorn lies")
    parser.add_argument("--out", default="results.jsonl")
    parser.add_argument("--table", help="show the lines of this file instead of running")
    arguments = parser.parse_args()
    if arguments.factor and arguments.device != "cpu":
        parser.error("--factor is for --device cpu: on a GPU a peer is given iterations until they suffice")
    return arguments


def machine_busy_seconds():
    fields = [int(value) for value in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Problem:
    """Points on disk and what is needed to judge potentials."""

    def __init__(self, arguments, n, epsilon, folder):
        import numpy as np
        from points import mean_cost, mixture
        self.n, self.d, self.epsilon, self.threads, self.cap = n, arguments.d, epsilon, arguments.threads, arguments.cap
        self.tolerance, self.build = arguments.tolerance, ROOT / arguments.build
        self.device, self.python = arguments.device, arguments.python
        self.data, self.out = str(Path(folder) / f"points_{n}.f64"), str(Path(folder) / "potentials.f64")
        self.x, self.y = mixture(n, 1, self.d), mixture(n, 2, self.d)
        np.concatenate([self.x, self.y]).tofile(self.data)
        self.scale = mean_cost(self.x, self.y)

    def judge(self):
        import numpy as np
        from judge import judge
        potentials = np.fromfile(self.out)
        return judge(self.x, self.y, potentials[:self.n], potentials[self.n:], self.epsilon, self.scale, self.device)


def command_of(problem, tool, iterations, tolerance):
    from tools import PEERS
    if tool in OURS:
        return [str(problem.build / "bench/bench_sinkhorn"), "--data", problem.data, "--out", problem.out, "--n", str(problem.n),
                "--d", str(problem.d), "--epsilon", str(problem.epsilon), "--iterations", str(iterations), "--tolerance", str(tolerance), "--device", problem.device, *OURS[tool], *(["--warm-up"] if problem.device != "cpu" else [])]
    python = problem.python or ROOT / "build/peers" / PEERS[tool][1] / "bin/python"
    return [str(python), str(PEER_FOLDER / "run_peer.py"), tool, problem.data, str(problem.n), str(problem.d), str(problem.epsilon),
            str(problem.scale), str(iterations), str(problem.threads), "0", problem.out]


def run(problem, tool, iterations, tolerance=0.0, runs=1):
    """The tool's line with `others_cores` added, or {"failed": why}. It may take as long as so many runs at the cap."""
    environment = dict(os.environ, OMP_NUM_THREADS=str(problem.threads), OMP_PROC_BIND="false",
                       THALWEG_PEER_DEVICE=problem.device)
    busy = machine_busy_seconds()
    clock, own = os.times().elapsed, os.times()
    try:
        done = subprocess.run(command_of(problem, tool, iterations, tolerance), capture_output=True, text=True, timeout=runs * problem.cap + 60, env=environment)
    except subprocess.TimeoutExpired:
        return {"failed": f"over {runs * problem.cap + 60:.0f} s"}
    except FileNotFoundError as error:
        return {"failed": f"{error.filename} not found; run bench/peers/setup.sh and build bench_sinkhorn"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        said = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        return {"failed": ([text for text in said if "Error" in text] or said)[-1][:200]}
    line, after, wall = json.loads(lines[-1]), os.times(), os.times().elapsed - clock
    used = after.children_user + after.children_system - own.children_user - own.children_system
    line["others_cores"] = max(0.0, round((machine_busy_seconds() - busy - used) / wall, 3))
    return line


def seconds_of_iteration(problem, tool, short_length, long_length):
    """Set-up and compilation taken off, or the line of a run that failed."""
    short, long = run(problem, tool, short_length), run(problem, tool, long_length)
    for line in (short, long):
        if "failed" in line:
            return line
    return max((long["seconds"] - short["seconds"]) / (long_length - short_length), 1e-6)


def time_iteration(problem, tools, repeats):
    """Alternates the tools; yields one line each."""
    lengths = {}
    if problem.device != "cpu":
        for tool in [tool for tool in tools if tool not in OURS]:
            yield time_within(problem, tool, repeats)
        tools = [tool for tool in tools if tool in OURS]
    results = {tool: [] for tool in tools}
    failed, last = {}, {}
    most = 20 if problem.device == "cpu" else 400  # on a host long before anything converges
    for tool in tools:  # how many iterations make about 4 seconds
        iteration = seconds_of_iteration(problem, tool, 2, 4)
        if isinstance(iteration, dict):
            failed[tool] = iteration["failed"]
        else:
            lengths[tool] = int(min(most, max(2, 4.0 / iteration)))
    for repeat in range(repeats):
        for tool in tools:
            if tool in failed:
                continue
            short, long = run(problem, tool, lengths[tool]), run(problem, tool, 2 * lengths[tool])
            if "failed" in short or "failed" in long:
                failed[tool] = short.get("failed") or long["failed"]
                continue
            results[tool].append((long["seconds"] - short["seconds"]) / lengths[tool])
            last[tool] = dict(long, others_cores=max(short["others_cores"], long["others_cores"]))
            if repeat + 1 == repeats:
                last[tool]["error"], last[tool]["cost"] = problem.judge()
    for tool in tools:
        if tool in failed:
            yield {"variant": tool, "failed": failed[tool]}
            continue
        seconds = statistics.median(results[tool])
        yield {"variant": tool, "seconds": seconds, "min": min(results[tool]), "max": max(results[tool]), "repeats": repeats,
               "iterations": 2 * lengths[tool], "ns_per_pair_iter": seconds * 1e9 / problem.n ** 2, "error": last[tool]["error"],
               "cost": last[tool]["cost"], "peak_mib": last[tool]["peak_mib"], "others_cores": last[tool]["others_cores"]}


def time_within(problem, tool, repeats):
    """A peer on a GPU, timed within one process."""
    line = run(problem, tool, f"time:{repeats}")
    if "failed" not in line:
        line.update(repeats=repeats, ns_per_pair_iter=line["seconds"] * 1e9 / problem.n ** 2)
        line["error"], line["cost"] = problem.judge()
    return dict(line, variant=tool)


def time_solution(problem, tools, factor):
    ours = None
    for tool in tools:
        if tool in OURS:
            line = run(problem, tool, 0, problem.tolerance)
            if "failed" not in line:
                line["error"], line["cost"] = problem.judge()
                line["iterations"] = line["evaluations"]
                line["flags"] = line["flags"].split()
                ours = ours or line["seconds"]
        elif problem.device != "cpu":
            line = solve_in_process(problem, tool)
        elif factor and ours:
            line = solve_within(problem, tool, factor * ours)
        else:
            line = solve_to_tolerance(problem, tool)
        yield dict(line, variant=tool)


def solve_in_process(problem, tool):
    """A peer on a GPU, which is given more iterations within one process until they suffice or a run takes the cap."""
    line = run(problem, tool, f"solve:{problem.tolerance}:{problem.cap}", runs=6)
    if "failed" not in line:
        line["flags"] = [] if line["error"] <= problem.tolerance else ["not_reached"]
    return line


def judged(problem, tool, iterations):
    line = run(problem, tool, iterations)
    if "failed" not in line:
        line["error"], line["cost"] = problem.judge()
        line["iterations"] = iterations
        line["flags"] = [] if line["error"] <= problem.tolerance else ["not_reached"]
    return line


def solve_to_tolerance(problem, tool):
    iterations = 100
    while True:
        line = judged(problem, tool, iterations)
        if "failed" in line or not line["flags"] or line["seconds"] > problem.cap / 1.5:
            return line
        iterations = int(iterations * 1.5)


def solve_within(problem, tool, seconds):
    """One run of as many iterations as fit into the seconds."""
    iteration = seconds_of_iteration(problem, tool, 4, 12)
    if isinstance(iteration, dict):
        return iteration
    problem.cap = max(problem.cap, 1.5 * seconds)
    return judged(problem, tool, int(seconds / iteration) + 1)


def measure(arguments):
    sys.path.insert(0, str(PEER_FOLDER))
    from tools import ON_DEVICES, ON_DEVICES_ALONE, PEERS
    peers = {name for name in PEERS if (name in ON_DEVICES if arguments.device == "cuda" else name not in ON_DEVICES_ALONE)}
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as folder, open(arguments.out, "a") as out:
        for n in arguments.n:
            for epsilon in arguments.epsilon:
                problem = Problem(arguments, n, epsilon, folder)
                tools = arguments.tools or [*OURS, *(name for name, peer in PEERS.items() if name in peers and n <= peer[2])]
                lines = time_iteration(problem, tools, arguments.repeats) if arguments.suite == "iteration" else time_solution(problem, tools, arguments.factor)
                for line in lines:
                    flags = line.get("flags", [])
                    if line.get("others_cores", 0) > 0.2:
                        flags = [*flags, "contended"]
                    line = {**line, "bench": f"sinkhorn_{arguments.suite}", "commit": commit, "date": datetime.date.today().isoformat(),
                            "machine": platform.machine(), "device": arguments.device, "threads": arguments.threads, "n": n, "m": n, "d": arguments.d, "epsilon": epsilon, "flags": flags}
                    print(json.dumps(line), file=out, flush=True)
                    print(row_of(line), flush=True)


def row_of(line):
    if "failed" in line:
        return f"{line['bench']:20} n {line['n']:<7} eps {line['epsilon']:<6} {line['variant']:18} failed: {line['failed']}"
    speed = f"{line['ns_per_pair_iter']:9.3f} ns/pair" if "iteration" in line["bench"] else f"{line['iterations']:6} iterations"
    return (f"{line['bench']:20} n {line['n']:<7} eps {line['epsilon']:<6} {line['variant']:18} {line['seconds']:10.4f} s {speed}"
            f" error {line['error']:.1e} cost {line['cost']:.6f} peak {line['peak_mib']:7.0f} MiB {' '.join(line['flags'])}")


def main():
    arguments = parse_arguments()
    if arguments.table:
        for text in Path(arguments.table).read_text().splitlines():
            print(row_of(json.loads(text)))
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
