"""Between review and deployment anything may have happened: every mutation is refused, the original is proven."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from stackseal.model import Action, Change, Drift, DriftStatus, PlanOperation, ResourceDrift, StackId
from stackseal.plan.change_set import Live
from stackseal.plan.prove import drifted, prove, prove_again, stack_of
from unit.plan.plans import ARN, CHANGES, ROLE, STACK_ARN, live, plan, reviewed, sealed
from unit.plan.templates import STACK, template

OTHER = Change(action=Action.ADD, logical_id="Backdoor", type="AWS::IAM::Role")


def drift(**statuses: str) -> Drift:
    resources = tuple(
        ResourceDrift(logical_id=name, type="AWS::S3::Bucket", physical_id="x", status=status)
        for name, status in statuses.items()
    )
    return Drift(stack=STACK, status=DriftStatus.UNKNOWN, resources=resources)


def test_the_reviewed_change_set_is_proven() -> None:
    assert prove(sealed(), live(), execution_role=ROLE) == ()
    now = drift(Bucket="IN_SYNC", Reader="MODIFIED")
    assert prove(sealed(), live(), execution_role=ROLE, drift=now) == ()


def test_spaces_and_order_of_the_template_do_not_matter() -> None:
    spaced = json.dumps(reviewed().body, indent=2)
    assert prove(sealed(), replace(live(), template=spaced), execution_role=ROLE) == ()


MUTATIONS: dict[str, tuple[Callable[[], Live], str]] = {
    "obsolete": (lambda: live(execution_status="OBSOLETE"), "cannot be executed"),
    "executed": (lambda: live(execution_status="EXECUTE_COMPLETE"), "cannot be executed"),
    "deleted": (lambda: live(status="DELETE_COMPLETE"), "cannot be executed"),
    "another change set": (lambda: live(arn=f"{ARN}-2"), "is not the reviewed one"),
    "forged name": (lambda: live(name="seal-pr7-0123456-000000000000"), "is not the reviewed one"),
    "another stack": (lambda: live(stack_arn=STACK_ARN.replace(STACK.name, "other")), "belongs to the stack"),
    "another account": (lambda: live(stack_arn=STACK_ARN.replace("123456789012", "9" * 12)), "belongs to the stack"),
    "another region": (lambda: live(stack_arn=STACK_ARN.replace("us-west-2", "eu-west-1")), "belongs to the stack"),
    "template": (lambda: replace(live(), template=template({}).canonical), "template is not the reviewed one"),
    "no JSON": (lambda: replace(live(), template="Resources: {}"), "template is not the reviewed one"),
    "parameter": (lambda: live(parameters={"Name": "evil"}), "parameters are not the reviewed ones: Name"),
    "parameter gone": (lambda: live(parameters={}), "parameters are not the reviewed ones: Name"),
    "parameter more": (lambda: live(parameters={"Name": "b", "X": "y"}), "parameters are not the reviewed ones: X"),
    "tag": (lambda: live(tags={}), "tags are not"),
    "capability": (lambda: live(capabilities=("CAPABILITY_NAMED_IAM",)), "capabilities are not"),
    "SSM value": (lambda: live(resolved={"Vpc": "vpc-2"}), "SSM value behind Vpc"),
    "SSM value gone": (lambda: live(resolved={}), "SSM value behind Vpc"),
    "a change more": (lambda: replace(live(), changes=(*CHANGES, OTHER)), "Not reviewed: Add Backdoor"),
    "a change less": (lambda: replace(live(), changes=CHANGES[1:]), "2 of the reviewed changes are missing"),
    "a change worse": (
        lambda: replace(live(), changes=(*CHANGES[:2], replace(CHANGES[2], action=Action.DYNAMIC))),
        "Not reviewed: Dynamic Topic",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_is_refused(name: str) -> None:
    mutate, reason = MUTATIONS[name]
    found = prove(sealed(), mutate(), execution_role=ROLE)
    assert any(reason in text for text in found), found


def test_another_execution_role_is_refused() -> None:
    assert any("execution role" in text for text in prove(sealed(), live(), execution_role=None))


def test_hidden_parameters_cannot_be_compared() -> None:
    assert prove(sealed(), live(parameters={"Name": "****"}), execution_role=ROLE) == ()


def test_a_change_by_hand_since_the_review_is_refused() -> None:
    assert list(drifted(sealed(), drift(Bucket="MODIFIED"))) == [
        "Bucket was IN_SYNC at review and is MODIFIED now: it was changed outside CloudFormation."
    ]
    assert list(drifted(sealed(), drift(Reader="MODIFIED", New="IN_SYNC"))) == []
    assert list(drifted(sealed(), None)) == []


def test_a_plan_made_again_may_be_smaller() -> None:
    again = plan(change_set="arn:other", change_set_name="deploy-1", changes=CHANGES[:1])
    assert prove_again(sealed(), again, reviewed(), resolved={"Vpc": "vpc-1"}) == ()
    nothing = plan(operation=PlanOperation.NONE, changes=())
    assert prove_again(sealed(), nothing, reviewed(), resolved={"Vpc": "vpc-1"}) == ()


def test_without_changes_no_ssm_value_can_matter() -> None:
    nothing = plan(operation=PlanOperation.NONE, changes=())
    assert prove_again(sealed(), nothing, reviewed(), resolved=None) == ()
    assert prove_again(sealed(), plan(), reviewed(), resolved=None) == (
        "The SSM value behind Vpc is not the one at review.",
    )


@pytest.mark.parametrize(
    ("difference", "reason"),
    [
        ({"changes": (*CHANGES, OTHER)}, "Not reviewed: Add Backdoor"),
        ({"tags": {"team": "x"}}, "are not the reviewed ones"),
        ({"execution_role": None}, "are not the reviewed ones"),
        ({"operation": PlanOperation.DELETE}, "would delete the stack"),
        ({"stack": StackId(account="9" * 12, region="us-west-2", name=STACK.name)}, "are not the reviewed ones"),
    ],
)
def test_a_plan_made_again_must_not_grow(difference: dict[str, object], reason: str) -> None:
    found = prove_again(sealed(), replace(plan(), **difference), reviewed(), resolved={"Vpc": "vpc-1"})  # type: ignore[arg-type] # fields by name
    assert any(reason in text for text in found), found


def test_a_new_ssm_value_stops_a_plan_made_again() -> None:
    assert any("SSM value" in text for text in prove_again(sealed(), plan(), reviewed(), resolved={"Vpc": "vpc-2"}))


def test_the_identity_is_read_from_the_arn() -> None:
    assert stack_of(STACK_ARN) == STACK
    assert stack_of("nonsense") == StackId(account="", region="", name="")
