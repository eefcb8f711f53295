"""What CloudFormation answers, as small frozen values. Times are ISO 8601 in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from stackseal.model import Change, DriftStatus, Target


@dataclass(frozen=True, kw_only=True)
class StackState:
    """One stack as DescribeStacks tells it."""

    name: str
    arn: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    termination_protection: bool = False
    created: str = ""
    last_updated: str = ""
    """Of the last update; the creation where there was none."""
    drift: DriftStatus = DriftStatus.UNKNOWN

    @property
    def empty(self) -> bool:
        """Nothing was deployed yet: a change set has begun the stack, and left it without a resource."""
        return self.status == "REVIEW_IN_PROGRESS"


@dataclass(frozen=True, kw_only=True)
class Store:
    """Where templates over the inline limit go."""

    bucket: str
    prefix: str = ""


@dataclass(frozen=True, kw_only=True)
class NewChangeSet:
    """What a change set is made from. The same `token` twice makes one change set."""

    stack: str
    name: str
    kind: Literal["CREATE", "UPDATE"]
    body: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    capabilities: tuple[str, ...] = ()
    description: str = ""
    role: str | None = None
    token: str | None = None
    store: Store | None = None
    nested: bool = False
    """Plan the changes of nested stacks too."""


@dataclass(frozen=True, kw_only=True)
class NewStackSet:
    """What a stack set is made from, or becomes."""

    name: str
    body: str
    permissions: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    capabilities: tuple[str, ...] = ()
    administration_role: str | None = None
    """None for a set whose roles AWS Organizations makes."""
    execution_role: str | None = None
    auto_deployment: bool = False
    retain_on_removal: bool = False
    store: Store | None = None


@dataclass(frozen=True, kw_only=True)
class StackSetState:
    """One stack set as DescribeStackSet tells it."""

    name: str
    body: str
    """The template as it was sent."""
    permissions: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    administration_role: str | None = None
    execution_role: str | None = None
    auto_deployment: bool = False
    retain_on_removal: bool = False
    units: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class InstanceState:
    """One stack of a stack set, or the place where one should be."""

    target: Target
    status: str
    """CURRENT, OUTDATED or INOPERABLE."""
    detailed: str = ""
    """PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED, INOPERABLE, SKIPPED_SUSPENDED_ACCOUNT, …"""
    reason: str = ""
    drift: str = "NOT_CHECKED"
    stack: str = ""
    """The stack's ARN; empty where it never came to be."""
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class OperationState:
    """One operation of a stack set."""

    id: str
    action: str
    """CREATE, UPDATE, DELETE or DETECT_DRIFT."""
    status: str
    """RUNNING, QUEUED, STOPPING; SUCCEEDED, FAILED, STOPPED."""
    reason: str = ""
    created: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangeSetRef:
    """A change set as lists name it."""

    name: str
    arn: str
    status: str
    execution_status: str
    reason: str = ""
    description: str = ""
    created: str = ""


@dataclass(frozen=True, kw_only=True)
class ChangeSetState:
    """One change set with all its changes, sorted by logical id."""

    name: str
    arn: str
    stack_arn: str
    status: str
    execution_status: str
    reason: str = ""
    description: str = ""
    changes: tuple[Change, ...] = ()
    nested: Mapping[str, str] = field(default_factory=dict)
    """Logical id of a nested stack → ARN of its own change set."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    resolved: Mapping[str, str] = field(default_factory=dict)
    """Parameters of SSM types → the value that CloudFormation read for them. Not for display."""
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    values: bool = True
    """False where the service gave no before and after values."""
    incomplete: bool = False
    """CloudFormation warned that its view with values leaves something out (the plain view fills it in)."""


@dataclass(frozen=True, kw_only=True)
class StackResource:
    """One resource of a stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""
    drift: str = "NOT_CHECKED"
    """How it stood when the drift of the stack, or its own, was last detected."""


@dataclass(frozen=True, kw_only=True)
class Objection:
    """One result of the validations that CloudFormation runs before it deploys."""

    logical_id: str
    validation: str
    """e.g. NAME_CONFLICT_VALIDATION."""
    status: str
    """FAILED, or SKIPPED where it could not be made."""
    mode: str
    """FAIL stops the change set, WARN does not."""
    path: str
    """`/Resources/Bucket/Properties/BucketName`."""
    reason: str


@dataclass(frozen=True, kw_only=True)
class Validation:
    """What ValidateTemplate found out."""

    capabilities: tuple[str, ...]
    transforms: tuple[str, ...]
    parameters: tuple[str, ...]


def iso(moment: datetime | None) -> str:
    """A moment as text, empty for none."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else ""
