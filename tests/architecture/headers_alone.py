"""Every header compiles alone.

A header with a source of the same name is proven by the build, because that source includes it first (checked
here as text). The others are compiled alone; the result is kept until a file that the header reaches changes.
usage: headers_alone.py BUILD_FOLDER
"""
import hashlib
import json
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from repository import ROOT, code_files, finish, folder_of, included_files, includes_of, name_of, resolve

build = Path(sys.argv[1])
stamps = build / "headers_alone"
stamps.mkdir(exist_ok=True)


def flags_by_folder():
    """Compiler and flags of one source of each folder, without input, output and dependency files."""
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = Path(entry["file"])
        if ROOT not in source.parents or build in source.parents or folder_of(source) in flags:
            continue
        words = [word for word in shlex.split(entry["command"]) if not word.endswith("ccache")]
        flags[folder_of(source)] = words[:words.index("-o")]
    return flags


def is_proven_by_source(header):
    source = header.with_suffix(".cpp")
    if not source.exists():
        return False
    first = next((text for _, text in includes_of(source)), "")
    return resolve(first) == header


def compile_alone(header, flags):
    """The compiler's complaint, or None."""
    digest = hashlib.sha256(" ".join(flags).encode())
    for path in sorted(included_files(header)):
        digest.update(path.read_bytes())
    stamp = stamps / digest.hexdigest()
    if stamp.exists():
        return None
    command = flags + ["-fsyntax-only", "-x", "c++", "-include", str(header), "/dev/null"]
    run = subprocess.run(command, cwd=build, capture_output=True, text=True)
    if run.returncode == 0:
        stamp.touch()
        return None
    return f"{name_of(header)} does not compile alone:\n{run.stderr[:2000]}"


flags = flags_by_folder()
waiting = [path for path in code_files() if path.suffix == ".hpp" and not is_proven_by_source(path)]
print(f"{len(waiting)} headers to compile alone")
with ThreadPoolExecutor(2) as pool:
    complaints = pool.map(lambda header: compile_alone(header, flags[folder_of(header)]), waiting)
finish([complaint for complaint in complaints if complaint])
