"""What DescribeChangeSet and ListChangeSets tell, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from stackseal.local.cloudformation import changes
from stackseal.local.messages import ServiceError

PAGE: Final = 50
"""Rows per page; AWS pages at 1 MB."""
_ALWAYS: Final = (
    "ChangeSetName",
    "ChangeSetId",
    "StackId",
    "StackName",
    "CreationTime",
    "ExecutionStatus",
    "Status",
)
_SOMETIMES: Final = ("Description", "StatusReason", "OnStackFailure")


def change_set(found: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """One page of a change set, with property values when the call asks for them."""
    plan = found.get("_plan")
    values = form.get("IncludePropertyValues", "false").lower() == "true"
    rows = changes.shown(plan, values=values) if plan is not None else found.get("Changes", [])
    page, token = _page(rows, form)
    return {
        **_kept(found),
        "Capabilities": found.get("Capabilities", []),
        "Tags": found.get("Tags", []),
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Parameters": [_parameter(key, value) for key, value in found.get("_resolved_params", {}).items()],
        "Changes": [{"Type": "Resource", **row} for row in page],
        "IncludeNestedStacks": False,
        "ImportExistingResources": bool(found.get("ImportExistingResources")),
        **token,
    }


def summaries(rows: Sequence[Mapping[str, Any]], form: Mapping[str, str]) -> dict[str, Any]:
    """One page of a stack's change sets."""
    page, token = _page(rows, form)
    return {"Summaries": [{**_kept(row), "IncludeNestedStacks": False} for row in page], **token}


def _kept(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: found[key] for key in _ALWAYS} | {key: found[key] for key in _SOMETIMES if found.get(key)}


def _page(rows: Sequence[Any], form: Mapping[str, str]) -> tuple[Sequence[Any], dict[str, str]]:
    given = form.get("NextToken", "")
    if given and not given.isdigit():
        raise ServiceError("ValidationError", "Invalid NextToken")
    start = int(given or 0)
    following = start + PAGE
    return rows[start:following], {"NextToken": str(following)} if following < len(rows) else {}


def _parameter(key: str, value: Mapping[str, Any]) -> dict[str, str]:
    if value.get("NoEcho"):
        return {"ParameterKey": key, "ParameterValue": "****"}
    if "SsmName" in value:
        return {"ParameterKey": key, "ParameterValue": str(value["SsmName"]), "ResolvedValue": str(value["Value"])}
    return {"ParameterKey": key, "ParameterValue": str(value["Value"])}
