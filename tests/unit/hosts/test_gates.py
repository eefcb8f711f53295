"""What may not be decided is not allowed, an early approval is none, and every reason is a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from stackseal.hosts.base import Approval, ReviewState
from stackseal.hosts.gates import NO_PULL_REQUEST, NOBODY_ASKED, Facts, concerning, judged, sentence
from stackseal.model import (
    Action,
    Change,
    Consequence,
    Gate,
    GateCheck,
    GateNeeds,
    GateOn,
    Plan,
    PlanKind,
    PlanOperation,
    StackId,
    Standing,
)

STACK = StackId(account="123456789012", region="eu-west-1", name="churn")
PROD = frozenset({"prod"})
CHANGED = Facts(stack="churn", envs=PROD, destructive=False, data_loss=False, changes=True)
REPLACED = replace(CHANGED, destructive=True)
LOST = replace(REPLACED, data_loss=True)
OWNER = ReviewState(approved=True, code_owner=True)
COLLEAGUE = ReviewState(approved=True, code_owner=False)
NOBODY = ReviewState(approved=False, code_owner=False)
NO_RULE = ReviewState(approved=None, code_owner=None, why="no ruleset asks for them", undecided="no decision")
OWNERLESS = ReviewState(approved=True, code_owner=None, why="no ruleset asks for them")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
COMMIT, OTHER = "a" * 40, "b" * 40
APPROVAL = Gate(on=GateOn.ANY, needs=GateNeeds.APPROVAL)


@pytest.mark.parametrize(
    ("gate", "facts", "concerned"),
    [
        (Gate(), CHANGED, False),
        (Gate(), REPLACED, True),
        (Gate(), LOST, True),
        (Gate(on=GateOn.DATA_LOSS), REPLACED, False),
        (Gate(on=GateOn.DATA_LOSS), LOST, True),
        (Gate(on=GateOn.ANY), CHANGED, True),
        (Gate(on=GateOn.ANY), replace(CHANGED, changes=False), False),
        (Gate(env="dev"), REPLACED, False),
        (Gate(env="p*"), REPLACED, True),
        (Gate(env="dev"), replace(REPLACED, envs=frozenset({"dev", "prod"})), True),
        (Gate(stack="other-*"), REPLACED, False),
        (Gate(stack="ch*"), REPLACED, True),
    ],
)
def test_a_gate_concerns_what_it_names(gate: Gate, facts: Facts, concerned: bool) -> None:
    found = concerning([gate], facts)
    assert bool(found) is concerned
    assert all(check.standing is Standing.OPEN and check.because is facts.worst for check in found)


def test_a_gate_that_is_written_twice_is_asked_once() -> None:
    assert len(concerning([Gate(), Gate(), Gate(env="prod")], LOST)) == 2
    assert concerning([], LOST) == ()


def standing(gate: Gate, review: ReviewState, **more: object) -> Standing:
    (check,) = concerning([gate], LOST)
    return judged(check, review, **more).standing  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("gate", "review", "expected"),
    [
        (Gate(), OWNER, Standing.SATISFIED),
        (Gate(), COLLEAGUE, Standing.MISSING),
        (Gate(), NOBODY, Standing.MISSING),
        (Gate(), NO_RULE, Standing.UNDECIDABLE),
        (Gate(), OWNERLESS, Standing.UNDECIDABLE),
        (Gate(), NO_PULL_REQUEST, Standing.OPEN),
        (Gate(), NOBODY_ASKED, Standing.OPEN),
        (APPROVAL, COLLEAGUE, Standing.SATISFIED),
        (APPROVAL, OWNERLESS, Standing.SATISFIED),
        (APPROVAL, NOBODY, Standing.MISSING),
        (APPROVAL, NO_RULE, Standing.UNDECIDABLE),
    ],
)
def test_only_what_is_known_satisfies(gate: Gate, review: ReviewState, expected: Standing) -> None:
    assert standing(gate, review) is expected


def test_an_approval_from_before_the_plan_grew_does_not_count() -> None:
    given = replace(OWNER, approvals=(Approval(by="alice", at=NOON),))
    assert standing(Gate(), given, since=NOON) is Standing.SATISFIED
    assert standing(Gate(), given, since=NOON.replace(hour=13)) is Standing.MISSING
    assert standing(Gate(), replace(given, approvals=()), since=NOON.replace(hour=13)) is Standing.SATISFIED


def test_an_approval_of_another_commit_does_not_count() -> None:
    assert standing(Gate(), replace(OWNER, head=COMMIT), head=COMMIT) is Standing.SATISFIED
    assert standing(Gate(), replace(OWNER, head=OTHER), head=COMMIT) is Standing.MISSING
    assert standing(Gate(), OWNER, head=COMMIT) is Standing.SATISFIED


@pytest.mark.parametrize(
    ("found", "assumed", "stops", "blocks"),
    [
        (Standing.SATISFIED, False, False, False),
        (Standing.MISSING, False, True, False),
        (Standing.UNDECIDABLE, False, True, True),
        (Standing.OPEN, False, True, False),
        (Standing.SATISFIED, True, False, False),
        (Standing.MISSING, True, True, False),
        (Standing.UNDECIDABLE, True, False, False),
        (Standing.OPEN, True, False, False),
    ],
)
def test_what_stops_a_deployment_and_what_blocks_a_review(
    found: Standing, assumed: bool, stops: bool, blocks: bool
) -> None:
    check = GateCheck(gate=Gate(assumed=assumed), because=GateOn.DESTRUCTIVE, standing=found)
    assert (check.stops, check.blocks) == (stops, blocks)


@pytest.mark.parametrize(
    ("gate", "facts", "review", "expected"),
    [
        (
            Gate(),
            LOST,
            NO_RULE,
            "churn loses data and needs a code owner's approval, which cannot be decided: no ruleset asks for them",
        ),
        (
            Gate(),
            REPLACED,
            NO_PULL_REQUEST,
            (
                "churn removes or replaces something and needs a code owner's approval, "
                "and nobody says that there is one: there is no pull request that could have one"
            ),
        ),
        (APPROVAL, CHANGED, NOBODY, "churn changes and needs an approval, which is missing: nobody has given it"),
        (APPROVAL, CHANGED, NO_RULE, "churn changes and needs an approval, which cannot be decided: no decision"),
        (APPROVAL, CHANGED, OWNER, "churn changes and needs an approval, which is there"),
    ],
)
def test_the_reasons_are_sentences(gate: Gate, facts: Facts, review: ReviewState, expected: str) -> None:
    (check,) = concerning([gate], facts)
    assert sentence(judged(check, review), facts.stack) == expected


def test_the_facts_of_a_plan() -> None:
    def facts(operation: PlanOperation, *changes: Change, lost: bool = False) -> Facts:
        consequence = Consequence(logical_id="Bucket", type="AWS::S3::Bucket", sentence="Gone.", data_loss=lost)
        plan = Plan(
            stack=STACK,
            kind=PlanKind.CHANGE_SET,
            operation=operation,
            changes=changes,
            template_sha256="0" * 64,
            consequences=(consequence,),
        )
        return Facts.of(plan, PROD)

    removal = Change(action=Action.REMOVE, logical_id="Bucket", type="AWS::S3::Bucket")
    addition = Change(action=Action.ADD, logical_id="Bucket", type="AWS::S3::Bucket")
    assert facts(PlanOperation.UPDATE, removal) == REPLACED
    assert facts(PlanOperation.UPDATE, addition) == CHANGED
    assert facts(PlanOperation.DELETE) == REPLACED
    assert facts(PlanOperation.UPDATE, removal, lost=True) == LOST
    assert facts(PlanOperation.UPDATE, addition, lost=True) == LOST
    assert not facts(PlanOperation.NONE).changes
    assert [each.worst for each in (CHANGED, REPLACED, LOST)] == [GateOn.ANY, GateOn.DESTRUCTIVE, GateOn.DATA_LOSS]
