"""Inputs and reference numbers of the Sinkhorn tests.

Usage: python make_sinkhorn.py   (numpy 2.4, scipy 1.17, POT 0.9.7)
Writes, little-endian and row-major:
    sinkhorn_mixture.f32   2 x 1000 x 30: X then Y, twenty Gaussian components with decaying axes
    sinkhorn_scurve.f64    2 x 1000 x 2: X then Y, noisy S-curve
    sinkhorn_couplings.f64 12 x 40 x 30: couplings of the small problem, by POT, in the order of the cases
    sinkhorn_cases.txt     name, <C, P>, F, |P| of each of them
"""

from pathlib import Path

import numpy as np
import ot

folder = Path(__file__).parent


def mixture(seed, n=1000):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(20, 30)) * 2 + 0.3 * rng.normal(size=(20, 30))
    label = rng.choice(20, n, p=np.random.default_rng(8 + seed).dirichlet(np.full(20, 3.0)))
    return (centres[label] + 0.6 * rng.normal(size=(n, 30))) * (0.9 ** np.arange(30) + 0.1)


def s_curve(seed, shape, shift, n=1000):
    rng = np.random.default_rng(seed)
    t = 3 * np.pi * (rng.beta(*shape, n) - 0.5)
    return np.stack([np.sin(t), np.sign(t) * (np.cos(t) - 1)], 1) + 0.05 * rng.normal(size=(n, 2)) + shift


def small_problem():
    i, j, k = np.arange(40)[:, None], np.arange(30)[:, None], np.arange(3)[None, :]
    x, y = np.sin(1 + 0.37 * i * (k + 1)), 0.5 + np.cos(2 + 0.53 * j * (k + 1))
    a, b = 1.0 + np.arange(40) % 3, 1.0 + np.arange(30) % 5
    a, b = a / a.sum(), b / b.sum()
    cost = ot.dist(x, y)
    return cost / (a @ cost @ b), a, b


def relative_entropy(p, q):
    return float(np.sum(np.where(p > 0, p * np.log(np.where(p > 0, p, 1) / q), 0) - p + q))


def references(a, b):
    n, m = len(a), len(b)
    return {"product": np.outer(a, b), "uniform": np.full((n, m), 1 / (n * m)), "counting": np.ones((n, m))}


def value(cost, p, a, b, epsilon, lambdas, reference):
    f = float((cost * p).sum()) + epsilon * relative_entropy(p, reference)
    for size, marginal, weights in zip(lambdas, (p.sum(1), p.sum(0)), (a, b)):
        if np.isfinite(size):
            f += size * relative_entropy(marginal, weights)
    return f


def solve(cost, a, b, epsilon, lambdas, reference):
    options = dict(numItermax=1_000_000, stopThr=1e-15)
    if np.isinf(lambdas).all():
        return ot.sinkhorn(a, b, cost, epsilon, method="sinkhorn_log", warn=False, **options)
    # For an exact side POT takes an infinite penalty.
    return ot.unbalanced.sinkhorn_stabilized_unbalanced(a, b, cost, epsilon, lambdas, reg_type="kl", c=reference, **options)


def write_small_cases():
    cost, a, b = small_problem()
    inf = np.inf
    cases = [("balanced 0.5", 0.5, (inf, inf), "product"), ("balanced 0.05", 0.05, (inf, inf), "product"),
             ("balanced 0.01", 0.01, (inf, inf), "product")]
    for name, lambdas in (("unbalanced", (1.0, 50.0)), ("semi-relaxed", (inf, 1.0)), ("source-relaxed", (1.0, inf))):
        cases += [(f"{name} 0.05 {reference}", 0.05, lambdas, reference) for reference in ("product", "counting", "uniform")]
    couplings, lines = [], []
    for name, epsilon, lambdas, kind in cases:
        reference = references(a, b)[kind]
        p = solve(cost, a, b, epsilon, lambdas, reference)
        couplings.append(p)
        numbers = float((cost * p).sum()), value(cost, p, a, b, epsilon, lambdas, reference), float(p.sum())
        lines.append(f"{name}: " + " ".join(repr(number) for number in numbers))
        print(lines[-1])
    np.stack(couplings).tofile(folder / "sinkhorn_couplings.f64")
    (folder / "sinkhorn_cases.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    np.stack([mixture(1), mixture(2)]).astype(np.float32).tofile(folder / "sinkhorn_mixture.f32")
    np.stack([s_curve(1, (2, 1.2), 0), s_curve(2, (1.2, 2), 0.3)]).tofile(folder / "sinkhorn_scurve.f64")
    write_small_cases()
