"""The CloudFormation endpoint: ministack answers, before and after it what AWS does differently."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stackseal.local import ministack
from stackseal.local.cloudformation import changes, describe, drift, late, limits, wire
from stackseal.local.cloudformation.hooks import Hooks
from stackseal.local.cloudformation.stack_sets.calls import Calls
from stackseal.local.cloudformation.stack_sets.work import Worker
from stackseal.local.messages import Place, Request, Response, ServiceError
from stackseal.local.pipelines.role import Stopped

_TOKEN_ACTIONS: Final = frozenset({"CreateChangeSet", "CreateStack", "DeleteStack", "ExecuteChangeSet", "UpdateStack"})
_BUSY: Final = "_IN_PROGRESS"


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request: what it asks for, where, and with whose key."""

    request: Request
    form: Mapping[str, str]
    place: Place
    access_key: str

    def get(self, name: str) -> str:
        return self.form.get(name, "")

    @property
    def record(self) -> dict[str, Any] | None:
        """The record of the stack that the call names."""
        return ministack.stack(self.get("StackName"))

    @property
    def change_set(self) -> dict[str, Any] | None:
        """The record of the change set that the call names: by ARN, or by name with its stack."""
        name, record = self.get("ChangeSetName"), self.record
        for arn, found in ministack.change_sets().items():
            if arn == name or (
                found["ChangeSetName"] == name and record is not None and found["StackId"] == record["StackId"]
            ):
                result: dict[str, Any] = found
                return result
        return None


class Front:
    """One request in, one response out; holds the idempotency tokens."""

    def __init__(self, forward: Callable[[Request], Response], hooks: Hooks, *, enforce: bool) -> None:
        self._forward, self._hooks, self._enforce = forward, hooks, enforce
        self._tokens: dict[tuple[Place, str, str], tuple[dict[str, str], Response]] = {}
        self._token_guard = threading.Lock()
        self.late = late.LateRoles()
        self._workers: dict[tuple[Place, str], str] = {}
        worker = Worker(clients=hooks.clients, workers=self._workers, drifts=self._drifts, enforce=enforce)
        self._sets = Calls(clients=hooks.clients, worker=worker, enforce=enforce)
        self._special: Mapping[str, Callable[[Call], Response]] = {
            "CreateChangeSet": self._create_change_set,
            "CreateStack": self._create_stack,
            "DeleteStack": self._change_stack,
            "DescribeChangeSet": self._describe_change_set,
            "DescribeStacks": self._describe_stacks,
            "DetectStackDrift": self._detect_drift,
            "DetectStackResourceDrift": self._detect_resource_drift,
            "ExecuteChangeSet": self._execute,
            "ListChangeSets": self._list_change_sets,
            "UpdateStack": self._change_stack,
            "ValidateTemplate": self._validate,
        }

    def reset(self) -> None:
        """Forgets the tokens and the late roles, and the stack sets once their operations have ended."""
        self._tokens.clear()
        self.late.reset()
        self._sets.reset()

    def handle(self, request: Request, place: Place, access_key: str) -> Response:
        """Answers as CloudFormation does, errors included."""
        call = Call(request=request, form=request.form(), place=place, access_key=access_key)
        token = call.get("ClientRequestToken") or call.get("ClientToken")
        try:
            with ministack.at(place):
                if token and call.get("Action") in _TOKEN_ACTIONS:
                    return self._once(call, token)
                return self._answer(call)
        except ServiceError as error:
            return wire.failure(error)
        except Exception as error:  # noqa: BLE001 - a server answers; the client sees what went wrong
            return wire.failure(ServiceError("InternalFailure", f"The embedded AWS failed: {error!r}", 500))

    def _answer(self, call: Call) -> Response:
        action = call.get("Action")
        if action in self._sets.actions:
            return wire.result(action, self._sets.answer(call.form, call.place, call.access_key))
        special = self._special.get(action)
        return special(call) if special else self._forward(call.request)

    def _once(self, call: Call, token: str) -> Response:
        """A token that was seen gives the answer of then; AWS refuses it for anything else."""
        key = (call.place, call.get("Action"), token)
        given = {name: value for name, value in call.form.items() if not name.startswith("Client")}
        with self._token_guard:
            seen = self._tokens.get(key)
            if seen is not None and seen[0] != given:
                raise ServiceError(
                    "TokenAlreadyExistsException", f"Token [{token}] was already used for another request"
                )
            answer = seen[1] if seen is not None else self._answer(call)
            if answer.ok:
                self._tokens[key] = (given, answer)
        return answer

    # --- stacks -------------------------------------------------------------------------------------------------------

    def _create_stack(self, call: Call) -> Response:
        self._check_role(call)
        self._check_body(call)
        # The record does not exist before the call and is at work after it: the role waits under the stack's name.
        ministack.expect(call.get("StackName"), call.get("RoleARN"), call.access_key, self._worker(call))
        answer = self._forward(call.request)
        ministack.settle(call.get("StackName"), created=answer.ok)
        return answer

    def _check_body(self, call: Call) -> None:
        """A template in the call, before it becomes a stack; one by URL or with transforms is ministack's to judge."""
        template = ministack.parsed(call.get("TemplateBody"))
        if template is not None and "Transform" not in template:
            limits.refuse_unresolved(template)
            limits.refuse_cycles(template)

    def _validate(self, call: Call) -> Response:
        self._check_body(call)
        return self._forward(call.request)

    def _change_stack(self, call: Call) -> Response:
        self._check_role(call)
        self._check_body(call)
        record = call.record
        if record is not None:
            limits.refuse_busy(record, call.get("Action"))
            before = record.get("RoleARN", ""), record.get("_caller", "")
            record.update(RoleARN=call.get("RoleARN") or before[0], _caller=call.access_key, _worker=self._worker(call))
            answer = self._forward(call.request)
            if not answer.ok:
                record.update(RoleARN=before[0], _caller=before[1])
            return answer
        return self._forward(call.request)

    def _describe_stacks(self, call: Call) -> Response:
        answer = self._forward(call.request)
        if not answer.ok:
            return answer

        def with_role(found: re.Match[str]) -> str:
            record = ministack.stack(found[1])
            role = record.get("RoleARN") if record else None
            return f"{found[0]}<RoleARN>{role}</RoleARN>" if role else found[0]

        body = re.sub(r"<StackId>([^<]+)</StackId>", with_role, answer.body.decode())
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        return Response(status=answer.status, headers=headers, body=body.encode())

    def _worker(self, call: Call) -> str:
        """The role of the stack set that works on a stack; empty for anybody else's call."""
        record = call.record
        name = record["StackName"] if record else call.get("StackName")
        return self._workers.get((call.place, name), "")

    def _check_role(self, call: Call) -> None:
        role = call.get("RoleARN")
        if role and self._enforce:
            context = {"iam:PassedToService": "cloudformation.amazonaws.com"}
            ministack.authorize(call.access_key, call.place, "iam:PassRole", role, context, code="AccessDenied")
            if not ministack.trusts(role, "cloudformation.amazonaws.com", call.place):
                raise late.unusable(role)
            self.late.refuse(role, call.get("Action"), call.place)

    def _check_parameters(self, call: Call, change_set: Mapping[str, Any]) -> None:
        """CloudFormation reads parameters of an SSM type in the caller's name, before anything else."""
        for value in change_set["_resolved_params"].values() if self._enforce else ():
            if "SsmName" in value:
                name = str(value["SsmName"]).partition(":")[0].removeprefix("/")
                arn = f"arn:{call.place.partition}:ssm:{call.place.region}:{call.place.account}:parameter/{name}"
                ministack.authorize(call.access_key, call.place, "ssm:GetParameters", arn, code="ValidationError")

    # --- change sets --------------------------------------------------------------------------------------------------

    def _create_change_set(self, call: Call) -> Response:
        limits.check(call.form)
        self._check_role(call)
        record = call.record
        before = record["StackId"] if record and record["StackStatus"] == "REVIEW_IN_PROGRESS" else None
        if record is not None:
            limits.refuse_busy(record, "CreateChangeSet")
            limits.refuse_unfit(record, call.get("ChangeSetType") or "UPDATE")
        answer = self._forward(call.request)
        if not answer.ok:
            return answer
        change_set = ministack.change_sets()[_element("Id", answer)]
        try:
            limits.refuse_unresolved(change_set["_template"])
            limits.refuse_cycles(change_set["_template"])
            self._check_parameters(call, change_set)
            return self._planned(call, change_set, before, answer)
        except Exception:
            ministack.forget(change_set, stack_too=record is None)
            raise

    def _planned(self, call: Call, change_set: dict[str, Any], shell: str | None, answer: Response) -> Response:
        record = ministack.stack_record(change_set["StackName"])
        if shell is not None:
            answer = _same_stack(record, change_set, shell, answer)
        change_set["_role"] = call.get("RoleARN") or record.get("RoleARN", "")
        change_set["_plan"] = changes.compute(record, change_set)
        limits.settle(record, change_set)
        return answer

    def _describe_change_set(self, call: Call) -> Response:
        answer = self._forward(call.request)
        found = call.change_set
        return (
            wire.result("DescribeChangeSet", describe.change_set(found, call.form)) if answer.ok and found else answer
        )

    def _list_change_sets(self, call: Call) -> Response:
        record = call.record
        if record is None:
            raise ServiceError("ValidationError", f"Stack [{call.get('StackName')}] does not exist")
        answer = self._forward(call.request)
        if not answer.ok:
            return answer
        rows = [found for found in ministack.change_sets().values() if found["StackId"] == record["StackId"]]
        return wire.result("ListChangeSets", describe.summaries(rows, call.form))

    def _execute(self, call: Call) -> Response:
        change_set = call.change_set
        if change_set is None or change_set["ExecutionStatus"] != "AVAILABLE":
            return self._forward(call.request)
        record = ministack.stack_record(change_set["StackName"])
        limits.refuse_busy(record, "ExecuteChangeSet")
        if change_set["_role"] and self._enforce:
            self.late.refuse(change_set["_role"], "ExecuteChangeSet", call.place)
        before = record.get("RoleARN", ""), record.get("_caller", "")
        record.update(RoleARN=change_set["_role"], _caller=call.access_key)
        answer = self._forward(call.request)
        if not answer.ok:
            record.update(RoleARN=before[0], _caller=before[1])
        return answer

    # --- drift --------------------------------------------------------------------------------------------------------

    def _detect_drift(self, call: Call) -> Response:
        record = self._drift_target(call)
        only = frozenset(value for name, value in call.form.items() if name.startswith("LogicalResourceIds.member."))
        return wire.result(
            "DetectStackDrift", {"StackDriftDetectionId": drift.detect(self._hooks, record, call.access_key, only)}
        )

    def _detect_resource_drift(self, call: Call) -> Response:
        record, logical_id = self._drift_target(call), call.get("LogicalResourceId")
        drift.detect(self._hooks, record, call.access_key, frozenset({logical_id}))
        found = record["_resources"][logical_id]["_drift"]
        return wire.result("DetectStackResourceDrift", {"StackResourceDrift": found})

    def _drifts(self, place: Place, name: str) -> tuple[str, list[dict[str, Any]]]:
        """What drift detection says of a stack of a stack set, and of each of its resources."""
        with ministack.at(place):
            record = ministack.stack(name)
            if record is None:
                raise Stopped(f"Stack [{name}] does not exist")
            drift.detect(self._hooks, record, place.account)
            found = [resource["_drift"] for resource in record["_resources"].values()]
            return str(record["DriftInformation"]["StackDriftStatus"]), found

    def _drift_target(self, call: Call) -> dict[str, Any]:
        record = call.record
        if record is None or record["StackStatus"] == "DELETE_COMPLETE":
            raise ServiceError("ValidationError", f"Stack [{call.get('StackName')}] does not exist")
        if self._enforce:
            for verb in dict.fromkeys((call.get("Action"), "DetectStackResourceDrift")):
                action = f"cloudformation:{verb}"
                ministack.authorize(call.access_key, call.place, action, record["StackId"], code="AccessDenied")
            types = "cloudformation:BatchDescribeTypeConfigurations"
            ministack.authorize(call.access_key, call.place, types, "*", code="AccessDenied")
        return record


def _element(name: str, answer: Response) -> str:
    found = re.search(rf"<{name}>([^<]+)</{name}>", answer.body.decode())
    return found[1] if found else ""


def _same_stack(record: dict[str, Any], change_set: dict[str, Any], stack_id: str, answer: Response) -> Response:
    """A second CREATE set belongs to the stack that the first one made; ministack makes another."""
    made = record["StackId"]
    ministack.move_events(made, stack_id)
    record["StackId"] = change_set["StackId"] = stack_id
    return Response(
        status=answer.status, headers=answer.headers, body=answer.body.replace(made.encode(), stack_id.encode())
    )
