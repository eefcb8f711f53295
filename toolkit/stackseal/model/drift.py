"""Stage 9, Stack → Drift."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from stackseal.model.base import canonical_json, sha256
from stackseal.model.stack import StackId


class DriftStatus(enum.Enum):
    """What is known about one resource or a whole stack. Anything but IN_SYNC and DRIFTED is *unknown*."""

    IN_SYNC = "IN_SYNC"
    DRIFTED = "DRIFTED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One property that is not what the template says; JSON text or None."""

    path: str
    expected: str | None
    actual: str | None


@dataclass(frozen=True, kw_only=True)
class ResourceDrift:
    """What drift detection said of one resource."""

    logical_id: str
    type: str
    physical_id: str
    status: str
    """CloudFormation's word: IN_SYNC, MODIFIED, DELETED, NOT_CHECKED, UNKNOWN, UNSUPPORTED."""
    differences: tuple[Difference, ...] = ()

    @property
    def drifted(self) -> bool:
        return self.status in {"MODIFIED", "DELETED"}


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What is not as it was deployed. `checked` of `len(resources)` could be compared."""

    stack: StackId
    status: DriftStatus
    resources: tuple[ResourceDrift, ...]
    reason: str = ""
    role_of: str = ""
    """Name of the stack whose execution role this one holds; empty where it holds none."""
    absent: bool = False
    """There is no such stack."""

    @property
    def checked(self) -> int:
        return sum(resource.status in {"IN_SYNC", "MODIFIED", "DELETED"} for resource in self.resources)

    @property
    def drifted(self) -> tuple[ResourceDrift, ...]:
        return tuple(resource for resource in self.resources if resource.drifted)

    @property
    def fingerprint(self) -> str:
        """The same for the same differences, so that an issue is rewritten only when something moved."""
        rows = [
            [resource.logical_id, resource.status, [[d.path, d.expected, d.actual] for d in resource.differences]]
            for resource in self.drifted
        ]
        return sha256(canonical_json(sorted(rows, key=canonical_json)))[:16]
