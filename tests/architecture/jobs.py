"""Every job in jobs/ passes the program's own checks.

The first comment of a job shows its command: `# thalweg hmot jobs/demo.toml`. It is run with --dry-run; a job whose
data is not in the repository is checked for its command only. usage: jobs.py PROGRAM
"""
import re
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
    command = re.search(r"^# *(?:mpirun .*|srun .*)?thalweg (\w+)", job.read_text(), re.MULTILINE)
    if not command:
        return f"{name_of(job)}: no comment shows its command, e.g. `# thalweg hmot {name_of(job)}`"
    data = tomllib.loads(job.read_text()).get("input", {}).get("file")
    if isinstance(data, str) and not (job.parent / data).exists():
        print(f"{name_of(job)}: data {data} is not in the repository, not run")
        return None
    run = subprocess.run([program, command.group(1), str(job), "--dry-run"], capture_output=True, text=True, cwd=ROOT)
    if run.returncode:
        return f"{name_of(job)}: exit code {run.returncode}: {run.stderr.strip()}"
    return None


finish([problem for job in jobs if (problem := problem_of(job))])
