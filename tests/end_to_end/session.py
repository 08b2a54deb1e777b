"""Runs thalweg as a user would, on one or several ranks, and collects what is not as expected."""

import argparse
import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "jobs" / "data" / "celegans_amphid.h5ad"
VENV_PYTHON = ROOT / "build" / "venv" / "bin" / "python"
SKIPPED = 77
for line in (ROOT / "scripts" / "launcher.env").read_text().splitlines():
    if line[:1].isupper():
        os.environ.setdefault(*line.split("=", 1))
# After a rank has failed Open MPI waits this long for the others, by default a second.
quick_launcher = {**os.environ, "OMPI_MCA_odls_base_sigkill_timeout": "0"}


@dataclass
class Run:
    """One finished run of the program; code is None when it had to be killed after the timeout."""

    words: list
    code: int
    out: str
    err: str

    @property
    def errors(self):
        return [line for line in self.err.splitlines() if line.startswith("error:")]

    @property
    def warnings(self):
        return [line for line in self.err.splitlines() if line.startswith("warning:")]


def toml_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return json.dumps(str(value) if isinstance(value, Path) else value)


def job_text(command, tables):
    """A job file: {"hmot.mask": {"300:360": "a.tsv"}} becomes a table with a quoted key."""
    lines = [f'command = "{command}"']
    for name, entries in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{json.dumps(key)} = {toml_value(value)}" for key, value in entries.items()]
    return "\n".join(lines) + "\n"


@dataclass
class Session:
    """The program under test, its ranks, a scratch folder (the working directory of every run) and the failures so far."""

    program: str
    launcher: list
    ranks: int
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="thalweg_e2e_")))
    failures: int = 0

    def command_line(self, words, ranks=None, wrap=()):
        ranks = ranks or self.ranks
        launcher = [*self.launcher, "-n", str(ranks)] if ranks > 1 else []
        return [*launcher, *wrap, self.program, *[str(word) for word in words]]

    def run(self, *words, ranks=None, stdin="", timeout=30, wrap=()):
        """Runs `thalweg WORDS ..` to its end; wrap is a command before the program of every rank."""
        process = subprocess.Popen(self.command_line(words, ranks, wrap), cwd=self.folder, text=True, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, env=quick_launcher)
        try:
            out, err = process.communicate(stdin, timeout=timeout)
            code = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            out, err = process.communicate()
            code = None
        return Run([str(word) for word in words], code, out, err)

    def start(self, *words, ranks=None):
        return subprocess.Popen(self.command_line(words, ranks), cwd=self.folder, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def job(self, name, command, tables):
        """Writes NAME.toml with output.dir = NAME."""
        tables = {**tables, "output": {"dir": name, **tables.get("output", {})}}
        path = self.folder / f"{name}.toml"
        path.write_text(job_text(command, tables))
        return path.name

    def check(self, holds, what, run=None):
        if not holds:
            self.failures += 1
            print(f"FAILED ({self.ranks} ranks): {what}")
            if run:
                print(f"    thalweg {' '.join(run.words)}: exit {run.code}")
                print("".join(f"    | {line}\n" for line in (run.out + run.err).splitlines()[-15:]), end="")
        return holds

    def done(self, run, code=0):
        """The run ended with this code and, when that is success, without an error."""
        return self.check(run.code == code and (code in (1, 2, 3) or not run.errors), f"expected exit {code}", run)

    def refused(self, run, code, *texts, errors=1, result=None):
        """One error line (or `errors` of them) that says every text, nothing on stdout, no result."""
        self.check(run.code == code, f"expected exit {code}", run)
        self.check(len(run.errors) == errors, f"expected {errors} error line(s)", run)
        self.check(not run.out, "expected nothing on stdout", run)
        for text in texts:
            self.check(any(text in line for line in run.errors), f"expected an error with '{text}'", run)
        if result:
            left = sorted(path.name for path in (self.folder / result).rglob("*")) if (self.folder / result).exists() else []
            self.check(not (set(left) & {"result.h5ad", "run.json", "nodes.tsv"}) and not any(n.endswith(".tmp") for n in left),
                       f"left a result in {result}: {left}", run)

    def table(self, name, file):
        """Rows of tables/FILE.tsv of a result; it has to be there."""
        path = self.folder / name / "tables" / f"{file}.tsv"
        return read_tsv(path) if self.check(path.exists(), f"{path.name} of {name}") else []

    @property
    def is_alone(self):
        """With more, starting ranks is what takes the time."""
        return self.ranks == 1

    def some(self, cases, every=3):
        """All cases on one rank; on several one in `every`, of those that end on all ranks in the same way."""
        return [*cases][:: 1 if self.is_alone else every]

    def in_parallel(self, action, items, most=None):
        """Short runs mostly wait for their launcher; several at a time keep the tests quick. The answers, in order."""
        with ThreadPoolExecutor(max_workers=most or (2 if self.is_alone else 6)) as pool:
            return list(pool.map(action, items))

    def finish(self):
        print("all as expected" if self.failures == 0 else f"{self.failures} failures")
        return 1 if self.failures else 0


def open_session(needs=()):
    """Reads `PROGRAM --ranks N --launcher MPIEXEC`; with packages needed, goes on in build/venv or skips."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--launcher", nargs="*", default=["mpirun"])
    parser.add_argument("--keep", action="store_true", help="leave the scratch folder")
    arguments = parser.parse_args()
    for package in needs:
        try:
            __import__(package)
        except ImportError:
            if Path(sys.prefix) == VENV_PYTHON.parents[1] or not VENV_PYTHON.exists():
                print(f"no {package} for this Python and in build/venv: skipped")
                sys.exit(SKIPPED)
            sys.stdout.flush()
            os.execv(VENV_PYTHON, [str(VENV_PYTHON), "-B", *sys.argv])
    session = Session(str(Path(arguments.program).resolve()), arguments.launcher, arguments.ranks)
    if arguments.keep:
        print(session.folder)
    else:
        atexit.register(shutil.rmtree, session.folder, ignore_errors=True)
    return session


def read_tsv(path):
    """Rows of a table as dictionaries of text."""
    header, *rows = [line.split("\t") for line in Path(path).read_text().splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]
