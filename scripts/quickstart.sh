#!/usr/bin/env bash
# Installs what is needed, builds thalweg, runs the demo job on real data and shows the result.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
usage: scripts/quickstart.sh [--jobs N] [--no-demo] [--help] [-- CMAKE_ARGUMENT..]

  1 packages   apt-get install of what is missing (as root or with sudo), else says what to install
  2 Kokkos     source into build/_deps, unless one is installed
  3 build      cmake --preset release, target thalweg
  4 demo       thalweg hmot jobs/demo.toml, results in out/demo

  --jobs N     compile jobs (default: cores, halved where memory is short)
  --no-demo    stop after the build
  --           what follows is given to cmake, e.g. -- -DTHALWEG_CPU_ARCH=x86-64-v3
May be repeated: a second run needs no network and builds only what changed.
TEXT
}

read_arguments() {
  jobs=""
  demo=yes
  cmake_arguments=()
  while [ $# -gt 0 ]; do
    case $1 in
      --help) usage; exit 0 ;;
      --no-demo) demo=no ;;
      --) shift; cmake_arguments=("$@"); break ;;
      --jobs) jobs=${2:-}; [[ $jobs =~ ^[1-9][0-9]*$ ]] || fail 2 "--jobs needs a positive number"; shift ;;
      *) usage >&2; fail 2 "unknown argument $1" ;;
    esac
    shift
  done
  [ -n "$jobs" ] || jobs=$(default_jobs)
}

build() {
  local tests=ON name
  for name in libgtest-dev libgmock-dev libbenchmark-dev; do
    is_installed "$name" || tests=OFF
  done
  configure release -DTHALWEG_BUILD_TESTS=$tests -DTHALWEG_BUILD_BENCH=$tests "${cmake_arguments[@]}"
  build_target release "$jobs" thalweg
}

run_demo() {
  rm -rf "$root/out/demo"
  echo "    \$ build/release/bin/thalweg hmot jobs/demo.toml"
  (cd "$root" && build/release/bin/thalweg hmot jobs/demo.toml </dev/null) || {
    local code=$?
    echo "error: step $step_number ($step_title) failed with exit code $code; its log: $root/out/demo" >&2
    exit $code
  }
}

# The heaviest rows of a table with a column "mass", numbers shortened, columns aligned.
print_heaviest_edges() {
  awk -F'\t' -v OFS='\t' '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "mass") mass = i; print "inf", $0; next }
    { weight = mass ? $mass : -NR; for (i = 1; i <= NF; i++) if ($i ~ /^-?[0-9.]+(e-?[0-9]+)?$/) $i = sprintf("%.4g", $i)
      print weight, $0 }' "$1" | sort -t "$(printf '\t')" -k 1,1gr | sed -n 1,13p | cut -f 2- |
    awk -F'\t' '{ for (i = 1; i <= NF; i++) printf "%-20s", $i; print "" }' | sed 's/ *$//'
}

show_result() {
  echo
  echo "The heaviest transitions between cell types, of out/demo/tables/edges.tsv:"
  print_heaviest_edges "$root/out/demo/tables/edges.tsv"
  cat <<'TEXT'

Plots:   out/demo/plots/diffmap.svg, sankey.svg, .. (open in a browser)
Cells:   out/demo/result.h5ad (in Python: anndata.read_h5ad)

Next:    build/release/bin/thalweg inspect jobs/data/celegans_amphid.h5ad   what a file holds
         build/release/bin/thalweg describe hmot                            every key of this job
         ./scripts/test.sh                                                  pass all tests
TEXT
}

read_arguments "$@"
tolerate_read_only_home

begin_step "packages"
install_packages install
end_step

begin_step "Kokkos"
"$root/scripts/get_kokkos.sh"
end_step

begin_step "build"
build
end_step

if [ $demo = yes ]; then
  begin_step "demo"
  run_demo
  end_step
  show_result
else
  skip_step "demo" "--no-demo"
fi
print_summary
