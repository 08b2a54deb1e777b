"""Golden graph distances by scikit-learn's neighbour graph and scipy's shortest paths.

Usage: python make_geodesics.py [FOLDER_OF_SNARESEQ_FILES]   (numpy 2.4, scipy 1.17, scikit-learn 1.9, h5py)
Writes geodesics.txt: named arrays, `name rows columns` and the numbers on the next line. Points are float32.
With the folder it prints the numbers of tests/src/geometry/snareseq_test.cpp.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components, dijkstra
from sklearn.neighbors import NearestNeighbors, kneighbors_graph

SOURCES = [0, 7, 123, 299]


def write(file, name, values):
    values = np.atleast_2d(values)
    text = " ".join(f"{value:.17g}" for value in values.ravel())
    file.write(f"{name} {values.shape[0]} {values.shape[1]}\n{text}\n")


def write_case(file, name, points, k, metric):
    exact = points.astype(float)
    found = NearestNeighbors(n_neighbors=k - 1, algorithm="brute", metric=metric).fit(exact).kneighbors()
    graph = kneighbors_graph(exact, k - 1, mode="distance", metric=metric, include_self=False)
    graph = graph.maximum(graph.T)
    write(file, name + "_points", points)
    write(file, name + "_k", [[k]])
    write(file, name + "_neighbours", found[1])
    write(file, name + "_distances", found[0])
    write(file, name + "_components", [[connected_components(graph)[0]]])
    write(file, name + "_lengths", dijkstra(graph, directed=False, indices=SOURCES))
    write(file, name + "_hops", dijkstra(graph, directed=False, unweighted=True, indices=SOURCES))


def print_snareseq(folder):
    import h5py

    for side in ("atac", "rna"):
        with h5py.File(Path(folder) / f"snareseq_{side}.h5ad") as file:
            points = file["obsm/X_feat"][:].astype(float)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        for k in (20, 50, 110):
            graph = kneighbors_graph(points, k, mode="connectivity", metric="correlation", include_self=True)
            hops = dijkstra(graph, directed=False, unweighted=True)
            finite = hops[np.isfinite(hops)]
            parts = np.sort(np.unique(connected_components(graph, directed=False)[1], return_counts=True)[1])[::-1]
            print(side, k, "largest", finite.max(), "sum", finite.sum(), "components", parts)


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    turn = np.sort(rng.uniform(0, 9, 300))
    roll = np.stack([turn * np.cos(turn), turn * np.sin(turn), rng.uniform(0, 4, 300)], axis=1)
    with open(Path(__file__).parent / "geodesics.txt", "w") as file:
        write_case(file, "roll", roll.astype(np.float32), 7, "euclidean")
        write_case(file, "apart", rng.normal(size=(300, 6)).astype(np.float32) + 40 * np.arange(3).repeat(100)[:, None].astype(np.float32), 10, "euclidean")
        write_case(file, "angles", rng.normal(size=(300, 5)).astype(np.float32) + 1, 9, "cosine")
        write_case(file, "profiles", rng.normal(size=(300, 5)).astype(np.float32) + 1, 9, "correlation")
    if len(sys.argv) > 1:
        print_snareseq(sys.argv[1])
