"""Every job in jobs/ passes the program's own checks.

Each names its command (`command = "hmot"`) and is run with --dry-run; of a job whose data is not in the repository
only the syntax and the command are checked. usage: jobs.py PROGRAM
"""
import subprocess
import sys
import tomllib

from repository import ROOT, finish, name_of

program = sys.argv[1]
jobs = sorted((ROOT / "jobs").glob("*.toml"))
if not jobs or not subprocess.run([program, "--version"], capture_output=True, text=True).stdout:
    print("skipped: no jobs, or a program without a command line")
    sys.exit(77)


def problem_of(job):
    settings = tomllib.loads(job.read_text())
    if "command" not in settings:
        return f'{name_of(job)}: names no command, e.g. command = "hmot"'
    data = settings.get("input", {}).get("file")
    if isinstance(data, str) and not (job.parent / data).exists():
        print(f"{name_of(job)}: data {data} is not in the repository, not run")
        return None
    run = subprocess.run([program, settings["command"], str(job), "--dry-run"], capture_output=True, text=True, cwd=ROOT)
    if run.returncode:
        return f"{name_of(job)}: exit code {run.returncode}: {run.stderr.strip()}"
    return None


finish([problem for job in jobs if (problem := problem_of(job))])
