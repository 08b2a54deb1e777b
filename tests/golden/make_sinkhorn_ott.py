"""Potentials of the small Sinkhorn problem (make_sinkhorn.py) by ott, whose reference measure counts points.

Usage: python make_sinkhorn_ott.py   (ott-jax 0.6.0, jax 0.7.2)
Writes, little-endian:
    sinkhorn_ott.f64   3 x 70: f (40) and g (30) at epsilon 0.05, with penalties (inf, inf), (1, 50) and (inf, 1);
                       balanced ones with sum b g = 0
"""

from pathlib import Path

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

from ott.geometry import geometry
from ott.problems.linear import linear_problem
from ott.solvers.linear import sinkhorn

folder = Path(__file__).parent
epsilon = 0.05


def small_problem():
    i, j, k = np.arange(40)[:, None], np.arange(30)[:, None], np.arange(3)[None, :]
    x, y = np.sin(1 + 0.37 * i * (k + 1)), 0.5 + np.cos(2 + 0.53 * j * (k + 1))
    a, b = 1.0 + np.arange(40) % 3, 1.0 + np.arange(30) % 5
    a, b = a / a.sum(), b / b.sum()
    cost = ((x[:, None] - y[None]) ** 2).sum(2)
    return cost / (a @ cost @ b), a, b


def tau(size):
    return 1.0 if np.isinf(size) else size / (size + epsilon)


def potentials(cost, a, b, lambdas):
    problem = linear_problem.LinearProblem(geometry.Geometry(cost_matrix=cost, epsilon=epsilon), a=a, b=b,
                                           tau_a=tau(lambdas[0]), tau_b=tau(lambdas[1]))
    result = sinkhorn.Sinkhorn(threshold=1e-14, max_iterations=200_000)(problem)
    f, g = np.asarray(result.f), np.asarray(result.g)
    shift = b @ g if np.isinf(lambdas).all() else 0.0
    return np.concatenate([f + shift, g - shift])


if __name__ == "__main__":
    cases = [(np.inf, np.inf), (1.0, 50.0), (np.inf, 1.0)]
    values = np.stack([potentials(*small_problem(), lambdas) for lambdas in cases])
    values.tofile(folder / "sinkhorn_ott.f64")
    print(values[:, :3])
