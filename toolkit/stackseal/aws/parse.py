"""CloudFormation's answers as values of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from stackseal.aws import changes
from stackseal.aws.shapes import ChangeSetState, Objection, StackState, iso
from stackseal.model import DriftStatus, ResourceEvent

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import DescribeChangeSetOutputTypeDef, StackTypeDef

INCOMPLETE: Final = "[WARN] --include-property-values"
"""How the status reason of the view with values begins when it leaves something out."""


def stack(found: StackTypeDef) -> StackState:
    """One stack of DescribeStacks."""
    drift = found.get("DriftInformation", {}).get("StackDriftStatus", "")
    return StackState(
        name=found["StackName"],
        arn=found.get("StackId", ""),
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        outputs={item.get("OutputKey", ""): item.get("OutputValue", "") for item in found.get("Outputs", ())},
        parameters={
            item.get("ParameterKey", ""): item.get("ParameterValue", "") for item in found.get("Parameters", ())
        },
        tags={item["Key"]: item["Value"] for item in found.get("Tags", ())},
        capabilities=tuple(sorted(found.get("Capabilities", ()))),
        role_arn=found.get("RoleARN") or None,
        termination_protection=bool(found.get("EnableTerminationProtection", False)),
        created=iso(found.get("CreationTime")),
        last_updated=iso(found.get("LastUpdatedTime") or found.get("CreationTime")),
        drift=DriftStatus(drift) if drift in {"IN_SYNC", "DRIFTED"} else DriftStatus.UNKNOWN,
    )


def event(item: Mapping[str, Any], moment: str) -> ResourceEvent:
    """One row of DescribeStackEvents; `moment` is its time as text."""
    return ResourceEvent(
        logical_id=item.get("LogicalResourceId", ""),
        type=item.get("ResourceType", ""),
        status=item.get("ResourceStatus", ""),
        reason=item.get("ResourceStatusReason", ""),
        timestamp=moment,
        physical_id=item.get("PhysicalResourceId", ""),
    )


def objection(item: Mapping[str, Any]) -> Objection:
    """One VALIDATION_ERROR of DescribeEvents."""
    return Objection(
        logical_id=item.get("LogicalResourceId", ""),
        validation=item.get("ValidationName", ""),
        status=item.get("ValidationStatus", ""),
        mode=item.get("ValidationFailureMode", ""),
        path=item.get("ValidationPath", ""),
        reason=" ".join(item.get("ValidationStatusReason", "").split()),
    )


def change_set(
    first: DescribeChangeSetOutputTypeDef,
    plain: Sequence[Mapping[str, Any]],
    detailed: Sequence[Mapping[str, Any]] | None,
    warning: str,
) -> ChangeSetState:
    """A change set from its two views.

    `first` is the first page of the plain view, `detailed` None where there is no view with values, `warning` that
    view's status reason.
    """
    parameters = first.get("Parameters", ())
    return ChangeSetState(
        name=first["ChangeSetName"],
        arn=first["ChangeSetId"],
        stack_arn=first.get("StackId", ""),
        status=first["Status"],
        execution_status=first["ExecutionStatus"],
        reason=first.get("StatusReason", ""),
        description=first.get("Description", ""),
        changes=changes.changes(detailed or (), plain),
        nested=changes.nested(plain),
        parameters={item.get("ParameterKey", ""): item.get("ParameterValue", "") for item in parameters},
        resolved={
            item.get("ParameterKey", ""): item["ResolvedValue"] for item in parameters if "ResolvedValue" in item
        },
        tags={item["Key"]: item["Value"] for item in first.get("Tags", ())},
        capabilities=tuple(sorted(first.get("Capabilities", ()))),
        values=detailed is not None,
        incomplete=INCOMPLETE in warning,
    )
