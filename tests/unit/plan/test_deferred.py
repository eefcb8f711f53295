"""A plan that waits for other stacks' values: predicted, sealed to the property, proven against what was published."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stackseal.model import (
    KNOWN_AFTER_APPLY,
    Action,
    Certainty,
    Change,
    Plan,
    PlanKind,
    PlanOperation,
    PropertyChange,
    Replacement,
    StackId,
    Template,
    Wait,
)
from stackseal.plan import predicted
from stackseal.plan.prove import prove_again, unpublished
from stackseal.plan.reads import reads
from stackseal.plan.record import SealRecord, dump, load, record
from stackseal.plan.seal import ANY, coarse, lines_of, seal, subset
from unit.plan.plans import HEAD, ROLE
from unit.plan.templates import STACK, template

PATH, OTHER = "/vpc/main/VPCId", "/vpc/main/Zone"
WAIT = Wait(stack=StackId(account=STACK.account, region=STACK.region, name="vpc-stack"), path=PATH, changes=True)


def head() -> Template:
    """A group in a VPC whose id is read from Parameter Store, and a queue that is not concerned."""
    return template(
        {
            "Group": {
                "Type": "AWS::EC2::SecurityGroup",
                "Properties": {"GroupDescription": "g", "VpcId": {"Ref": "Vpc"}},
            },
            "Published": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": "/sg/id", "Type": "String", "Value": {"Fn::GetAtt": ["Group", "GroupId"]}},
            },
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
        },
        parameters={"Vpc": PATH, "Zone": OTHER},
        Parameters={
            "Vpc": {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::VPC::Id>"},
            "Zone": {"Type": "AWS::SSM::Parameter::Value<String>"},
        },
    )


def deferred(base: Template | None = None) -> Plan:
    made = predicted.predict(base, head(), execution_role=ROLE, later={PATH})
    operation = PlanOperation.CREATE if base is None else PlanOperation.UPDATE
    made = replace(made, kind=PlanKind.DEFERRED, operation=operation, awaits=(WAIT,))
    return replace(made, seal=seal(made, head()))


def sealed(base: Template | None = None) -> SealRecord:
    known = {"Zone": "a"}
    return record(
        deferred(base), head(), pull_request=7, head=HEAD, base=None, created="2026-11-20T06:00:00", resolved=known
    )


def real(base: Template | None = None) -> Plan:
    """What CloudFormation says of it once the value is there."""
    made = deferred(base)
    return replace(made, kind=PlanKind.CHANGE_SET, change_set="arn", awaits=())


def test_a_new_value_is_a_change_of_what_reads_it_and_of_what_follows() -> None:
    assert predicted.predict(head(), head()).changes == ()
    group, published = deferred(head()).changes
    (vpc,) = group.properties
    assert (vpc.path, vpc.after, vpc.cause, group.replacement) == (
        "VpcId",
        KNOWN_AFTER_APPLY,
        "Vpc",
        Replacement.ALWAYS,
    )
    assert [(item.path, item.after) for item in published.properties] == [("Value", KNOWN_AFTER_APPLY)]
    assert published.certainty is Certainty.CASCADE


def test_the_parameters_that_are_read_are_known_by_name() -> None:
    assert reads(head()) == {"Vpc": PATH, "Zone": OTHER}
    assert reads(template({})) == {}


def test_the_record_keeps_what_is_awaited_and_comes_back_the_same() -> None:
    found = sealed()
    assert found.awaited == {PATH: "vpc-stack"}
    assert load(dump(found), source="x") == found
    assert all(line.value in {ANY, ""} for line in sealed(head()).lines)


def test_the_seal_depends_on_who_is_awaited() -> None:
    other = replace(deferred(), awaits=(replace(WAIT, stack=replace(WAIT.stack, name="other")),))
    assert seal(other, head()) != deferred().seal
    assert seal(replace(deferred(), awaits=()), head()) != deferred().seal


@pytest.mark.parametrize("base", [None, head()])
def test_the_real_plan_is_proven_where_it_does_no_more(base: Template | None) -> None:
    now = {"Vpc": "vpc-1", "Zone": "a"}
    assert prove_again(sealed(base), real(base), head(), resolved=now) == ()
    less = replace(real(base), changes=real(base).changes[:1])
    assert prove_again(sealed(base), less, head(), resolved=now) == ()


def test_a_value_that_the_review_knew_must_still_be_the_same() -> None:
    (reason,) = prove_again(sealed(), real(), head(), resolved={"Vpc": "vpc-1", "Zone": "b"})
    assert reason == "The SSM value behind Zone is not the one at review."


MORE = (
    Change(action=Action.ADD, logical_id="Backdoor", type="AWS::IAM::Role"),
    Change(
        action=Action.MODIFY,
        logical_id="Queue",
        type="AWS::SQS::Queue",
        properties=(PropertyChange(path="DelaySeconds", before="0", after="1"),),
    ),
    Change(action=Action.REMOVE, logical_id="Queue", type="AWS::SQS::Queue", policy_action="Delete"),
    Change(
        action=Action.MODIFY,
        logical_id="Group",
        type="AWS::EC2::SecurityGroup",
        properties=(PropertyChange(path="GroupDescription", before='"g"', after='"h"'),),
    ),
    Change(
        action=Action.MODIFY,
        logical_id="Published",
        type="AWS::SSM::Parameter",
        replacement=Replacement.ALWAYS,
        properties=(PropertyChange(path="Value", before='"a"', after='"b"', replacement=Replacement.ALWAYS),),
    ),
)


@pytest.mark.parametrize("more", MORE, ids=lambda change: f"{change.action.value}-{change.logical_id}")
def test_a_real_plan_that_does_more_is_refused_by_name(more: Change) -> None:
    grown = replace(real(head()), changes=(*real(head()).changes, more))
    reasons = prove_again(sealed(head()), grown, head(), resolved={"Vpc": "vpc-1", "Zone": "a"})
    assert reasons
    assert all(reason.startswith(f"Not reviewed: {more.action.value} {more.logical_id} ") for reason in reasons)


def test_another_operation_than_the_predicted_one_is_refused() -> None:
    (reason,) = prove_again(sealed(head()), replace(real(head()), operation=PlanOperation.CREATE), head())[:1]
    assert reason == "The plan would create the stack; reviewed was: update."


def test_lines_are_coarse_in_depth_and_value_only() -> None:
    change = Change(
        action=Action.MODIFY,
        logical_id="Endpoint",
        type="AWS::EC2::VPCEndpoint",
        properties=(
            PropertyChange(path="SubnetIds/0", before='"a"', after='"b"'),
            PropertyChange(path="SubnetIds/1", before='"a"', after='"b"', replacement=Replacement.ALWAYS),
            PropertyChange(path="/DeletionPolicy", before=None, after='"Retain"'),
        ),
    )
    assert [(line.path, line.value) for line in coarse([change])] == [("/DeletionPolicy", ANY), ("SubnetIds", ANY)]
    whole = replace(change, properties=(PropertyChange(path="SubnetIds", before=None, after=KNOWN_AFTER_APPLY),))
    assert subset(coarse([replace(change, properties=change.properties[:1])]), coarse([whole])) == ()
    assert lines_of(replace(deferred(), changes=(change,))) == coarse([change])


GOOD = {"resolved": {"Vpc": "vpc-1", "Zone": "a"}, "now": {PATH: "vpc-1"}, "published": {PATH: "IN_SYNC"}}


@pytest.mark.parametrize(
    ("different", "reason"),
    [
        ({}, ""),
        ({"published": {}}, "The stack vpc-stack does not publish /vpc/main/VPCId."),
        (
            {"published": {PATH: "MODIFIED"}},
            "what the stack vpc-stack published: drift detection calls it MODIFIED",
        ),
        ({"published": {PATH: "DELETED"}}, "drift detection calls it DELETED"),
        ({"published": {PATH: "NOT_CHECKED"}}, "drift detection calls it NOT_CHECKED"),
        ({"now": {PATH: "vpc-2"}}, "The value of Vpc is not the one behind /vpc/main/VPCId: it changed meanwhile."),
        ({"now": {}}, "The value of Vpc is not the one behind /vpc/main/VPCId: it changed meanwhile."),
    ],
)
def test_only_what_the_stack_before_it_published_is_used(different: dict[str, dict[str, str]], reason: str) -> None:
    reasons = unpublished(sealed(), head(), **{**GOOD, **different})
    assert len(reasons) == bool(reason)
    assert reason in "".join(reasons)


def test_a_cautious_prediction_follows_attributes_of_what_changes_in_place() -> None:
    """As change sets do: CloudFormation evaluates an attribute only when it deploys."""
    body = {
        "Project": {"Type": "AWS::CodeBuild::Project", "Properties": {"Description": {"Ref": "Vpc"}}},
        "Reader": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Fn::GetAtt": ["Project", "Arn"]}}},
        "Named": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Ref": "Project"}}},
        "Bound": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAtt": ["Project", "Arn"]}}},
    }
    found = template(body, parameters={"Vpc": PATH}, Parameters={"Vpc": {"Type": "AWS::SSM::Parameter::Value<String>"}})
    plain = predicted.predict(found, found, later={PATH})
    assert [change.logical_id for change in plain.changes] == ["Project"]
    cautious = {
        change.logical_id: change for change in predicted.predict(found, found, later={PATH}, cautious=True).changes
    }
    assert sorted(cautious) == ["Bound", "Project", "Reader"]
    assert cautious["Reader"].certainty is Certainty.CASCADE
    assert (cautious["Reader"].replacement, cautious["Bound"].replacement) == (
        Replacement.NEVER,
        Replacement.CONDITIONAL,
    )
