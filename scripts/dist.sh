#!/usr/bin/env bash
# Builds sdist and wheel with the locked build environment, proves that a second build has the same bytes, installs the
# wheel with its locked dependencies into a clean environment and runs it from /.
# Leaves dist/ with the two files and SHA256SUMS; everything else goes into build/dist and is removed.
set -euo pipefail
cd "$(dirname "$0")/.."
uv="$(scripts/uv.sh)"
root="$PWD" work="$PWD/build/dist"
rm -rf "$work" dist
mkdir -p "$work" dist
trap 'rm -rf "$work"' EXIT
# The time that archives carry: the commit's, so that the same commit gives the same bytes.
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct 2>/dev/null || echo 1580601600)"
export SOURCE_DATE_EPOCH

say() { printf '▸ %s\n' "$1" >&2; }

say "Build, twice: from the checkout, and from its sdist in another folder, with other dates, rights and umask"
"$uv" venv --quiet --python "$root/.venv/bin/python" "$work/builder"
"$uv" pip sync --quiet --python "$work/builder/bin/python" --require-hashes requirements/build.txt
"$work/builder/bin/hatchling" build -d "$work/one" >/dev/null
mkdir "$work/unpacked"
tar -xzf "$work"/one/*.tar.gz -C "$work/unpacked" --strip-components=1
find "$work/unpacked" -exec touch -d 2001-02-03T04:05:06Z {} + -exec chmod go-rwx {} +
(umask 077 && cd "$work/unpacked" && "$work/builder/bin/hatchling" build -d "$work/two" >/dev/null)
diff <(cd "$work/one" && sha256sum -- *) <(cd "$work/two" && sha256sum -- *) >&2 ||
  { say "error: two builds of one commit differ"; exit 1; }
cp "$work"/one/* dist/
(cd dist && sha256sum -- *.whl *.tar.gz >SHA256SUMS)

say "Install the wheel with its locked dependencies into a clean environment"
"$uv" venv --quiet --python "$root/.venv/bin/python" "$work/clean"
"$uv" pip sync --quiet --python "$work/clean/bin/python" --require-hashes requirements/local.txt
"$uv" pip install --quiet --python "$work/clean/bin/python" --no-deps --no-index dist/*.whl

say "Run it from /, with a home of its own"
mkdir "$work/home"
UV_CACHE_DIR="$("$uv" cache dir)" # checkov is installed on first use; its packages need not be fetched again
export UV_CACHE_DIR HOME="$work/home" PATH="$(dirname "$uv"):$PATH" PYTHONSAFEPATH=1
unset VIRTUAL_ENV PYTHONPATH PYTHONDONTWRITEBYTECODE
cd /
stackseal="$work/clean/bin/stackseal"
"$stackseal" --version
"$stackseal" list-products
"$stackseal" demo --format json --log-level warning >"$work/demo.json"
"$work/clean/bin/python" -I - "$work/demo.json" <<'PY'
import json, sys
with open(sys.argv[1], encoding="utf-8") as file:
    facts = json.load(file)
assert facts["deploy"]["sealed"] and facts["closed"] is True and facts["drift"]["resource"], facts
print(f"demo: {facts['deploy']['status']}, {facts['deploy']['resources']} resources, drift found and closed")
PY
cat "$root/dist/SHA256SUMS"
