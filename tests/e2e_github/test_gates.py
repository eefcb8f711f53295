"""A gate, by the real workflows: it stops the review in the job `publish`, and lets it and the deployment through."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from e2e.harness import STARTER, example
from e2e.test_gates import RULE
from e2e_github.facts import measured
from e2e_github.harness import SETTINGS, Hub

pytestmark = pytest.mark.e2e
CONFIG = f"configs/{STARTER}.yaml"
STACK = f"{STARTER.removesuffix('-s3')}-stack"
GATES = "gates:\n  - {on: any, needs: approval}\n  - {on: any, needs: code-owner}\n"


def rule(consumer: Hub, *, owners: bool) -> None:
    """The branch's ruleset: one approval, of a code owner or of anybody."""
    repository = consumer.repository
    repository.rules[:] = [{"type": "pull_request", "parameters": {**RULE, "require_code_owner_review": owners}}]
    repository.required_approvals, repository.code_owners = 1, ("alice",) if owners else ()


def test_a_gate_stops_the_review_until_the_code_owner_has_approved(consumer: Hub, cloud: Any) -> None:
    """Nothing but `publish` asks who has approved: the plan is sealed, and the required check is red all the same."""
    repository = consumer.repository
    repository.world.clock.time = datetime.now(UTC)
    repository.collaborators["alice"] = "write"
    repository.push("main", {"stackseal.yaml": SETTINGS + GATES, ".github/CODEOWNERS": "* @alice\n"})
    rule(consumer, owners=False)
    number, event = consumer.pull_request({CONFIG: example()}, author="bob")
    stopped = consumer.act("pull_request", "review", event)
    ends = {"render": "success", "plan": "success", "publish": "failure", "scan": "success", "verdict": "failure"}
    assert stopped.jobs == ends, stopped.log
    assert stopped.output("verdict") == "blocked"
    (comment,) = repository.comments_of(number)
    shown = comment.body
    assert f"🟡 **missing**: an approval of `{STACK}`" in shown
    assert f"🔴 **cannot be decided**: a code owner's approval of `{STACK}`" in shown
    assert "no ruleset asks for code owners' reviews on main" in shown

    rule(consumer, owners=True)
    repository.world.clock.time = datetime.now(UTC)
    repository.review(number, "APPROVED", author="alice")
    again = consumer.act("pull_request", "review", event)
    assert again.jobs == dict.fromkeys(ends, "success"), again.log
    (comment,) = repository.comments_of(number)
    assert comment.body.count("🟢 **approved**") == 2
    assert "**missing**" not in comment.body

    done = consumer.act("push", "deploy", consumer.merge(number))
    assert done.jobs == {"deploy": "success"}, done.log
    (row,) = json.loads(done.output("deployments"))
    assert row == {"stack": STACK, "outcome": "created", "status": "CREATE_COMPLETE"}
    assert cloud.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    measured(gate_stops_the_review=stopped.code != 0, gate_lets_through_what_is_approved=row["outcome"])
