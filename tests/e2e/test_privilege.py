"""The generated roles are enough and no more, measured where IAM is asked: the embedded AWS enforces them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from e2e.privilege import EDITS, LARGEST, Rig, edited, execution, lacking
from stackseal import facts
from stackseal.local import EmbeddedAws
from stackseal.local.needs import Request
from stackseal.model import Policy
from unit.policy import judge
from unit.products import cases
from unit.products.cases import CASES, EVERY_GITHUB, Case

pytestmark = pytest.mark.e2e
TIERS = tuple(LARGEST)
DONE = {"CREATE": "CREATE_COMPLETE", "UPDATE": "UPDATE_COMPLETE"}


@pytest.fixture
def rig(embedded: EmbeddedAws) -> Iterator[Rig]:
    yield Rig(aws=embedded)
    embedded.reset()


@pytest.mark.spec("A23")
@pytest.mark.parametrize("case", [*CASES, *EVERY_GITHUB], ids=str)
def test_every_combination_lives_under_its_role_alone(case: Case, rig: Rig) -> None:
    first, second = cases.template(case), edited(case, "all tags at once")
    rig.grant(execution(first))
    assert rig.deploy(first, "CREATE") == "CREATE_COMPLETE", rig.reasons(first)
    rig.grant(execution(second, first))
    assert rig.deploy(second, "UPDATE") == "UPDATE_COMPLETE", rig.reasons(first)
    rig.grant(execution(second))
    assert rig.delete(second) == "DELETE_COMPLETE", rig.reasons(first)


@pytest.mark.spec("A23")
@pytest.mark.parametrize("tier", TIERS)
def test_every_edit_is_deployed_under_the_union_and_contracts_to_the_head(tier: str, rig: Rig) -> None:
    assert len(EDITS[tier]) >= 10
    here = cases.template(LARGEST[tier])
    rig.grant(execution(here))
    assert rig.deploy(here, "CREATE") == "CREATE_COMPLETE", rig.reasons(here)
    for name in EDITS[tier]:
        there = edited(LARGEST[tier], name)
        rig.grant(execution(there, here))
        assert rig.deploy(there, "UPDATE") == "UPDATE_COMPLETE", (name, rig.reasons(here))
        here = there
    rig.grant(execution(here))
    assert rig.delete(here) == "DELETE_COMPLETE", rig.reasons(here)


@pytest.mark.spec("A23")
@pytest.mark.parametrize("source", ["codecommit", "github"])
@pytest.mark.parametrize("tier", TIERS)
def test_what_fails_is_rolled_back_under_the_same_role(tier: str, source: str, rig: Rig) -> None:
    case = replace(LARGEST[tier], source=source)
    here, there = cases.template(case), edited(case, "a bucket name of its own")
    assert here.stack
    assert there.stack
    bucket = here.stack.names["ArtifactsBucketName"].value
    rig.take_bucket(bucket)
    rig.grant(execution(here))
    assert rig.deploy(here, "CREATE") == "ROLLBACK_COMPLETE"
    assert "not authorized" not in rig.reasons(here)
    assert rig.delete(here) == "DELETE_COMPLETE"
    rig.way.client("s3").delete_bucket(Bucket=bucket)
    assert rig.deploy(here, "CREATE") == "CREATE_COMPLETE", rig.reasons(here)
    rig.take_bucket(there.stack.names["ArtifactsBucketName"].value)
    rig.grant(execution(there, here))
    assert rig.deploy(there, "UPDATE") == "UPDATE_ROLLBACK_COMPLETE"
    assert "not authorized" not in rig.reasons(here)


UNUSED = {
    # Writes that no step of these stacks misses when they are taken away -> why the role has them all the same.
    "cloudwatch:TagResource": "the schema of dashboards and alarms names it; the judge knows tags of alarms only",
    "cloudwatch:UntagResource": "the same",
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress": "an edit of nothing but a rule's description; ours are constant",
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress": "the same",
    "iam:DeletePolicyVersion": "a policy keeps five versions, so only the fifth update deletes one",
    "iam:UpdateRoleDescription": "the schema names it beside UpdateRole and does not say which of them is called",
    "kms:DisableKeyRotation": "an edit that stops the rotation; ours never does",
    "logs:DeleteRetentionPolicy": "the rollback of an update that first sets a retention; ours always have one",
    "logs:DisassociateKmsKey": "the rollback of an update that first sets a key; ours always have one",
    "s3:UntagResource": "the schema names it beside PutBucketTagging and does not say which of them is called",
}


@cache
def stages(tier: str) -> dict[str, tuple[Policy, list[Request]]]:
    """Name of a step of the tier's life -> the role at that step, and what IAM is asked (rollbacks included)."""
    first = here = cases.template(LARGEST[tier])
    role = execution(first)
    found = {
        "create": (role, judge.creation(first)),
        "delete": (role, judge.deletion(first)),
    }
    for name in EDITS[tier]:
        there = edited(LARGEST[tier], name)
        both = execution(there, here)
        found[name] = (both, judge.change(here, there))
        found[f"rollback of {name}"] = (both, judge.rollback(here, there))
        here = there
    found["a release that changes every property"] = (role, judge.release(first))
    return found


@cache
def refused(tier: str) -> list[tuple[str, Request]]:
    """Step and request of everything that the role of the step does not allow."""
    found = []
    for step, (role, asked) in stages(tier).items():
        parts = judge.by_action(role)
        nothing = Policy(role=role.role, statements=())
        found += [
            (step, request) for request in asked if not judge.allowed(parts.get(request.action, nothing), request)
        ]
    return found


def missed(tier: str, action: str) -> str:
    """The first step that fails when the action is taken away; empty if none does."""
    for step, (role, asked) in stages(tier).items():
        mine = [request for request in asked if request.action == action]
        if mine and not any(judge.allowed(lacking(role, action), request) for request in mine):
            return step
    return ""


def writes(tier: str) -> list[str]:
    names = {name for item in stages(tier)["create"][0].statements for name in item.actions}
    return sorted(name for name in names if (known := facts.action(name)) and not known.reads)


@pytest.mark.spec("A23")
@pytest.mark.parametrize("tier", TIERS)
def test_no_request_of_any_step_is_refused(tier: str) -> None:
    assert sum(len(asked) for _, asked in stages(tier).values()) > 100
    assert refused(tier) == []


@pytest.mark.spec("A23")
def test_every_write_of_the_role_is_missed_by_a_step() -> None:
    idle = {action for tier in TIERS for action in writes(tier) if not missed(tier, action)}
    assert idle == UNUSED.keys()
    assert len(writes("enterprise")) > 10 * len(UNUSED)


NOT_RETAINED = {
    # Tier -> an action of its deletion, on something that does not stay behind with its data.
    "starter": "codebuild:DeleteProject",
    "professional": "iam:DeletePolicy",
    "enterprise": "ec2:DeleteVpcEndpoints",
}


def spread(actions: list[str]) -> list[str]:
    """First, middle and last."""
    return sorted({actions[0], actions[len(actions) // 2], actions[-1]})


@pytest.mark.spec("A23")
@pytest.mark.parametrize("tier", TIERS)
def test_a_creation_really_fails_without_one_of_its_actions(tier: str, rig: Rig) -> None:
    template = cases.template(LARGEST[tier])
    for action in spread([name for name in writes(tier) if missed(tier, name) == "create"]):
        rig.grant(lacking(execution(template), action))
        assert rig.deploy(template, "CREATE").startswith("ROLLBACK_"), action
        assert action in rig.reasons(template)
        rig.grant(execution(template))
        assert rig.delete(template) == "DELETE_COMPLETE", rig.reasons(template)


@pytest.mark.spec("A23")
@pytest.mark.parametrize("tier", TIERS)
def test_a_product_that_reads_from_github_really_fails_without_its_connection(tier: str, rig: Rig) -> None:
    template = cases.template(replace(LARGEST[tier], source="github"))
    action = "codeconnections:PassConnection"
    rig.grant(lacking(execution(template), action))
    assert rig.deploy(template, "CREATE").startswith("ROLLBACK_")
    assert action in rig.reasons(template)


@pytest.mark.spec("A23")
@pytest.mark.parametrize("tier", TIERS)
def test_an_edit_and_a_deletion_really_fail_without_one_of_their_actions(tier: str, rig: Rig) -> None:
    here, there = cases.template(LARGEST[tier]), edited(LARGEST[tier], "all tags at once")
    rig.grant(execution(here))
    assert rig.deploy(here, "CREATE") == "CREATE_COMPLETE", rig.reasons(here)
    for action in spread([name for name in writes(tier) if missed(tier, name) == "all tags at once"]):
        rig.grant(lacking(execution(there, here), action))
        assert rig.deploy(there, "UPDATE").startswith("UPDATE_ROLLBACK_"), action
        assert action in rig.reasons(here)
    action = NOT_RETAINED[tier]
    assert missed(tier, action) == "delete"
    rig.grant(lacking(execution(here), action))
    assert rig.delete(here) == "DELETE_FAILED", action
    assert action in rig.reasons(here)
    rig.grant(execution(here))
    assert rig.delete(here) == "DELETE_COMPLETE", rig.reasons(here)
