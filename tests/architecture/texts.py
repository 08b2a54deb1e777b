"""Lengths, versions, paths and references in the repository's own texts."""
import re

from repository import ROOT, code_files, finish, name_of, text_files

MAX_LINES = 400
# Folders of one person's machine; spelled so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/")
LEFT_OVER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
REFERENCE = re.compile(r"`((?:kernels|distributed|src|jobs|tests|bench|cmake|scripts|docs|packaging)/[\w./-]*)`|\]\(([\w./-]+)\)")
README_FOLDERS = ["kernels", "distributed", "src", "jobs", "tests", "bench", "cmake", "scripts", "tests/architecture"]


def long_files():
    for path in code_files(["kernels", "distributed", "src", "tests", "bench"]):
        lines = path.read_text().count("\n")
        if lines > MAX_LINES:
            yield f"{name_of(path)}: {lines} lines, at most {MAX_LINES}; split it by subject"


def unwanted_texts():
    for path in text_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATH.search(line):
                yield f"{name_of(path)}:{number}: path of one machine: {line.strip()[:100]}"
            if path.suffix in {".hpp", ".cpp", ".py", ".sh", ".cmake"} and LEFT_OVER.search(line):
                yield f"{name_of(path)}:{number}: unfinished: {line.strip()[:100]}"


def versions():
    version = re.search(r"project\(thalweg VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    for name in ("CHANGELOG.md", "CITATION.cff", "packaging/spack/package.py", "docs/thalweg.1"):
        if version not in (ROOT / name).read_text():
            yield f"{name} does not mention version {version}"


def stale_references():
    """Paths that a README or the manual names, and that are not there."""
    for path in text_files():
        if path.suffix != ".md":
            continue
        for from_root, link in REFERENCE.findall(path.read_text()):
            if from_root and not (ROOT / from_root).exists():
                yield f"{name_of(path)}: `{from_root}` does not exist"
            if link and not link.startswith("http") and not (path.parent / link).exists():
                yield f"{name_of(path)}: link to {link}, which does not exist"


def missing_readmes():
    folders = README_FOLDERS + [name_of(path) for path in ROOT.glob("src/*") if path.is_dir()]
    for folder in folders:
        readme = ROOT / folder / "README.md"
        if (ROOT / folder).is_dir() and not readme.is_file():
            yield f"{folder} has no README.md"


finish([*long_files(), *unwanted_texts(), *versions(), *stale_references(), *missing_readmes()])
