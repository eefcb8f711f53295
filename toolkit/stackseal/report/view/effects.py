"""What a change does to a resource, in one word, and how often."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stackseal.model import Action, Certainty, Change, Plan, Replacement


class Effect(enum.Enum):
    """What a change does to a resource, in the order in which a reviewer wants to see it."""

    REMOVE = "remove"
    REPLACE = "replace"
    MAY_REPLACE = "may replace"
    DYNAMIC = "dynamic"
    MODIFY = "modify"
    SYNC = "sync"
    IMPORT = "import"
    ADD = "add"


_EFFECTS: Final = {
    Action.ADD: Effect.ADD,
    Action.REMOVE: Effect.REMOVE,
    Action.IMPORT: Effect.IMPORT,
    Action.DYNAMIC: Effect.DYNAMIC,
    Action.SYNC: Effect.SYNC,
}
_REPLACEMENTS: Final = {
    Replacement.NEVER: Effect.MODIFY,
    Replacement.CONDITIONAL: Effect.MAY_REPLACE,
    Replacement.ALWAYS: Effect.REPLACE,
}


class Fate(enum.Enum):
    """What becomes of the resource that was there, when it is removed or replaced."""

    DELETED = "deleted"
    KEPT = "kept"
    SNAPSHOT = "snapshot"


_FATES: Final = {"Delete": Fate.DELETED, "Retain": Fate.KEPT, "Snapshot": Fate.SNAPSHOT}


def fate_of(change: Change) -> Fate | None:
    """What becomes of the old resource; None where nothing does, or where CloudFormation has a new word for it."""
    return _FATES.get((change.policy_action or "").removeprefix("ReplaceAnd"))


def effect_of(change: Change) -> Effect:
    """What a change does; a replacement that is not certain only may happen."""
    if change.action is not Action.MODIFY:
        return _EFFECTS[change.action]
    found = _REPLACEMENTS[change.replacement]
    return Effect.MAY_REPLACE if found is Effect.REPLACE and change.certainty is not Certainty.CERTAIN else found


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many resources are added, changed, replaced, removed; what only may be replaced counts as replaced."""

    add: int = 0
    change: int = 0
    replace: int = 0
    remove: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            add=self.add + other.add,
            change=self.change + other.change,
            replace=self.replace + other.replace,
            remove=self.remove + other.remove,
        )

    @property
    def total(self) -> int:
        return self.add + self.change + self.replace + self.remove


_COUNTED: Final = {
    Effect.ADD: Counts(add=1),
    Effect.IMPORT: Counts(add=1),
    Effect.MODIFY: Counts(change=1),
    Effect.SYNC: Counts(change=1),
    Effect.DYNAMIC: Counts(replace=1),
    Effect.MAY_REPLACE: Counts(replace=1),
    Effect.REPLACE: Counts(replace=1),
    Effect.REMOVE: Counts(remove=1),
}


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
    """One change with its effect and the nested stacks on the way to it."""

    change: Change
    effect: Effect
    fate: Fate | None
    path: str


def changes(plan: Plan | None) -> Iterator[ChangeRow]:
    order = list(Effect)
    rows = [] if plan is None else [(effect_of(change), change) for change in plan.changes]
    for effect, change in sorted(rows, key=lambda row: (order.index(row[0]), row[1].nested, row[1].logical_id)):
        path = "/".join((*change.nested, change.logical_id))
        yield ChangeRow(change=change, effect=effect, fate=fate_of(change), path=path)


def count(rows: tuple[ChangeRow, ...]) -> Counts:
    """How many of each."""
    return sum((_COUNTED[row.effect] for row in rows), Counts())
