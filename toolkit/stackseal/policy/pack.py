"""From grants to statements and from statements to documents that IAM accepts; the same grants give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    resources: dict[tuple[str, Conditions], set[str]] = {}
    reasons: dict[tuple[str, Conditions], set[Reason]] = {}
    for grant in grants:
        resources.setdefault((grant.action, grant.conditions), set()).add(grant.resource)
        reasons.setdefault((grant.action, grant.conditions), set()).add(grant.reason)
    groups: dict[tuple[Any, ...], list[tuple[str, Conditions]]] = {}
    for key, arns in resources.items():
        action, limit = key
        group = (action.partition(":")[0], risk(action).value if by_risk else "", tuple(sorted(arns)), limit)
        groups.setdefault((*group, name([action], arns, Risk.WRITE)), []).append(key)
    made = [
        _statement(keys, resources[keys[0]], {r for key in keys for r in reasons[key]}, name)
        for keys in groups.values()
    ]
    return _numbered(made)


def _statement(keys: Sequence[tuple[str, Conditions]], arns: set[str], because: set[Reason], name: Namer) -> Statement:
    actions = tuple(sorted(action for action, _ in keys))
    level = highest(frozenset(map(risk, actions)))
    return Statement(
        sid=name(actions, arns, level),
        actions=actions,
        resources=tuple(sorted(arns)),
        conditions=as_mapping(keys[0][1]),
        risk=level,
        because=tuple(sorted(because)),
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
    """IAM documents of at most `LIMIT` characters each, filled in order; every one is valid by itself."""
    parts: list[list[dict[str, Any]]] = [[]]
    for statement in found.statements:
        for piece in _small(statement):
            entry = piece.document()
            if parts[-1] and size(document([*parts[-1], entry])) > LIMIT:
                parts.append([])
            parts[-1].append(entry)
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
