"""The Gaussian mixture on which solvers are compared: 20 components in d features, two samples."""
import argparse

import numpy as np


def mixture(n, seed, d=30, components=20):
    """n points of the sample `seed`; components drift between seeds, their weights are drawn anew."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(components, d)) * 2 + 0.3 * rng.normal(size=(components, d))
    shares = np.random.default_rng(8 + seed).dirichlet([3.0] * components)
    labels = rng.choice(components, n, p=shares)
    points = centres[labels] + 0.6 * rng.normal(size=(n, d))
    return points * (0.9 ** np.arange(d) + 0.1)


def mean_cost(x, y):
    """Mean of |x_i - y_j|^2 over all pairs."""
    return (x * x).sum(1).mean() + (y * y).sum(1).mean() - 2 * x.mean(0) @ y.mean(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("n", type=int)
    parser.add_argument("file", help="raw float64 rows: the n points of one side, then those of the other")
    parser.add_argument("--d", type=int, default=30)
    arguments = parser.parse_args()
    np.concatenate([mixture(arguments.n, seed, arguments.d) for seed in (1, 2)]).tofile(arguments.file)


if __name__ == "__main__":
    main()
