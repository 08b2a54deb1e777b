"""Runs one peer in a process of its own and prints one JSON line; potentials go to a file.

usage: run_peer.py NAME DATA N D EPSILON SCALE ITERATIONS THREADS TOLERANCE OUT

ITERATIONS "time:REPEATS": seconds of one iteration instead, as compare.py takes them from processes, but within this one,
which on a GPU starts and compiles for longer than it computes; potentials are those of the longest run.
ITERATIONS "solve:TOLERANCE:CAP": more and more of them until the judge's error is the tolerance or a run took CAP seconds.
"""
import json
import os
import resource
import statistics
import sys


def main():
    name, data, n, d, epsilon, scale, iterations, threads, tolerance, out = sys.argv[1:]
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = threads
    import numpy as np
    from tools import DEVICE, PEERS
    points = np.fromfile(data).reshape(2, int(n), int(d))
    before = peak_mib()

    def solve(length):
        return PEERS[name][0](points[0], points[1], float(epsilon), float(scale), length, int(threads), float(tolerance))

    if DEVICE != "cpu":  # kernels are compiled and tuned at the first call
        solve(2)
    if iterations.startswith("time:"):
        (f, g, _, note), line = time_iteration(solve, int(iterations[len("time:"):]))
    elif iterations.startswith("solve:"):
        from judge import judge
        tolerance_of_judge, cap = (float(word) for word in iterations.split(":")[1:])
        (f, g, _, note), line = solve_to_tolerance(
            solve, lambda f, g: judge(points[0], points[1], np.asarray(f, float), np.asarray(g, float), float(epsilon), float(scale), DEVICE),
            tolerance_of_judge, cap, before)
    else:
        f, g, seconds, note = solve(int(iterations))
        line = {"seconds": seconds}
    np.concatenate([np.asarray(f, float), np.asarray(g, float)]).tofile(out)
    print(json.dumps({"peak_mib": peak_mib() - before, **line, "note": note}))


def time_iteration(solve, repeats):
    """The last, longest run and (time of 2k iterations - time of k) / k with k of about a second."""
    k = int(min(200, max(2, 8 / max(solve(12)[2] - solve(4)[2], 1e-6))))
    seconds = []
    for _ in range(repeats):
        short, last = solve(k), solve(2 * k)
        seconds.append((last[2] - short[2]) / k)
    return last, {"seconds": statistics.median(seconds), "min": min(seconds), "max": max(seconds), "iterations": 2 * k}


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def solve_to_tolerance(solve, judged, tolerance, cap, peak_before):
    """The first run, of ever more iterations, that suffices; errors are found outside its clock, its memory before them."""
    iterations, peak = 100, None
    while True:
        last = solve(iterations)
        peak = peak or peak_mib() - peak_before
        error, cost = judged(last[0], last[1])
        if error <= tolerance or last[2] > cap:
            return last, {"seconds": last[2], "iterations": iterations, "error": error, "cost": cost, "peak_mib": peak}
        iterations = int(iterations * 1.25)


if __name__ == "__main__":
    main()
