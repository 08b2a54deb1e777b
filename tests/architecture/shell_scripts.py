"""Shell scripts parse, are executable where they are run, and pass shellcheck where it is installed."""
import os
import shutil
import subprocess

from repository import ROOT, finish, name_of

SOURCED = {"scripts/common.sh"}


def scripts():
    found = set((ROOT / "scripts").glob("*.sh")) | {ROOT / ".ci/run", ROOT / "cmake/nvcc_wrapper"}
    found |= set((ROOT / "tests").rglob("*.sh")) | set((ROOT / "jobs").rglob("*.sh")) | set((ROOT / "jobs").rglob("*.sbatch"))
    return sorted(found)


problems = []
for script in scripts():
    name = name_of(script)
    if not name.startswith(("tests/", "jobs/")) and os.access(script, os.X_OK) == (name in SOURCED):
        problems.append(f"{name}: " + ("is sourced, not run: not executable" if name in SOURCED else "must be executable"))
    parsed = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True)
    if parsed.returncode:
        problems.append(f"{name}: {parsed.stderr}")
if shutil.which("shellcheck"):
    checked = subprocess.run(["shellcheck", "-x", "-S", "warning", *map(str, scripts())], cwd=ROOT, capture_output=True, text=True)
    if checked.returncode:
        problems.append(checked.stdout)
for name in ("quickstart.sh", "test.sh", "get_kokkos.sh", "check_cuda_build.sh", "gpu_check.sh"):
    helped = subprocess.run([str(ROOT / "scripts" / name), "--help"], capture_output=True, text=True, cwd="/")
    if helped.returncode or "usage:" not in helped.stdout:
        problems.append(f"scripts/{name} --help does not explain its use")
    refused = subprocess.run([str(ROOT / "scripts" / name), "--no-such-option"], capture_output=True, text=True, cwd="/")
    if refused.returncode != 2:
        problems.append(f"scripts/{name} --no-such-option ends with {refused.returncode}, not 2")
finish(problems)
