"""What potentials are worth, in float64 and outside any clock."""
import numpy as np


def judge(x, y, f, g, epsilon, scale, block=1024):
    """(error, cost): larger relative L1 error of both marginals, and <C, P> / |P|, of P_ij = exp((f_i + g_j - C_ij) / epsilon) / (n m)."""
    n, m = len(x), len(y)
    columns, rows, cost = np.zeros(m), np.zeros(n), 0.0
    norms = (y * y).sum(1)
    for start in range(0, n, block):
        part = x[start:start + block]
        costs = np.maximum((part * part).sum(1)[:, None] + norms - 2 * part @ y.T, 0) / scale
        with np.errstate(over="ignore"):
            coupling = np.exp((f[start:start + block, None] + g - costs) / epsilon) / (n * m)
        rows[start:start + block] = coupling.sum(1)
        columns += coupling.sum(0)
        cost += (coupling * costs).sum()
    return max(np.abs(rows - 1 / n).sum(), np.abs(columns - 1 / m).sum()), cost / columns.sum()
