"""What may not be decided is not allowed, and every reason is a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from stackseal.hosts.gates import Facts, ReviewState, decide
from stackseal.model import Action, Change, Consequence, Plan, PlanKind, PlanOperation, StackId


@dataclass(frozen=True)
class Rule:
    stack: str = "*"
    env: str = "*"
    on: str = "destructive"
    needs: str = "code-owner"


STACK = StackId(account="123456789012", region="eu-west-1", name="churn")
CHANGED = Facts(stack="churn", env="prod", destructive=False, data_loss=False, changes=True)
REPLACED = Facts(stack="churn", env="prod", destructive=True, data_loss=False, changes=True)
LOST = Facts(stack="churn", env="prod", destructive=True, data_loss=True, changes=True)
OWNER = ReviewState(approved=True, code_owner=True)
COLLEAGUE = ReviewState(approved=True, code_owner=False)
NOBODY = ReviewState(approved=False, code_owner=False)
NO_RULE = ReviewState(approved=None, code_owner=None, why="no ruleset asks for code owners' reviews on main")


@pytest.mark.parametrize(
    ("rule", "facts", "review", "allowed"),
    [
        (Rule(), CHANGED, None, True),
        (Rule(), REPLACED, OWNER, True),
        (Rule(), REPLACED, COLLEAGUE, False),
        (Rule(), REPLACED, NO_RULE, False),
        (Rule(), REPLACED, None, False),
        (Rule(on="data-loss"), REPLACED, NOBODY, True),
        (Rule(on="data-loss"), LOST, NOBODY, False),
        (Rule(on="any"), CHANGED, NOBODY, False),
        (Rule(on="any", needs="approval"), CHANGED, COLLEAGUE, True),
        (Rule(on="any", needs="approval"), CHANGED, NO_RULE, False),
        (Rule(env="dev"), REPLACED, NOBODY, True),
        (Rule(stack="other-*"), REPLACED, NOBODY, True),
        (Rule(on="a word that nobody knows"), CHANGED, NOBODY, False),
        (Rule(needs="a word that nobody knows"), REPLACED, COLLEAGUE, False),
    ],
)
def test_a_gate_is_open_only_to_what_it_asks_for(
    rule: Rule, facts: Facts, review: ReviewState | None, allowed: bool
) -> None:
    assert decide([rule], [facts], review).allowed is allowed


def test_without_gates_everything_is_allowed() -> None:
    assert decide([], [LOST], None).allowed


def test_the_reasons_are_sentences_without_repetition() -> None:
    assert decide([Rule(), Rule()], [LOST], NO_RULE).reasons == (
        (
            "churn loses data and needs a code owner's approval, which cannot be decided: "
            "no ruleset asks for code owners' reviews on main"
        ),
    )
    assert decide([Rule()], [REPLACED], None).reasons == (
        (
            "churn removes or replaces something and needs a code owner's approval, "
            "but there is no pull request that could have one"
        ),
    )
    assert decide([Rule(on="any", needs="approval")], [CHANGED], NOBODY).reasons == (
        "churn changes and needs an approval, which is missing",
    )


def test_the_facts_of_a_plan() -> None:
    def plan(operation: PlanOperation, *changes: Change, lost: bool = False) -> Plan:
        consequence = Consequence(logical_id="Bucket", type="AWS::S3::Bucket", sentence="Gone.", data_loss=lost)
        return Plan(
            stack=STACK,
            kind=PlanKind.CHANGE_SET,
            operation=operation,
            changes=changes,
            template_sha256="0" * 64,
            consequences=(consequence,),
        )

    removal = Change(action=Action.REMOVE, logical_id="Bucket", type="AWS::S3::Bucket")
    addition = Change(action=Action.ADD, logical_id="Bucket", type="AWS::S3::Bucket")
    assert Facts.of(plan(PlanOperation.UPDATE, removal), "prod") == REPLACED
    assert Facts.of(plan(PlanOperation.UPDATE, addition), "prod") == CHANGED
    assert Facts.of(plan(PlanOperation.DELETE), "prod") == REPLACED
    assert Facts.of(plan(PlanOperation.UPDATE, removal, lost=True), "prod") == LOST
    assert not Facts.of(plan(PlanOperation.NONE), "prod").changes
