"""From grants to statements that allow exactly these and nothing else; the same grants give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from stackseal.model import Policy, Reason, Risk, Role, Statement
from stackseal.policy.grants import Conditions, Grant, as_mapping, highest, risk

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
