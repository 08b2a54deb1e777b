"""One function a peer: entropic transport between two equal-weight clouds, `iterations` updates of both potentials.

Each returns (f, g, seconds, note): potentials in units of the mean-scaled squared Euclidean cost with the product
reference, P_ij = exp((f_i + g_j - C_ij) / epsilon) / (n m). `seconds` are those of the call, set-up included: two run
lengths are subtracted. To add a peer, write a function and name it in PEERS. DEVICE is where the points lie.
"""
import os
import time

DEVICE = os.environ.get("THALWEG_PEER_DEVICE", "cpu")


def on_device(values):
    import torch
    return torch.tensor(values, dtype=torch.float32, device=DEVICE)


def torch_blocked(x, y, epsilon, scale, iterations, threads, tolerance):
    """Rows in blocks of 512, log domain, float32: what one writes by hand."""
    import torch
    torch.set_num_threads(threads)
    a, b = on_device(x), on_device(y)

    def update(rows, columns, potential):
        bias = potential / epsilon - (columns * columns).sum(1) / (epsilon * scale) - torch.log(torch.tensor(float(len(columns))))
        norms = (rows * rows).sum(1) / (epsilon * scale)
        parts = []
        for start in range(0, len(rows), 512):
            block = rows[start:start + 512]
            parts.append(torch.logsumexp((2 / (epsilon * scale)) * block @ columns.T + bias, 1) - norms[start:start + 512])
        return -epsilon * torch.cat(parts)

    start = time.perf_counter()
    f, g = torch.zeros(len(a), device=DEVICE), torch.zeros(len(b), device=DEVICE)
    for _ in range(iterations):
        f = update(a, b, g)
        g = update(b, a, f)
    return f.cpu().numpy(), g.cpu().numpy(), time.perf_counter() - start, ""


def keops(x, y, epsilon, scale, iterations, threads, tolerance):
    """KeOps LazyTensor, float32; compiles on the first call."""
    import torch
    from pykeops.torch import LazyTensor
    torch.set_num_threads(threads)
    root = (1 / (epsilon * scale)) ** 0.5
    a, b = on_device(x * root), on_device(y * root)
    a_i, b_j = LazyTensor(a[:, None, :]), LazyTensor(b[None, :, :])
    cost = ((a_i - b_j) ** 2).sum(-1)

    def lse(potential, axis):
        count = len(b) if axis == 1 else len(a)
        bias = potential / epsilon - torch.log(torch.tensor(float(count)))
        lazy = LazyTensor(bias[None, :, None] if axis == 1 else bias[:, None, None])
        return (lazy - cost).logsumexp(axis).flatten()

    start = time.perf_counter()
    f, g = torch.zeros(len(a), device=DEVICE), torch.zeros(len(b), device=DEVICE)
    for _ in range(iterations):
        f = -epsilon * lse(g, 1)
        g = -epsilon * lse(f, 0)
    return f.cpu().numpy(), g.cpu().numpy(), time.perf_counter() - start, ""


def flash(x, y, epsilon, scale, iterations, threads, tolerance, allow_tf32=False):
    """flash-sinkhorn, alternating updates; a GPU alone."""
    import torch
    from flash_sinkhorn.sinkhorn_solvers import sinkhorn_flashstyle_alternating
    a, b = on_device(x * scale ** -0.5), on_device(y * scale ** -0.5)
    weights = [torch.full((len(points),), 1 / len(points), device=DEVICE) for points in (a, b)]
    start = time.perf_counter()
    f, g = sinkhorn_flashstyle_alternating(a, b, *weights, eps=epsilon, n_iters=iterations, allow_tf32=allow_tf32)
    return f.cpu().numpy(), g.cpu().numpy(), time.perf_counter() - start, ""


def flash_tf32(*arguments):
    return flash(*arguments, allow_tf32=True)


def geomloss_online(x, y, epsilon, scale, iterations, threads, tolerance):
    """geomloss online backend; its number of iterations follows from `scaling`, so `iterations` chooses that."""
    import torch
    from geomloss import SamplesLoss
    torch.set_num_threads(threads)
    root = (2 / scale) ** 0.5  # its cost is |x - y|^2 / 2
    a, b = torch.tensor(x * root, dtype=torch.float32), torch.tensor(y * root, dtype=torch.float32)
    diameter, blur = float((torch.cat([a, b]).max(0)[0] - torch.cat([a, b]).min(0)[0]).norm()), epsilon ** 0.5
    scaling = (blur / diameter) ** (1 / max(iterations - 2, 1))
    loss = SamplesLoss("sinkhorn", p=2, blur=blur, diameter=diameter, scaling=scaling, debias=False, potentials=True, backend="online")
    start = time.perf_counter()
    f, g = loss(a, b)
    return f.flatten().numpy(), g.flatten().numpy(), time.perf_counter() - start, f"scaling {scaling:.4f}"


def pot_lazy(x, y, epsilon, scale, iterations, threads, tolerance):
    """POT empirical_sinkhorn with isLazy, torch backend, float32."""
    import ot
    import torch
    torch.set_num_threads(threads)
    a, b = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
    start = time.perf_counter()
    f, g, _ = ot.bregman.empirical_sinkhorn(a, b, epsilon * scale, metric="sqeuclidean", numIterMax=iterations, stopThr=0.0,
                                            isLazy=True, batchSize=512, log=True)
    seconds = time.perf_counter() - start
    return potentials_of_counting(f.numpy(), g.numpy(), epsilon, scale, seconds)


def pot_log(x, y, epsilon, scale, iterations, threads, tolerance):
    """POT sinkhorn_log on the stored cost, float64."""
    import numpy as np
    import ot
    start = time.perf_counter()
    cost = ot.dist(x, y) / scale
    weights = np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y))
    _, log = ot.sinkhorn(*weights, cost, epsilon, method="sinkhorn_log", numItermax=iterations, stopThr=0.0, warn=False, log=True)
    seconds = time.perf_counter() - start
    return (epsilon * (log["log_u"] + np.log(len(x))), epsilon * (log["log_v"] + np.log(len(y))), seconds, "")


def potentials_of_counting(f, g, epsilon, scale, seconds):
    """POT's lazy potentials are logarithms of scalings for the counting reference."""
    import numpy as np
    return epsilon * (f + np.log(len(f))), epsilon * (g + np.log(len(g))), seconds, ""


def ott(x, y, epsilon, scale, iterations, threads, tolerance, **solver):
    os.environ["JAX_PLATFORMS"] = DEVICE
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    import jax
    import jax.numpy as jnp
    from ott.geometry import pointcloud
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn
    geometry = pointcloud.PointCloud(jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32), epsilon=epsilon, scale_cost=scale, batch_size=1024)
    threshold = tolerance if tolerance > 0 else -1.0
    step = 10 if tolerance > 0 else iterations
    solve = jax.jit(sinkhorn.Sinkhorn(threshold=threshold, min_iterations=0 if tolerance > 0 else iterations, max_iterations=iterations,
                                      inner_iterations=step, lse_mode=True, **solver))
    if DEVICE != "cpu":
        jax.block_until_ready(solve(linear_problem.LinearProblem(geometry)).f)  # compiles for this length
    start = time.perf_counter()
    out = solve(linear_problem.LinearProblem(geometry))
    f, g = jax.block_until_ready((out.f, out.g))
    seconds = time.perf_counter() - start
    import numpy as np
    count = int(np.sum(np.asarray(out.errors) > -1)) * step
    # ott uses the counting reference.
    return np.asarray(f, float) + epsilon * np.log(len(x)), np.asarray(g, float) + epsilon * np.log(len(y)), seconds, f"iterations {count}"


def ott_momentum(*arguments):
    from ott.solvers.linear import acceleration
    return ott(*arguments, momentum=acceleration.Momentum(value=1.5))


def ott_anderson(*arguments):
    from ott.solvers.linear import acceleration
    return ott(*arguments, anderson=acceleration.AndersonAcceleration(memory=5, refresh_every=1))


# name -> (function, environment of setup.sh, largest n that it is asked for)
PEERS = {
    "torch": (torch_blocked, "a", 10**9),
    "keops": (keops, "a", 20_000),
    "geomloss": (geomloss_online, "a", 10_000),
    "pot_lazy": (pot_lazy, "a", 10_000),
    "pot_log": (pot_log, "a", 5_000),
    "ott": (ott, "b", 10**9),
    "ott_momentum": (ott_momentum, "b", 10**9),
    "ott_anderson": (ott_anderson, "b", 10**9),
    "flash": (flash, "a", 10**9),
    "flash_tf32": (flash_tf32, "a", 10**9),
}

ON_DEVICES = {"torch", "keops", "ott", "ott_momentum", "ott_anderson", "flash", "flash_tf32"}
ON_DEVICES_ALONE = {"flash", "flash_tf32"}
