"""Two resolved resources, property by property: what differs, what it needs, who caused it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from stackseal import facts
from stackseal.model import KNOWN_AFTER_APPLY, JsonPath, Replacement, canonical_json
from stackseal.plan.overrides import UPDATE_REQUIRES
from stackseal.plan.resolve import ABSENT, Marker, same, shown

ATTRIBUTES: Final = ("DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy", "CreationPolicy", "Metadata")
"""Resource attributes beside Properties whose change CloudFormation reports (ResourceAttribute of its model)."""


class Difference(NamedTuple):
    """One node that differs. `path` counts from the resource's Properties."""

    path: JsonPath
    before: Any
    after: Any


def differences(before: Any, after: Any, path: JsonPath = ()) -> Iterator[Difference]:
    """The smallest nodes that differ. In lists what was inserted or removed is told alone, where it stands."""
    if before is not ABSENT and after is not ABSENT and same(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_lists(before, after, path)
    elif before is not after:
        yield Difference(path, before, after)


def _in_lists(before: list[Any], after: list[Any], path: JsonPath) -> Iterator[Difference]:
    """Common items at both ends are left out; what is left changed item by item, came or went."""
    start = 0
    while start < min(len(before), len(after)) and same(before[start], after[start]):
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and same(before[-1 - end], after[-1 - end]):
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if old and new and len(old) != len(new):
        yield Difference(path, before, after)
        return
    for index in range(max(len(old), len(new))):
        left, right = (side[index] if index < len(side) else ABSENT for side in (old, new))
        yield from differences(left, right, (*path, start + index))


def requires(type_: str, difference: Difference) -> Replacement:
    """Whether this difference replaces the resource: AWS's documentation where it is known better, else the schema."""
    for pattern, replacement in UPDATE_REQUIRES.get(type_, {}).items():
        if _concerns(pattern, difference):
            return replacement
    if any(_concerns(pattern, difference) for pattern in facts.create_only(type_)):
        return Replacement.ALWAYS
    if any(_concerns(pattern, difference) for pattern in facts.conditional_create_only(type_)):
        return Replacement.CONDITIONAL
    return Replacement.NEVER


def text(value: Any) -> str | None:
    """A value as canonical JSON, None for one that is not there; a bare word for one that only the deployment tells."""
    found = None if value is ABSENT else shown(value)
    return found if found is None or found == KNOWN_AFTER_APPLY else canonical_json(found)


def _concerns(pattern: str, difference: Difference) -> bool:
    """Whether the property named by `A/*/B` is the node, above it, or below it and different."""
    wanted, path = pattern.split("/"), [str(step) for step in difference.path]
    for want, step in zip(wanted, path, strict=False):
        if want not in {"*", step}:
            return False
    if len(path) >= len(wanted):
        return True
    old, new = (list(_below(value, wanted[len(path) :])) for value in (difference.before, difference.after))
    return not same(old, new)


def _below(value: Any, steps: list[str]) -> Iterator[Any]:
    if isinstance(value, Marker):
        yield value
    elif not steps:
        if value is not ABSENT:
            yield value
    elif steps[0] == "*":
        for item in value if isinstance(value, list) else []:
            yield from _below(item, steps[1:])
    elif isinstance(value, Mapping):
        yield from _below(value.get(steps[0], ABSENT), steps[1:])
