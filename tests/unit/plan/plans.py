"""A reviewed plan, its record and the live change set that belongs to it, for the tests of the seal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stackseal.aws.shapes import ChangeSetState
from stackseal.model import (
    KNOWN_AFTER_APPLY,
    Action,
    Change,
    Plan,
    PlanKind,
    PlanOperation,
    PropertyChange,
    Replacement,
    Template,
)
from stackseal.plan.change_set import Live
from stackseal.plan.record import SealRecord, record
from stackseal.plan.seal import change_set_name, of_plan, seal
from unit.plan.templates import STACK, template

HEAD = "0123456789abcdef0123456789abcdef01234567"
ARN = "arn:aws:cloudformation:us-west-2:123456789012:changeSet/seal-pr7/1"
STACK_ARN = f"arn:aws:cloudformation:us-west-2:123456789012:stack/{STACK.name}/2"
ROLE = "arn:aws:iam::123456789012:role/stackseal-execution"

CHANGES = (
    Change(
        action=Action.MODIFY,
        logical_id="Bucket",
        type="AWS::S3::Bucket",
        physical_id="a",
        replacement=Replacement.ALWAYS,
        policy_action="ReplaceAndDelete",
        properties=(
            PropertyChange(path="BucketName", before='"a"', after='"b"', replacement=Replacement.ALWAYS, cause="Name"),
            PropertyChange(path="Tags", before=None, after='[{"Key":"a","Value":"b"}]'),
        ),
    ),
    Change(
        action=Action.MODIFY,
        logical_id="Reader",
        type="AWS::SSM::Parameter",
        properties=(PropertyChange(path="Value", before='"a"', after=KNOWN_AFTER_APPLY, cause="Bucket"),),
    ),
    Change(action=Action.REMOVE, logical_id="Topic", type="AWS::SNS::Topic", policy_action="Delete"),
)


def reviewed() -> Template:
    return template(
        {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}},
            "Reader": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Ref": "Bucket"}}},
        },
        parameters={"Name": "b"},
        tags={"team": "ml"},
    )


def plan(**differences: Any) -> Plan:
    found = Plan(
        stack=STACK,
        kind=PlanKind.CHANGE_SET,
        operation=PlanOperation.UPDATE,
        changes=CHANGES,
        template_sha256=reviewed().sha256,
        parameters=dict(reviewed().parameters),
        tags={"team": "ml"},
        execution_role=ROLE,
    )
    name = change_set_name(7, HEAD, of_plan(found, reviewed()).digest)
    found = replace(found, **{"change_set": ARN, "change_set_name": name, **differences})
    return replace(found, seal=seal(found, reviewed()))


def sealed() -> SealRecord:
    return record(
        plan(),
        reviewed(),
        pull_request=7,
        head=HEAD,
        base="f" * 40,
        created="2026-11-20T06:00:00+00:00",
        drift={"Bucket": "IN_SYNC", "Reader": "MODIFIED"},
        resolved={"Vpc": "vpc-1"},
    )


def live(**differences: Any) -> Live:
    """The change set as it was reviewed; keywords change its state."""
    state = ChangeSetState(
        name=plan().change_set_name or "",
        arn=ARN,
        stack_arn=STACK_ARN,
        status="CREATE_COMPLETE",
        execution_status="AVAILABLE",
        changes=CHANGES,
        parameters={"Name": "b"},
        resolved={"Vpc": "vpc-1"},
        tags={"team": "ml"},
    )
    return Live(state=replace(state, **differences), changes=CHANGES, template=reviewed().canonical)
