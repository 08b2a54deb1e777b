"""Job files, options, exit codes and results directories from the outside; Python's standard library is enough."""

import json
import os
import pty
import shutil
import subprocess
import sys

from session import DATA, job_text, open_session, read_tsv

session = open_session()
free = {"input": {"file": DATA, "time_key": "time"}, "hmot": {"rank": 4, "restarts": 2}}
labelled = {"input": {"file": DATA, "time_key": "time", "annotation": "cell_type"}, "hmot": {"mode": "supervised"}}


def text_job(name, text):
    (session.folder / name).write_text(text)
    return name


def bad_jobs():
    """Job, options, error lines, texts that they hold."""
    good = session.job("good", "hmot", labelled)
    text = (session.folder / good).read_text()
    yield text_job("key.toml", text.replace("time_key", "time_kye")), [], 1, ["key.toml:4:1: unknown key 'input.time_kye'", "did you mean 'input.time_key'"]
    yield text_job("type.toml", text.replace('"time"', "7")), [], 1, ["type.toml:4:14: input.time_key expects text, got integer"]
    yield text_job("three.toml", text.replace("mode", "mdoe").replace('"time"', "7") + "plots = 1\n"), [], 3, ["'hmot.mdoe'", "input.time_key", "output.plots"]
    yield text_job("rule.toml", text + "[run]\nthreads = 0\n"), [], 1, ["rule.toml:11:11", "run.threads = 0", "between 1 and 512"]
    yield text_job("syntax.toml", text.replace('"supervised"', '"supervised')), [], 1, ["syntax.toml:7:"]
    yield text_job("twice.toml", text + 'dir = "x"\n'), [], 1, ["twice.toml:10:7"]
    yield text_job("utf8.toml", ""), [], 2, ["'input.file' is missing", "'output.dir' is missing"]
    yield text_job("other.toml", text.replace('"hmot"', '"lowrank"', 1)), [], 1, ["other.toml:1:11", "does not agree"]
    yield text_job("table.toml", "[nothing]\nx = 1\n" + text.split("\n", 1)[1]), [], 1, ["nothing"]
    yield "missing.toml", [], 1, ["missing.toml", "No such file"]
    yield ".", [], 1, ["is a folder"]
    yield good, ["--set", "run.threads"], 1, ["section.key=value"]
    yield good, ["--set", "hmot.rnk=3"], 1, ["--set", "did you mean 'hmot.rank'"]
    yield good, ["--set", "hmot.mode=supervsed"], 1, ["did you mean 'supervised'"]
    yield good, ["--set", "hmot.time_weight=inverse_gap"], 1, ["hmot.time_weight", "not available in this version"]
    yield good, ["--set", "run.threads=100000"], 1, ["run.threads"]
    yield good, ["--set", "run.device=cuda"], 1, ["run.device"]
    yield good, ["--out", ""], 1, ["--out"]
    yield good, ["--outt", "x"], 1, ["--outt"]
    yield good, ["more"], 1, ["more"]
    yield good, ["--stub"], 1, ["not available in this version"]


def check_bad_jobs():
    def refused(case):
        job, words, errors, texts = case
        run = session.run("hmot", job, *words)
        if session.ranks == 1 or "run.device=cuda" not in words or run.code == 2:
            session.refused(run, 2, *texts, errors=errors, result="good")

    cases = list(bad_jobs())
    session.in_parallel(refused, session.some(cases))
    session.check(not (session.folder / "good").exists(), "a refused job made its folder")
    for words, text in ((["hmto"], "did you mean 'hmot'"), (["temporal"], "not available in this version"), ([], "--help")):
        session.refused(session.run(*words, ranks=1), 2, text)


def check_exit_codes():
    job = session.job("codes", "hmot", free)

    def expect(code, name, *settings, reason=None):
        run = session.run("hmot", job, "--out", name, *[word for s in settings for word in ("--set", s)])
        if session.done(run, code) and reason:
            folder = session.folder / name
            record = json.loads((folder / "run.json").read_text())
            session.check(record["exit_code"] == code and record["stop_reasons"] == {"hmot": reason}, f"run.json of {name}", run)
            row = read_tsv(folder / "index.tsv")[0]
            session.check(row["stop_reason"] == reason and float(row["marginal_error_target"]) < 1e-5, f"index.tsv {row}", run)
            said = any(line.startswith("warning: not_converged") for line in run.warnings)
            session.check(said == (reason != "converged"), "a warning when it did not converge", run)
        return run

    ends = [(0, "code0", [], "converged"), (4, "code4", ["hmot.max_iterations=3"], "max_iterations"),
            (5, "code5", ["run.stop_after_iterations=3"], "interrupted"), (5, "code5b", ["run.max_wall_s=1e-6"], "time_limit")]
    session.in_parallel(lambda end: expect(end[0], end[1], *end[2], reason=end[3]), ends)
    allowed = session.run("hmot", job, "--out", "code4b", "--set", "hmot.max_iterations=3", "--set", "solver.allow_unconverged=true")
    session.done(allowed, 0)
    short = expect(3, "code3", "run.memory_gib=1e-3")
    session.refused(short, 3, "MiB", "run.memory_gib", result="code3")
    session.check(not (session.folder / "code3").exists(), "a job without room made its folder")
    no_folder = expect(1, "codes.toml/out")
    session.refused(no_folder, 1, "Not a directory")


def check_options():
    job = session.job("options", "hmot", labelled)
    dry = session.run("hmot", job, "--dry-run")
    session.done(dry)
    session.check("1805 cells x 30 features in 6 slices" in dry.out and not (session.folder / "options").exists(), "dry run", dry)
    quiet = session.run("hmot", job, "--quiet")
    session.done(quiet)
    session.check(not quiet.out and not quiet.err.strip(), "--quiet is silent", quiet)
    piped = session.run("hmot", "-", stdin=job_text("hmot", {**labelled, "output": {"dir": "piped"}}))
    session.done(piped)
    session.check((session.folder / "piped" / "run.json").exists(), "a job from stdin", piped)
    again = session.run("hmot", "piped/job.toml", "--out", "again", "--quiet")
    session.done(again)
    same = (session.folder / "piped/tables/edges.tsv").read_bytes() == (session.folder / "again/tables/edges.tsv").read_bytes()
    session.check(same, "the job.toml of a result gives the result again", again)


def terminal_output(words):
    """What the program writes to stderr when that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(session.command_line(words, 1), cwd=session.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    text = b""
    try:
        while block := os.read(ours, 65536):
            text += block
    except OSError:  # the end of a terminal
        pass
    os.close(ours)
    session.check(process.wait() == 0, "a run on a terminal")
    return text.decode()


def check_progress():
    """Redrawn lines on a terminal, whole lines without control characters in a pipe."""
    job = session.job("shown", "hmot", free)
    text = terminal_output(["hmot", job])
    session.check("\r" in text.replace("\r\n", "\n") and text.endswith("\n"), f"progress on a terminal: {text[-300:]!r}")
    piped = session.run("hmot", job, "--fresh")
    session.done(piped)
    session.check(all(character.isprintable() or character == "\n" for character in piped.err), "whole lines in a pipe", piped)
    session.check(any(line.startswith("all  iter ") and line.endswith("converged") for line in piped.err.splitlines()), "a line a level", piped)
    silent = session.run("hmot", job, "--fresh", "--set", "run.progress=none")
    session.check(not any(" iter " in line for line in silent.err.splitlines()), "run.progress = none", silent)


def check_directories():
    job = session.job("place", "hmot", labelled)
    session.done(session.run("hmot", job))
    first = (session.folder / "place/result.h5ad").read_bytes()
    (session.folder / "place/result.h5ad.tmp").write_text("left by a killed run")
    session.done(session.run("hmot", job, "--quiet", "--fresh"))  # the same job: runs again
    session.check(not list((session.folder / "place").rglob("*.tmp")), "temporaries of a killed run are removed")
    other = session.run("hmot", job, "--set", "hmot.edge_threshold=0.2")
    session.check(other.code == 2 and len(other.errors) == 1 and "hmot.edge_threshold: 0.05 there, 0.2 here" in other.err
                  and "output.overwrite" in other.err, "another job is refused", other)
    session.check(len(first) == (session.folder / "place/result.h5ad").stat().st_size, "the refused job left the result")
    (session.folder / "place/notes.txt").write_text("mine")
    replaced = session.run("hmot", job, "--set", "hmot.edge_threshold=0.2", "--set", "output.overwrite=true")
    session.done(replaced)
    session.check("warning: overwritten" in replaced.err and (session.folder / "place/notes.txt").exists(), "overwritten, other files kept", replaced)
    check_overwriting(job)


def check_overwriting(job):
    """An earlier result stays whole until there is another; then nothing of it is left."""
    place = session.folder / "place"

    def content():
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}

    before = content()
    overwrite = ["--set", "output.overwrite=true"]
    for settings, text in ((["input.joint=obsm/none"], "obsm key 'none'"), (["input.annotation=none"], "obs column 'none'"),
                           (["hmot.mask.'480:545'=none.tsv"], "none.tsv"), (["hmot.mode=unsupervised", "hmot.rank=1000"], "distinct cells")):
        failed = session.run("hmot", job, *overwrite, *[word for s in settings for word in ("--set", s)])
        session.refused(failed, 2, text)
        session.check(content() == before, f"{text}: the earlier result is untouched", failed)
    session.check(any(name.startswith("plots/transition_300.0") for name in before), "transitions of all times")
    fewer = session.run("hmot", job, *overwrite, "--set", "input.days=[480, 545, 620]", "--set", "input.embedding=")
    session.done(fewer)
    record = json.loads((place / "run.json").read_text())
    unlisted = {"run.json", "versions.yml", "job.toml", "log.jsonl", "notes.txt"}
    session.check(set(content()) == set(record["checksums"]) | unlisted, f"files of the old result: {set(content()) - set(record['checksums']) - unlisted}", fewer)
    session.check(not any("300.0" in name for name in content()), "no plot of a time that is left out")
    rows = (place / "convergence.csv").read_text().splitlines()
    session.check(len(rows) == 2 and ",exact," in rows[1] and ",converged," in rows[1], f"convergence.csv of a supervised run: {rows}")
    plain = session.run("hmot", job, *overwrite, "--set", "output.plots=false")
    session.done(plain)
    session.check(not (place / "plots").exists(), "no folder of plots without plots", plain)


def check_no_room():
    """A full disk, a file-size limit and a folder without permission: exit 1, no temporary, no half result."""
    job = session.job("room", "hmot", labelled)
    if session.ranks == 1:  # with more the shared-memory files of MPI would hit the limit first
        limited = session.run("hmot", job, "--out", "limited", wrap=["bash", "-c", 'ulimit -f 160; exec "$@"', "bash"])
        session.refused(limited, 1, "needed in limited", "File too large", result="limited")
    if os.geteuid() == 0:
        disk = session.folder / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True).returncode == 0:
            try:
                session.refused(session.run("hmot", job, "--out", "disk/out"), 1, "disk/out", result="disk/out")
            finally:
                subprocess.run(["umount", disk], check=True)
    elif shutil.which("chmod"):
        closed = session.folder / "closed"
        closed.mkdir(mode=0o500)
        session.refused(session.run("hmot", job, "--out", "closed/out"), 1, "Permission denied", result="closed/out")


def main():
    for check in (check_bad_jobs, check_exit_codes, check_options, check_directories, check_no_room):
        check()
    if session.ranks == 1:
        check_progress()
    return session.finish()


sys.exit(main())
