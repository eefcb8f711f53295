"""The CloudFormation endpoint: ministack answers, after and before what AWS does differently."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from stackseal.local import ministack
from stackseal.local.cloudformation import changes, drift, wire
from stackseal.local.cloudformation.hooks import Hooks
from stackseal.local.messages import Place, Request, Response, ServiceError

Form = Mapping[str, str]
_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}\Z|arn:")
_TOKEN_ACTIONS: Final = frozenset({"CreateStack", "UpdateStack", "DeleteStack", "ExecuteChangeSet", "CreateChangeSet"})
PAGE: Final = 50
"""Changes per page of DescribeChangeSet; AWS pages at 1 MB."""


class Front:
    """One request in, one response out; holds the idempotency tokens."""

    def __init__(self, forward: Callable[[Request], Response], hooks: Hooks, *, enforce: bool) -> None:
        self._forward, self._hooks, self._enforce = forward, hooks, enforce
        self._tokens: dict[tuple[Place, str, str], tuple[dict[str, str], Response]] = {}
        self._special: Mapping[str, Callable[[Request, Form, str], Response]] = {
            "CreateChangeSet": self._create_change_set,
            "CreateStack": self._create_stack,
            "DeleteStack": self._delete_stack,
            "DescribeChangeSet": self._describe_change_set,
            "DescribeStacks": self._describe_stacks,
            "DetectStackDrift": self._detect_drift,
            "DetectStackResourceDrift": self._detect_resource_drift,
            "ExecuteChangeSet": self._execute,
            "UpdateStack": self._update_stack,
        }

    def reset(self) -> None:
        self._tokens.clear()

    def handle(self, request: Request, place: Place, access_key: str) -> Response:
        """Answers as CloudFormation does, errors included."""
        form = request.form()
        action = form.get("Action", "")
        token = form.get("ClientRequestToken") or form.get("ClientToken") or ""
        try:
            with ministack.at(place):
                if action in _TOKEN_ACTIONS and token:
                    return self._once(request, form, (place, action, token), access_key)
                return self._answer(request, form, access_key)
        except ServiceError as error:
            return wire.failure(error)

    def _answer(self, request: Request, form: Form, access_key: str) -> Response:
        special = self._special.get(form.get("Action", ""))
        return special(request, form, access_key) if special else self._forward(request)

    def _once(self, request: Request, form: Form, key: tuple[Place, str, str], access_key: str) -> Response:
        """A token that was seen gives the answer of then; AWS refuses it for anything else."""
        given = {name: value for name, value in form.items() if not name.startswith("Client")}
        seen = self._tokens.get(key)
        if seen is not None:
            if seen[0] != given:
                raise ServiceError(
                    "TokenAlreadyExistsException", f"Token [{key[2]}] was already used for another request"
                )
            return seen[1]
        answer = self._answer(request, form, access_key)
        if answer.ok:
            self._tokens[key] = (given, answer)
        return answer

    # --- stacks -------------------------------------------------------------------------------------------------------

    def _create_stack(self, request: Request, form: Form, access_key: str) -> Response:
        role = self._role(form, access_key)
        answer = self._forward(request)
        if answer.ok:
            ministack.expect_role(form.get("StackName", ""), role, access_key)
        return answer

    def _update_stack(self, request: Request, form: Form, access_key: str) -> Response:
        record = ministack.stack(form.get("StackName", ""))
        if record is not None:
            self._take_role(record, form, access_key)
        return self._forward(request)

    def _delete_stack(self, request: Request, form: Form, access_key: str) -> Response:
        return self._update_stack(request, form, access_key)

    def _describe_stacks(self, request: Request, form: Form, access_key: str) -> Response:
        answer = self._forward(request)
        if not answer.ok:
            return answer

        def with_role(found: re.Match[str]) -> str:
            record = ministack.stack(found[1])
            role = record.get("RoleARN") if record else None
            return f"{found[0]}<RoleARN>{role}</RoleARN>" if role else found[0]

        body = re.sub(r"<StackId>([^<]+)</StackId>", with_role, answer.body.decode())
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        return Response(status=answer.status, headers=headers, body=body.encode())

    def _role(self, form: Form, access_key: str) -> str:
        return form.get("RoleARN", "")

    def _take_role(self, record: dict[str, Any], form: Form, access_key: str) -> None:
        role = self._role(form, access_key)
        if role:
            record["RoleARN"] = role
        record["_caller"] = access_key

    # --- change sets --------------------------------------------------------------------------------------------------

    def _create_change_set(self, request: Request, form: Form, access_key: str) -> Response:
        _check_limits(form)
        role = self._role(form, access_key)
        answer = self._forward(request)
        if not answer.ok:
            return answer
        found = re.search(r"<Id>([^<]+)</Id>", answer.body.decode())
        change_set = ministack.change_sets()[found[1] if found else ""]
        record = ministack.stack_record(change_set["StackName"])
        change_set["_role"] = role or record.get("RoleARN", "")
        change_set["_plan"] = changes.compute(record, change_set)
        _settle(record, change_set)
        return answer

    def _describe_change_set(self, request: Request, form: Form, access_key: str) -> Response:
        answer = self._forward(request)
        if not answer.ok:
            return answer
        return wire.result("DescribeChangeSet", _described(_change_set(form), form))

    def _execute(self, request: Request, form: Form, access_key: str) -> Response:
        change_set = _change_set(form)
        record = ministack.stack_record(change_set["StackName"]) if change_set else None
        if record is not None and change_set["ExecutionStatus"] == "AVAILABLE":
            if change_set.get("_role"):
                record["RoleARN"] = change_set["_role"]
            record["_caller"] = access_key
        return self._forward(request)

    # --- drift --------------------------------------------------------------------------------------------------------

    def _detect_drift(self, request: Request, form: Form, access_key: str) -> Response:
        record = _existing(form)
        only = frozenset(value for name, value in form.items() if name.startswith("LogicalResourceIds.member."))
        return wire.result("DetectStackDrift", {"StackDriftDetectionId": drift.detect(self._hooks, record, only)})

    def _detect_resource_drift(self, request: Request, form: Form, access_key: str) -> Response:
        record, logical_id = _existing(form), form.get("LogicalResourceId", "")
        drift.detect(self._hooks, record, frozenset({logical_id}))
        return wire.result(
            "DetectStackResourceDrift", {"StackResourceDrift": _typed(record["_resources"][logical_id]["_drift"])}
        )


def _typed(found: Mapping[str, Any]) -> dict[str, Any]:
    return dict(found)


def _existing(form: Form) -> dict[str, Any]:
    name = form.get("StackName", "")
    record = ministack.stack(name)
    if record is None or record["StackStatus"] == "DELETE_COMPLETE":
        raise ServiceError("ValidationError", f"Stack [{name}] does not exist")
    return record


def _check_limits(form: Form) -> None:
    """The limits of the API reference that ministack does not check."""
    name, description = form.get("ChangeSetName", ""), form.get("Description", "")
    problems = []
    if len(name) > 128:
        problems.append(
            f"Value '{name}' at 'changeSetName' failed to satisfy constraint: "
            "Member must have length less than or equal to 128"
        )
    if not _NAME.match(name) and len(name) <= 128:
        problems.append(
            f"Value '{name}' at 'changeSetName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    if len(description) > 1024:
        problems.append(
            "Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1024"
        )
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise ServiceError("ValidationError", count + "; ".join(problems))


def _change_set(form: Form) -> dict[str, Any]:
    """The record of a change set by ARN, or by name with its stack; empty when there is none."""
    name, stack = form.get("ChangeSetName", ""), ministack.stack(form.get("StackName", ""))
    for arn, found in ministack.change_sets().items():
        by_name = found["ChangeSetName"] == name and stack is not None and found["StackName"] == stack["StackName"]
        if arn == name or by_name:
            record: dict[str, Any] = found
            return record
    return {}


def _settle(record: Mapping[str, Any], change_set: dict[str, Any]) -> None:
    """A change set is worth something when our comparison finds changes, or the outputs differ."""
    if change_set["ChangeSetType"] == "IMPORT" or change_set.get("_import_existing"):
        return
    outputs = (record.get("_template") or {}).get("Outputs") or {}
    if change_set["_plan"] or outputs != (change_set["_template"].get("Outputs") or {}):
        change_set.update(Status="CREATE_COMPLETE", ExecutionStatus="AVAILABLE", StatusReason="")
    else:
        reason = (
            "The submitted information didn't contain changes. Submit different information to create a change set."
        )
        change_set.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=reason)


def _described(change_set: Mapping[str, Any], form: Form) -> dict[str, Any]:
    values = form.get("IncludePropertyValues", "false").lower() == "true"
    token = form.get("NextToken", "")
    if token and not token.isdigit():
        raise ServiceError("ValidationError", "Invalid NextToken")
    start = int(token or 0)
    plan = change_set.get("_plan")
    rows = changes.shown(plan, values=values) if plan is not None else change_set.get("Changes", [])
    kept = ("ChangeSetName", "ChangeSetId", "StackId", "StackName", "CreationTime", "ExecutionStatus", "Status")
    found = {key: change_set[key] for key in kept}
    for key in ("Description", "StatusReason", "OnStackFailure"):
        if change_set.get(key):
            found[key] = change_set[key]
    found.update(
        Capabilities=change_set.get("Capabilities", []),
        Tags=change_set.get("Tags", []),
        NotificationARNs=[],
        RollbackConfiguration={},
        Parameters=[_parameter(key, value) for key, value in change_set.get("_resolved_params", {}).items()],
        Changes=[{"Type": "Resource", **row} for row in rows[start : start + PAGE]],
        IncludeNestedStacks=False,
        ImportExistingResources=bool(change_set.get("ImportExistingResources")),
    )
    if start + PAGE < len(rows):
        found["NextToken"] = str(start + PAGE)
    return found


def _parameter(key: str, value: Mapping[str, Any]) -> dict[str, str]:
    if value.get("NoEcho"):
        return {"ParameterKey": key, "ParameterValue": "****"}
    if "SsmName" in value:
        return {"ParameterKey": key, "ParameterValue": str(value["SsmName"]), "ResolvedValue": str(value["Value"])}
    return {"ParameterKey": key, "ParameterValue": str(value["Value"])}
