"""The ways to the rights of others that pathfinding.cloud lists: known to IAM and to Prowler, found, and never open."""

from __future__ import annotations

import pytest

from stackseal import facts
from stackseal.model import Policy, Role, Statement
from stackseal.policy.escalation import WAYS, is_open, left_open
from stackseal.policy.validate import statement_findings
from unit.policy import proof

pytestmark = pytest.mark.spec("A23")
NAMES = tuple(WAYS)
SERVICE = {"StringEquals": {"iam:PassedToService": ("ec2.amazonaws.com",)}}
REGION = {"StringEquals": {"aws:RequestedRegion": ("us-west-2",)}}


def holding(name: str, *resources: str, apart: bool = True) -> Policy:
    """A policy that allows what a way takes, each action in a statement of its own."""
    statements = tuple(
        Statement(
            sid=f"S{number}",
            actions=(action,),
            resources=resources,
            conditions=SERVICE if action == "iam:PassRole" else {},
        )
        for number, action in enumerate(WAYS[name].split())
    )
    return Policy(role=Role.EXECUTION, statements=statements[: None if apart else 1])


def found(policy: Policy) -> set[str]:
    return {finding.check for finding in statement_findings([policy])}


def test_all_of_them_are_there() -> None:
    assert len(WAYS) == 65
    assert len({frozenset(actions.split()) for actions in WAYS.values()}) == 65


@pytest.mark.parametrize("name", NAMES)
def test_iam_has_the_actions_and_prowler_knows_the_way_or_a_shorter_one(name: str) -> None:
    """The other list is kept by others: a slip of the pen would stand in one of them only."""
    needed = set(WAYS[name].split())
    assert all(facts.action(action) for action in needed)
    known = any(actions <= needed for actions in proof.prowler().values())
    assert known != (name == "sts-001"), "Prowler names AssumeRole with something else only"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("resource", ["*", "arn:aws:iam::111122223333:role/*"])
def test_a_policy_that_leaves_it_open_is_found(name: str, resource: str) -> None:
    policy = holding(name, resource)
    assert name in dict(left_open(policy.statements))
    assert "policy-escalation" in found(policy)
    assert name in proof.escalations(policy.statements)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("resource", ["iam::111122223333:role/mine", "cloudformation:us-west-2:111122223333:stack/a/*"])
def test_a_policy_that_names_what_it_is_for_is_not(name: str, resource: str) -> None:
    policy = holding(name, f"arn:aws:{resource}")
    assert name not in dict(left_open(policy.statements))
    assert "policy-escalation" not in found(policy)
    assert name not in proof.escalations(policy.statements)


def test_a_part_of_a_way_is_none() -> None:
    several = [name for name in NAMES if len(WAYS[name].split()) > 1]
    assert len(several) > 40
    for name in several:
        assert name not in dict(left_open(holding(name, "*", apart=False).statements))


def test_only_what_says_which_limits() -> None:
    def one(action: str, **conditions: dict[str, tuple[str, ...]]) -> Statement:
        return Statement(sid="S", actions=(action,), resources=("*",), conditions=conditions)

    assert is_open(one("iam:PassRole", **SERVICE), "iam:PassRole")
    assert is_open(one("codebuild:StartBuild", **REGION), "codebuild:StartBuild")
    assert not is_open(one("iam:PutRolePolicy", **SERVICE), "iam:PutRolePolicy")
    below = Statement(sid="S", actions=("iam:PutRolePolicy",), resources=("arn:aws:iam::111122223333:role/a/b/*",))
    assert is_open(below, "iam:PutRolePolicy")
    denied = Statement(sid="S", effect="Deny", actions=("iam:PassRole",), resources=("*",))
    assert not is_open(denied, "iam:PassRole")
