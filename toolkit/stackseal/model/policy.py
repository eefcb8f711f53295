"""Stage 5, Template → Policy: statements and what made them necessary."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stackseal.model.base import Location


class Role(enum.Enum):
    """Whom a policy is for. The value is the end of its file's name."""

    OPERATOR = "iam-policy"
    """The caller's own credentials, test stacks included; suffices without a service role."""
    EXECUTION = "execution-policy"
    """The role that CloudFormation uses for the stack."""
    PLAN = "plan"
    DEPLOY = "deploy"
    DRIFT = "drift"
    BOUNDARY = "boundary"


class Operation(enum.Enum):
    """What CloudFormation does with a resource, or the stack as a whole needs."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    TEMPLATE = "template"


class Risk(enum.Enum):
    """How much a permission can do, most first."""

    PERMISSIONS = "permissions"
    """Permission management and PassRole."""
    WRITE = "write"
    TAG = "tag"
    READ = "read"


@dataclass(frozen=True, kw_only=True, order=True)
class Reason:
    """Why a statement is there."""

    resource: str
    """Logical id, or `stack` for what the template as a whole needs."""
    operation: str
    where: Location


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One IAM statement and what made it necessary."""

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    effect: str = "Allow"
    risk: Risk = Risk.READ
    because: tuple[Reason, ...] = ()

    def document(self) -> dict[str, Any]:
        """The statement as IAM writes it."""
        found: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": self.effect,
            "Action": list(self.actions),
            "Resource": list(self.resources),
        }
        if self.conditions:
            found["Condition"] = {
                operator: {key: list(values) for key, values in keys.items()}
                for operator, keys in self.conditions.items()
            }
        return found


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What one role may do; a document over IAM's size limit becomes several."""

    role: Role
    statements: tuple[Statement, ...]

    def document(self) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [statement.document() for statement in self.statements]}
