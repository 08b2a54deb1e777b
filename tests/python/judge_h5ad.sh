#!/bin/sh
# judge_h5ad.sh PYTHON WRITER [LAUNCHER..]: files of the writer under the eyes of anndata (check_h5ad.py).
# Skipped (77) without a Python with the packages of requirements-test.txt.
set -eu
python=$1 writer=$2
shift 2
if ! [ -x "$python" ] || ! "$python" -c 'import anndata' 2>/dev/null; then
  echo "no $python with anndata: skipped"
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for rows in 0 2 1003; do
  for compression in none gzip; do
    "$@" "$writer" "$folder/${rows}_$compression.h5ad" $rows $compression
    "$@" "$writer" "$folder/${rows}_${compression}_matrix.h5ad" $rows $compression matrix
  done
  "$python" "$(dirname "$0")/check_h5ad.py" "$folder"/${rows}_*.h5ad --example $rows
done
