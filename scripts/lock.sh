#!/usr/bin/env bash
# Compiles requirements/*.txt from pyproject.toml: exact, hashed, usable by pip alone, free of index addresses.
# Usage: scripts/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."
compile() {
  local out="requirements/$1.txt"
  shift
  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@" --output-file "$out"
}
compile local "${@}" --extra local pyproject.toml
# One boto3 in every lock but checkov's: ministack pins botocore, so `local` decides and the others follow.
for lock in runtime dev; do
  extra=()
  [ "$lock" = dev ] && extra=(--extra local --group dev)
  compile "$lock" "$@" "${extra[@]}" --constraints requirements/local.txt pyproject.toml
done
compile checkov "$@" --group checkov
compile build "$@" --group build
