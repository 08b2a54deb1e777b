# Numbered steps, logs and packages, shared by the scripts of this folder. Sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$root/build/logs
step_number=0
step_title=""
step_start=0
summary=()
missing_packages=()

# --- steps ---------------------------------------------------------------------------------------

begin_step() {
  step_number=$((step_number + 1))
  step_title=$1
  step_start=$SECONDS
  echo "[$step_number] $step_title"
}

end_step() {
  local seconds=$((SECONDS - step_start))
  echo "[$step_number] $step_title: ${1:-done} (${seconds} s)"
  summary+=("$(printf '%-44s %-10s %4d s' "$step_title" "${1:-done}" "$seconds")")
}

skip_step() {
  begin_step "$1"
  end_step "skipped: $2"
}

# Is this step named in THALWEG_SKIP, a list such as "slurm cuda debug"?
is_skipped() {
  [[ " ${THALWEG_SKIP:-} " == *" $1 "* ]]
}

print_summary() {
  echo
  printf '  %s\n' "${summary[@]}"
}

# fail CODE MESSAGE..: the end of a script.
fail() {
  local code=$1
  shift
  printf 'error: %s\n' "$@" >&2
  exit "$code"
}

# logged NAME COMMAND..: output into build/logs/NAME.log; on failure its last 40 lines and its path.
# Returns the command's exit code.
logged() {
  local log=$logs/$1.log code=0
  shift
  mkdir -p "$logs"
  echo "    \$ $(printf '%q ' "$@")"
  "$@" >"$log" 2>&1 </dev/null || code=$?
  [ $code -eq 0 ] || show_failure "$log" $code
  return $code
}

show_failure() {
  local step=""
  [ $step_number -eq 0 ] || step="step $step_number ($step_title) "
  tail -n 40 "$1" >&2
  echo "error: ${step}failed with exit code $2; the whole log: $1" >&2
}

# --- machine -------------------------------------------------------------------------------------

# Compile jobs: one a core, half of that where a job would have less than 2 GiB.
default_jobs() {
  local cores memory
  cores=$(env -u OMP_NUM_THREADS nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  if [ "$memory" -lt $((2 * cores)) ] && [ "$cores" -gt 1 ]; then cores=$((cores / 2)); fi
  echo "$cores"
}

# Several ranks on this machine, quietly.
load_launcher_environment() {
  set -a
  # shellcheck source=scripts/launcher.env
  source "$root/scripts/launcher.env"
  set +a
}

# Tools that cache below the home folder must not fail where it cannot be written.
tolerate_read_only_home() {
  if [ -w "${HOME:-/nonexistent}" ]; then return; fi
  echo "    home folder ${HOME:-(none)} cannot be written: compiler and pip caches are off"
  export CCACHE_DISABLE=1 PIP_NO_CACHE_DIR=1
}

# --- packages ------------------------------------------------------------------------------------

# Names of the given groups of packages.txt, e.g. `package_names install test`.
package_names() {
  local group
  for group; do
    awk -v group="$group" '$1 == group {print $2}' "$root/scripts/packages.txt"
  done
}

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Package lists younger than a day.
has_fresh_package_lists() {
  [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null)" ]
}

apt_line() {
  echo "apt-get update && apt-get install -y --no-install-recommends ${missing_packages[*]}"
}

explain_missing_packages() {
  cat <<TEXT
    not installed: ${missing_packages[*]}
    as root:       $(apt_line)
    on a cluster:  module load gcc cmake openmpi hdf5-parallel openblas kokkos (docs/install.md)
TEXT
}

# install_packages GROUP..: installs what is missing where that is allowed, else says what to do and goes
# on: modules may provide it. Sets missing_packages to what is still missing.
install_packages() {
  local name sudo=()
  missing_packages=()
  if ! command -v dpkg-query >/dev/null; then
    echo "    not a Debian system: what is needed is listed in docs/install.md"
    return
  fi
  for name in $(package_names "$@"); do
    is_installed "$name" || missing_packages+=("$name")
  done
  if [ ${#missing_packages[@]} -eq 0 ]; then return; fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      explain_missing_packages
      return
    fi
    sudo=(sudo -n)
  fi
  export DEBIAN_FRONTEND=noninteractive
  if ! has_fresh_package_lists; then
    logged apt-update "${sudo[@]}" apt-get update || fail 2 "the package lists could not be fetched"
  fi
  logged apt-install "${sudo[@]}" apt-get install -y --no-install-recommends "${missing_packages[@]}" ||
    fail 2 "packages could not be installed: ${missing_packages[*]}"
  missing_packages=()
}

# --- CMake ---------------------------------------------------------------------------------------

# configure PRESET [ARGUMENT..]: a failure with packages missing ends with the line that installs them.
configure() {
  local preset=$1 generator=()
  shift
  command -v cmake >/dev/null || fail 2 "cmake not found" "$(apt_line)"
  command -v ninja >/dev/null || generator=(-G "Unix Makefiles")
  (cd "$root" && logged "configure-$preset" cmake --preset "$preset" "${generator[@]}" "$@") && return
  if [ ${#missing_packages[@]} -gt 0 ]; then
    fail 2 "not configured, and packages are missing; as root: $(apt_line)"
  fi
  exit 1
}

# build_target PRESET JOBS [TARGET..]: all targets when none is named.
build_target() {
  local preset=$1 jobs=$2 target targets=()
  shift 2
  for target; do targets+=(--target "$target"); done
  (cd "$root" && logged "build-$preset" cmake --build --preset "$preset" --parallel "$jobs" "${targets[@]}")
}

# The ten files of a preset that took longest to compile, from Ninja's log of all builds in this folder.
print_slowest_files() {
  local log=$root/build/$1/.ninja_log
  [ -f "$log" ] || return 0
  echo "    slowest files of preset $1 (s):"
  awk 'NR > 1 && $4 ~ /\.o$/ {printf "%8.1f  %s\n", ($2 - $1) / 1000, $4}' "$log" | sort -rn | sed -n 1,10p
}
