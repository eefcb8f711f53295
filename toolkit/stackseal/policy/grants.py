"""The unit of every policy: one action on one resource under one set of conditions, and the reason for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from stackseal import facts
from stackseal.model import Reason, Risk

Conditions: TypeAlias = tuple[tuple[str, str, tuple[str, ...]], ...]
"""(operator, key, values), sorted; hashable, so that equal conditions are found."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a policy is made of."""

    action: str
    resource: str
    reason: Reason
    conditions: Conditions = ()


def conditions(*entries: tuple[str, str, tuple[str, ...]]) -> Conditions:
    """Sorted, without the empty ones."""
    return tuple(sorted((operator, key, tuple(sorted(set(values)))) for operator, key, values in entries if values))


def as_mapping(entries: Conditions) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """The conditions as a statement carries them."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for operator, key, values in entries:
        found.setdefault(operator, {})[key] = values
    return found


def risk(action: str) -> Risk:
    """How much one action can do; an unknown one counts as a write."""
    if action == "iam:PassRole":
        return Risk.PERMISSIONS
    known = facts.action(action)
    if known is None:
        return Risk.WRITE
    if "p" in known.levels:
        return Risk.PERMISSIONS
    if "t" in known.levels:
        return Risk.TAG
    return Risk.READ if known.reads else Risk.WRITE


_ORDER = list(Risk)


def highest(risks: frozenset[Risk]) -> Risk:
    """The greatest of several."""
    return min(risks, key=_ORDER.index)
