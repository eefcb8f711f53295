"""The stacks of a stack set as a reader wants them: what happens in which region, and in which accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stackseal.model import STACK_INSTANCE
from stackseal.report.view.effects import ChangeRow, Effect


@dataclass(frozen=True, kw_only=True)
class TargetRow:
    """What happens to the stacks of one region, and whose they are."""

    effect: Effect
    region: str
    accounts: tuple[str, ...]


def targets(rows: Iterable[ChangeRow]) -> tuple[TargetRow, ...]:
    """One row for each effect and region, in the order of effects; accounts sorted."""
    found: dict[tuple[Effect, str], list[str]] = {}
    for row in rows:
        if row.change.type == STACK_INSTANCE:
            account, _, region = row.change.logical_id.partition("/")
            found.setdefault((row.effect, region), []).append(account)
    order = list(Effect)
    keys = sorted(found, key=lambda key: (order.index(key[0]), key[1]))
    return tuple(TargetRow(effect=key[0], region=key[1], accounts=tuple(sorted(found[key]))) for key in keys)


def others(rows: Iterable[ChangeRow]) -> tuple[ChangeRow, ...]:
    """The changes that are no stacks of a stack set."""
    return tuple(row for row in rows if row.change.type != STACK_INSTANCE)
