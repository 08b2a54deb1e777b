"""Writes the drifting Gaussian mixture of tests/golden/make_hm_ot.py at any size, for bench_hm_ot --data.

Usage: python make_mixture.py N OUT.f64   (numpy): X then Y, each N x 30 float64
"""

import sys

import numpy as np

n, path = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(0)
centre = rng.normal(size=(10, 30))
centre *= 4 / np.linalg.norm(centre, axis=1, keepdims=True)
drift = rng.normal(size=(10, 30))
drift *= 1.5 / np.linalg.norm(drift, axis=1, keepdims=True)
weights = [rng.dirichlet(5 * np.ones(10)) for _ in range(2)]
source, target = (rng.choice(10, n, p=w) for w in weights)
x = centre[source] + rng.normal(size=(n, 30))
y = centre[target] + drift[target] + rng.normal(size=(n, 30))
np.stack([x, y]).astype("<f8").tofile(path)
