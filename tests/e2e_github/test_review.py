"""The real workflows, run by act from a consumer's repository: reviews without a credential, and one that blocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.test_workflows import PERMISSIONS
from e2e.harness import STARTER, example
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
