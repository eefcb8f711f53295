"""Drift detection over every resource of a stack: what the template set against what the services say now."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from stackseal.local import ministack
from stackseal.local.cloudformation.hooks import Hooks
from stackseal.local.messages import ServiceError
from stackseal.local.resources import REGISTRY
from stackseal.local.resources.kind import Kind, tag_map

_ABSENT: Final = object()
_DETECTABLE: Final = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "IMPORT_COMPLETE"}
)


def detect(hooks: Hooks, record: dict[str, Any], access_key: str, only: frozenset[str] = frozenset()) -> str:
    """Checks a stack's resources (or only some), keeps the result in ministack's records; the detection's id."""
    status = str(record["StackStatus"])
    if status not in _DETECTABLE:
        raise ServiceError(
            "ValidationError", f"Cannot detect drift on stack [{record['StackId']}] while it is in {status} state"
        )
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    resources: Mapping[str, dict[str, Any]] = record.get("_resources", {})
    unknown = sorted(only - resources.keys())
    if unknown:
        raise ServiceError(
            "ValidationError", f"Resources [{', '.join(unknown)}] do not exist in stack [{record['StackName']}]"
        )
    drifts = [
        detect_resource(hooks, record, logical_id, access_key, at)
        for logical_id in resources
        if not only or logical_id in only
    ]
    return _keep(record, drifts, at)


def _keep(record: dict[str, Any], drifts: list[dict[str, Any]], at: str) -> str:
    statuses = [drift["StackResourceDriftStatus"] for drift in drifts]
    drifted = sum(status in {"MODIFIED", "DELETED"} for status in statuses)
    failed = sorted(drift["LogicalResourceId"] for drift in drifts if drift["StackResourceDriftStatus"] == "UNKNOWN")
    status = "DRIFTED" if drifted else "UNKNOWN" if failed else "IN_SYNC"
    detection = {
        "StackId": record["StackId"],
        "StackDriftDetectionId": str(uuid.uuid4()),
        "StackDriftStatus": status,
        "DetectionStatus": "DETECTION_FAILED" if failed else "DETECTION_COMPLETE",
        "DriftedStackResourceCount": drifted,
        "Timestamp": at,
    }
    if failed:
        detection["DetectionStatusReason"] = f"Failed to detect drift on resource [{', '.join(failed)}]"
    record["DriftInformation"] = {"StackDriftStatus": status, "LastCheckTimestamp": at}
    record.setdefault("_drift_detections", {})[detection["StackDriftDetectionId"]] = detection
    return str(detection["StackDriftDetectionId"])


def detect_resource(hooks: Hooks, record: dict[str, Any], logical_id: str, access_key: str, at: str) -> dict[str, Any]:
    """The `StackResourceDrift` of one resource; a type without a reader is NOT_CHECKED."""
    resource = record["_resources"][logical_id]
    type_ = str(resource["ResourceType"])
    drift: dict[str, Any] = {
        "StackId": record["StackId"],
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": resource["PhysicalResourceId"],
        "ResourceType": type_,
        "Timestamp": at,
    }
    kind = REGISTRY.get(type_)
    if kind is None:
        drift.update(_partly(record, logical_id, at))
    else:
        drift.update(_compare(hooks, kind, record, logical_id, access_key))
    resource["_drift"] = drift
    resource["DriftInformation"] = {
        "StackResourceDriftStatus": drift["StackResourceDriftStatus"],
        "LastCheckTimestamp": at,
    }
    return drift


def _partly(record: dict[str, Any], logical_id: str, at: str) -> dict[str, Any]:
    """A type without a reader of ours: what ministack finds is told, but what it finds in sync is not checked."""
    found = ministack.partial_drift(record, logical_id, at)
    drifted = found.get("StackResourceDriftStatus") in {"MODIFIED", "DELETED"}
    return found if drifted else {"StackResourceDriftStatus": "NOT_CHECKED"}


def _compare(hooks: Hooks, kind: Kind, record: dict[str, Any], logical_id: str, access_key: str) -> dict[str, Any]:
    resource = record["_resources"][logical_id]
    props, physical_id = resource.get("Properties") or {}, str(resource["PhysicalResourceId"])
    context = hooks.context(record, logical_id)
    try:
        hooks.may_read(access_key, context, str(resource["ResourceType"]), physical_id, props)
        current = kind.read(context, physical_id, props)
    except Exception as error:  # noqa: BLE001 - AWS reports a resource that it cannot read, and goes on
        return {"StackResourceDriftStatus": "UNKNOWN", "DriftStatusReason": str(error)}
    if current is None:
        return {"StackResourceDriftStatus": "DELETED"}
    expected = {key: _plain(value) for key, value in props.items() if key not in {kind.tags, *kind.unread}}
    actual = {key: _plain(current[key]) for key in expected if current.get(key) is not None}
    if kind.tags:
        own = {**tag_map(record.get("Tags")), **tag_map(props.get(kind.tags))}
        if own or (kind.tags in props):
            expected[kind.tags], actual[kind.tags] = _tags(own, kind), _tags(tag_map(current.get(kind.tags)), kind)
    differences = list(_differences(expected, actual, ""))
    found: dict[str, Any] = {
        "ExpectedProperties": json.dumps(expected, sort_keys=True),
        "ActualProperties": json.dumps(actual, sort_keys=True),
        "StackResourceDriftStatus": "MODIFIED" if differences else "IN_SYNC",
    }
    if differences:
        found["PropertyDifferences"] = differences
    return found


def _tags(tags: Mapping[str, str], kind: Kind) -> Any:
    mine = {key: value for key, value in sorted(tags.items()) if not key.startswith("aws:")}
    return mine if kind.tag_shape == "map" else [{"Key": key, "Value": value} for key, value in mine.items()]


def _plain(value: Any) -> Any:
    """JSON text as data, dates as text: what a service keeps as a string is compared as what it means."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return _plain(json.loads(value))
        except ValueError:
            return value
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else str(value)


def _difference(path: str, expected: Any, actual: Any, kind: str) -> dict[str, str]:
    return {
        "PropertyPath": path,
        "ExpectedValue": _text(expected),
        "ActualValue": _text(actual),
        "DifferenceType": kind,
    }


def _differences(expected: Any, actual: Any, path: str) -> Iterator[dict[str, str]]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(expected.keys() | actual.keys()):
            yield from _member(expected.get(key, _ABSENT), actual.get(key, _ABSENT), f"{path}/{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _items(expected, actual, path)
    elif not _same(expected, actual):
        yield _difference(path, expected, actual, "NOT_EQUAL")


def _member(expected: Any, actual: Any, path: str) -> Iterator[dict[str, str]]:
    if actual is _ABSENT:
        if expected not in ("", [], {}, None):
            yield _difference(path, expected, None, "REMOVE")
    elif expected is _ABSENT:
        yield _difference(path, None, actual, "ADD")
    else:
        yield from _differences(expected, actual, path)


def _items(expected: list[Any], actual: list[Any], path: str) -> Iterator[dict[str, str]]:
    """Lists without an order of their own: equal items match wherever they stand."""
    left = list(range(len(actual)))
    rest = []
    for index, item in enumerate(expected):
        twin = next((other for other in left if _same(item, actual[other])), None)
        if twin is None:
            rest.append(index)
        else:
            left.remove(twin)
    for index in rest:
        partner = _partner(expected[index], actual, left, index)
        if partner is None:
            yield _difference(f"{path}/{index}", expected[index], None, "REMOVE")
        else:
            left.remove(partner)
            yield from _differences(expected[index], actual[partner], f"{path}/{index}")
    for other in left:
        yield _difference(f"{path}/{other}", None, actual[other], "ADD")


def _partner(item: Any, actual: list[Any], left: list[int], index: int) -> int | None:
    """The item that stands for the same thing: by Key, Name or PolicyName, else at the same place."""
    for key in ("Key", "Name", "PolicyName", "Id", "Sid"):
        if isinstance(item, dict) and key in item:
            return next(
                (other for other in left if isinstance(actual[other], dict) and actual[other].get(key) == item[key]),
                None,
            )
    return index if index in left else None


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(expected, (dict, list)) and type(expected) is type(actual):
        return next(_differences(expected, actual, ""), None) is None
    if isinstance(expected, (dict, list)) or isinstance(actual, (dict, list)):
        # IAM and S3 accept one value where a list of one is meant.
        return [_text(expected)] == [_text(item) for item in actual] if isinstance(actual, list) else False
    if isinstance(expected, str) and isinstance(actual, str):
        return expected == actual
    return _number(expected) == _number(actual)


def _number(value: Any) -> str:
    text = _text(value)
    try:
        return repr(float(text))
    except ValueError:
        return text
