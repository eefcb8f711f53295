"""`check --configs --verify-cache`: what reviews believe of earlier runs, proven with the templates of all configs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.harness import Bench, Result, example
from stackseal.model import sha256

pytestmark = pytest.mark.e2e


@pytest.fixture
def kept(bench: Bench) -> Bench:
    """A repository with one config, of whose template a review has kept what cfn-lint says."""
    bench.world = replace(bench.world, engines=("cfn-lint",), caching=True)
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example())
    bench.commit("Add a product")
    done = bench.run("review", "--base", "main", "--to-bundle", str(bench.folder / "ml" / "bundle.json"))
    assert done.code == 0, done.stderr
    return bench


def files(bench: Bench) -> list[Path]:
    return sorted((bench.world.cache / "findings").rglob("*.json"))


def verified(bench: Bench) -> Result:
    return bench.run("check", "--configs", "--engines", "cfn-lint", "--verify-cache")


def test_what_a_review_has_kept_is_proven_and_what_lies_is_found(kept: Bench) -> None:
    before = [path.read_bytes() for path in files(kept)]
    assert before
    done = verified(kept)
    assert done.code == 0, done.stderr
    assert [path.read_bytes() for path in files(kept)] == before, "the same names: it is the review's own text"
    for path in files(kept):
        _, _, content = path.read_text().partition("\n")
        found = json.loads(content)
        found["raws"] = [] if found["raws"] else [["E1", "error", "forged", [], 1, 1, "", None]]
        content = json.dumps(found, separators=(",", ":"), sort_keys=True)
        path.write_text(f"{sha256(content)}\n{content}")
    done = verified(kept)
    assert done.code == 3
    assert "The cache of findings is wrong" in done.stderr
    assert done.stderr.count("\n") == 1


def test_files_or_configs(bench: Bench) -> None:
    for words in (("check",), ("check", "--configs", "template.yaml")):
        done = bench.run(*words)
        assert (done.code, done.stderr.count("\n")) == (2, 1)
    done = bench.run("check", "--configs", "--engines", "")
    assert done.code == 0, done.stderr
    bench.write(example().replace("tier: starter", "tier: golden"))
    assert bench.run("check", "--configs", "--engines", "").code == 2
