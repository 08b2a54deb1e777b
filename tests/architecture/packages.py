"""scripts/packages.txt, the table in docs/install.md and the Spack recipe name the same things."""
import ast
import re

from repository import ROOT, finish

# Debian package -> Spack package; None: part of another, or of the machine.
SPACK = {
    "g++": None, "cmake": "cmake", "ninja-build": "ninja", "git": None, "pkg-config": "pkgconfig",
    "python3": "python", "python3-pip": None, "python3-venv": None,
    "libopenmpi-dev": "mpi", "openmpi-bin": "mpi", "libhdf5-openmpi-dev": "hdf5", "hdf5-tools": "hdf5",
    "libcli11-dev": "cli11", "libtomlplusplus-dev": "tomlplusplus", "libspdlog-dev": "spdlog", "libfmt-dev": "fmt",
    "nlohmann-json3-dev": "nlohmann-json", "libopenblas-dev": "openblas", "liblapacke-dev": "openblas",
    "libnanoflann-dev": "nanoflann", "libxxhash-dev": "xxhash", "zlib1g-dev": "zlib", "libhnswlib-dev": None,
    "libgtest-dev": "googletest", "libgmock-dev": "googletest", "libbenchmark-dev": "benchmark",
    "slurm-wlm": None, "munge": None,
}
ONLY_IN_SPACK = {"kokkos", "nccl", "cuda"}


def listed():
    """purpose -> (group, names) of packages.txt."""
    rows = {}
    for line in (ROOT / "scripts/packages.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            group, name, purpose = line.split(maxsplit=2)
            rows.setdefault((purpose, group), []).append(name)
    return rows


def documented():
    """The same from the table of docs/install.md: | purpose | group | packages |."""
    rows = {}
    for line in (ROOT / "docs/install.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 3 and cells[1] in {"install", "test"}:
            rows[cells[0], cells[1]] = cells[2].split()
    return rows


def spack_dependencies():
    tree = ast.parse((ROOT / "packaging/spack/package.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "depends_on"]
    return {re.match(r"f?['\"]([\w-]+)", ast.unparse(call.args[0])).group(1) for call in calls}


problems = []
if listed() != documented():
    for key in sorted(set(listed()) | set(documented())):
        if listed().get(key) != documented().get(key):
            problems.append(f"{key}: packages.txt has {listed().get(key)}, docs/install.md has {documented().get(key)}")
names = [name for group in listed().values() for name in group]
problems += [f"{name} is listed twice" for name in sorted(set(names)) if names.count(name) > 1]
problems += [f"{name} has no entry in SPACK of {__file__}" for name in names if name not in SPACK]
expected = {SPACK[name] for name in names if SPACK.get(name)} | ONLY_IN_SPACK
declared = spack_dependencies() - {"c", "cxx"}
problems += [f"the Spack recipe lacks depends_on {name}" for name in sorted(expected - declared)]
problems += [f"the Spack recipe depends on {name}, which packages.txt does not" for name in sorted(declared - expected)]
recipe = (ROOT / "packaging/thalweg.def").read_text()
if "scripts/quickstart.sh --no-demo" not in recipe:
    problems.append("packaging/thalweg.def does not set up with scripts/quickstart.sh --no-demo")
finish(problems)
