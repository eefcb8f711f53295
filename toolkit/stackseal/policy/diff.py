"""What one version of a policy allows and another does not, action by action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from stackseal.model import Policy, PolicyDelta, Reason, Risk, Role, Statement
from stackseal.policy.grants import Conditions, Grant, conditions, highest, risk
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


def grant_first(deltas: Sequence[PolicyDelta], *, everywhere: bool = False) -> str | None:
    """What to do before the merge when the execution role must grow, as a sentence; None where it need not.

    CloudFormation works with the role as it is when the stack is deployed: what the change needs must be there before.
    `everywhere` says that each account of a stack set has one.
    """
    added = [statement for item in deltas if item.role is Role.EXECUTION for statement in item.added]
    actions = {action for statement in added if statement.effect == "Allow" for action in statement.actions}
    if not actions:
        return None
    worst = highest(frozenset(risk(action) for action in actions))
    first = sorted((action for action in actions if risk(action) is worst), key=str.lower)
    listed = ", ".join(first[:3]) + (f" and {len(first) - 3} more" if len(first) > 3 else "")
    count = f"{len(actions)} action{'s' if len(actions) != 1 else ''}"
    kind = "permission management" if worst is Risk.PERMISSIONS else worst.value
    who = "the execution role of every account" if everywhere else "the execution role"
    how = "give it the new execution policy" if everywhere else "deploy the roles' stack with the new execution policy"
    return (
        f"Grant first: {who} must be allowed {count} more, of which the riskiest are {kind} ({listed}); "
        f"{how} before this change is merged"
    )


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
