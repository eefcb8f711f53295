"""What one version of a policy allows and another does not, action by action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from stackseal.model import Policy, PolicyDelta, Reason, Statement
from stackseal.policy.grants import Conditions, Grant, conditions
from stackseal.policy.pack import statements

_Atom = tuple[str, str, str, Conditions]
"""Effect, action, resource, conditions."""


def delta(base: Sequence[Policy], head: Sequence[Policy]) -> tuple[PolicyDelta, ...]:
    """Additions and removals per role, in the order of the head; roles that do not differ are left out.

    Statements of a delta never mix risks, so that a reviewer sees first what can do most.
    """
    before = {policy.role: _atoms(policy) for policy in base}
    after = {policy.role: _atoms(policy) for policy in head}
    found = []
    for role in dict.fromkeys([*after, *before]):
        old, new = before.get(role, {}), after.get(role, {})
        added = _statements({atom: new[atom] for atom in new if atom not in old})
        removed = _statements({atom: old[atom] for atom in old if atom not in new})
        if added or removed:
            found.append(PolicyDelta(role=role, added=added, removed=removed))
    return tuple(found)


def _atoms(policy: Policy) -> dict[_Atom, tuple[Reason, ...]]:
    found: dict[_Atom, tuple[Reason, ...]] = {}
    for statement in policy.statements:
        limit = _conditions(statement.conditions)
        for action in statement.actions:
            for resource in statement.resources:
                found[(statement.effect, action, resource, limit)] = statement.because
    return found


def _conditions(found: Mapping[str, Mapping[str, tuple[str, ...]]]) -> Conditions:
    return conditions(*((operator, key, values) for operator, keys in found.items() for key, values in keys.items()))


def _statements(atoms: Mapping[_Atom, tuple[Reason, ...]]) -> tuple[Statement, ...]:
    found: list[Statement] = []
    for effect, group in groupby(sorted(atoms, key=lambda atom: atom[0]), key=lambda atom: atom[0]):
        found += [replace(made, effect=effect) for made in statements(_grants(group, atoms), by_risk=True)]
    return tuple(found)


def _grants(group: Iterable[_Atom], atoms: Mapping[_Atom, tuple[Reason, ...]]) -> Iterator[Grant]:
    for atom in group:
        _, action, resource, limit = atom
        for reason in atoms[atom]:
            yield Grant(action=action, resource=resource, conditions=limit, reason=reason)
