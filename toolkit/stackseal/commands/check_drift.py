"""`check-drift` (spec A36): whether a config's stack is still as it was deployed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from stackseal.commands.base import config_argument, emit
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.model import Drift

SUMMARY: Final = "whether the stack is still as it was deployed; exit 1 when it is not"
HELP: Final = """\
Run CloudFormation's drift detection on a config's stack and show every difference: resource, property, expected value,
actual value. Resources that could not be compared are listed: they are unknown, not in sync. Exit 0 in sync, 1 drifted,
5 unknown.

    stackseal check-drift configs/my.yaml
"""
_CODES: Final = {"IN_SYNC": 0, "DRIFTED": 1, "UNKNOWN": 5}


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)


def run(args: argparse.Namespace, world: World) -> int:
    """Print the differences."""
    from stackseal import pipeline
    from stackseal.change import preparation

    (resolved,) = preparation.resolve(world, [args.config])
    found = pipeline.drift_of(world, resolved.stack)
    emit(world, facts(found), text(found))
    return _CODES[found.status.value]


def facts(drift: Drift) -> dict[str, Any]:
    """A drift as `--format json` gives it."""
    return {
        "stack": drift.stack.name,
        "role_of": drift.role_of or None,
        "status": drift.status.value,
        "reason": drift.reason or None,
        "checked": drift.checked,
        "resources": len(drift.resources),
        "differences": [
            {
                "resource": item.logical_id,
                "type": item.type,
                "status": item.status,
                "property": difference.path,
                "expected": difference.expected,
                "actual": difference.actual,
            }
            for item in drift.drifted
            for difference in item.differences
        ],
        "deleted": [item.logical_id for item in drift.drifted if item.status == "DELETED"],
        "not_checked": [item.logical_id for item in drift.resources if item.status not in _COMPARED],
    }


_COMPARED: Final = ("IN_SYNC", "MODIFIED", "DELETED")


def text(drift: Drift) -> str:
    """A drift for people."""
    name = f"{drift.stack.name} (the execution role of {drift.role_of})" if drift.role_of else drift.stack.name
    lines = [f"{name}: {drift.status.value}, {drift.checked} of {len(drift.resources)} resources checked"]
    if drift.reason:
        lines.append(f"  {drift.reason}")
    for item in drift.drifted:
        lines.append(f"  {item.logical_id} ({item.type}) {item.status}")
        lines += [
            f"      {difference.path}: expected {difference.expected}, is {difference.actual}"
            for difference in item.differences
        ]
    unknown = [f"{item.logical_id} ({item.type})" for item in drift.resources if item.status not in _COMPARED]
    if unknown:
        lines.append(f"  not checked, so unknown: {', '.join(unknown)}")
    return "\n".join(lines)
