"""Files, includes and targets of the repository, for the rules beside this file."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE_FOLDERS = ["kernels", "distributed", "src"]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def code_files(folders=CODE_FOLDERS):
    """C++ headers and sources below `folders`, sorted."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".hpp", ".cpp"})


def text_files():
    """Every file of the repository that people write, without build folders."""
    for path in sorted(ROOT.rglob("*")):
        top = path.relative_to(ROOT).parts[0]
        if path.is_file() and top not in {".git", "build", "out", "gpu_results", "shared"} and "__pycache__" not in path.parts:
            yield path


def name_of(path):
    """Path as the repository knows it, e.g. src/io/table.hpp."""
    return path.relative_to(ROOT).as_posix()


def folder_of(path):
    """The folder that has a target of its own: kernels, distributed, src/core, .. (src for main.cpp)."""
    parts = path.relative_to(ROOT).parts
    if parts[0] == "src" and len(parts) > 2:
        return f"src/{parts[1]}"
    return parts[0]


def includes_of(path):
    """(is_quoted, text) of every include of a file."""
    return [(quote == '"', text) for quote, text in INCLUDE.findall(path.read_text())]


def resolve(text):
    """The project file behind an include's text, the template of a generated one among them, or None."""
    for base in (ROOT, ROOT / "src"):
        for name in (text, text + ".in"):
            if (base / name).is_file():
                return base / name
    return None


def included_files(path):
    """All project files reached from `path`, itself among them."""
    reached, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current in reached:
            continue
        reached.add(current)
        waiting += [target for _, text in includes_of(current) if (target := resolve(text))]
    return reached


def finish(problems):
    """Ends the test: 1 and one line a problem, or 0."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems")
    sys.exit(1 if problems else 0)
