"""Writes the .h5ad files below h5ad/, the inputs of the reader's tests.

Made with Python 3.11, anndata 0.12.19, h5py 3.16.0, numpy 2.4.6, pandas 2.3.3, scipy 1.17.1, xxhash 4.1.0:

    python make_h5ad.py

Values follow formulas of the row i and the column j, which the tests repeat:

    dense     value(i, j) = ((31 i + 7 j) mod 101) / 8
    sparse    value(i, j) where (i + 2 j) mod 3 = 0, else 0
    day       DAYS[(5 i) mod 4]           stage    "E" + day            type   TYPES[i mod 3], missing when i mod 10 = 9
"""

import pathlib
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp
import xxhash

OUT = pathlib.Path(__file__).parent / "h5ad"
DAYS = [8.5, 7.0, 10.0, 9.25]
TYPES = ["Épiblast", "blood", "nœud"]
TYPE_COLORS = ["#112233", "#445566", "#778899"]


def values(n, p):
    i, j = np.ogrid[:n, :p]
    return ((31 * i + 7 * j) % 101) / 8.0


def sparse_values(n, p):
    i, j = np.ogrid[:n, :p]
    return np.where((i + 2 * j) % 3 == 0, values(n, p), 0.0)


def columns(n):
    i = np.arange(n)
    day = np.array(DAYS)[(5 * i) % 4] if n else np.zeros(0)
    kind = np.array(TYPES, dtype=object)[i % 3] if n else np.array([], dtype=object)
    kind = np.where(i % 10 == 9, None, kind)
    frame = pd.DataFrame(index=[f"cell_{k}" for k in i])
    frame["day"] = day
    frame["day_gaps"] = np.where(i % 7 == 3, np.nan, day)
    frame["day_category"] = pd.Categorical(day, categories=sorted(DAYS))
    frame["stage"] = pd.Categorical([f"E{d:g}" for d in day], categories=["E10", "E7", "E8.5", "E9.25"])
    frame["phase"] = pd.Categorical(
        np.array(["late", "early", "middle"], dtype=object)[i % 3], categories=["early", "middle", "late"], ordered=True)
    frame["type"] = pd.Categorical(kind, categories=TYPES)
    frame["cluster"] = (i % 4).astype(np.uint8)
    frame["is_doublet"] = i % 5 == 0
    frame["count"] = pd.array([None if k % 4 == 1 else int(k) for k in i], dtype="Int64")
    frame["passed"] = pd.array([None if k % 4 == 2 else bool(k % 2) for k in i], dtype="boolean")
    frame["weight"] = 1.0 + (i % 8) / 8.0
    return frame


def modern(n, p=6, X="csr"):
    small = n > 7
    obs = columns(n)[["day", "stage", "type", "weight"]] if small else columns(n)
    make = {"csr": sp.csr_matrix, "csc": sp.csc_matrix, "dense": np.asarray}[X]
    data = anndata.AnnData(X=make(sparse_values(n, p).astype(np.float32)), obs=obs,
                           var=pd.DataFrame(index=[f"gene_{j}" for j in range(p)]))
    data.obsm["X_pca"] = values(n, 5)  # float64
    data.layers["counts"] = sp.csc_matrix((8 * sparse_values(n, p)).astype(np.int32))
    if not small:
        data.obsm["X_sparse"] = sp.csr_matrix(sparse_values(n, 4))
        data.obsm["X_frame"] = pd.DataFrame(values(n, 3), columns=["a", "b", "ü"], index=data.obs_names)
    data.uns["type_colors"] = TYPE_COLORS
    return data


def write_modern():
    for name, n, X, compression in [("size_0", 0, "dense", None), ("size_1", 1, "csr", None), ("size_7", 7, "csc", None),
                                    ("size_1003", 1003, "csr", "gzip")]:
        data = modern(n, p=3 if n > 7 else 6, X=X)
        data.write_h5ad(OUT / f"{name}.h5ad", compression=compression)
    with h5py.File(OUT / "size_7.h5ad", "r+") as f:  # anndata turns such columns into categoricals
        texts = f["obs"].create_dataset("note", data=[f"note {i % 2}" for i in range(7)], dtype=h5py.string_dtype())
        texts.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
        maybe = f["obs"].create_group("maybe")
        maybe.attrs.update({"encoding-type": "nullable-string-array", "encoding-version": "0.1.0"})
        gaps = maybe.create_dataset("values", data=["x", "y", "x", "", "y", "x", "x"], dtype=h5py.string_dtype())
        gaps.attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
        mask = maybe.create_dataset("mask", data=np.arange(7) == 3)
        mask.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        f["obs"].create_dataset("hidden", data=np.arange(7))
        order = list(f["obs"].attrs["column-order"]) + ["note", "maybe"]
        f["obs"].attrs["column-order"] = order


def write_raw():
    data = modern(7, X="dense")
    data.raw = data.copy()
    data = data[:, :2].copy()
    data.write_h5ad(OUT / "raw.h5ad")


def write_old_frame():
    """The data frames of anndata 0.7: codes with a reference to __categories, fixed-length strings."""
    n = 7
    with h5py.File(OUT / "old_frame.h5ad", "w") as f:
        f.create_dataset("X", data=values(n, 3).astype(np.float32))
        obs = f.create_group("obs")
        obs.attrs.update({"encoding-type": np.bytes_("dataframe"), "encoding-version": np.bytes_("0.1.0"),
                          "_index": "cell_id", "column-order": np.array(["day", "type", "gone"], dtype=object)})
        obs.create_dataset("cell_id", data=np.array([f"cell_{i}" for i in range(n)], dtype="S12"))
        obs.create_dataset("day", data=np.array(DAYS)[(5 * np.arange(n)) % 4].astype(np.float32))
        categories = obs.create_group("__categories")
        for name in ["type", "gone"]:
            kinds = categories.create_dataset(name, data=TYPES, dtype=h5py.string_dtype())
            kinds.attrs["ordered"] = np.bool_(False)
            codes = obs.create_dataset(name, data=(np.arange(n) % 3).astype(np.int8))
            codes.attrs["categories"] = kinds.ref
        del categories["gone"]
        categories.create_dataset("gone", data=TYPES, dtype=h5py.string_dtype())
        var = f.create_group("var")
        var.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.1.0", "_index": "index",
                          "column-order": np.zeros(0)})
        var.create_dataset("index", data=np.array(["a", "b", "c"], dtype="S1"))


def write_bare():
    """No attributes at all, a user block, big-endian numbers, space-padded strings, no X."""
    n = 7
    space_padded = h5py.h5t.C_S1.copy()
    space_padded.set_size(8)
    space_padded.set_strpad(h5py.h5t.STR_SPACEPAD)
    with h5py.File(OUT / "bare.h5ad", "w", userblock_size=512) as f:
        obs = f.create_group("obs")
        space = h5py.h5s.create_simple((n,))
        index = h5py.h5d.create(obs.id, b"index", space_padded, space)
        index.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([f"cell_{i}".ljust(8) for i in range(n)], dtype="S8"),
                    mtype=space_padded)
        obs.create_dataset("time", data=np.array(DAYS)[(5 * np.arange(n)) % 4].astype(">f8"))
        f.create_group("var").create_dataset("_index", data=["g0", "g1"], dtype=h5py.string_dtype())
        f.create_dataset("obsm/X_pca", data=values(n, 4).astype(">f4"), chunks=(2, 3), shuffle=True, fletcher32=True)
        f.create_dataset("layers/bits", data=sparse_values(n, 2) > 0)
        sparse = sp.csr_matrix(sparse_values(n, 2))
        group = f.create_group("layers/long")
        group.attrs.update({"encoding-type": np.bytes_("csr_matrix"), "shape": np.array([n, 2], dtype=np.int32)})
        group.create_dataset("data", data=sparse.data.astype(np.float16))
        group.create_dataset("indices", data=sparse.indices.astype(np.int64))
        group.create_dataset("indptr", data=sparse.indptr.astype(np.int64))


def damaged(name, change):
    """A small sound file with one fault put in."""
    path = OUT / f"bad_{name}.h5ad"
    data = modern(7, X="csr")
    data = anndata.AnnData(X=data.X, obs=data.obs[["day", "stage", "type"]], var=data.var,
                           obsm={"X_pca": data.obsm["X_pca"]})
    data.write_h5ad(path)
    with h5py.File(path, "r+") as f:
        change(f)


def replace(key, value):
    def change(f):
        attributes = dict(f[key].attrs)
        del f[key]
        f.create_dataset(key, data=value).attrs.update(attributes)
    return change


def assign(key, index, value):
    def change(f):
        f[key][index] = value
    return change


def write_damaged():
    damaged("indptr", assign("X/indptr", 3, 0))
    damaged("indptr_start", assign("X/indptr", 0, 1))
    damaged("indptr_end", assign("X/indptr", 7, 99))
    damaged("index", assign("X/indices", 4, 6))
    damaged("negative_index", assign("X/indices", 4, -1))
    damaged("code", assign("obs/type/codes", 2, 3))
    damaged("nan", assign("obsm/X_pca", (4, 2), np.nan))
    damaged("rows", replace("obsm/X_pca", values(6, 5)))
    damaged("column_rows", replace("obs/day", np.arange(5.0)))
    damaged("shape", lambda f: f["X"].attrs.modify("shape", np.array([8, 6])))
    damaged("version", lambda f: f["obsm/X_pca"].attrs.modify("encoding-version", "9.0.0"))
    damaged("no_obs", lambda f: f.__delitem__("obs"))

    def lzf(f):
        del f["obsm/X_pca"]
        f.create_dataset("obsm/X_pca", data=values(7, 5), compression="lzf")
    damaged("lzf", lzf)

    def compound(f):
        del f["obs"]
        f["obs"] = np.array([(b"cell_0", 1.0)], dtype=[("index", "S8"), ("day", "f4")])
    damaged("compound", compound)

    def h5sparse(f):
        for name in list(f["X"].attrs):
            del f["X"].attrs[name]
        f["X"].attrs.update({"h5sparse_format": "csr", "h5sparse_shape": [7, 6]})
    damaged("h5sparse", h5sparse)


def write_checksummed():
    """Raw data under fletcher32: a flipped byte must be noticed."""
    with h5py.File(OUT / "fletcher.h5ad", "w") as f:
        f.create_dataset("obs/_index", data=[f"cell_{i}" for i in range(64)], dtype=h5py.string_dtype())
        f.create_dataset("obs/day", data=np.arange(64.0) // 32)
        f.create_dataset("var/_index", data=["a"], dtype=h5py.string_dtype())
        f.create_dataset("obsm/X_pca", data=values(64, 16), chunks=(8, 16), fletcher32=True)


def checksum(rows):
    """Sum of XXH3_64(row, seed = row number) modulo 2^64 of an iterable of bytes."""
    return np.uint64(sum(xxhash.xxh3_64_intdigest(row, seed=i) for i, row in enumerate(rows)) % 2**64)


def write_with_checksums(name, obsm):
    names = [f"cell_{i}" for i in range(16)]
    with h5py.File(OUT / f"{name}.h5ad", "w") as f:
        index = f.create_dataset("obs/_index", data=names, dtype=h5py.string_dtype())
        index.attrs["thalweg_xxh3"] = checksum(text.encode() for text in names)
        f.create_dataset("var/_index", data=["a"], dtype=h5py.string_dtype())
        f.create_dataset("obsm/X_pca", data=obsm).attrs["thalweg_xxh3"] = checksum(row.tobytes() for row in values(16, 3))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    OUT.mkdir(exist_ok=True)
    write_modern()
    write_raw()
    write_old_frame()
    write_bare()
    write_damaged()
    write_checksummed()
    write_with_checksums("checksums", values(16, 3))
    write_with_checksums("bad_checksum", np.nextafter(values(16, 3), 1e9))
    for path in sorted(OUT.glob("*.h5ad")):
        assert path.stat().st_size < 110_000, path
        print(path.stat().st_size, path.name)
