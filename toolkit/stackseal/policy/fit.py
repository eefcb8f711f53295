"""From statements to as few documents as IAM accepts, without allowing anything more.

Two statements become one where every pair of action and resource that this adds can never be a request: IAM compares an
ARN with the kinds of resource that an action acts on, so `s3:CreateBucket` on a pipeline's ARN allows nothing. The
documents allow exactly what the policy's statements allow, so figures, differences and reasons speak of the statements.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from stackseal import facts
from stackseal.facts import ActionFacts
from stackseal.model import Policy, Risk, Statement
from stackseal.policy.scope import describes

LIMIT: Final = 6144
"""Characters of a managed policy, white space not counted (IAM Guide, "IAM and STS quotas")."""
_JOINED: Final = {Risk.PERMISSIONS: "StackManage", Risk.WRITE: "StackWrite", Risk.TAG: "StackTag"}
_RISKS: Final = list(Risk)
_NUMBER: Final = 2
"""Characters that the number of a joined statement may add to its Sid."""


def documents(found: Policy) -> tuple[dict[str, Any], ...]:
    """IAM documents of at most `LIMIT` characters each.

    A statement goes into the first that has room for it. Statements are joined only where that saves a document: one
    statement for each service is easier to read.
    """
    pieces = [piece for statement in found.statements for piece in _small(statement)]
    apart = _filled(pieces, join=False)
    joined = _filled(pieces, join=True) if len(apart) > 1 else apart
    fewest = joined if len(joined) < len(apart) else apart
    return tuple(document([statement.document() for statement in part]) for part in _named(fewest))


def document(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Statements as one IAM policy."""
    return {"Version": "2012-10-17", "Statement": list(entries)}


def size(value: dict[str, Any]) -> int:
    """Characters as IAM counts them."""
    return len("".join(json.dumps(value, separators=(",", ":")).split()))


def _filled(pieces: Sequence[Statement], *, join: bool) -> list[list[Statement]]:
    """Each statement in the first document that has room for it, alone or joined with one that is there."""
    parts: list[list[Statement]] = [[]]
    for piece in pieces:
        for place, part in enumerate(parts):
            more = _with(part, piece) if join else [*part, piece]
            if _size(more) + (_NUMBER * len(more) if join else 0) <= LIMIT:
                parts[place] = more
                break
        else:
            parts.append([piece])
    return parts


def _with(part: Sequence[Statement], new: Statement) -> list[Statement]:
    """A document's statements and one more, joined with that one with which it is shortest."""
    best = [*part, new]
    for place, old in enumerate(part):
        if _same_pairs(old, new):
            joined = [*part[:place], _join(old, new), *part[place + 1 :]]
            best = min(best, joined, key=_size)
    return best


def _same_pairs(one: Statement, other: Statement) -> bool:
    """Whether both together allow what they allow apart."""
    if one.effect != other.effect or one.conditions != other.conditions:
        return False
    return all(
        _impossible(action, arn)
        for mine, theirs in ((one, other), (other, one))
        for action in set(mine.actions).difference(theirs.actions)
        for arn in set(theirs.resources).difference(mine.resources)
    )


@cache
def _impossible(action: str, arn: str) -> bool:
    """Whether no request can be this action on this ARN; what is not known counts as possible."""
    known = facts.action(action)
    if known is None or ":" not in arn or describes(known, arn):
        return False
    # What a pattern stands for may be of another kind than the pattern itself, but not of another service.
    return "*" not in arn or arn.split(":")[2] not in {"*", *_services(known)}


def _services(action: ActionFacts) -> Iterator[str]:
    """The third part of the ARNs that an action acts on."""
    service = facts.service(action.name.partition(":")[0])
    arns = service.arns if service else {}
    for kind in action.resources:
        yield from (pattern.split(":")[2] for pattern in arns.get(kind, ()))


def _join(one: Statement, other: Statement) -> Statement:
    level = min(one.risk, other.risk, key=_RISKS.index)
    return replace(
        one,
        sid=_JOINED.get(level, "StackRead"),
        actions=tuple(sorted({*one.actions, *other.actions})),
        resources=tuple(sorted({*one.resources, *other.resources})),
        risk=level,
        because=tuple(sorted({*one.because, *other.because})),
    )


def _named(parts: Sequence[Sequence[Statement]]) -> Iterator[list[Statement]]:
    """Of several statements with one Sid the second is number 2, in whichever document."""
    seen: dict[str, int] = {}
    for part in parts:
        renamed = []
        for statement in part:
            seen[statement.sid] = count = seen.get(statement.sid, 0) + 1
            renamed.append(statement if count == 1 else replace(statement, sid=f"{statement.sid}{count}"))
        yield renamed


def _size(part: Sequence[Statement]) -> int:
    return size(document([statement.document() for statement in part]))


def _small(statement: Statement) -> Iterator[Statement]:
    """A statement that is too large for a document alone is halved by resources, then by actions."""
    if _size([statement]) <= LIMIT:
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
