"""What potentials are worth, in float64 and outside any clock."""
import numpy


def arrays_of(device):
    """cupy for a GPU where this Python has it, else numpy."""
    if device != "cpu":
        try:
            import cupy
            return cupy
        except ImportError:
            pass
    return numpy


def judge(x, y, f, g, epsilon, scale, device="cpu", block=1024):
    """(error, cost): larger relative L1 error of both marginals, and <C, P> / |P|, of P_ij = exp((f_i + g_j - C_ij) / epsilon) / (n m)."""
    np = arrays_of(device)
    n, m = len(x), len(y)
    x, y, f, g = (np.asarray(values) for values in (x, y, f, g))
    columns, rows, cost = np.zeros(m), np.zeros(n), np.zeros(())
    norms = (y * y).sum(1)
    for start in range(0, n, block):
        part = x[start:start + block]
        costs = np.maximum((part * part).sum(1)[:, None] + norms - 2 * part @ y.T, 0) / scale
        with numpy.errstate(over="ignore"):
            coupling = np.exp((f[start:start + block, None] + g - costs) / epsilon) / (n * m)
        rows[start:start + block] = coupling.sum(1)
        columns += coupling.sum(0)
        cost += (coupling * costs).sum()
    error = max(float(np.abs(rows - 1 / n).sum()), float(np.abs(columns - 1 / m).sum()))
    return error, float(cost / columns.sum())
