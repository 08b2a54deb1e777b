#!/usr/bin/env bash
# Runs everything that needs a GPU in one call and writes at most 8 files into one folder.
set -uo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/gpu_check.sh [--help]

From the repository with a built cuda preset, or inside the bundle that `cmake --build --preset cuda --target
gpu-bundle` makes. Every step runs under its own timeout; a failing one does not stop the next. A few tests run side
by side, benchmarks alone.
  OUT                    folder of the results (default ./gpu_results)
  THALWEG_GPU_BUDGET_S   seconds for all of it (default 480)
  THALWEG_GPU_TESTS      tests at a time; default 6 under NVIDIA's multi-process service, which is started for the tests where
                         there is one, and 2 without: programs that share a device then wait for each other's turns
Writes summary.md, tests.xml, tests.log, bench.jsonl, machine.txt, sanitizer.log and demo.tar.gz.
Exit code 0 only when no test failed; without a GPU all tests are skipped and nothing is computed.
TEXT
}

case ${1:-} in
  "") ;;
  --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(mkdir -p "${OUT:-gpu_results}" && cd "${OUT:-gpu_results}" && pwd) || exit 2
budget=${THALWEG_GPU_BUDGET_S:-480}
at_a_time=2
tests_at_a_time=${THALWEG_GPU_TESTS:-}
if [[ -n $tests_at_a_time && ! $tests_at_a_time =~ ^[1-9][0-9]*$ ]]; then
  echo "error: THALWEG_GPU_TESTS=$tests_at_a_time is no number of tests above 0" >&2
  exit 2
fi
running=$(mktemp -d)
started=0
failures=0
passed=0
skipped=0
rows=()
cases=()

# --- where things are ----------------------------------------------------------------------------

# In the bundle everything lies beside this script; in the repository below build/cuda.
find_programs() {
  if [ -f "$here/MANIFEST.tsv" ]; then
    base=$here
    # shellcheck source=/dev/null
    source "$here/bin/env.sh"
    program=$base/bin/thalweg
    test_list=$base/gpu_tests.txt
    bench_folder=$base/bench
    jobs_folder=$base/jobs
  else
    base=$(cd "$here/.." && pwd)
    program=$base/build/cuda/bin/thalweg
    test_list=$base/build/cuda/gpu_tests.txt
    bench_folder=$base/build/cuda/bench
    jobs_folder=$base/jobs
    set -a
    # shellcheck source=scripts/launcher.env
    source "$here/launcher.env"
    set +a
  fi
  if [ ! -x "$program" ]; then
    echo "error: $program not found; build it first: cmake --preset cuda && cmake --build --preset cuda" >&2
    exit 2
  fi
}

has_gpu() {
  nvidia-smi -L 2>/dev/null | grep -q '^GPU'
}

seconds_left() {
  echo $((budget - SECONDS))
}

# --- steps ---------------------------------------------------------------------------------------

record() {
  local name=$1 outcome=$2 seconds=$3
  case $outcome in
    passed) passed=$((passed + 1)); cases+=("<testcase name=\"$name\" time=\"$seconds\"/>") ;;
    skipped) skipped=$((skipped + 1)); cases+=("<testcase name=\"$name\"><skipped/></testcase>") ;;
    *) failures=$((failures + 1)); cases+=("<testcase name=\"$name\" time=\"$seconds\"><failure message=\"$outcome\"/></testcase>") ;;
  esac
  rows+=("| $name | $outcome | $seconds |")
  echo "$name: $outcome ($seconds s)"
}

# start_test NAME LIMIT COMMAND..: beside the others, as soon as there is room; its outcome and output wait for collect_tests.
start_test() {
  local name=$1 limit=$2 files
  shift 2
  while [ "$(jobs -rp | wc -l)" -ge "$at_a_time" ]; do wait -n || true; done
  started=$((started + 1))
  files=$running/$(printf '%04d' $started)
  run_test "$name" "$limit" "$files" "$@" &
}

run_test() {
  local name=$1 limit=$2 files=$3 start=$SECONDS code=0 outcome
  shift 3
  [ "$limit" -le "$(seconds_left)" ] || limit=$(seconds_left)
  echo "=== $name: $*" >"$files.log"
  if [ "$limit" -le 0 ]; then
    outcome="not run: budget of $budget s spent"
  else
    timeout --kill-after=5 "$limit" "$@" >>"$files.log" 2>&1 </dev/null || code=$?
    case $code in
      0) outcome=passed ;;
      77) outcome=skipped ;;
      124 | 137) outcome="timeout after $limit s" ;;
      *) outcome="exit code $code" ;;
    esac
  fi
  printf '%s\n' "$name" "$outcome" $((SECONDS - start)) >"$files.row"
}

# Waits for all that was started; a line of the table each, output appended to tests.log.
collect_tests() {
  local row fields
  wait
  for row in "$running"/*.row; do
    [ -f "$row" ] || continue
    mapfile -t fields <"$row"
    record "${fields[@]}"
    cat "${row%.row}.log" >>"$out/tests.log"
  done
  rm -f "$running"/*.row "$running"/*.log
}

# Programs of one user then run on the device side by side. Its folders are its own, so that it meets no other service.
start_sharing() {
  at_a_time=${tests_at_a_time:-2}
  if ! has_gpu || ! command -v nvidia-cuda-mps-control >/dev/null; then return; fi
  export CUDA_MPS_PIPE_DIRECTORY=$running/mps CUDA_MPS_LOG_DIRECTORY=$running/mps-log
  mkdir -p "$CUDA_MPS_PIPE_DIRECTORY" "$CUDA_MPS_LOG_DIRECTORY"
  if timeout 10 nvidia-cuda-mps-control -d >>"$out/tests.log" 2>&1; then
    at_a_time=${tests_at_a_time:-6}
  else
    unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
  fi
}

stop_sharing() {
  [ -n "${CUDA_MPS_PIPE_DIRECTORY:-}" ] || return 0
  echo quit | timeout 10 nvidia-cuda-mps-control >>"$out/tests.log" 2>&1
  unset CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
}

write_machine() {
  {
    date -u +"%Y-%m-%d %H:%M:%S UTC"
    uname -srm
    ldd --version | sed -n 1p
    echo "commit $(cat "$base/COMMIT" 2>/dev/null || git -C "$base" rev-parse HEAD 2>/dev/null || echo unknown)"
    grep -m1 'model name' /proc/cpuinfo
    env -u OMP_NUM_THREADS nproc
    nvidia-smi 2>&1 || echo "no nvidia-smi"
    ldd "$program"
    for name in libcublas.so libnccl.so.2; do
      ldconfig -p | grep -F "$name" || echo "$name: not in the system's library cache"
    done
  } >"$out/machine.txt" 2>&1
}

# path_of NAME: of a program of gpu_tests.txt, "name<TAB>path<TAB>numbers of ranks" a line, written when the build is configured.
path_of() {
  local path
  path=$(awk -F'\t' -v name="$1" '$1 == name {print $2}' "$test_list")
  if [[ $path = /* ]]; then echo "$path"; else echo "$base/$path"; fi
}

# On one rank, and those that are for several on two, which share the device.
run_gpu_tests() {
  local name path ranks
  while IFS=$'\t' read -r name _ ranks; do
    path=$(path_of "$name")
    start_test "$name, 1 rank" 300 "$path" --needs-device
    if ! has_gpu; then continue; fi
    if [ "$name" = nccl_communicator_test ]; then start_test "$name, 1 rank of a launcher" 120 mpirun -n 1 "$path" --needs-device; fi
    if [ "$ranks" != 1 ]; then start_test "$name, 2 ranks on one device" 300 mpirun -n 2 "$path" --needs-device; fi
  done <"$test_list"
}

# Programs that launch every kernel of the project.
run_sanitizer() {
  local name
  if ! has_gpu || ! command -v compute-sanitizer >/dev/null; then
    echo "not run: no device or no compute-sanitizer" >"$out/sanitizer.log"
    return
  fi
  for name in pair_rows_device_test lowrank_pass_test turned_tiles_test gemm_test device_panels_test nearest_neighbours_test; do
    start_test "memcheck of $name" 200 compute-sanitizer --tool memcheck --error-exitcode 9 \
      --log-file "$out/sanitizer.$name" "$(path_of "$name")" --needs-device
  done
}

# entry_of FILE COLUMN: of the first row of a table.
entry_of() {
  awk -F'\t' -v name="$2" 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == name) at = i} NR == 2 {print $at}' "$1"
}

# Both devices end at the same objective, in float64: float32 may pick another one of nearly equal restarts.
run_job_on_both() {
  local name=$1 command device cpu cuda
  command=$(sed -n 's/^command = "\(.*\)"/\1/p' "$jobs_folder/$name.toml")
  for device in cpu cuda; do
    "$program" "$command" "$jobs_folder/$name.toml" --set run.device=$device --set solver.precision=float64 \
      --out "$results/$name-$device" || return
  done
  cpu=$(entry_of "$results/$name-cpu/index.tsv" primal)
  cuda=$(entry_of "$results/$name-cuda/index.tsv" primal)
  echo "$name: objective $cpu on the host, $cuda on the device"
  awk -v a="$cpu" -v b="$cuda" 'BEGIN {exit !(a > 0 && (a - b) ^ 2 < (1e-5 * a) ^ 2)}'
}

run_jobs() {
  local name
  for name in demo hmot_unsupervised lowrank transport shapes; do
    if ! has_gpu; then
      record "job $name" skipped 0
      continue
    fi
    export results program jobs_folder
    export -f run_job_on_both entry_of
    start_test "job $name on host and device" 120 bash -c "run_job_on_both $name"
  done
}

# What is measured on the device: program, options; at most bench_limit seconds each.
bench_limit=60
benches=(
  "bench_softmin --variants device_two_pass device_plain device_tuned --n 20000 50000 --d 32 64 --budget 0.5"
  "bench_lowrank_pass --device cuda --variants tuned plain --n 300 20000 1000000 --p 32 --r 20 --parts hessian both --budget 0.5"
  "bench_sinkhorn --device cuda --warm-up --n 20000 --epsilon 0.05"
  "bench_sinkhorn --device cuda --warm-up --n 300000 --epsilon 0.05"
  "bench_hm_ot --device cuda --n 1000000 --slices 3 --p 32 --r 20 --restarts 10 --seeds 1"
)

# Benchmarks never decide the outcome; each prints one JSON line a measurement. Alone, they have all cores.
run_benches() {
  local bench words limit
  : >"$out/bench.jsonl"
  has_gpu || return
  for bench in "${benches[@]}"; do
    read -ra words <<<"$bench"
    if [ ! -x "$bench_folder/${words[0]}" ] || [ "$(seconds_left)" -le 10 ]; then continue; fi
    limit=$(($(seconds_left) < bench_limit ? $(seconds_left) : bench_limit))
    timeout --kill-after=5 "$limit" env -u OMP_NUM_THREADS "$bench_folder/${words[0]}" "${words[@]:1}" >>"$out/bench.jsonl" \
      2>>"$out/tests.log" </dev/null || echo "bench: $bench: exit code $?" | tee -a "$out/tests.log"
  done
}

# Ours beside what this machine's Python has of its peers, on the same points, in turn. Those it has not are lines too.
run_peers() {
  local folder
  if ! has_gpu || [ "$(seconds_left)" -le 30 ]; then return; fi
  if ! python3 -c "import torch; assert torch.cuda.is_available()" 2>/dev/null; then
    echo "peers: not run, python3 has no torch with a GPU" >>"$out/tests.log"
    return
  fi
  folder=$base
  [ -d "$base/build/cuda" ] && folder=$base/build/cuda
  timeout --kill-after=5 "$(seconds_left)" python3 "$base/bench/compare.py" --device cuda --python python3 \
    --build "$folder" --n 50000 --d 64 --cap 20 --tools thalweg flash flash_tf32 torch ott keops \
    --out "$out/bench.jsonl" >>"$out/tests.log" 2>&1 </dev/null
}

write_summary() {
  {
    echo "# GPU check"
    echo
    echo "tests: $passed passed, $skipped skipped, $failures failed"
    echo
    if has_gpu; then nvidia-smi -L | sed 's/ (UUID.*//; s/^/device: /'; else echo "device: none, so all tests were skipped"; fi
    grep -m1 '^commit' "$out/machine.txt"
    echo "time: $SECONDS s of $budget s, $(date -u +%Y-%m-%d)"
    echo
    echo "| test | outcome | seconds |"
    echo "|---|---|---|"
    printf '%s\n' "${rows[@]}"
    echo
    echo "measurements: $(wc -l <"$out/bench.jsonl") lines in bench.jsonl"
  } >"$out/summary.md"
  {
    echo "<testsuite name=\"gpu\" tests=\"${#cases[@]}\" failures=\"$failures\" skipped=\"$skipped\">"
    printf '  %s\n' "${cases[@]}"
    echo "</testsuite>"
  } >"$out/tests.xml"
}

# The checker's many logs as one file.
gather_files() {
  cat "$out"/sanitizer.*_test >>"$out/sanitizer.log" 2>/dev/null
  rm -f "$out"/sanitizer.*_test
  tar -czf "$out/demo.tar.gz" -C "$results" --exclude='*.h5ad' . 2>/dev/null
  rm -rf "$results" "$running"
}

find_programs
results=$(mktemp -d)
: >"$out/tests.log"
: >"$out/sanitizer.log"
write_machine
run_benches
run_jobs
run_sanitizer
collect_tests
start_sharing
trap stop_sharing EXIT
run_gpu_tests
collect_tests
stop_sharing
run_peers
gather_files
write_summary
echo "results: $out/summary.md"
[ $failures -eq 0 ]
