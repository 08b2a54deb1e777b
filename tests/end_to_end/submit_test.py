"""thalweg submit and report without Slurm: rendered scripts, refusals, and the words that sbatch and scancel are given."""

import os
import re
import shlex
import shutil
import subprocess
import sys

from session import ROOT, open_session, quick_launcher, read_tsv

session = open_session()
CELLS = ROOT / "jobs/data/celegans_amphid.h5ad"
TABLES = {"input": {"file": CELLS, "time_key": "time"}, "hmot": {"rank": 4, "restarts": 1}}


def check_repository():
    """Every script in jobs/slurm is what the command in its own head prints."""
    scripts = sorted(path for path in (ROOT / "jobs/slurm").iterdir() if path.suffix in {".sbatch", ".sh"})
    session.check(len(scripts) >= 6, f"scripts {[path.name for path in scripts]}")
    for script in scripts:
        line = re.search(r"^# Rendered by: thalweg (submit .* --print)$", script.read_text(), re.MULTILINE)
        if not session.check(line is not None, f"{script.name} says how it was rendered"):
            continue
        printed = subprocess.run([session.program, *shlex.split(line.group(1))], cwd=ROOT, capture_output=True, text=True)
        session.check(printed.returncode == 0 and printed.stdout == script.read_text(),
                      f"{script.name} is not what `thalweg {line.group(1)}` prints: {printed.stderr}")
        for words in (["bash", "-n"], ["shellcheck", "-S", "style"]):
            if shutil.which(words[0]):
                checked = subprocess.run([*words, script], capture_output=True, text=True)
                session.check(checked.returncode == 0, f"{words[0]} {script.name}: {checked.stdout}{checked.stderr}")


def bad_submissions():
    """Settings, exit code, texts of the error."""
    yield ["submit.nodes=0"], 2, ["submit.nodes = 0", "at least 1"]
    yield ["submit.nodez=1"], 2, ["did you mean 'submit.nodes'"]
    yield ["submit.time=4h"], 2, ["submit.time = \"4h\"", "hours:minutes:seconds"]
    yield ["submit.memory=much"], 2, ["submit.memory"]
    yield ['submit.time=2'], 2, ["submit.signal_lead_s = 120"]
    yield ["submit.array=weeks"], 2, ["pairs, ranks, seeds"]
    yield ["submit.array=pairs"], 2, ["submit.array = \"pairs\" is for transport"]
    yield ["submit.array=seeds"], 2, ["needs submit.array_values"]
    yield ["submit.array=ranks", "submit.array_values=[2, 0]"], 2, ["holds \"0\""]
    yield ["submit.chain=[\"transport\"]", "submit.memory=1G"], 2, ["this job is for hmot"]
    yield ["submit.chain=[\"hmto\"]", "submit.memory=1G"], 2, ["did you mean 'hmot'"]
    yield ["submit.chain=[\"hmot\"]"], 2, ["submit.memory = \"auto\" cannot plan a chain"]
    yield ["submit.chain=[\"simulate missing.toml\"]", "submit.memory=1G"], 2, ["missing.toml"]
    yield ["submit.memory=40M"], 3, ["needs", "submit.memory = \"40M\""]
    yield ["run.memory_gib=0.01"], 3, ["run.memory_gib"]
    yield ["input.file=missing.h5ad"], 2, ["missing.h5ad"]
    yield ["run.item=1"], 2, ["items.tsv", "thalweg submit"]


def check_refusals(job):
    for settings, code, texts in bad_submissions():
        run = session.run("submit", job, "--print", *[word for setting in settings for word in ("--set", setting)])
        session.refused(run, code, *texts)
    session.refused(session.run("submit", "-", "--print", stdin=(session.folder / job).read_text()), 2, "standard input")
    session.refused(session.run("submit", job, "--print", "--cancel"), 2, "--cancel")
    session.refused(session.run("submit", job, "--cancel"), 2, "nothing was submitted")
    session.check(not (session.folder / "job").exists(), "a refused submission, or one that is printed, made its folder")


def fake_slurm():
    """sbatch and scancel that note their words; numbers from 100 on."""
    folder = session.folder / "bin"
    folder.mkdir()
    (folder / "sbatch").write_text('#!/bin/sh\necho "sbatch $*" >>"$0.words"\n[ -z "$REFUSE" ] || { echo "no such partition" >&2; exit 1; }\n'
                                   'echo $((99 + $(wc -l <"$0.words")))\n')
    (folder / "scancel").write_text('#!/bin/sh\necho "scancel $*" >>"$0.words"\n')
    for tool in folder.iterdir():
        tool.chmod(0o755)
    quick_launcher["PATH"] = f"{folder}:{os.environ['PATH']}"
    return folder


def words_given(folder, tool):
    path = folder / f"{tool}.words"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def check_control_characters(job):
    """A word with a line break would be a line of the script."""
    run = session.run("submit", job, "--print", "--set", "hmot.rank=4\n#SBATCH --time=1")
    session.refused(run, 2, "control character")
    run = session.run("submit", job, "--print", "--out", "out\nscancel 1")
    session.refused(run, 2, "control character", "out?scancel 1")


def check_fresh(job):
    """The first start begins anew, those behind a requeue go on."""
    plain, fresh, off = (session.run("submit", job, "--print", *words) for words in ([], ["--fresh"], ["--set", "run.resume=false"]))
    session.check("--resume\n" in plain.out and "--fresh" not in plain.out, "a job resumes", plain)
    for run in (fresh, off):
        session.check("resume=--fresh" in run.out and '"$resume"\n' in run.out, "the first start begins anew", run)


def check_submission(job, folder):
    tried = session.run("submit", job, "--dry-run")
    session.done(tried)
    session.check(words_given(folder, "sbatch") == ["sbatch --test-only job/job.sbatch"], "a dry run only tries", tried)
    printed = session.run("submit", job, "--print")
    session.check(printed.out == (session.folder / "job/job.sbatch").read_text(), "what is printed is what is written", printed)
    run = session.run("submit", job)
    session.done(run)
    session.check(words_given(folder, "sbatch") == ["sbatch --parsable job/job.sbatch"], "submitted once", run)
    session.check("submitted 100" in run.out and "--cancel" in run.out and "squeue -j 100" in run.out, "what to do with it is said", run)
    cancelled = session.run("submit", job, "--cancel")
    session.check(words_given(folder, "scancel") == ["scancel 100"] and cancelled.code == 0, "cancelled by its number", cancelled)
    quick_launcher["REFUSE"] = "1"
    session.refused(session.run("submit", job), 2, "sbatch ended with code 1")
    del quick_launcher["REFUSE"]
    words_given(folder, "sbatch")


def check_chain(folder):
    tables = {**TABLES, "submit": {"chain": ["hmot", "simulate cells.toml", "report"], "memory": "1G"}}
    session.job("cells", "simulate", {"simulate": {"model": "mixture", "cells": 100}})
    run = session.run("submit", session.job("chain", "hmot", tables))
    session.done(run)
    given = words_given(folder, "sbatch")
    session.check(len(given) == 3 and "--dependency" not in given[0], f"stages {given}", run)
    for number, line in enumerate(given[1:]):
        session.check(f"--dependency=afterok:{100 + number} --kill-on-invalid-dep=yes" in line, f"stage behind the one before: {line}", run)
    session.check(given[2].endswith("chain/stage.sbatch chain report chain"), f"report of this job: {given[2]}", run)
    rows = read_tsv(session.folder / "chain/chain.tsv")
    session.check([(row["command"], row["job_id"]) for row in rows] == [("hmot", "100"), ("simulate", "101"), ("report", "102")], f"chain.tsv {rows}", run)
    session.done(session.run("submit", "chain.toml", "--cancel"))
    session.check(words_given(folder, "scancel") == ["scancel 100 101 102"], "all stages are cancelled")


def check_items(folder):
    """Items run without Slurm by their number; report tells which there are."""
    job = session.job("ranks", "hmot", {**TABLES, "submit": {"array": "ranks", "array_values": [2, 3, 5000, 4]}})
    session.done(session.run("submit", job, "--dry-run"))
    words_given(folder, "sbatch")
    for number, code in ((0, 0), (1, 5), (2, 2)):
        run = session.run("hmot", job, "--set", f"run.item={number}", *(("--set", "run.stop_after_iterations=1") if code == 5 else ()))
        session.done(run, code)
    again = session.run("hmot", "ranks/items/rank_2/job.toml", "--set", "output.overwrite=true")
    session.done(again)
    report = session.run("report", "ranks")
    session.done(report)
    states = [(row["name"], row["state"]) for row in read_tsv(session.folder / "ranks/tables/items.tsv")]
    session.check(states == [("rank_2", "done"), ("rank_3", "interrupted"), ("rank_5000", "missing"), ("rank_4", "missing")], f"report {states}", report)
    session.check("4 items: 1 done, 1 interrupted, 2 missing" in report.out, "counts", report)
    rows = read_tsv(session.folder / "ranks/tables/rank_selection.tsv")
    session.check([row["rank"] for row in rows] == ["2", "3", "4", "5000"] and float(rows[0]["effective_rank"]) <= 2.0 and not rows[1]["cost"], f"ranks {rows}", report)
    session.check((session.folder / "ranks/plots/rank_selection.svg").exists(), "a plot of the ranks", report)
    alone = session.run("report", "ranks/items/rank_2")
    session.check("1 item: 1 done" in alone.out, "report of one result", alone)
    session.refused(session.run("report", "nowhere"), 2, "nowhere not found")


def check_seeds():
    """Seeds side by side: costs above the lowest, and how well their types agree."""
    job = session.job("seeds", "hmot", {**TABLES, "submit": {"array": "seeds", "array_values": [0, 1, 2]}})
    session.done(session.run("submit", job, "--dry-run"))
    for number in range(2):
        session.done(session.run("hmot", job, "--set", f"run.item={number}"))
    session.done(session.run("report", "seeds"))
    rows = read_tsv(session.folder / "seeds/tables/seed_stability.tsv")
    session.check([row["state"] for row in rows] == ["done", "done", "missing"] and not rows[2]["agreement"], f"seeds {rows}")
    session.check(0.3 < float(rows[0]["agreement"]) <= 1.0 and rows[0]["agreement"] == rows[1]["agreement"], f"agreement {rows}")
    session.check(min(float(row["excess"]) for row in rows[:2]) == 0.0, f"excess {rows}")
    twin = session.folder / "seeds/items"
    shutil.rmtree(twin / "seed_1")
    shutil.copytree(twin / "seed_0", twin / "seed_1")
    session.done(session.run("report", "seeds"))
    rows = read_tsv(session.folder / "seeds/tables/seed_stability.tsv")
    session.check(abs(float(rows[0]["agreement"]) - 1.0) < 1e-12, f"of equal results 1: {rows}")


def main():
    job = session.job("job", "hmot", TABLES)
    check_repository()
    check_refusals(job)
    check_control_characters(job)
    check_fresh(job)
    folder = fake_slurm()
    check_submission(job, folder)
    check_chain(folder)
    check_items(folder)
    check_seeds()
    return session.finish()


sys.exit(main())
