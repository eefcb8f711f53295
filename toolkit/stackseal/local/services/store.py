"""What our own services share: records per place, tags, and errors in the shape of AWS's JSON services."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from stackseal.local.messages import Place, ServiceError

Record = dict[str, Any]


@dataclass
class Table:
    """The records of one kind in one place, by name."""

    records: dict[str, Record] = field(default_factory=dict)
    created: int = 0

    def add(self, name: str, record: Record, taken: ServiceError) -> Record:
        if name in self.records:
            raise taken
        self.created += 1
        self.records[name] = record
        return record

    def get(self, name: str, missing: ServiceError) -> Record:
        if name not in self.records:
            raise missing
        return self.records[name]


@dataclass
class State:
    """All that our own services hold."""

    tables: dict[tuple[str, Place], Table] = field(default_factory=dict)

    def table(self, kind: str, place: Place) -> Table:
        return self.tables.setdefault((kind, place), Table())


Operation = Callable[[State, Place, Mapping[str, Any]], Mapping[str, Any]]


class Service(Protocol):
    """One module of this folder."""

    @property
    def OPERATIONS(self) -> Mapping[str, Operation]:  # noqa: N802 - a module's constant
        """Operation -> its function."""

    def resource(self, place: Place, operation: str, parameters: Mapping[str, Any]) -> str:
        """The ARN that IAM evaluates for a call, or `*`."""


def now() -> float:
    """Seconds since 1970, as AWS's JSON services write times."""
    return datetime.now(UTC).timestamp()


def identifier(*parts: str) -> str:
    """A UUID-shaped id that depends on nothing but its parts."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))


def page(
    items: list[Any], parameters: Mapping[str, Any], *, cursor: str, limit: str, size: int = 100
) -> tuple[list[Any], str | None]:
    """One page of a list and the token of the next one."""
    start = int(parameters.get(cursor) or 0)
    count = int(parameters.get(limit) or size)
    following = start + count
    return items[start:following], str(following) if following < len(items) else None
