"""What is kept of stack sets: per administrator account and region, by name."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from stackseal.local.messages import Place, ServiceError

SELF: Final = "SELF_MANAGED"


def now() -> str:
    """The time as CloudFormation writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(kw_only=True)
class Instance:
    """One stack of a set, or the place where one should be."""

    place: Place
    name: str
    """The stack's name, `StackSet-…`."""
    unit: str = ""
    """The organizational unit that brought the account; SERVICE_MANAGED only."""
    stack: str = ""
    """The stack's ARN; empty while there is none."""
    status: str = "OUTDATED"
    detailed: str = "PENDING"
    reason: str = ""
    drift: str = "NOT_CHECKED"
    operation: str = ""


@dataclass(kw_only=True)
class Operation:
    """One thing that is, or was, done to instances of a set."""

    id: str
    action: str
    preferences: dict[str, Any]
    retain: bool = False
    status: str = "RUNNING"
    reason: str = ""
    created: str = field(default_factory=now)
    ended: str = ""
    results: dict[Place, dict[str, str]] = field(default_factory=dict)
    drifts: dict[Place, list[dict[str, Any]]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        return self.status in {"RUNNING", "STOPPING"}


@dataclass(kw_only=True)
class StackSet:
    """A set: what its stacks are made from, and where they are."""

    name: str
    home: Place
    id: str
    given: dict[str, Any]
    """What the last call that created or updated it said."""
    instances: dict[Place, Instance] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    drift: dict[str, Any] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        home = self.home
        return f"arn:{home.partition}:cloudformation:{home.region}:{home.account}:stackset/{self.id}"

    @property
    def self_managed(self) -> bool:
        return bool(self.given.get("PermissionModel", SELF) == SELF)

    def operation(self, id_: str) -> Operation:
        found = next((each for each in self.operations if each.id == id_), None)
        if found is None:
            raise ServiceError("OperationNotFoundException", f"Operation {id_} not found", 404)
        return found


@dataclass
class Sets:
    """Every stack set."""

    known: dict[tuple[Place, str], StackSet] = field(default_factory=dict)
    guard: threading.RLock = field(default_factory=threading.RLock)

    def get(self, home: Place, name: str) -> StackSet:
        """A set by name, by `name:id` or by ARN."""
        wanted = name.rpartition("/")[2].partition(":")[0]
        found = self.known.get((home, wanted))
        if found is None:
            raise ServiceError("StackSetNotFoundException", f"StackSet {name} not found", 404)
        return found

    def of(self, home: Place) -> Iterable[StackSet]:
        return [found for (place, _), found in sorted(self.known.items(), key=lambda row: row[0]) if place == home]
