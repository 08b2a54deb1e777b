"""Judges .h5ad files with anndata itself: check_h5ad.py FILE.. [--example ROWS]

Every warning is an error. Each file is read in memory and backed, written back and read again. With
--example its values are compared with those of tests/src/io/example_anndata.hpp.
"""

import argparse
import pathlib
import tempfile
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import xxhash
from scipy import sparse


def expected_obs(rows):
    i = np.arange(rows)
    days = ["E8.5", "E9.5", "E10.5"]
    wide = [f"category {k}" for k in range(200)]
    return pd.DataFrame(
        {
            "growth_prior": 1.0 / (i + 1),
            "source_row": 3 * i + (1 << 40),
            "day": pd.Categorical.from_codes(i % 4 - 1, days, ordered=True),
            "wide": pd.Categorical.from_codes(i % 200, wide),
            "kept": i % 3 == 0,
        },
        index=pd.Index([f"cell_{k}" + ("_é" if k % 5 == 0 else "") for k in i], dtype=object),
    )


def expected_matrix(rows):
    dense = np.zeros((rows, 6))
    for i in range(rows):
        for j in range(i % 2, i % 6):
            dense[i, j] = i + 10 * j
    return dense


def check_obs(obs, rows):
    expected = expected_obs(rows)
    pd.testing.assert_frame_equal(obs, expected, check_index_type=False, check_names=False)
    assert obs["wide"].cat.codes.dtype == np.int16
    assert obs["day"].isna().sum() == np.sum(np.arange(rows) % 4 == 0)


def check_uns(uns):
    thalweg = uns["thalweg"]
    assert thalweg["source"] == {"path": "atlas.h5ad", "rows": 1 << 40}
    assert list(thalweg["columns"]["push"]) == ["a", "b", "ü"]
    assert thalweg["converged"] and isinstance(thalweg["converged"], (bool, np.bool_))
    assert thalweg["epsilon"] == 0.05
    np.testing.assert_array_equal(thalweg["times"], [8.5, 9.5, 10.5])
    np.testing.assert_array_equal(thalweg["transition"], np.arange(6, dtype=np.float32).reshape(2, 3))
    assert thalweg["nothing"] is None
    assert list(uns["day_colors"]) == ["#ff0000", "#00ff00", "#0000ff"]


def check_example(adata, rows):
    i = np.arange(rows)
    check_obs(adata.obs, rows)
    push = i[:, None] + 0.25 * np.arange(3)
    assert adata.obsm["push"].dtype == np.float32
    np.testing.assert_array_equal(adata.obsm["push"], push.astype(np.float32).reshape(rows, 3))
    np.testing.assert_array_equal(adata.obsm["fates"], (i * 1e-3)[:, None] - np.arange(2))
    check_uns(adata.uns)
    if adata.n_vars == 0:
        # Backed objects without X raise on `.X`, those that anndata wrote too.
        assert adata.isbacked or adata.X is None
        return
    assert list(adata.var_names) == [f"g{k}" for k in range(6)]
    matrix = adata.X if sparse.issparse(adata.X) else adata.X[:]
    assert matrix.format == "csr" and matrix.dtype == np.float64 and matrix.has_sorted_indices
    np.testing.assert_array_equal(matrix.toarray(), expected_matrix(rows))


def equal(left, right):
    """The parts of two objects, written out and read again, agree."""
    pd.testing.assert_frame_equal(left.obs, right.obs)
    pd.testing.assert_frame_equal(left.var, right.var)
    assert left.obsm.keys() == right.obsm.keys()
    for key in left.obsm:
        np.testing.assert_array_equal(left.obsm[key], right.obsm[key])
    assert left.uns.keys() == right.uns.keys()


def checksum(dataset):
    """Sum of the hashes of the rows, each with its index as the seed (distributed/checksum.hpp)."""
    values = dataset[()]
    rows = values if dataset.shape else [values]
    is_text = h5py.check_string_dtype(dataset.dtype) is not None
    blobs = (bytes(row) if is_text else np.ascontiguousarray(row).tobytes() for row in rows)
    return sum(xxhash.xxh3_64_intdigest(blob, seed=i) for i, blob in enumerate(blobs)) % (1 << 64)


def check_form(path):
    """What anndata does not look at: encodings of every object, checksums of every dataset with data."""
    expected_groups = {"layers", "obs", "obsm", "obsp", "uns", "var", "varm", "varp"}
    with h5py.File(path) as file:
        assert expected_groups <= set(file), sorted(file)

        def visit(name, item):
            in_sparse = item.parent.attrs.get("encoding-type") == "csr_matrix"
            assert in_sparse or {"encoding-type", "encoding-version"} <= set(item.attrs), name
            if isinstance(item, h5py.Dataset) and item.shape is not None:
                assert item.attrs["thalweg_xxh3"].dtype == np.uint64, name
                assert item.attrs["thalweg_xxh3"] == checksum(item), name

        file.visititems(visit)


def check(path, rows):
    check_form(path)
    adata = anndata.read_h5ad(path)
    backed = anndata.read_h5ad(path, backed="r")
    if rows is not None:
        check_example(adata, rows)
        check_example(backed, rows)
    backed.file.close()
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "copy.h5ad"
        adata.write_h5ad(copy)
        equal(adata, anndata.read_h5ad(copy))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--example", type=int, metavar="ROWS")
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    for path in arguments.files:
        check(path, arguments.example)
        print(f"{path}: good")


if __name__ == "__main__":
    main()
