"""jobs/demo.toml on 1 to 4 ranks: the same tables, a sidecar that anndata takes without a warning, whole files."""

import json
import subprocess
import sys
import warnings
import xml.etree.ElementTree

from session import ROOT, open_session, read_tsv

session = open_session(needs=("anndata", "xxhash", "ot"))
import anndata  # noqa: E402
import pandas  # noqa: E402
import xxhash  # noqa: E402

times = ["300.0", "360.0", "420.0", "480.0", "545.0", "620.0"]


def folder_bytes(folder, pattern):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.glob(pattern))}


def check_files(folder):
    record = json.loads((folder / "run.json").read_text())
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    unlisted = {"run.json", "versions.yml", "job.toml", "log.jsonl"}
    session.check(set(record["checksums"]) == there - unlisted, f"files that run.json lists: {set(record['checksums']) ^ there}")
    for name, checksum in record["checksums"].items():
        session.check(xxhash.xxh3_64_hexdigest((folder / name).read_bytes()) == checksum, f"checksum of {name}")
    session.check(record["exit_code"] == 0 and record["stop_reasons"] == {"hmot": "converged"}, "end in run.json")
    session.check(record["device"] == "cpu", f"device in run.json is {record['device']}")
    events = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    session.check(events and events[-1]["event"] == "done", f"last event of log.jsonl: {events[-1:]}")
    for path in folder.glob("plots/*.svg"):
        root = xml.etree.ElementTree.parse(path).getroot()
        session.check(root.get("viewBox") and (folder / "tables" / f"{path.stem}.tsv").exists(), f"{path.name} and its table")
        session.check(path.stat().st_size < 2_000_000, f"{path.name} below 2 MB")
    session.check(len(list(folder.glob("plots/*.svg"))) == len(times) + 2, "8 plots")
    for path in folder.glob("tables/*.tsv"):
        read_tsv(path)


def check_sidecar(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = anndata.read_h5ad(path)
        source = anndata.read_h5ad(ROOT / "jobs" / "data" / "celegans_amphid.h5ad")
    columns = ["source_row", "hmot_type", "hmot_confidence", "hmot_ancestral", "hmot_terminal"]
    session.check(set(columns) <= set(result.obs), f"obs columns {list(result.obs)}")
    session.check((result.obs_names == source.obs_names).all(), "cells in file order")
    session.check((result.obs["source_row"] == range(result.n_obs)).all(), "source_row")
    session.check((result.obs["hmot_type"].astype(str) == source.obs["cell_type"].astype(str)).all(), "types are the labels")
    fates = result.obsm["fate"]
    session.check(fates.shape == (1805, len(result.uns["thalweg"]["columns"]["fate"])), f"shape of fate {fates.shape}")
    session.check(abs(fates.sum(1) - 1).max() < 1e-6, "fates sum to 1")
    session.check(set(result.uns["hmot"]["T"]) == set("01234"), f"uns/hmot {list(result.uns['hmot'])}")


def check_learned():
    """Learned types do not depend on the number of ranks either."""
    tables = {}
    for ranks in (1, 3):
        folder = session.folder / f"learned{ranks}"
        run = session.run("hmot", ROOT / "jobs" / "hmot_unsupervised.toml", "--out", folder, "--set", "hmot.restarts=3", ranks=ranks)
        if not session.done(run):
            return
        tables[ranks] = folder_bytes(folder, "tables/*.tsv")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = anndata.read_h5ad(folder / "result.h5ad")
        session.check(len(set(result.obs["hmot_type"])) == 48, "8 types at 6 times")
    differing = [file for file in tables[1] if tables[3].get(file) != tables[1][file]]
    session.check(not differing, f"learned types differ on 3 ranks: {differing}")


def check_odd_names():
    """Times and types whose names hold what tables, paths, SVG, dot and XML give a meaning to."""
    cells = anndata.read_h5ad(ROOT / "jobs" / "data" / "celegans_amphid.h5ad")
    stages = dict(zip([float(time) for time in times], ["day 1/2", "../up", "a:b", 'the "last" <but> & two', "50 %", "f\tg"]))
    types = {"ADL": 'A "q" <b>&', "ASG": "tab\there", "AWA": "new\nline", "AWB": "ümläut/slash"}
    cells.obs["cell_type"] = cells.obs["cell_type"].astype(str).replace(types).astype("category")
    cells.obs["stage"] = pandas.Categorical(cells.obs["time"].map(stages).astype(str), list(stages.values()), ordered=True)
    cells.write_h5ad(session.folder / "odd.h5ad")
    (session.folder / "edge.tsv").write_text('source\ttarget\nAWC\ttab\there\n'.replace("tab\there", '"tab\there"'))
    job = session.job("odd", "hmot", {"input": {"file": "odd.h5ad", "time_key": "stage", "annotation": "cell_type", "embedding": "obsm/X_pca"},
                                      "hmot": {"mode": "supervised"},
                                      "hmot.mask": {"mode": "forbid", "../up:a:b": "edge.tsv"}})
    run = session.run("hmot", job, ranks=1)
    if not session.done(run):
        return
    folder = session.folder / "odd"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = anndata.read_h5ad(folder / "result.h5ad")
        edges = pandas.read_csv(folder / "tables" / "edges.tsv", sep="\t")
        tables = {path.name: pandas.read_csv(path, sep="\t") for path in [*folder.glob("tables/*.tsv"), folder / "index.tsv"]}
    session.check(set(types.values()) <= set(result.obs["hmot_type"].cat.categories), "odd types in the sidecar")
    session.check(set(types.values()) <= set(edges["target"]) and list(dict.fromkeys(edges["t0"])) == list(stages.values())[:-1], "odd names in edges.tsv")
    session.check(set(types.values()) <= set(tables["embedding.tsv"]["type"]) and set(stages.values()) == set(tables["embedding.tsv"]["time"]), "odd names in embedding.tsv")
    plots = list(folder.glob("plots/*.svg"))
    session.check(len(plots) == len(times) + 2, f"plots of odd times: {[path.name for path in plots]}")
    for path in [*plots, folder / "diffmap.graphml"]:
        xml.etree.ElementTree.parse(path)


def main():
    tables, sidecar = {}, {}
    for ranks in (1, 2, 3, 4):
        name = f"demo{ranks}"
        folder = session.folder / name
        run = session.run("hmot", ROOT / "jobs" / "demo.toml", "--out", name, ranks=ranks)
        session.done(run)
        session.check(not run.out and not run.warnings, "nothing on stdout, no warning", run)
        session.check(not list(folder.rglob("*.tmp")), "no temporary left")
        tables[ranks] = folder_bytes(folder, "tables/*.tsv") | folder_bytes(folder, "plots/*.svg") | folder_bytes(folder, "*.dot")
        differing = [file for file in tables[1] if tables[ranks].get(file) != tables[1][file]]
        session.check(tables[ranks].keys() == tables[1].keys() and not differing, f"differ on {ranks} ranks: {differing}")
        sidecar[ranks] = anndata.read_h5ad(folder / "result.h5ad")
        session.check(sidecar[ranks].obs.equals(sidecar[1].obs), f"obs of the sidecar on {ranks} ranks")
        if ranks in (1, 3):
            check_files(folder)
            check_sidecar(folder / "result.h5ad")
    check_learned()
    check_odd_names()
    judge = [sys.executable, "-B", ROOT / "tests" / "python" / "judge_demo.py", session.folder / "demo3"]
    judged = subprocess.run(judge, capture_output=True, text=True)
    session.check(judged.returncode == 0, f"judge_demo.py: {judged.stdout}{judged.stderr}")
    return session.finish()


sys.exit(main())
