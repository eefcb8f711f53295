#!/usr/bin/env bash
# Prints the path of a uv: the one on PATH if it is ours to use, else a hash-pinned one from PyPI.
# Used by the Makefile, action.yml and every buildspec, so that nothing has to be installed beforehand but python3 with pip.
set -euo pipefail
if command -v uv >/dev/null 2>&1; then
  command -v uv
  exit 0
fi
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="${STACKSEAL_UV_DIR:-${RUNNER_TEMP:-${XDG_CACHE_HOME:-$HOME/.cache}}/stackseal-uv-0.13.8}"
if [ ! -x "$target/bin/uv" ]; then
  python3 -m pip install --quiet --no-deps --no-compile --only-binary :all: --disable-pip-version-check \
    --require-hashes --upgrade --target "$target" --requirement "$here/../requirements/uv.txt" >&2
fi
if [ -n "${GITHUB_PATH:-}" ]; then echo "$target/bin" >>"$GITHUB_PATH"; fi
echo "$target/bin/uv"
