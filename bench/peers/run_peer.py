"""Runs one peer in a process of its own and prints one JSON line; potentials go to a file.

usage: run_peer.py NAME DATA N D EPSILON SCALE ITERATIONS THREADS TOLERANCE OUT
"""
import json
import os
import resource
import sys


def main():
    name, data, n, d, epsilon, scale, iterations, threads, tolerance, out = sys.argv[1:]
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = threads
    import numpy as np
    from tools import DEVICE, PEERS
    points = np.fromfile(data).reshape(2, int(n), int(d))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def solve(length):
        return PEERS[name][0](points[0], points[1], float(epsilon), float(scale), length, int(threads), float(tolerance))

    if DEVICE != "cpu":  # kernels are compiled and tuned at the first call
        solve(2)
    f, g, seconds, note = solve(int(iterations))
    np.concatenate([np.asarray(f, float), np.asarray(g, float)]).tofile(out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "peak_mib": (peak - before) / 1024, "note": note}))


if __name__ == "__main__":
    main()
