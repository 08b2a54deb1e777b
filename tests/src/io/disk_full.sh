#!/bin/sh
# disk_full.sh WRITER [LAUNCHER..]: results that do not fit, by a file-size limit and on a small disk.
# Asked for each time: exit code 1, one message with the space needed, no temporary, the old result intact.
set -u
writer=$1
shift
folder=$(mktemp -d)
disk=$folder/disk
mkdir "$disk"
trap 'umount "$disk" 2>/dev/null; rm -rf "$folder"' EXIT

fail() {
  echo "FAILED: $1" >&2
  cat "$folder/messages" >&2
  exit 1
}

# expect_refusal NAME FOLDER ROWS COMPRESSION SPACE LIMIT LAUNCHER..: SPACE = a part of the message
expect_refusal() {
  name=$1 place=$2 result=$2/result.h5ad rows=$3 compression=$4 space=$5 limit=$6
  shift 6
  "$writer" "$result" 10 none || fail "$name: the small result"
  cp "$result" "$folder/old"
  timeout 60 "$@" sh -c 'ulimit -f "$1"; shift; exec "$@"' sh "$limit" "$writer" "$result" "$rows" "$compression" \
    >"$folder/messages" 2>&1
  code=$?
  [ $code -eq 1 ] || fail "$name: exit code $code instead of 1"
  [ "$(grep -c '^error: ' "$folder/messages")" -eq 1 ] || fail "$name: not one message"
  grep -q "^error: .*$space.* needed in $place" "$folder/messages" || fail "$name: the message lacks '$space'"
  [ ! -e "$result.tmp" ] || fail "$name: the temporary is still there"
  cmp -s "$result" "$folder/old" || fail "$name: the old result has changed"
}

# The limit leaves room for the shared-memory files of MPI.
expect_refusal "file-size limit" "$folder" 1000000 none "File too large" 65536 "$@"

if mount -t tmpfs -o size=8m tmpfs "$disk" 2>/dev/null; then
  expect_refusal "before the work" "$disk" 200000 none "No space left" unlimited "$@"
  expect_refusal "texts" "$disk" 200000 gzip "" unlimited "$@"
  expect_refusal "compressed arrays" "$disk" 165000 gzip "No space left" unlimited "$@"
  "$@" "$writer" "$disk/result.h5ad" 1000 gzip || fail "a result that fits, after all these"
else
  echo "no permission to mount a small disk: only the file-size limit was tested"
fi
