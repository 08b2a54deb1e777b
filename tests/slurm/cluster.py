"""The test Slurm as seen from outside, and jobs in it. Every wait has a limit."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "end_to_end"))
from session import ROOT, SKIPPED, open_session, quick_launcher  # noqa: E402

SCRIPT = Path(__file__).with_name("cluster.sh")


class Cluster:
    """Started by the fixture in the folder that THALWEG_SLURM names; without it the test is skipped."""

    def __init__(self, session):
        self.session = session
        self.folder = Path(os.environ.get("THALWEG_SLURM", "/nonexistent"))
        if not (self.folder / "environment").exists():
            print(f"skipped: no Slurm in {self.folder}; see the test slurm/start")
            sys.exit(SKIPPED)
        for environment in (os.environ, quick_launcher):
            environment["SLURM_CONF"] = str(self.folder / "slurm.conf")
            environment["THALWEG"] = session.program

    def call(self, *words, limit=30):
        done = subprocess.run([str(word) for word in words], cwd=self.session.folder, capture_output=True, text=True, timeout=limit)
        return done

    def machine(self, *words):
        """Runs cluster.sh WORD FOLDER .."""
        done = self.call(SCRIPT, words[0], self.folder, *words[1:], limit=60)
        self.session.check(done.returncode == 0, f"cluster.sh {' '.join(words)}: {done.stdout}{done.stderr}")

    def submit(self, job, *words):
        """`thalweg submit`; the job's number."""
        run = self.session.run("submit", job, *words)
        if not self.session.check(run.code == 0, f"submit {job}", run):
            return None
        return re.search(r"submitted (\d+)", run.out).group(1)

    def sbatch(self, *words):
        done = self.call("sbatch", "--parsable", *words)
        self.session.check(done.returncode == 0, f"sbatch {words}: {done.stderr}")
        return done.stdout.strip()

    def facts(self, job):
        """JobState, ExitCode, Restarts, Reason, .. of a job; empty while Slurm does not answer."""
        text = self.call("scontrol", "show", "job", job).stdout
        return dict(re.findall(r"(\w+)=(\S*)", text))

    def wait(self, job, states, limit):
        """Waits until a job is in one of the states; its facts."""
        end = time.monotonic() + limit
        facts = {}
        while time.monotonic() < end:
            facts = self.facts(job) or facts
            if facts.get("JobState") in states:
                return facts
            time.sleep(0.2)
        self.session.check(False, f"job {job} is {facts.get('JobState')} ({facts.get('Reason')}) after {limit} s, not {states}")
        return facts

    def ended(self, job, limit, state="COMPLETED"):
        """Waits for the end of a job, which must be this one."""
        facts = self.wait(job, {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}, limit)
        if not self.session.check(facts.get("JobState") == state, f"job {job} ended as {facts.get('JobState')} ({facts.get('ExitCode')}), not {state}"):
            log = Path(facts.get("StdOut", ""))
            if log.is_file():
                print("".join(f"    | {line}\n" for line in log.read_text(errors="replace").splitlines()[-25:]), end="")
        return facts

    def log(self, job):
        path = Path(self.facts(job).get("StdOut", ""))
        return path.read_text(errors="replace") if path.is_file() else ""

    def ranks(self, job, node):
        """Processes of the program that a job runs on a node."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(folder / "exe") != self.session.program:
                    continue
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"SLURM_JOB_ID={job}".encode() in environment and f"SLURMD_NODENAME={node}".encode() in environment:
                found.append(int(folder.name))
        return found

    def kill_rank(self, job, node):
        ranks = self.ranks(job, node)
        if self.session.check(bool(ranks), f"job {job} has ranks on {node}"):
            os.kill(ranks[0], signal.SIGKILL)

    def ranks_anywhere(self, job):
        return [*self.ranks(job, "n1"), *self.ranks(job, "n2")]

    def signal_ranks(self, job, number):
        for rank in self.ranks_anywhere(job):
            os.kill(rank, number)

    def is_pending(self, job, number):
        """Has every rank that the job has left been sent a signal that it has not taken yet, as one that is stopped does not?"""
        masks = [re.search(r"ShdPnd:\s*(\w+)", Path(f"/proc/{rank}/status").read_text()) for rank in self.ranks_anywhere(job)]
        return all(int(mask.group(1), 16) >> (number - 1) & 1 for mask in masks)


def wait_until(session, condition, limit, what):
    """Polls a condition; False, and a failure of the test, after the limit."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return session.check(False, f"{what} within {limit} s")


def open_cluster():
    session = open_session()
    return session, Cluster(session)


__all__ = ["ROOT", "Cluster", "open_cluster", "wait_until"]
