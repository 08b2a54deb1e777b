#!/usr/bin/env bash
# Puts the peers that compare.py runs beside thalweg into build/peers/{a,b}, at pinned versions with checked hashes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$root/bench/peers

if [ $# -gt 0 ]; then
  cat <<'TEXT'
usage: bench/peers/setup.sh

  a  torch, POT, geomloss, KeOps (about 6 GB: torch of the package index comes with its CUDA libraries)
  b  ott-jax with a jax that it works with (below 0.9)
Python 3.11 to 3.13 on x86-64 Linux. KeOps compiles its kernels with g++ when first used. Repeating it does nothing.
TEXT
  [ "$1" = --help ] && exit 0
  exit 2
fi

for name in a b; do
  venv=$root/build/peers/$name
  wanted=$(sha256sum <"$here/requirements-$name.txt")
  if [ "$(cat "$venv/requirements.sha256" 2>/dev/null)" = "$wanted" ]; then
    echo "$venv is up to date"
    continue
  fi
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$here/requirements-$name.txt"
  echo "$wanted" >"$venv/requirements.sha256"
  echo "$venv is ready"
done
