"""What CloudFormation refuses and ministack does not.

Sources: the API reference's constraints, and error texts as AWS words them in public issue reports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from stackseal.local import ministack
from stackseal.local.messages import ServiceError

_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*\Z")
_UPDATABLE: Final = frozenset(
    {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
)
NO_CHANGES: Final = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)


def check(form: Mapping[str, str]) -> None:
    """The constraints of CreateChangeSet's parameters."""
    name, description = form.get("ChangeSetName", ""), form.get("Description", "")
    problems = []
    if len(name) > 128:
        problems.append(_problem(name, "changeSetName", "Member must have length less than or equal to 128"))
    if not _NAME.match(name):
        pattern = "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        problems.append(_problem(name, "changeSetName", pattern))
    if len(description) > 1024:
        problems.append(_problem(description, "description", "Member must have length less than or equal to 1024"))
    if problems:
        plural = "s" if len(problems) > 1 else ""
        count = f"{len(problems)} validation error{plural} detected: "
        raise ServiceError("ValidationError", count + "; ".join(problems))


def _problem(value: str, member: str, constraint: str) -> str:
    return f"Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"


def refuse_busy(record: Mapping[str, Any], action: str) -> None:
    """A stack does one thing at a time; only a deletion may overtake a creation."""
    status = str(record["StackStatus"])
    if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
        return
    if action == "DeleteStack" and status in {"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"}:
        return
    verb = "deleted" if action == "DeleteStack" else "updated"
    raise ServiceError("ValidationError", f"Stack:{record['StackId']} is in {status} state and can not be {verb}.")


def refuse_unfit(record: Mapping[str, Any], kind: str) -> None:
    """An update needs a stack that works; a creation needs none or an empty shell."""
    status = str(record["StackStatus"])
    if kind == "UPDATE" and status not in _UPDATABLE:
        raise ServiceError("ValidationError", f"Stack:{record['StackId']} is in {status} state and can not be updated.")
    if kind == "CREATE" and status not in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}:
        message = (
            f"Stack [{record['StackName']}] already exists and cannot be created again with the changeSet [CREATE]."
        )
        raise ServiceError("ValidationError", message)


def refuse_unresolved(template: Mapping[str, Any]) -> None:
    """A reference must lead to a parameter or a resource of the template."""
    resources = template.get("Resources") or {}
    known = resources.keys() | (template.get("Parameters") or {}).keys()
    for block in ("Resources", "Outputs"):
        found = {name for name, _ in ministack.references(template.get(block) or {})}
        if block == "Resources":
            for resource in resources.values():
                depends = resource.get("DependsOn") or []
                found.update([depends] if isinstance(depends, str) else depends)
        missing = sorted(name for name in found if name not in known and not name.startswith("AWS::"))
        if missing:
            raise ServiceError(
                "ValidationError",
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the {block} block "
                "of the template",
            )


def refuse_cycles(template: Mapping[str, Any]) -> None:
    """No resource may need itself."""
    resources = template.get("Resources") or {}
    try:
        ministack.ordered(resources, {})
    except ValueError as error:
        names = str(error).rpartition(": ")[2]
        raise ServiceError("ValidationError", f"Circular dependency between resources: [{names}]") from error


def settle(record: Mapping[str, Any], change_set: dict[str, Any]) -> None:
    """A change set can be executed when our comparison finds changes, or the outputs differ."""
    if change_set["ChangeSetType"] == "IMPORT" or change_set.get("_import_existing"):
        change_set["_plan"] = None
        return
    before = (record.get("_template") or {}).get("Outputs") or {}
    if change_set["_plan"] or before != (change_set["_template"].get("Outputs") or {}):
        change_set.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")
    else:
        change_set.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=NO_CHANGES)
