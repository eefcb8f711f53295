"""From grants to statements and from statements to documents that IAM accepts; the same grants give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from stackseal.model import Policy, Reason, Risk, Role, Statement
from stackseal.policy.grants import Conditions, Grant, as_mapping, highest, risk

LIMIT: Final = 6144
"""Characters of a managed policy, white space not counted (IAM Guide, "IAM and STS quotas")."""

Namer = Callable[[Iterable[str], Iterable[str], Risk], str]
"""(actions, resources, risk) → beginning of the statement's Sid; statements of different names are not merged."""
_WORDS: Final = {Risk.PERMISSIONS: "Manage", Risk.WRITE: "Write", Risk.TAG: "Tag", Risk.READ: "Read"}


def by_service(actions: Iterable[str], resources: Iterable[str], level: Risk) -> str:
    """`SagemakerWrite`, `IamPassRole`: the service and what is done."""
    del resources
    names = sorted(actions)
    service = "".join(part.capitalize() for part in names[0].partition(":")[0].split("-"))
    return "IamPassRole" if names == ["iam:PassRole"] else f"{service}{_WORDS[level]}"


def policy(role: Role, grants: Iterable[Grant], name: Namer = by_service) -> Policy:
    """The policy of a role; equal conditions on equal resources share a statement."""
    return Policy(role=role, statements=tuple(statements(grants, name)))


def statements(grants: Iterable[Grant], name: Namer = by_service, *, by_risk: bool = False) -> list[Statement]:
    """Statements in the order of their Sids. With `by_risk` a statement never mixes risks."""
    buckets: dict[tuple[Any, ...], dict[tuple[str, str], set[Reason]]] = {}
    for grant in grants:
        level = risk(grant.action).value if by_risk else ""
        area = name([grant.action], [grant.resource], Risk.WRITE)
        bucket = buckets.setdefault((grant.action.partition(":")[0], area, level, grant.conditions), {})
        bucket.setdefault((grant.action, grant.resource), set()).add(grant.reason)
    made: list[Statement] = []
    for key, bucket in buckets.items():
        options = [_rectangles(bucket, actions_first=True), _rectangles(bucket, actions_first=False)]
        made += min(
            ([_statement(*sides, bucket, key[-1], name) for sides in option] for option in options), key=_length
        )
    return _numbered(made)


def _rectangles(pairs: Iterable[tuple[str, str]], *, actions_first: bool) -> list[tuple[list[str], list[str]]]:
    """Pairs of action and resource as (actions, resources) whose products they are.

    Either actions with equal resources are joined, or resources with equal actions: neither is always shorter.
    """
    sides: dict[str, set[str]] = {}
    for action, resource in pairs:
        one, other = (action, resource) if actions_first else (resource, action)
        sides.setdefault(one, set()).add(other)
    groups: dict[tuple[str, ...], list[str]] = {}
    for one in sorted(sides):
        groups.setdefault(tuple(sorted(sides[one])), []).append(one)
    return [(ones, list(others)) if actions_first else (list(others), ones) for others, ones in groups.items()]


def _length(made: Iterable[Statement]) -> int:
    return sum(len(json.dumps(statement.document())) for statement in made)


def _statement(
    actions: list[str],
    arns: list[str],
    reasons: Mapping[tuple[str, str], set[Reason]],
    limit: Conditions,
    name: Namer,
) -> Statement:
    level = highest(frozenset(map(risk, actions)))
    return Statement(
        sid=name(actions, arns, level),
        actions=tuple(actions),
        resources=tuple(arns),
        conditions=as_mapping(limit),
        risk=level,
        because=tuple(sorted({reason for action in actions for arn in arns for reason in reasons[(action, arn)]})),
    )


def _numbered(made: list[Statement]) -> list[Statement]:
    """Sorted; of several with one Sid the second is number 2."""
    made.sort(key=lambda s: (s.sid, s.resources, s.actions, json.dumps(s.conditions, sort_keys=True)))
    seen: dict[str, int] = {}
    found = []
    for statement in made:
        seen[statement.sid] = count = seen.get(statement.sid, 0) + 1
        found.append(statement if count == 1 else replace(statement, sid=f"{statement.sid}{count}"))
    return found


def documents(found: Policy) -> tuple[dict[str, Any], ...]:
    """IAM documents of at most `LIMIT` characters each; a statement goes into the first that has room for it."""
    parts: list[list[dict[str, Any]]] = [[]]
    for statement in found.statements:
        for piece in _small(statement):
            entry = piece.document()
            room = next((part for part in parts if size(document([*part, entry])) <= LIMIT), None)
            if room is None:
                parts.append([entry])
            else:
                room.append(entry)
    return tuple(document(part) for part in parts)


def document(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Statements as one IAM policy."""
    return {"Version": "2012-10-17", "Statement": list(entries)}


def size(value: dict[str, Any]) -> int:
    """Characters as IAM counts them."""
    return len("".join(json.dumps(value, separators=(",", ":")).split()))


def _small(statement: Statement) -> Iterator[Statement]:
    """A statement that is too large for a document alone is halved by resources, then by actions."""
    if size(document([statement.document()])) <= LIMIT:
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
