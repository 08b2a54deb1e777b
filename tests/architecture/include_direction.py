"""Includes point one way: kernels <- distributed <- src, and inside src along MAY_INCLUDE (DESIGN: folders)."""
from repository import code_files, finish, folder_of, includes_of, name_of, resolve

BELOW = {"kernels", "distributed", "src/core", "src/config"}
MAY_INCLUDE = {
    "kernels": set(),
    "distributed": {"kernels"},
    "src/core": {"kernels", "distributed"},
    "src/config": BELOW,
    "src/io": BELOW,
    "src/exact": BELOW,
    "src/geometry": BELOW,
    "src/problems": BELOW | {"src/geometry"},
    "src/solvers": BELOW | {"src/geometry", "src/problems", "src/exact"},
    "src/analysis": BELOW | {"src/geometry", "src/problems", "src/exact", "src/solvers"},
}
EVERYTHING = {"src/job", "src/cli", "src"}


def problems_of(path):
    folder = folder_of(path)
    if folder not in MAY_INCLUDE and folder not in EVERYTHING:
        yield f"{name_of(path)}: folder {folder} has no rule in {__file__}"
        return
    for is_quoted, text in includes_of(path):
        target = resolve(text)
        if is_quoted and target is None:
            yield f'{name_of(path)}: "{text}" is found neither from the root nor from src'
            continue
        if target is None:
            continue
        other = folder_of(target)
        if other == folder:
            continue
        if folder in EVERYTHING:
            allowed = not (folder == "src/job" and other == "src/cli")
        else:
            allowed = other in MAY_INCLUDE[folder]
        if not allowed:
            yield f'{name_of(path)}: includes "{text}", but {folder} may not know {other}'


finish([problem for path in code_files() for problem in problems_of(path)])
