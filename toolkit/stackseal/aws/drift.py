"""Drift detection: start, poll, every resource. What could not be compared is never called in sync."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from stackseal.aws.errors import AwsFailed, translated
from stackseal.aws.shapes import StackResource
from stackseal.errors import Unknown
from stackseal.model import Difference, Drift, DriftStatus, ResourceDrift, StackId, canonical_json

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

POLL_SECONDS: Final = 2.0
_BUSY: Final = ("OperationInProgress", "already in progress", "is already being")


def detect(
    client: CloudFormationClient,
    stack: StackId,
    listed: Callable[[], Sequence[StackResource]],
    *,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
    limit: float,
    logical_ids: Sequence[str] = (),
) -> Drift:
    """Drift of the stack with every difference; of some of its resources (`logical_ids`) only how they stand.

    `clock` counts seconds; after `limit` the outcome is unknown. `listed` is asked when the detection has ended: the
    list says how each resource stands, so that nothing else has to be asked where that is enough.
    """
    end = clock() + limit
    detection = _start(client, stack, end, sleep=sleep, clock=clock, logical_ids=logical_ids)
    status = _finished(client, stack, detection, end, sleep=sleep, clock=clock)
    if logical_ids:
        resources = tuple(_standing(item) for item in listed() if item.logical_id in set(logical_ids))
    else:
        found = _results(client, stack)
        resources = tuple(_resource(item, found.get(item.logical_id)) for item in listed())
    return Drift(
        stack=stack,
        status=_status(status["DetectionStatus"], resources),
        resources=resources,
        reason=status.get("DetectionStatusReason", ""),
    )


def _start(
    client: CloudFormationClient,
    stack: StackId,
    end: float,
    *,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
    logical_ids: Sequence[str],
) -> str:
    what = f"could not start drift detection on the stack {stack.name}"
    given: dict[str, Any] = {"LogicalResourceIds": sorted(logical_ids)} if logical_ids else {}
    while True:
        try:
            with translated(what):
                return client.detect_stack_drift(StackName=stack.name, **given)["StackDriftDetectionId"]
        except AwsFailed as error:
            busy = any(word in f"{error.code} {error}" for word in _BUSY)
            if not busy or clock() >= end:
                raise
        sleep(POLL_SECONDS)


def _finished(
    client: CloudFormationClient,
    stack: StackId,
    detection: str,
    end: float,
    *,
    sleep: Callable[[float], None],
    clock: Callable[[], float],
) -> Mapping[str, Any]:
    while True:
        with translated(f"could not follow drift detection on the stack {stack.name}"):
            status = client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            return status
        if clock() >= end:
            raise Unknown(
                f"drift detection on the stack {stack.name} did not end in time",
                why="large stacks take minutes",
                remedy="run `stackseal check-drift CONFIG` again later",
            )
        sleep(POLL_SECONDS)


def _results(client: CloudFormationClient, stack: StackId) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    token: dict[str, Any] = {}
    while True:
        with translated(f"could not read the drift of the stack {stack.name}"):
            page = client.describe_stack_resource_drifts(StackName=stack.name, MaxResults=100, **token)
        found.update({item["LogicalResourceId"]: item for item in page["StackResourceDrifts"]})
        if not page.get("NextToken"):
            return found
        token = {"NextToken": page["NextToken"]}


def _standing(listed: StackResource) -> ResourceDrift:
    return ResourceDrift(
        logical_id=listed.logical_id,
        type=listed.type,
        physical_id=listed.physical_id,
        status=listed.drift,
        differences=(),
    )


def _resource(listed: StackResource, found: Mapping[str, Any] | None) -> ResourceDrift:
    """AWS leaves resource types without drift support out of its answer: they were not checked."""
    return ResourceDrift(
        logical_id=listed.logical_id,
        type=listed.type,
        physical_id=(found or {}).get("PhysicalResourceId") or listed.physical_id,
        status=found["StackResourceDriftStatus"] if found else "NOT_CHECKED",
        differences=tuple(
            Difference(
                path=item["PropertyPath"].lstrip("/"),
                expected=json_text(item.get("ExpectedValue")),
                actual=json_text(item.get("ActualValue")),
            )
            for item in sorted((found or {}).get("PropertyDifferences", ()), key=lambda item: item["PropertyPath"])
        ),
    )


def json_text(text: str | None) -> str | None:
    """AWS writes `null` for a value that is not there, and plain text for text."""
    if text is None or text == "null":
        return None
    return text if text[:1] in {"{", "["} else canonical_json(text)


def _status(detection: str, resources: Sequence[ResourceDrift]) -> DriftStatus:
    if any(resource.drifted for resource in resources):
        return DriftStatus.DRIFTED
    compared = any(resource.status == "IN_SYNC" for resource in resources)
    doubtful = any(resource.status == "UNKNOWN" for resource in resources)
    if detection == "DETECTION_COMPLETE" and not doubtful and (compared or not resources):
        return DriftStatus.IN_SYNC
    return DriftStatus.UNKNOWN
