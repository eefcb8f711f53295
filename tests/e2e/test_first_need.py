"""checkov is looked for, and so installed, only where a template must be scanned.

STACKSEAL_CHECKOV names a file that is not there: whoever looks for checkov is refused with one sentence, so a run that
ends well never looked. (The workflows drift and cleanup of tests/e2e_github/ run with it, too.)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from e2e.harness import STARTER, Bench, Result, example
from stackseal.workers import Workers

pytestmark = pytest.mark.e2e
CONFIG = f"{STARTER}.yaml"


@contextmanager
def without_checkov(bench: Bench) -> Iterator[None]:
    """Both engines are asked for, and checkov is nowhere."""
    before = bench.world
    env = {**before.env, "STACKSEAL_CHECKOV": "/nowhere/checkov"}
    bench.world = replace(before, engines=("cfn-lint", "checkov"), env=env)
    yield
    bench.world = before


def good(done: Result) -> Result:
    assert done.code == 0, done.stderr
    assert "checkov" not in done.stderr
    return done


@pytest.fixture
def proposed(bench: Bench) -> Bench:
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example(), CONFIG)
    bench.commit("Add a product")
    return bench


def test_a_changed_config_needs_it(proposed: Bench) -> None:
    """The other tests here would see it if they asked for it."""
    with without_checkov(proposed):
        done = proposed.run("review", "--base", "main")
    assert done.code == 2
    assert "error: STACKSEAL_CHECKOV is /nowhere/checkov: that is no executable file;" in done.stderr


def test_a_change_of_other_files_needs_none(bench: Bench) -> None:
    bench.git("switch", "--quiet", "--create", "pr-1")
    (bench.folder / "README.md").write_text("words\n", encoding="utf-8")
    bench.commit("Write something")
    bundle, report = str(bench.folder / "ml" / "bundle.json"), str(bench.folder / "ml" / "report.json")
    with without_checkov(bench):
        assert "ready" in good(bench.run("review", "--base", "main", "--format", "json")).stdout
        good(bench.run("review", "--base", "main", "--to-bundle", bundle))
        good(bench.run("review", "--base", "main", "--from-bundle", bundle, "--to-report", report))


def test_only_the_first_of_the_jobs_needs_it(proposed: Bench) -> None:
    """Plan, publish, deploy, drift, cleanup and the review of a removal: none of them scans."""
    bundle, report = str(proposed.folder / "ml" / "bundle.json"), str(proposed.folder / "ml" / "report.json")
    parts = ("--from-bundle", bundle, "--to-report", report)
    good(proposed.run("review", "--base", "main", "--to-bundle", bundle))
    with without_checkov(proposed):
        good(proposed.run("review", "--base", "main", "--plan", "sealed", "--pull-request", "1", *parts))
        good(proposed.run("publish", report, "--pull-request", "1"))
        proposed.git("switch", "--quiet", "main")
        proposed.git("merge", "--quiet", "--ff-only", "pr-1")
        deployed = good(proposed.run("deploy", "--pull-request", "1", "--force", "--format", "json"))
        assert deployed.facts["deployments"][0]["outcome"] == "created"
        drift = good(proposed.run("drift", f"configs/{CONFIG}", "--format", "json"))
        assert [stack["status"] for stack in drift.facts["stacks"]] == ["IN_SYNC"]
        good(proposed.run("cleanup", "--pull-request", "1", "--state", "merged"))
        proposed.git("switch", "--quiet", "--create", "pr-2")
        (proposed.folder / "configs" / CONFIG).unlink()
        proposed.commit("Retire it")
        removal = good(proposed.run("review", "--base", "main", "--pull-request", "2", "--format", "json"))
        assert removal.facts["changed"] is True


def test_what_was_scanned_before_is_not_scanned_again(proposed: Bench) -> None:
    """Findings of earlier runs count: where no worker can start any more, the review is the same one."""
    closed = Workers()
    closed.close()
    world = replace(proposed.world, engines=("cfn-lint", "checkov"), caching=True)
    proposed.world = world
    first = good(proposed.run("review", "--base", "main", "--format", "json"))
    proposed.world = replace(world, workers=closed)
    again = good(proposed.run("review", "--base", "main", "--format", "json"))
    assert again.facts == first.facts
    proposed.world = replace(world, workers=closed, caching=False)
    assert proposed.run("review", "--base", "main").code == 3
