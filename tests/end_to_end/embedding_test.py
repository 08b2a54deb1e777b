"""Cells on an embedding: one by one with their names, or counted on a grid; the same for any number of ranks."""

import shutil
import sys
import xml.etree.ElementTree

from session import DATA, open_session, read_tsv

session = open_session(needs=("h5py",))
import h5py  # noqa: E402
import numpy as np  # noqa: E402

labelled = {"file": DATA, "time_key": "time", "annotation": "cell_type"}


def solve(name, data, command="hmot", options=(("mode", "supervised"),), code=0, **tables):
    """Runs the job on the ranks of the session and, when these are several, on one."""
    job = session.job(name, command, {"input": data, command: dict(options), **tables})
    run = session.run(command, job)
    session.done(run, code)
    if code == 0 and session.ranks > 1:
        session.done(session.run(command, job, "--out", f"{name}_alone", ranks=1))
        for file in ("plots/embedding.svg", "tables/embedding.tsv"):
            contents = [path.read_bytes() if path.exists() else None for path in (session.folder / name / file, session.folder / f"{name}_alone" / file)]
            session.check(contents[0] == contents[1], f"{file} of {name} depends on the number of ranks")
    return run


def embedding(name):
    """Its text and table."""
    path = session.folder / name / "plots" / "embedding.svg"
    if not session.check(path.exists(), f"embedding.svg of {name}"):
        return "", []
    xml.etree.ElementTree.parse(path)
    session.check(path.stat().st_size < 2_000_000, f"embedding.svg of {name} has {path.stat().st_size} bytes")
    return path.read_text(), read_tsv(session.folder / name / "tables" / "embedding.tsv")


def edited(name, edit):
    shutil.copyfile(DATA, session.folder / name)
    with h5py.File(session.folder / name, "r+") as file:
        edit(file)
    return name


def add_umap(file):
    """Coordinates, three of which are missing, and colours of the categories."""
    coordinates = np.array(file["obsm/X_pca"][:, 2:5], np.float64)
    coordinates[[0, 10, 20], 1] = np.nan
    file["obsm/X_umap"] = coordinates
    categories = len(file["obs/cell_type/categories"])
    file["uns/cell_type_colors"] = np.array([f"#0000{k:02x}" for k in range(categories)], dtype=h5py.string_dtype())


def check_points():
    with h5py.File(DATA) as file:
        points, times = file["obsm/X_pca"][:, :2], file["obs/time"][...]
        names = [name.decode() for name in file["obs"][file["obs"].attrs["_index"]][...]]
    solve("points", {**labelled, "embedding": "obsm/X_pca"})
    text, rows = embedding("points")
    session.check([row["id"] for row in rows] == names, "cells in file order, with their names")
    session.check(np.array_equal(np.array([[row["x"], row["y"]] for row in rows], np.float32), points), "coordinates are the first two columns")
    session.check([float(row["time"]) for row in rows] == list(times), "times")
    session.check(text.count("h0") == len(names) and text.count("data:image/png") == 6 and ">PCA 1<" in text, "dots over outlines")


def check_default():
    file = edited("umap.h5ad", add_umap)
    solve("colored", {**labelled, "file": file})
    text, rows = embedding("colored")
    session.check(len(rows) == 1802 and "left out without finite coordinates: 3." in text and ">UMAP 1<" in text, f"{len(rows)} cells with coordinates")
    session.check("#000003" in text and "#0000" in text, "colours of the categories")
    if session.ranks > 1:
        return
    for name, data, output in (("absent", labelled, {}), ("none", {**labelled, "file": file, "embedding": ""}, {}), ("plain", {**labelled, "file": file}, {"plots": False})):
        solve(name, data, output=output)
        session.check(not list((session.folder / name).rglob("embedding.*")), f"no embedding in {name}")
    wrong = solve("wrong", {**labelled, "file": file, "embedding": "obsm/X_umpa"}, code=2)
    session.refused(wrong, 2, "obsm key 'X_umpa'", "available: X_pca, X_umap (nearest: X_umap)", "input.embedding", result="wrong")


def check_grid():
    session.done(session.run("simulate", session.job("mixture", "simulate", {
        "simulate": {"model": "mixture", "cells": 8000, "times": 3, "components": 5, "dimensions": 4}})))
    data = {"file": session.folder / "mixture/simulation.h5ad", "time_key": "time", "embedding": "obsm/X_pca"}
    solve("grid", data, options=(("rank", 5), ("restarts", 1), ("subsample", 500)))
    text, rows = embedding("grid")
    session.check(text.count("data:image/png") == 3 and "stroke-linecap" not in text, "three images, no dots")
    cells = {}
    for row in rows:
        cells[row["time"]] = cells.get(row["time"], 0) + int(row["cells"])
        session.check(int(row["type_cells"]) <= int(row["cells"]) and row["type"].startswith(f"t{row['time']}_"), f"pixel {row}")
    session.check(cells == {"0.0": 8000, "1.0": 8000, "2.0": 8000}, f"cells on the grid {cells}")


def check_sides():
    sides = {"source.filter": {"time": ["300"]}, "target.filter": {"time": ["360"]}}
    solve("sides", {"file": DATA, "embedding": "obsm/X_pca"}, "lowrank", (("rank", 3), ("restarts", 1)), **sides)
    _, rows = embedding("sides")
    counts = {side: sum(row["time"] == side for row in rows) for side in ("source", "target")}
    session.check(counts == {"source": 296, "target": 253}, f"cells of both sides {counts}")
    index = read_tsv(session.folder / "sides" / "index.tsv")[0]
    session.check(index["file"] == "result_source.h5ad,result_target.h5ad", f"files in index.tsv: {index['file']}")


def main():
    for check in (check_points, check_default, check_grid, check_sides):
        check()
    return session.finish()


sys.exit(main())
