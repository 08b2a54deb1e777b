"""Who may see MPI, HDF5, NCCL, Kokkos and the libraries that nvcc cannot compile, and where #if on them is allowed."""
import re

from repository import code_files, finish, folder_of, included_files, includes_of, name_of

DISTRIBUTED_ONLY = {"mpi.h", "nccl.h", "hdf5.h", "H5public.h"}
KOKKOS = re.compile(r"^Kokkos_|^KokkosBlas")
KOKKOS_PLACES = ("kernels/", "distributed/runtime.", "src/solvers/", "src/geometry/")
DEVICE_FOLDERS = {"src/geometry", "src/solvers"}  # of src
NOT_FOR_NVCC = re.compile(r"^(toml\+\+/|toml\.hpp|spdlog/|fmt/)")
CONDITION = re.compile(
    r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*(?:KOKKOS_ENABLE_|__CUDA|__NVCC|__HIP|THALWEG_\w*(?:CUDA|NCCL|MPI)|OPEN_MPI|_OPENMP)",
    re.MULTILINE)
CONDITION_PLACES = {"distributed/make_communicator.cpp"}  # the factory chooses a transport


def direct_problems(path):
    name = name_of(path)
    for _, text in includes_of(path):
        if text in DISTRIBUTED_ONLY and folder_of(path) != "distributed":
            yield f"{name}: <{text}> belongs in distributed/ only"
        if KOKKOS.match(text) and not name.startswith(KOKKOS_PLACES):
            yield f"{name}: <{text}> belongs in {', '.join(KOKKOS_PLACES)} only"
    if name not in CONDITION_PLACES:
        for match in CONDITION.finditer(path.read_text()):
            yield f"{name}: back-end conditional outside {', '.join(sorted(CONDITION_PLACES))}: {match.group().strip()}"


def reached_problems(path):
    """What a source sees through project headers: nvcc compiles those that reach Kokkos, and neither toml++ nor the like."""
    seen = [(text, reached) for reached in sorted(included_files(path)) for _, text in includes_of(reached)]
    if not any(KOKKOS.match(text) for text, _ in seen):
        return
    is_host_only = folder_of(path).startswith("src") and folder_of(path) not in DEVICE_FOLDERS
    forbidden, reason = (KOKKOS, f"a source outside {', '.join(sorted(DEVICE_FOLDERS))}") if is_host_only else (NOT_FOR_NVCC, "device code")
    for text, reached in seen:
        if forbidden.match(text):
            yield f"{name_of(path)}: {reason} reaches <{text}> through {name_of(reached)}"


problems = []
for path in code_files():
    problems += direct_problems(path)
    if path.suffix == ".cpp":
        problems += reached_problems(path)
finish(problems)
