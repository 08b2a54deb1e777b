"""One training step of bench_embedding in torch, on the arrays that `bench_embedding --write FOLDER` leaves.

usage: embedding_torch.py FOLDER THREADS [REPEATS]

Log-domain Sinkhorn in float32 over the stored cost, warm-started, at most 30 iterations or an error of 1e-3; the gw loss by
two matrix products, with the entropy of the coupling; the implicit backward by conjugate gradients on the Schur complement with P stored. Prints one JSON
line: seconds (median), the loss, iterations of both.
"""
import json
import os
import statistics
import sys
import time


class Step:
    def __init__(self, folder):
        import numpy as np
        import torch
        self.torch = torch
        with open(os.path.join(folder, "shape.json")) as file:
            shape = json.load(file)
        self.epsilon, self.entropy = shape["epsilon"], shape["entropy"]
        n, m, h = shape["n"], shape["m"], shape["h"]

        def read(name, kind, *sizes):
            return torch.tensor(np.fromfile(os.path.join(folder, name), dtype=kind).reshape(sizes).astype(np.float32))

        self.steps = [(read(f"source_{k}.f64", np.float64, n, h), read(f"target_{k}.f64", np.float64, m, h)) for k in range(4)]
        self.x, self.y = read("hops_x.u8", np.uint8, n, n), read("hops_y.u8", np.uint8, m, m)
        self.x /= self.x.max()
        self.y /= self.y.max()
        self.a, self.b = torch.full((n,), 1 / n), torch.full((m,), 1 / m)
        self.constant = self.a @ (self.x ** 2) @ self.a + self.b @ (self.y ** 2) @ self.b
        self.g = torch.zeros(m)
        self.beta = torch.zeros(m)
        self.sinkhorn = self.conjugate = 0

    def coupling(self, cost):
        torch, epsilon = self.torch, self.epsilon
        scaled, log_a, log_b = cost / epsilon, self.a.log(), self.b.log()
        for self.sinkhorn in range(1, 31):
            f = -epsilon * torch.logsumexp(log_b + self.g / epsilon - scaled, 1)
            log_sums = torch.logsumexp((log_a + f / epsilon)[:, None] - scaled, 0)
            error = ((log_b + self.g / epsilon + log_sums).exp() - self.b).abs().sum()
            if error <= 1e-3:
                break
            self.g = -epsilon * log_sums
        return ((log_a + f / epsilon)[:, None] + (log_b + self.g / epsilon) - scaled).exp()

    def adjoint(self, coupling, products):
        p, q = coupling.sum(1), coupling.sum(0)
        u, v = products.sum(1), products.sum(0)
        diagonal = (q - ((coupling ** 2) / p[:, None]).sum(0)).clamp(min=1e-6 * float(q.mean()))

        def schur(beta):
            return q * beta - coupling.T @ ((coupling @ beta) / p)

        def precondition(residual):
            return residual / diagonal - residual.sum() / diagonal.sum()

        right = v - coupling.T @ (u / p)
        residual = right - schur(self.beta)
        step = precondition(residual)
        direction, now, scale = step, residual @ step, right @ precondition(right)
        for self.conjugate in range(201):
            if (now / scale).clamp(min=0).sqrt() <= 1e-4:
                break
            image = schur(direction)
            length = now / (direction @ image)
            self.beta = self.beta + length * direction
            residual = residual - length * image
            step = precondition(residual)
            following = residual @ step
            direction, now = step + following / now * direction, following
        return (u - coupling @ self.beta) / p, self.beta

    def __call__(self, k):
        z_x, z_y = (z.clone().requires_grad_(True) for z in self.steps[k % 4])
        x = z_x / (z_x.square().sum(1, keepdim=True) + 1e-12).sqrt()
        y = z_y / (z_y.square().sum(1, keepdim=True) + 1e-12).sqrt()
        cost = 1 - x @ y.T
        with self.torch.no_grad():
            coupling = self.coupling(cost)
            middle = self.x @ coupling @ self.y
            loss = self.constant - 2 * (middle * coupling).sum()
            products = coupling * (-4 * middle - self.entropy / self.epsilon * cost)
            alpha, beta = self.adjoint(coupling, products)
            gradient = -(products - coupling * (alpha[:, None] + beta)) / self.epsilon
        cost.backward(gradient)
        return float(loss), z_x.grad, z_y.grad


def main():
    folder, threads = sys.argv[1:3]
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 40
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = threads
    import torch
    torch.set_num_threads(int(threads))
    step, seconds, sinkhorn, conjugate = Step(folder), [], [], []
    for k in range(repeats + 8):
        start = time.perf_counter()
        loss, _, _ = step(k)
        if k >= 8:
            seconds.append(time.perf_counter() - start)
            sinkhorn.append(step.sinkhorn)
            conjugate.append(step.conjugate)
    print(json.dumps({"bench": "embedding", "variant": "torch_gw", "seconds": statistics.median(seconds), "min": min(seconds),
                      "max": max(seconds), "repeats": repeats, "threads": int(threads), "iterations": statistics.mean(sinkhorn),
                      "cg_iterations": statistics.mean(conjugate), "gw": loss}))


if __name__ == "__main__":
    main()
