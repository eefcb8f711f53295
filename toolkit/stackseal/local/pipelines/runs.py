"""The order in which a pipeline's actions run, and when: whenever somebody asks for the pipeline."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from itertools import groupby
from typing import Any, Final

from stackseal.local.clients import Clients
from stackseal.local.messages import Place, Request, Response
from stackseal.local.pipelines import events
from stackseal.local.pipelines.actions import DONE, WAITS, Doing, do
from stackseal.local.pipelines.role import Role, Stopped
from stackseal.local.services import codepipeline
from stackseal.local.services.store import Record, State, now

_ASKS: Final = frozenset({"GetPipelineExecution", "GetPipelineState", "ListPipelineExecutions", "PutApprovalResult"})
_STARTS: Final = frozenset({"StartPipelineExecution", "PutApprovalResult"})


class Runs:
    """What follows from calls of our own services."""

    def __init__(self, state: State, clients: Clients, *, enforce: bool) -> None:
        self._state, self._clients, self._enforce = state, clients, enforce
        self._guard = threading.RLock()

    def before(self, service: str, request: Request, place: Place) -> None:
        """Somebody asks for a pipeline: it goes on first, as far as it can."""
        if service == "codepipeline" and request.operation in _ASKS:
            self._advance(place, _name(request.json()))
        if service == "codecommit" and request.operation == "CreateCommit":
            for name in codepipeline.names(self._state, place):  # what began before the commit does not see it
                self._advance(place, name)

    def after(self, service: str, request: Request, place: Place, response: Response) -> None:
        """A call was done: what it starts, starts."""
        if response.status != 200:
            return
        given = request.json()
        if service == "codepipeline" and request.operation in _STARTS:
            self._advance(place, _name(given))
        event = events.of_call(service, request.operation, place, given, json.loads(response.body or b"{}"))
        if event is not None:
            self._spread(event, place)

    def _spread(self, event: Mapping[str, Any], place: Place) -> None:
        for arn, role in events.targets(self._clients.get("events", place), event):
            name, starter = arn.rpartition(":")[2], Role(arn=role, place=place, enforce=self._enforce)
            try:
                starter.assumed_by("events.amazonaws.com")
                starter.may("codepipeline:StartPipelineExecution", arn)
            except Stopped:
                continue  # as on AWS: a target that cannot be started is a metric of the rule, and nothing else
            if codepipeline.start(self._state, place, name, trigger="CloudWatchEvent"):
                self._advance(place, name)

    def _advance(self, place: Place, name: str) -> None:
        """The oldest execution that is not at its end; the next one waits for it."""
        if not self._guard.acquire(blocking=False):
            return  # somebody is at it
        try:
            record = codepipeline.record(self._state, place, name)
            for execution in reversed(record["executions"] if record else []):
                assert record is not None  # noqa: S101 - it has an execution
                if execution["status"] == WAITS:
                    self._run(record["pipeline"], execution, place)
                if execution["status"] == WAITS:
                    return
        finally:
            self._guard.release()

    def _run(self, pipeline: Mapping[str, Any], execution: Record, place: Place) -> None:
        role = Role(arn=str(pipeline["roleArn"]), place=place, enforce=self._enforce)
        for stage in pipeline["stages"]:
            order = sorted(stage["actions"], key=_order)
            for _, together in groupby(order, key=_order):
                statuses = [self._done(pipeline, stage["name"], action, execution, role) for action in together]
                if "Failed" in statuses or WAITS in statuses:
                    ended = "Failed" if "Failed" in statuses else WAITS
                    execution.update(status=ended, lastUpdateTime=now())
                    return
        execution.update(status=DONE, lastUpdateTime=now())

    def _done(
        self, pipeline: Mapping[str, Any], stage: str, action: Mapping[str, Any], execution: Record, role: Role
    ) -> str:
        record = execution["_actions"].setdefault((stage, action["name"]), {"status": WAITS})
        if record["status"] == WAITS:
            do(
                Doing(
                    clients=self._clients,
                    state=self._state,
                    place=role.place,
                    role=role,
                    pipeline=pipeline,
                    stage=stage,
                    action=action,
                    execution=execution,
                    record=record,
                )
            )
            record["lastStatusChange"] = now()
        return str(record["status"])


def _name(given: Mapping[str, Any]) -> str:
    return str(given.get("name") or given.get("pipelineName") or "")


def _order(action: Mapping[str, Any]) -> int:
    return int(action.get("runOrder", 1))
