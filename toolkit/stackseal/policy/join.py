"""Statements joined step by step, without allowing anything more.

Two statements become one where every pair of action and resource that this adds can never be a request: IAM compares an
ARN with the kinds of resource that an action acts on, so `s3:CreateBucket` on a pipeline's ARN allows nothing. Two that
differ in nothing but the values of one condition become one with all of the values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Final

from stackseal import facts
from stackseal.model import Risk, Statement
from stackseal.policy.globs import FIELD, NAME, covers, overlap
from stackseal.policy.scope import described

_JOINED: Final = {Risk.PERMISSIONS: "StackManage", Risk.WRITE: "StackWrite", Risk.TAG: "StackTag"}
_RISKS: Final = list(Risk)
_ALTERNATIVES: Final = frozenset({"StringEquals", "StringLike", "ArnEquals", "ArnLike"})
"""Operators of which one value suffices; the negated ones ask for all of them."""
Conditions = Mapping[str, Mapping[str, tuple[str, ...]]]


def length(statement: Statement) -> int:
    """Characters of a statement as IAM counts them."""
    return len("".join(json.dumps(statement.document(), separators=(",", ":")).split()))


def states(pieces: Sequence[Statement]) -> Iterator[tuple[Statement, ...]]:
    """The statements as they are, then with the two joined that saves most, and so on until nothing saves anything."""
    here = dict(enumerate(pieces))
    yield tuple(here.values())
    gains: dict[tuple[int, int], tuple[int, Statement]] = {}
    fresh = set(here)
    for number in range(len(pieces), 2 * len(pieces)):
        for pair in combinations(sorted(here), 2):
            if fresh.intersection(pair) and (gain := _gain(here[pair[0]], here[pair[1]])):
                gains[pair] = gain
        if not gains:
            return
        best = max(gains, key=lambda pair: (gains[pair][0], -pair[0], -pair[1]))
        here, fresh = _replaced(here, best, number, gains[best][1]), {number}
        gains = {pair: gain for pair, gain in gains.items() if not set(pair).intersection(best)}
        yield tuple(here.values())


def _replaced(
    here: Mapping[int, Statement], pair: tuple[int, int], number: int, new: Statement
) -> dict[int, Statement]:
    """The joined statement stands where the first of the two stood."""
    found: dict[int, Statement] = {}
    for key, statement in here.items():
        if key == pair[0]:
            found[number] = new
        elif key != pair[1]:
            found[key] = statement
    return found


def _gain(one: Statement, other: Statement) -> tuple[int, Statement] | None:
    """The characters that joining two saves, and what they become; None where that saves none or allows more."""
    joined = _joined(one, other)
    if joined is None:
        return None
    saved = length(one) + length(other) - length(joined)
    return (saved, joined) if saved > 0 else None


def _joined(one: Statement, other: Statement) -> Statement | None:
    if one.effect != other.effect:
        return None
    if one.conditions == other.conditions:
        return _both(one, other) if _same_pairs(one, other) else None
    limits = _either(one.conditions, other.conditions)
    if limits is None or set(one.actions) != set(other.actions) or set(one.resources) != set(other.resources):
        return None
    return replace(one, conditions=limits, because=tuple(sorted({*one.because, *other.because})))


def _either(one: Conditions, other: Conditions) -> Conditions | None:
    """Conditions that hold where either's do: they may differ in the values of one key; None where they differ more."""
    keys = [(operator, key) for operator in one for key in one[operator]]
    if keys != [(operator, key) for operator in other for key in other[operator]]:
        return None
    different = [(operator, key) for operator, key in keys if one[operator][key] != other[operator][key]]
    if len(different) != 1 or different[0][0] not in _ALTERNATIVES:
        return None
    ((changed, name),) = different
    values = tuple(sorted({*one[changed][name], *other[changed][name]}))
    return {**one, changed: {**one[changed], name: values}}


def _same_pairs(one: Statement, other: Statement) -> bool:
    """Whether both together allow what they allow apart."""
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
    if known is None or ":" not in arn:
        return False
    arn = arn.replace("codestar-connections", "codeconnections")
    return not any(overlap(arn, _pattern(template)) for template in described(known))


@cache
def _pattern(template: str) -> str:
    """An ARN template with a star for each variable. In S3 only what an object is called has slashes."""
    text = template.replace("codestar-connections", "codeconnections")
    text = re.sub(r"\$\{(Partition|Region|Account)\}", FIELD, text)
    if ":s3:::" in text:
        text = re.sub(r"\$\{[^}]+\}(?!$)" if "/" in text else r"\$\{[^}]+\}", NAME, text)
    return re.sub(r"\$\{[^}]+\}", "*", text)


def _both(one: Statement, other: Statement) -> Statement:
    level = min(one.risk, other.risk, key=_RISKS.index)
    return replace(
        one,
        sid=_JOINED.get(level, "StackRead"),
        actions=tuple(sorted({*one.actions, *other.actions})),
        resources=uncovered({*one.resources, *other.resources}),
        risk=level,
        because=tuple(sorted({*one.because, *other.because})),
    )


def uncovered(resources: set[str]) -> tuple[str, ...]:
    """Sorted, without what another of them includes."""
    return tuple(sorted(arn for arn in resources if not any(covers(other, arn) for other in resources - {"*"})))
