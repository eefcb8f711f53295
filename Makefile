# Everything a person or CI does here. CI calls only these; a red build is reproducible by one word.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test e2e trust lint fmt golden docs dist bench lock clean

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# A file stays on one worker, so that what its tests share is made once; in the order of the folders, slow ones first.
PARALLEL := -n 3 --dist loadfile --no-loadscope-reorder
# A stale byte-code switch in the environment would double every start-up time.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV
export PYTHONSAFEPATH := 1
# Behind a proxy of an organisation the certificates are the system's.
export UV_SYSTEM_CERTS := 1

help:  ## list the targets
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):[^#]*## /\1\t/' | expand -t 10

setup: $(READY)  ## .venv with everything, .venv/bin/stackseal

$(READY): requirements/dev.txt requirements/checkov.txt requirements/build.txt pyproject.toml scripts/uv.sh
	@uv="$$(scripts/uv.sh)"; \
	"$$uv" venv --quiet --allow-existing $(VENV); \
	"$$uv" pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt requirements/build.txt; \
	"$$uv" pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	$(BIN)/stackseal --install-checkov
	@touch $@

demo: setup  ## the main job, offline, on the embedded AWS: config, review, deploy, drift
	@$(BIN)/stackseal demo

test: setup  ## every test: unit, golden, contract, e2e
	@rm -f reports/e2e.json; $(BIN)/pytest -q $(PARALLEL) -m "not trust" $(PYTEST_ARGS)
	@if [ -f reports/e2e.json ]; then cat reports/e2e.json; fi

e2e: setup  ## the real workflows, run by act; what they measured in reports/e2e.json
	@rm -f reports/e2e.json
	@$(BIN)/pytest -q $(PARALLEL) tests/e2e_github $(PYTEST_ARGS)
	@cat reports/e2e.json

trust: setup  ## proofs by inputs that others wrote, in full; figures in reports/trust.json
	@$(BIN)/pytest -q -n 2 --dist loadgroup -m trust --trust-report reports/trust.json tests/trust $(PYTEST_ARGS)

lint: setup  ## ruff, mypy strict, zizmor, our own products through our own checks
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@if compgen -G '.github/workflows/*.yml' >/dev/null; then $(BIN)/zizmor --quiet --offline --persona auditor --no-ignores --strict-collection .; fi
	@$(BIN)/stackseal check --region us-west-2 tests/golden | tail -n 1

fmt: setup  ## let ruff write
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

golden: setup  ## bless today's output as the expected one; then read the diff
	@STACKSEAL_GOLDEN=write $(BIN)/pytest -q -n 2 tests/golden

docs: setup  ## write docs/reference/ from the code, and all pages as HTML into build/docs
	@$(BIN)/python scripts/buildspecs.py
	@$(BIN)/python scripts/docs.py
	@$(BIN)/python scripts/action.py
	@$(BIN)/python scripts/features.py
	@$(BIN)/python scripts/privilege.py --write
	@$(BIN)/python scripts/pages.py

dist: setup  ## build the wheel, install it in a clean environment, run the demo from /
	@scripts/dist.sh

bench: setup  ## what it costs here: cold start, --help, a review by stage, reports, policies; into reports/bench.json
	@$(BIN)/python scripts/bench.py $(BENCH_ARGS)

lock: setup  ## compile requirements/*.txt from pyproject.toml
	@PATH="$$(dirname "$$(scripts/uv.sh)"):$$PATH" scripts/lock.sh

clean:  ## remove what the other targets made
	@rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache reports
