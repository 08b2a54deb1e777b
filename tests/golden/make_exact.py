"""Golden values of the exact solvers: POT's network simplex, SciPy's assignment and HiGHS.

Usage: python make_exact.py   (numpy 2.4, scipy 1.17, POT 0.9.7)
Writes exact/{transport,bounded,flow,assignment}.txt: one case a block,
    case <name> <rows> <columns> <optimal value>
followed by the arrays, each on a line of its own: row masses, column masses, cost, then for transport `allowed`,
for bounded `allowed`, `lower`, `upper`, for flow `allowed`, `upper` (no cost); assignment has only the cost.
"""

from pathlib import Path

import numpy as np
import ot
from scipy.optimize import linear_sum_assignment, linprog

folder = Path(__file__).parent / "exact"


def placement(rows, columns):
    """Row-sum and column-sum operators on a flattened rows x columns matrix."""
    return np.kron(np.eye(rows), np.ones(columns)), np.kron(np.ones(rows), np.eye(columns))


def highs_transport(a, b, cost, lower, upper):
    row_sums, column_sums = placement(*cost.shape)
    solution = linprog(cost.ravel(), A_eq=np.vstack([row_sums, column_sums]), b_eq=np.concatenate([a, b]),
                       bounds=np.stack([lower.ravel(), upper.ravel()], 1), method="highs-ds",
                       options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10})
    assert solution.status == 0, solution.message
    return solution.fun


def highs_flow(a, b, upper):
    """The largest mass that `upper` lets pass from a to b."""
    row_sums, column_sums = placement(*upper.shape)
    solution = linprog(-np.ones(upper.size), A_ub=np.vstack([row_sums, column_sums]), b_ub=np.concatenate([a, b]),
                       bounds=np.stack([np.zeros(upper.size), upper.ravel()], 1), method="highs-ds")
    assert solution.status == 0, solution.message
    return -solution.fun


def masses(rng, size, zeros=0):
    values = rng.random(size) + 0.05
    values[rng.permutation(size)[:zeros]] = 0.0
    return values / values.sum()


def write(file, name, shape, value, *arrays):
    file.write(f"case {name} {shape[0]} {shape[1]} {value:.17g}\n")
    for array in arrays:
        file.write(" ".join(f"{x:.17g}" for x in np.ravel(array)) + "\n")


def transport_cases(rng):
    gaussian = lambda n, m: ot.dist(rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 0.5)
    yield "one_by_one", np.ones(1), np.ones(1), np.array([[2.5]])
    yield "one_row", np.ones(1), masses(rng, 4), rng.normal(size=(1, 4))
    yield "one_column", masses(rng, 4), np.ones(1), rng.normal(size=(4, 1))
    yield "small", masses(rng, 3), masses(rng, 3), gaussian(3, 3)
    yield "uniform", np.full(10, 0.1), np.full(10, 0.1), gaussian(10, 10)
    yield "uniform_rectangular", np.full(12, 1 / 12), np.full(8, 1 / 8), gaussian(12, 8)
    yield "ties", np.full(20, 0.05), np.full(20, 0.05), rng.integers(0, 3, (20, 20)).astype(float)
    yield "constant", np.full(6, 1 / 6), np.full(6, 1 / 6), np.full((6, 6), 3.0)
    yield "negative_costs", masses(rng, 7), masses(rng, 9), rng.normal(size=(7, 9)) - 5.0
    yield "zero_masses", masses(rng, 9, 3), masses(rng, 11, 4), gaussian(9, 11)
    yield "general", masses(rng, 30), masses(rng, 25), gaussian(30, 25)
    yield "large_costs", masses(rng, 12), masses(rng, 12), 1e8 * gaussian(12, 12)


def write_transport(rng):
    with open(folder / "transport.txt", "w") as file:
        for name, a, b, cost in transport_cases(rng):
            coupling = ot.emd(a, b, cost - cost.min(), numItermax=1_000_000)  # it needs costs >= 0
            write(file, name, cost.shape, (coupling * cost).sum(), a, b, cost, np.ones(cost.shape))
        for name, n, m, share in [("masked", 8, 10, 0.5), ("masked_uniform", 15, 15, 0.3), ("masked_wide", 20, 30, 0.25)]:
            allowed = rng.random((n, m)) < share
            witness = np.where(allowed, rng.random((n, m)) < 0.6, 0) * rng.random((n, m))
            witness[np.arange(n), rng.permutation(m)[:n]] += 0.1
            if name == "masked_uniform":
                witness = np.eye(n)[rng.permutation(n)] / n
            allowed |= witness > 0
            witness /= witness.sum()
            a, b, cost = witness.sum(1), witness.sum(0), rng.normal(size=(n, m)) ** 2
            value = highs_transport(a, b, cost, np.zeros((n, m)), np.where(allowed, np.inf, 0.0))
            write(file, name, cost.shape, value, a, b, cost, allowed.astype(float))


def write_bounded(rng):
    with open(folder / "bounded.txt", "w") as file:
        for name, n, m in [("few", 4, 5), ("many", 9, 8), ("square", 12, 12)]:
            witness = rng.random((n, m)) * (rng.random((n, m)) < 0.5) + 0.01
            witness /= witness.sum()
            allowed = rng.random((n, m)) < 0.8
            witness *= allowed
            witness /= witness.sum()
            a, b, cost = witness.sum(1), witness.sum(0), rng.normal(size=(n, m)) ** 2
            lower = np.where(rng.random((n, m)) < 0.2, 0.5 * witness, 0.0)
            upper = np.where(rng.random((n, m)) < 0.3, 1.5 * witness, np.inf)
            value = highs_transport(a, b, cost, lower, np.where(allowed, upper, 0.0))
            upper[np.isinf(upper)] = 2.0
            write(file, name, cost.shape, value, a, b, cost, allowed.astype(float), lower, upper)


def write_flow(rng):
    with open(folder / "flow.txt", "w") as file:
        for index in range(12):
            n, m = rng.integers(2, 12, 2)
            a, b = masses(rng, n), masses(rng, m)
            allowed = rng.random((n, m)) < (0.2 + 0.05 * index)
            upper = np.where(rng.random((n, m)) < 0.3, rng.random((n, m)) * 0.2, 2.0)
            value = highs_flow(a, b, np.where(allowed, upper, 0.0))
            write(file, f"random_{index}", (n, m), value, a, b, allowed.astype(float), upper)


def write_assignment(rng):
    with open(folder / "assignment.txt", "w") as file:
        for name, cost in [("one", rng.normal(size=(1, 1))), ("small", rng.normal(size=(5, 5))),
                           ("gaussian", ot.dist(rng.normal(size=(60, 3)), rng.normal(size=(60, 3)))),
                           ("ties", rng.integers(0, 4, (40, 40)).astype(float)), ("constant", np.ones((8, 8)))]:
            row, column = linear_sum_assignment(cost)
            write(file, name, cost.shape, cost[row, column].sum(), cost)


if __name__ == "__main__":
    folder.mkdir(exist_ok=True)
    write_transport(np.random.default_rng(1))
    write_bounded(np.random.default_rng(2))
    write_flow(np.random.default_rng(3))
    write_assignment(np.random.default_rng(4))
