#!/bin/sh
# simulate, inspect and plan from the outside: exit codes, one line an error, files that read back.
# Usage: data_commands.sh THALWEG GOLDEN_H5AD_FOLDER [LAUNCHER ..]
set -u
thalweg=$1
golden=$2
shift 2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failures=0

fail() {
  echo "FAILED: $1"
  sed 's/^/    /' out err
  failures=$((failures + 1))
}

# expect CODE TEXT COMMAND ..: the exit code, and TEXT somewhere in the output.
expect() {
  code=$1
  text=$2
  shift 2
  "$@" > out 2> err
  found=$?
  [ "$found" -eq "$code" ] || fail "exit $found instead of $code: $*"
  cat out err | grep -qF -- "$text" || fail "'$text' not said by: $*"
}

# refused TEXT ARGUMENTS ..: exit 2, nothing on stdout, one line on stderr.
refused() {
  text=$1
  shift
  expect 2 "$text" $run "$@"
  [ -s out ] && fail "output in spite of an error: $*"
  [ "$(grep -c '^error: ' err)" -eq 1 ] || fail "not one error line: $*"
}

run="$* $thalweg"
cat > sim.toml << 'END'
command = "simulate"
[simulate]
model = "mixture"
cells = 300
dimensions = 4
[output]
dir = "sim"
END
cat > hmot.toml << 'END'
command = "hmot"
[input]
file = "sim/simulation.h5ad"
time_key = "time"
[output]
dir = "hmot"
END

printf "" > empty.toml
expect 0 "900 cells x 4 features" $run plan sim.toml
expect 0 "900 cells x 4 features" $run simulate sim.toml --dry-run
[ -e sim ] && fail "a dry run wrote something"
expect 0 "900 cells x 4 dimensions" $run simulate sim.toml
expect 0 "900 x 4" $run inspect sim/simulation.h5ad --verify
grep -q "datasets verified" out || fail "checksums were not verified"
expect 0 '"verified_checksums"' $run inspect sim/simulation.h5ad --json --verify
expect 0 "none in this file" $run inspect "$golden/size_7.h5ad" --verify
expect 0 "900 cells x 4 features in 3 slices" $run plan hmot.toml
expect 0 "900 cells x 4 features in 3 slices" $run hmot hmot.toml --dry-run
expect 3 "no number of ranks" $run plan hmot.toml --set run.memory_gib=0.01
grep -q "features as read" out || fail "no table without room"
expect 3 "points" $run simulate sim.toml --set run.memory_gib=0.01 --out other
[ -e other ] && fail "a run without room made its folder"

refused "not found" inspect missing.h5ad
refused "is a folder" inspect .
refused "not an HDF5 file" inspect sim.toml
refused "bad_no_obs" inspect "$golden/bad_no_obs.h5ad"
refused "No such file" plan missing.toml
refused "is a folder" plan .
refused "not found" plan hmot.toml --set input.file=missing.h5ad
refused "not an HDF5 file" plan hmot.toml --set input.file=sim.toml
refused "obs column 'tme'" plan hmot.toml --set input.time_key=tme
refused "obsm key 'X_umap'" plan hmot.toml --set input.joint=obsm/X_umap
refused "rank has 2 entries" plan hmot.toml --set "hmot.rank=[2, 3]"
refused "two times" plan hmot.toml --set command=lowrank
refused "is missing" plan empty.toml
refused "simulate.model" simulate sim.toml --set simulate.model=tristabel
refused "simulate.particles" simulate sim.toml --set simulate.particles=0
refused "simulate.snapshots" simulate sim.toml --set simulate.model=volcano --set simulate.steps=20
refused "holds" simulate sim.toml --set run.seed=1

[ "$failures" -eq 0 ] && echo "all as expected"
exit "$failures"
