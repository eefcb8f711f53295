"""Permissions that policies gain and lose: the most risky first, counted, with their reasons gathered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from stackseal.model import Location, PolicyDelta, Risk, Role, Statement

_ROLES: Final = (Role.EXECUTION, Role.DEPLOY, Role.PLAN, Role.DRIFT, Role.BOUNDARY, Role.OPERATOR)
_RISKS: Final = tuple(Risk)


@dataclass(frozen=True, kw_only=True)
class PermissionRow:
    """One statement that a policy gains or loses."""

    added: bool
    role: Role
    statement: Statement


@dataclass(frozen=True, kw_only=True)
class RiskRow:
    """How many actions one policy gains and loses, per risk: `(risk, gained, lost)`, most risky first."""

    role: Role
    counts: tuple[tuple[Risk, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Because:
    """One resource that needs a statement, and for which operations."""

    resource: str
    operations: str
    where: Location


def because(statement: Statement) -> tuple[Because, ...]:
    """Why a statement is there, one row per resource, with its operations as `create, delete, read`."""
    found: dict[tuple[str, Location], list[str]] = {}
    for reason in statement.because:
        found.setdefault((reason.resource, reason.where), []).append(reason.operation)
    return tuple(
        Because(resource=resource, operations=", ".join(dict.fromkeys(operations)), where=where)
        for (resource, where), operations in found.items()
    )


def permissions(deltas: Iterable[PolicyDelta]) -> tuple[PermissionRow, ...]:
    """Every statement that comes or goes; the most risky first, and of those the role first that does the most."""
    return tuple(sorted(_rows(deltas), key=_order))


def risks(deltas: Iterable[PolicyDelta]) -> tuple[RiskRow, ...]:
    """One row per policy, the one that does the most first."""
    return tuple(_risks(delta) for delta in sorted(deltas, key=lambda one: _ROLES.index(one.role)))


def actions(statements: Iterable[Statement]) -> set[str]:
    """The different actions of some statements."""
    return {action for statement in statements for action in statement.actions}


def _rows(deltas: Iterable[PolicyDelta]) -> Iterator[PermissionRow]:
    for delta in deltas:
        for added, statements in ((True, delta.added), (False, delta.removed)):
            for statement in statements:
                yield PermissionRow(added=added, role=delta.role, statement=statement)


def _order(row: PermissionRow) -> tuple[Any, ...]:
    return (_RISKS.index(row.statement.risk), not row.added, _ROLES.index(row.role), row.statement.sid)


def _risks(delta: PolicyDelta) -> RiskRow:
    def count(statements: Iterable[Statement], risk: Risk) -> int:
        return len(actions(statement for statement in statements if statement.risk is risk))

    return RiskRow(
        role=delta.role,
        counts=tuple((risk, count(delta.added, risk), count(delta.removed, risk)) for risk in _RISKS),
    )
