"""All stacks that a change concerns, prepared and in order: its own, and those that read a value which it changes.

Review and deployment both ask here, so that they see the same stacks in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from stackseal.change import waves
from stackseal.change.preparation import Prepared
from stackseal.change.subjects import Change, Subject
from stackseal.change.waves import Order
from stackseal.model import Action, Because, Replacement, StackId, Template, Wait
from stackseal.plan import predicted

Sides: TypeAlias = tuple[Prepared | None, Prepared | None]
_PARAMETER: Final = "AWS::SSM::Parameter"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One stack's part of a change."""

    subject: Subject
    sides: Sides
    waits: tuple[Wait, ...] = ()
    wave: int = 1
    notes: tuple[str, ...] = ()
    """Why it takes part although its config did not change, and what its change does to those that read from it."""


@dataclass(frozen=True, kw_only=True)
class Concerned:
    """The parts of a change, sorted by identity, and their order."""

    parts: tuple[Part, ...]
    order: Order


def concerned(change: Change, prepare: Callable[[Subject], Sides | None]) -> Concerned:
    """The parts of a change. `prepare` makes a stack's templates; None where it cannot and has said so."""
    sides: dict[StackId, tuple[Subject, Sides]] = {}
    seen: set[StackId] = set()
    todo: Sequence[Subject] = change.subjects
    order, moved = waves.order(()), dict[waves.Place, StackId]()
    while todo:
        seen |= {subject.id for subject in todo}
        sides |= {subject.id: (subject, made) for subject in todo if (made := prepare(subject)) is not None}
        order, moved = _marked(sides)
        todo = [
            Subject(id=item.stack.id, base=item, head=item)
            for item in change.after
            if item.stack.id not in seen and waves.read(item.stack) & moved.keys()
        ]
    own = {subject.id for subject in change.subjects}
    parts = [
        Part(
            subject=sides[stack][0],
            sides=sides[stack][1],
            waits=order.waits[stack],
            wave=order.wave(stack),
            notes=(
                *((change.everyone,) if change.everyone else ()),
                *(() if stack in own else (_why(order.waits[stack]),)),
                *_followed(sides[stack][0], order.waits),
            ),
        )
        for stack in sorted(sides)
    ]
    return Concerned(parts=tuple(parts), order=order)


def moves(base: Template | None, head: Template | None, later: set[str]) -> set[str]:
    """The paths to which a stack gives a value, or perhaps another one, when `later` are those that it reads anew."""
    if head is None or head.stack is None or head.stack.stack_set is not None:
        return set()
    published = set(head.stack.publishes)
    if base is None or base.stack is None:
        return published
    plan = predicted.predict(base, head, stack=head.stack.id, later=later)
    changed = {
        change.physical_id or ""
        for change in plan.changes
        if change.type == _PARAMETER
        and change.action is Action.MODIFY
        and (change.replacement is not Replacement.NEVER or {"Value", "Type"} & {p.path for p in change.properties})
    }
    return (published - set(base.stack.publishes)) | (published & changed)


def _marked(sides: Mapping[StackId, tuple[Subject, Sides]]) -> tuple[Order, dict[waves.Place, StackId]]:
    """The order, each wait marked where the value may change, and every parameter of which it may."""
    order = waves.order([subject.member for subject, _ in sides.values()])
    moved: dict[waves.Place, StackId] = {}
    waits = dict(order.waits)
    for stack in (stack for wave in order.waves for stack in wave):
        waits[stack] = tuple(
            replace(wait, changes=True) if wait.because is Because.READS and _place(wait) in moved else wait
            for wait in waits[stack]
        )
        base, head = sides[stack][1]
        later = {wait.path for wait in waits[stack] if wait.changes}
        for path in moves(base.template if base else None, head.template if head else None, later):
            moved[waves.Place(stack.account, stack.region, path)] = stack
    return replace(order, waits=waits), moved


def _place(wait: Wait) -> waves.Place:
    return waves.Place(wait.stack.account, wait.stack.region, wait.path)


def _followed(subject: Subject, waits: Mapping[StackId, Sequence[Wait]]) -> tuple[str, ...]:
    """What a person should know when a stack that stands changes values that others read."""
    read = [
        f"{wait.path} by {reader.name}"
        for reader in sorted(waits)
        for wait in waits[reader]
        if wait.stack == subject.id and wait.changes
    ]
    if not read or subject.base is None:
        return ()
    sentence = (
        f"Others read what this change may change ({', '.join(read)}) and follow in later waves. AWS removes what is "
        "replaced before they have followed; what is still used then stays behind, no longer managed."
    )
    return (sentence,)


def _why(waits: Sequence[Wait]) -> str:
    read = ", ".join(f"{wait.path} of {wait.stack.name}" for wait in waits if wait.changes)
    return f"Its config did not change. It takes part because it reads what this change may change: {read}."
