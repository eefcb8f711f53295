"""Sets, instances and operations as the API describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from stackseal.local.cloudformation.stack_sets.given import texts, yes
from stackseal.local.cloudformation.stack_sets.store import SELF, Instance, Operation, StackSet
from stackseal.local.cloudformation.stack_sets.work import ADMINISTRATION, EXECUTION
from stackseal.local.messages import Place, ServiceError

PAGE: Final = 20
"""Rows per page where the call names none; AWS gives up to 100."""


def stack_set(found: StackSet, hidden: Callable[[str], frozenset[str]]) -> dict[str, Any]:
    """The `StackSet` of DescribeStackSet; `hidden` names a template's NoEcho parameters."""
    given = found.given
    secret = hidden(given["TemplateBody"])
    shown: dict[str, Any] = {
        "StackSetName": found.name,
        "StackSetId": found.id,
        "StackSetARN": found.arn,
        "Description": given.get("Description"),
        "Status": "ACTIVE",
        "TemplateBody": given["TemplateBody"],
        "Parameters": [
            {**item, "ParameterValue": "****"} if item["ParameterKey"] in secret else item
            for item in given.get("Parameters") or []
        ],
        "Capabilities": texts(given.get("Capabilities")),
        "Tags": given.get("Tags") or [],
        "PermissionModel": given.get("PermissionModel", SELF),
        "ManagedExecution": {"Active": yes((given.get("ManagedExecution") or {}).get("Active"))},
        "Regions": sorted({place.region for place in found.instances}),
        "StackSetDriftDetectionDetails": found.drift or {"DriftStatus": "NOT_CHECKED"},
    }
    if found.self_managed:
        usual = f"arn:{found.home.partition}:iam::{found.home.account}:role/{ADMINISTRATION}"
        shown["AdministrationRoleARN"] = given.get("AdministrationRoleARN") or usual
        shown["ExecutionRoleName"] = given.get("ExecutionRoleName") or EXECUTION
    else:
        auto = given.get("AutoDeployment") or {}
        shown["AutoDeployment"] = {"Enabled": yes(auto.get("Enabled"))}
        if yes(auto.get("Enabled")):
            shown["AutoDeployment"]["RetainStacksOnAccountRemoval"] = yes(auto.get("RetainStacksOnAccountRemoval"))
        shown["OrganizationalUnitIds"] = sorted({each.unit for each in found.instances.values() if each.unit})
    return shown


def instance(found: StackSet, each: Instance) -> dict[str, Any]:
    """One row of ListStackInstances."""
    return {
        "StackSetId": found.id,
        "Account": each.place.account,
        "Region": each.place.region,
        "StackId": each.stack or None,
        "Status": each.status,
        "StatusReason": each.reason or None,
        "StackInstanceStatus": {"DetailedStatus": each.detailed},
        "OrganizationalUnitId": each.unit or None,
        "DriftStatus": each.drift,
        "LastOperationId": each.operation or None,
    }


def operation(found: StackSet, each: Operation) -> dict[str, Any]:
    """An operation, alone or as a row."""
    return {
        "OperationId": each.id,
        "StackSetId": found.id,
        "Action": each.action,
        "Status": each.status,
        "StatusReason": each.reason or None,
        "RetainStacks": each.retain,
        "CreationTimestamp": each.created,
        "EndTimestamp": each.ended or None,
        "StackSetDriftDetectionDetails": found.drift or None if each.action == "DETECT_DRIFT" else None,
    }


def results(found: StackSet, each: Operation) -> list[dict[str, Any]]:
    """What became of every account and region."""
    return [
        {
            "Account": place.account,
            "Region": place.region,
            "OrganizationalUnitId": _unit(found, place),
            **result,
        }
        for place, result in each.results.items()
    ]


def page(rows: Iterable[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """One page of `Summaries`."""
    listed, token = list(rows), str(given.get("NextToken") or "0")
    if not token.isdigit():
        raise ServiceError("ValidationError", "Invalid NextToken")
    start, size = int(token), int(given.get("MaxResults") or PAGE)
    following = start + size
    more = {"NextToken": str(following)} if following < len(listed) else {}
    return {"Summaries": listed[start:following], **more}


def _unit(found: StackSet, place: Place) -> str | None:
    each = found.instances.get(place)
    return (each.unit or None) if each else None
