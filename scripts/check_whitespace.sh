#!/usr/bin/env bash
# Names each line with trailing blanks and each file without a newline at its end, among the given ones.
set -euo pipefail

if [ "${1:-}" = --help ]; then
  echo "usage: scripts/check_whitespace.sh FILE.."
  exit 0
fi

code=0
for file; do
  if grep -nE '[[:blank:]]+$' "$file" /dev/null; then code=1; fi
  if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then
    echo "$file: no newline at its end"
    code=1
  fi
done
exit $code
