"""Whether a permissions boundary lets through what a policy grants; IAM intersects the two."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from stackseal.model import Finding, Level, Location, Policy, StackId, Statement, Template
from stackseal.policy.scene import Scene
from stackseal.policy.values import UNKNOWN

CHECK: Final = "role-boundary"
_SHOWN: Final = 3
_SERVICE: Final = "iam:PassedToService"


def boundary_of(template: Template, stack: StackId, logical_id: str) -> Sequence[Mapping[str, Any]]:
    """The statements of a managed policy in a template, computed; none where it has no such resource."""
    found = Scene.of(template, stack).resources.get(logical_id)
    document = found.properties.get("PolicyDocument", {}) if found else {}
    statements: Sequence[Mapping[str, Any]] = document.get("Statement", []) if isinstance(document, Mapping) else []
    return statements


def beyond(granted: Policy, ceiling: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Location]]:
    """Every action that the policy grants and the ceiling stops on a resource, with the line that needs it."""
    for statement in granted.statements:
        for action in statement.actions:
            if any(not _passes(statement, action, arn, ceiling) for arn in statement.resources):
                yield action, statement.because[0].where if statement.because else Location(path="policy")


def findings(
    granted: Policy, ceiling: Sequence[Mapping[str, Any]], owner: StackId, about: StackId
) -> tuple[Finding, ...]:
    """What blocks the stack of roles `about`: the role of `owner` would need more than the boundary allows."""
    stopped = list(dict.fromkeys(beyond(granted, ceiling)))
    if not stopped:
        return ()
    names = sorted({action for action, _ in stopped})
    listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    message = (
        f"The role of {owner.name} would need {listed}, which the boundary of the account's execution roles does not "
        "allow: take out what needs it, or let an administrator widen the boundary (bootstrap)"
    )
    return (
        Finding(
            check=CHECK,
            engine="stackseal",
            level=Level.ERROR,
            message=message,
            where=stopped[0][1],
            resource="Role",
            stack=about.name,
        ),
    )


def _passes(statement: Statement, action: str, arn: str, ceiling: Sequence[Mapping[str, Any]]) -> bool:
    matching = [each for each in ceiling if _matches(action, _texts(each.get("Action")), fold=True)]
    matching = [each for each in matching if _matches(arn, _texts(each.get("Resource")))]
    if any(each.get("Effect") == "Deny" for each in matching):
        return False
    mine, limits = _services(statement.conditions), [_services(each.get("Condition", {})) for each in matching]
    return any(not limit or (mine and mine <= limit) for limit in limits)


def _services(conditions: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The services to which a role may be passed; none where nothing limits them."""
    return {text for keys in conditions.values() for text in _texts(keys.get(_SERVICE))}


def _matches(text: str, patterns: Iterable[str], *, fold: bool = False) -> bool:
    """Whether a pattern of IAM covers the text; what the text leaves open must be open in the pattern, too."""
    flags = re.IGNORECASE if fold else 0
    written = (re.escape(each).replace(re.escape(UNKNOWN), ".*") for each in patterns)
    return any(re.fullmatch(each, text, flags) for each in written)


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(each) for each in value) if isinstance(value, list | tuple) else (str(value),)
