#!/usr/bin/env bash
# Builds thalweg with warnings as errors and passes all tests.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
usage: scripts/test.sh [--all] [--jobs N] [--help]

  1 packages   those of the tests and Slurm too
  2 Kokkos     source into build/_deps, unless one is installed
  3 Python     build/venv from requirements-test.txt: reads our files with anndata, never runs the program
  4 build      cmake --preset ci, all targets
  5 tests      ctest --preset ci
with --all also
  6 sanitizers preset debug: label sanitized, on one and two ranks
  7 CUDA       when nvcc exists: preset cuda compiles, links and fails politely (check_cuda_build.sh)

  --jobs N     compile jobs, and tests at a time (default: cores, halved where memory is short)
THALWEG_SKIP="slurm debug cuda" leaves steps out. The last lines are CTest's summary of step 5.
TEXT
}

read_arguments() {
  jobs=""
  all=no
  while [ $# -gt 0 ]; do
    case $1 in
      --help) usage; exit 0 ;;
      --all) all=yes ;;
      --jobs) jobs=${2:-}; [[ $jobs =~ ^[1-9][0-9]*$ ]] || fail 2 "--jobs needs a positive number"; shift ;;
      *) usage >&2; fail 2 "unknown argument $1" ;;
    esac
    shift
  done
  [ -n "$jobs" ] || jobs=$(default_jobs)
}

make_venv() {
  local venv=$root/build/venv wanted
  wanted=$(sha256sum <"$root/requirements-test.txt")
  if [ "$(cat "$venv/requirements.sha256" 2>/dev/null)" = "$wanted" ]; then return; fi
  rm -rf "$venv"
  logged venv python3 -m venv "$venv"
  logged pip "$venv/bin/python" -m pip install --disable-pip-version-check -r "$root/requirements-test.txt"
  echo "$wanted" >"$venv/requirements.sha256"
}

# run_ctest PRESET [ARGUMENT..]: shows the progress, keeps it in build/logs/ctest-PRESET.log.
run_ctest() {
  local preset=$1 code=0
  shift
  mkdir -p "$logs"
  (cd "$root" && ctest --preset "$preset" --parallel "$jobs" "$@" </dev/null 2>&1) | tee "$logs/ctest-$preset.log" || code=$?
  [ $code -eq 0 ] || echo "error: step $step_number ($step_title) failed; the whole log: $logs/ctest-$preset.log" >&2
  return $code
}

test_main() {
  local arguments=()
  if is_skipped slurm; then arguments=(-LE '^slurm$'); fi
  run_ctest ci "${arguments[@]}"
  if [ $all = yes ]; then check_slurm_ran; fi
}

# Where root has the packages and may make namespaces, tests under Slurm that were skipped are not passed.
check_slurm_ran() {
  if is_skipped slurm || [ "$(id -u)" -ne 0 ] || ! is_installed slurm-wlm || ! is_installed munge; then return; fi
  if ! unshare --pid --fork --kill-child --uts --mount --mount-proc hostname n1 2>/dev/null; then return; fi
  if grep -qE 'slurm/.*(Skipped|Not Run)' "$logs/ctest-ci.log"; then
    fail 1 "tests under Slurm were skipped; the reason: ctest --preset ci -R slurm/start -V, or leave them out with THALWEG_SKIP=slurm"
  fi
}

test_sanitizers() {
  configure debug
  build_target debug "$jobs" sanitized_tests
  run_ctest debug -L '^sanitized$' -E '/np[3-9]$'
}

# CTest's own summary of the main run, after whatever else was printed.
print_ctest_summary() {
  local code=$? log=$logs/ctest-ci.log
  if [ $is_main_run_done = yes ]; then
    print_summary
    if [ $code -ne 0 ]; then echo "not passed: exit code $code, see the error above"; fi
    echo
    sed -n '/tests passed/,$p' "$log"
  fi
  exit $code
}

read_arguments "$@"
tolerate_read_only_home
is_main_run_done=no
trap print_ctest_summary EXIT

begin_step "packages"
install_packages install test
end_step

begin_step "Kokkos"
"$root/scripts/get_kokkos.sh"
end_step

begin_step "Python environment"
make_venv
end_step

begin_step "build"
configure ci
build_target ci "$jobs"
print_slowest_files ci
end_step

begin_step "tests"
rm -f "$logs/ctest-ci.log"
is_main_run_done=yes
test_main
end_step "$(if is_skipped slurm; then echo 'passed, slurm skipped'; else echo passed; fi)"

if [ $all = yes ]; then
  if is_skipped debug; then
    skip_step "sanitizers" "THALWEG_SKIP"
  else
    begin_step "sanitizers"
    test_sanitizers
    end_step "passed"
  fi
  if is_skipped cuda; then
    skip_step "CUDA" "THALWEG_SKIP"
  elif ! command -v nvcc >/dev/null; then
    skip_step "CUDA" "no nvcc"
  else
    begin_step "CUDA"
    "$root/scripts/check_cuda_build.sh" --jobs "$jobs"
    end_step "passed"
  fi
fi
