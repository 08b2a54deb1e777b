#!/usr/bin/env bash
# Builds the cuda preset and checks, on a machine without a GPU, that the program starts and fails politely.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
usage: scripts/check_cuda_build.sh [--jobs N] [--tests] [--help]

Needs nvcc, not a GPU: the toolkit's stub of libcuda.so.1 is lent to the calls below and to nothing else.
  compiles   preset cuda: thalweg and one test program of its kernels; with --tests all of label gpu
  starts     --version, describe, plan and --dry-run
  fails      a bad argument, and a run without a device: exit code 2, alone and under mpirun
  skips      that program; with --tests all of them, through gpu_check.sh
"Works on a GPU" is shown by scripts/gpu_check.sh alone (docs/gpu.md).
TEXT
}

jobs=""
kernel_test=pair_rows_device_test
tests=$kernel_test
while [ $# -gt 0 ]; do
  case $1 in
    --help) usage; exit 0 ;;
    --jobs) jobs=${2:?--jobs needs a number}; shift ;;
    --tests) tests=gpu_tests ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ -n "$jobs" ] || jobs=$(default_jobs)

program=$root/build/cuda/bin/thalweg
job=$root/jobs/demo.toml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
no_device="no GPU: driver missing or none allocated"

# The stub exists only in this folder, which is removed at the end.
lend_stub_driver() {
  local nvcc stub
  nvcc=$(command -v nvcc) || fail 2 "nvcc not found; install the CUDA toolkit 12.4 or newer and put its bin on PATH"
  stub=$(dirname "$(readlink -f "$nvcc")")/../lib64/stubs/libcuda.so
  [ -e "$stub" ] || fail 2 "$stub not found; it is part of the CUDA toolkit"
  mkdir "$work/driver"
  ln -s "$(readlink -f "$stub")" "$work/driver/libcuda.so.1"
}

with_stub() {
  LD_LIBRARY_PATH=$work/driver${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} timeout 150 "$@" </dev/null
}

# expect CODE TEXT COMMAND..: exit code CODE and TEXT somewhere in the output; TEXT may be empty.
expect() {
  local code=$1 text=$2 seen=0
  shift 2
  with_stub "$@" >"$work/output" 2>&1 || seen=$?
  if [ $seen -ne "$code" ] || ! grep -qF -- "$text" "$work/output"; then
    tail -n 20 "$work/output" >&2
    fail 1 "exit code $seen, expected $code with \"$text\": $*"
  fi
  echo "    exit code $code as expected: $(basename "$1") ${*:2}"
}

lend_stub_driver
configure cuda
build_target cuda "$jobs" thalweg "$tests"
load_launcher_environment

expect 0 "thalweg" "$program" --version
expect 0 "epsilon" "$program" describe
expect 0 "" "$program" hmot "$job" --dry-run
expect 0 "memory" "$program" plan "$job"
expect 2 "" "$program" --no-such-option
if [ -e /dev/nvidiactl ]; then
  echo "    a GPU is here: the checks without one are left out"
  exit 0
fi
expect 2 "$no_device" "$program" hmot "$job" --out "$work/out"
expect 2 "$no_device" mpirun -n 2 "$program" hmot "$job" --out "$work/out"
expect 77 "" "$root/build/cuda/tests/kernels/$kernel_test" --needs-device
if [ "$tests" = "$kernel_test" ]; then exit 0; fi
with_stub env OUT="$work/results" THALWEG_GPU_BUDGET_S=120 "$root/scripts/gpu_check.sh" >"$work/output" 2>&1 || {
  tail -n 30 "$work/output" >&2
  fail 1 "gpu_check.sh failed without a device; it must report its tests as skipped"
}
echo "    gpu_check.sh without a device: $(grep -m1 -i '^tests:' "$work/results/summary.md")"
