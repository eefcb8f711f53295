"""Stage 8, sealed Plan → Deployment."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from stackseal.model.stack import StackId
from stackseal.model.stack_set import Target


class Outcome(enum.Enum):
    """The closed list of ways in which a deployment ends."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"
    REFUSED = "refused"
    UNKNOWN = "unknown"

    @property
    def good(self) -> bool:
        return self in {Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.DELETED}


@dataclass(frozen=True, kw_only=True)
class ResourceEvent:
    """One line of a stack's history."""

    logical_id: str
    type: str
    status: str
    reason: str = ""
    timestamp: str = ""
    physical_id: str = ""


@dataclass(frozen=True, kw_only=True)
class InstanceOutcome:
    """What became of the stack of one account and region of a stack set."""

    target: Target
    outcome: Outcome
    status: str = ""
    """CloudFormation's word for it: SUCCEEDED, FAILED, CANCELLED, SKIPPED_SUSPENDED_ACCOUNT, …"""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What became of one plan."""

    stack: StackId
    outcome: Outcome
    status: str
    """The stack's status as CloudFormation words it; empty where there is no stack."""
    first_failure: ResourceEvent | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    resources: int = 0
    retained: tuple[str, ...] = ()
    """Resources that stay behind, `Type physical-id`."""
    resume: str = ""
    """The command that goes on where an unknown outcome left off."""
    message: str = ""
    """Why nothing was done or known, where that was no event of the stack's."""
    stale: tuple[int, ...] = ()
    """Pull requests whose change sets of this stack went with it: executing one deletes the others."""
    instances: tuple[InstanceOutcome, ...] = ()
    """Of a stack set: every account and region that the plan named, sorted."""

    @property
    def reached(self) -> int:
        """Of a stack set how many accounts and regions are as they should be."""
        return sum(one.outcome.good for one in self.instances)
