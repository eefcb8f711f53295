"""Approvals that plans need, and plans that grew: stacks of which the same is to be said, together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from stackseal.model import GateCheck, GateNeeds, GateOn, StackReport, Standing

_ORDER: Final = (Standing.UNDECIDABLE, Standing.MISSING, Standing.OPEN, Standing.SATISFIED)


@dataclass(frozen=True, kw_only=True)
class GateRow:
    """One standing of one kind of approval."""

    needs: GateNeeds
    because: GateOn
    standing: Standing
    reason: str
    assumed: bool
    """Nobody wrote the gate, and nothing shows that anybody has to approve: it stops nothing."""
    blocks: bool
    stacks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Grown:
    """A plan that does more than the last one of the same pull request."""

    stack: str
    lines: tuple[str, ...]


def gates(stacks: Iterable[StackReport]) -> tuple[GateRow, ...]:
    """Every gate that concerns a stack, what stops first."""
    found: dict[tuple[object, ...], tuple[GateCheck, list[str]]] = {}
    for stack in stacks:
        for check in stack.gates:
            same = (check.gate.needs, check.because, check.standing, check.reason, check.gate.assumed)
            names = found.setdefault(same, (check, []))[1]
            if stack.id.name not in names:
                names.append(stack.id.name)
    rows = [_row(check, names) for check, names in found.values()]
    return tuple(sorted(rows, key=lambda row: (not row.blocks, _ORDER.index(row.standing), row.stacks, row.reason)))


def grown(stacks: Iterable[StackReport]) -> tuple[Grown, ...]:
    """Plans to which this review has added something."""
    return tuple(
        Grown(stack=stack.id.name, lines=stack.plan.growth.lines)
        for stack in stacks
        if stack.plan and stack.plan.growth and stack.plan.growth.lines
    )


def _row(check: GateCheck, names: list[str]) -> GateRow:
    return GateRow(
        needs=check.gate.needs,
        because=check.because,
        standing=check.standing,
        reason=check.reason,
        assumed=check.gate.assumed and check.standing is Standing.UNDECIDABLE,
        blocks=check.blocks,
        stacks=tuple(names),
    )
