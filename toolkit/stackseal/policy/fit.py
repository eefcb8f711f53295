"""From statements to as few documents as IAM accepts.

The documents allow exactly what the policy's statements allow (`join` says why), so figures, differences and reasons
speak of the statements.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from stackseal.model import Policy, Statement
from stackseal.policy import join

LIMIT: Final = 6144
"""Characters of a managed policy, white space not counted (IAM Guide, "IAM and STS quotas")."""
INLINE: Final = 10240
"""Characters of all inline policies of a role together (the same page); a user's may have 2,048."""
_FRAME: Final = 40
"""Characters of a document around its statements."""
_NUMBER: Final = 3
"""Characters that a statement may need besides its own: a comma, and two digits of the number in its Sid."""
_Parts = list[list[Statement]]


def documents(found: Policy, *, inline: bool = False) -> tuple[dict[str, Any], ...]:
    """IAM documents of at most `LIMIT` characters each, as few as can be; of `INLINE` the first one with `inline`.

    Statements are joined only as far as that saves a document: one statement for each service is easier to read.
    """
    pieces = [piece for statement in found.statements for piece in _small(statement)]
    parts = _fewest(pieces, INLINE if inline else LIMIT)
    return tuple(document([statement.document() for statement in part]) for part in _named(parts))


def document(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Statements as one IAM policy."""
    return {"Version": "2012-10-17", "Statement": list(entries)}


def size(value: dict[str, Any]) -> int:
    """Characters as IAM counts them."""
    return len("".join(json.dumps(value, separators=(",", ":")).split()))


def _fewest(pieces: Sequence[Statement], first: int) -> _Parts:
    """The statements in the least number of documents, joined no more than that takes."""
    if (parts := _filled(pieces, [first])) is not None:
        return parts
    states = list(join.states(pieces))
    for number in range(len(pieces)):
        for state in states:
            if (parts := _filled(state, [first, *[LIMIT] * number])) is not None:
                return parts
    return [[piece] for piece in pieces]  # one is too large for any document, which is a finding


def _filled(statements: Sequence[Statement], sizes: Sequence[int]) -> _Parts | None:
    """The statements in documents of these sizes, the largest where there is room first; None where there is none."""
    rooms, parts = [size - _FRAME for size in sizes], [list[int]() for _ in sizes]
    lengths = [join.length(statement) + _NUMBER for statement in statements]
    for index in sorted(range(len(statements)), key=lambda index: (-lengths[index], index)):
        place = next((place for place, room in enumerate(rooms) if lengths[index] <= room), None)
        if place is None:
            return None
        rooms[place] -= lengths[index]
        parts[place].append(index)
    return [[statements[index] for index in sorted(part)] for part in parts if part]


def _named(parts: Sequence[Sequence[Statement]]) -> Iterator[list[Statement]]:
    """Of several statements with one Sid the second is number 2, in whichever document."""
    seen: dict[str, int] = {}
    for part in parts:
        renamed = []
        for statement in part:
            seen[statement.sid] = nth = seen.get(statement.sid, 0) + 1
            renamed.append(statement if nth == 1 else replace(statement, sid=f"{statement.sid}{nth}"))
        yield renamed


def _small(statement: Statement) -> Iterator[Statement]:
    """A statement that is too large for a document alone is halved by resources, then by actions."""
    if join.length(statement) + _NUMBER <= LIMIT - _FRAME:
        yield statement
        return
    resources, actions = statement.resources, statement.actions
    if len(resources) > 1:
        middle = len(resources) // 2
        halves = [replace(statement, resources=part) for part in (resources[:middle], resources[middle:])]
    elif len(actions) > 1:
        middle = len(actions) // 2
        halves = [replace(statement, actions=part) for part in (actions[:middle], actions[middle:])]
    else:
        yield statement
        return
    for letter, half in zip("ab", halves, strict=True):
        yield from _small(replace(half, sid=f"{statement.sid}{letter}"))
