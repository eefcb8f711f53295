"""Executing one change set deletes the others of the stack: the deployment says whose they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from e2e.harness import Bench, example
from stackseal.model import Outcome

pytestmark = pytest.mark.e2e


def proposed(bench: Bench, number: int, owner: str) -> None:
    bench.git("switch", "--quiet", "main")
    bench.git("switch", "--quiet", "--create", f"pr-{number}")
    bench.write(example().replace("owner: ml-platform-team", f"owner: {owner}"))
    bench.commit(owner)
    bench.review(number)


def test_the_other_pull_requests_of_the_stack_are_named(bench: Bench) -> None:
    for number, owner in ((1, "one"), (12, "two"), (7, "three")):
        proposed(bench, number, owner)
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-1")
    done = bench.run("--format", "json", "deploy", "--pull-request", "1", "--force")
    assert done.code == 0, done.stderr
    (row,) = done.facts["deployments"]
    assert (row["outcome"], row["stale"]) == ("created", [7, 12])
    (again,) = bench.deploy(1)
    assert (again.outcome, again.stale) == (Outcome.UNCHANGED, ())


def test_a_folder_cannot_be_asked_about_pull_requests(bench: Bench) -> None:
    for command in (("replan", "--pull-requests", "7"), ("show-pull-request", "--pull-request", "7")):
        done = bench.run(*command)
        assert (done.code, "Nobody can be asked about pull requests here" in done.stderr) == (2, True)


def test_what_is_no_merge_of_the_commit_is_not_reviewed(bench: Bench, tmp_path: Path) -> None:
    """A pull request that moved between the question and the checkout."""
    proposed(bench, 1, "one")
    head = bench.git("rev-parse", "HEAD")
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--no-ff", "--message", "Merge", "pr-1")
    bundle = (tmp_path / "bundle.json").as_posix()
    common = ("review", "--base", "HEAD^1", "--to-bundle", bundle)
    done = bench.run(*common, "--commit", "b" * 40)
    assert (done.code, "is not the merge of bbbbbbbbbbbb" in done.stderr) == (4, True)
    assert bench.run(*common, "--commit", head).code == 0
