"""The real workflows, run by act from a consumer's repository: reviews without a credential, and one that blocks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.test_workflows import PERMISSIONS
from e2e.harness import STARTER, example
from e2e.test_network import VPC
from e2e.test_waves import name, text
from e2e_github.harness import Hub, hub
from fakes.github.fake import GitHubFake

pytestmark = pytest.mark.e2e
CONFIG = f"configs/{STARTER}.yaml"

REVIEW = {**PERMISSIONS["review", "publish"], **PERMISSIONS["review", "scan"]}


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[Hub]:
    with GitHubFake(tmp_path / "github") as github:
        yield hub(tmp_path, github)
        # The fake has no reactions, by which writers take turns; the forge goes on without.
        assert [line for line in github.violations if "/reactions:" not in line] == []


def test_a_fork_is_reviewed_without_any_credential(consumer: Hub) -> None:
    number, event = consumer.pull_request({CONFIG: example()}, fork=True)
    done = consumer.act("pull_request", "review", event, {})
    assert done.jobs == dict.fromkeys(("render", "predict", "publish", "verdict"), "success"), done.log
    assert "predicted, not sealed" in done.summary
    assert done.output("verdict") == "needs a human"
    assert done.output("change-set-id") == ""
    assert [row[0] for row in consumer.checkouts] == ["render", "predict"]
    assert consumer.repository.comments_of(number) == []
    assert consumer.github.calls == []


def test_a_large_review_is_drawn_by_several_jobs_and_published_once(consumer: Hub) -> None:
    """Here two stacks are many. A part that is taken away leaves the review without a verdict."""
    caller = consumer.work / ".github" / "workflows" / "stackseal-review.yml"
    caller.write_text(caller.read_text().rstrip() + '\n      stacks-per-shard: "1"\n')
    files = {CONFIG: example(), f"configs/{name(VPC)}": text(VPC)}
    number, event = consumer.pull_request(files, draft=True)
    done = consumer.act("pull_request", "review", event, REVIEW)
    assert done.jobs == dict.fromkeys(("render", "shard", "predict", "publish", "scan", "verdict"), "success"), done.log
    assert sorted(row[0] for row in consumer.checkouts) == ["predict", "render", "shard", "shard"]
    assert sorted(path.name for path in consumer.artifacts.glob("stackseal-part-*")) == [
        "stackseal-part-1-of-review",
        "stackseal-part-2-of-review",
    ]
    (comment,) = consumer.repository.comments_of(number)
    assert "2 stacks" in comment.body
    assert done.output("verdict") == "needs a human"

    # The service that keeps artifacts loses one of them.
    consumer.env["E2E_LOSE"] = "stackseal-part-2-of-review"
    shutil.rmtree(consumer.artifacts)
    consumer.artifacts.mkdir()
    done = consumer.act("pull_request", "review", event, REVIEW)
    assert done.code == 1
    assert (done.jobs["shard"], done.jobs["predict"], done.jobs["verdict"]) == ("success", "failure", "failure")
    assert "publish" not in done.jobs
    assert "part 2 of 2 is missing" in done.log
    assert done.output("verdict") == ""


def test_an_invalid_config_blocks_until_it_is_mended(consumer: Hub) -> None:
    text = example()
    number, event = consumer.pull_request({CONFIG: text.replace("tier: starter", "tier: golden")}, draft=True)
    done = consumer.act("pull_request", "review", event, REVIEW)
    assert done.code == 1
    ends = {"render": "success", "predict": "success", "publish": "failure", "scan": "success", "verdict": "failure"}
    assert done.jobs == ends, done.log
    assert done.output("verdict") == "blocked"
    (comment,) = consumer.repository.comments_of(number)
    assert f"{CONFIG}:" in comment.body
    assert "golden" in comment.body
    (findings,) = consumer.repository.sarifs.values()
    assert findings.ref == f"refs/pull/{number}/merge"
    assert [item["ruleId"] for item in findings.document["runs"][0]["results"]] == ["invalid-config"]

    consumer.repository.push(consumer.repository.pulls[number].head_ref, {CONFIG: None, "README.md": "words\n"})
    event = consumer.github.events.pull_request(consumer.repository, number, "synchronize")
    done = consumer.act("pull_request", "review", event, REVIEW)
    assert done.jobs == dict.fromkeys(("render", "predict", "publish", "scan", "verdict"), "success"), done.log
    assert done.output("verdict") == "ready"
    (again,) = consumer.repository.comments_of(number)
    assert again.id == comment.id
    assert "golden" not in again.body
