"""What follows from changes: references to a resource that is replaced, and to attributes that change with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from stackseal.model import KNOWN_AFTER_APPLY, Certainty, JsonPath, PropertyChange, Replacement
from stackseal.plan.diff import Difference, requires, text
from stackseal.plan.resolve import ABSENT, Marker, markers
from stackseal.plan.view import Resource, View

_REPLACEMENT_ORDER: Final = (Replacement.NEVER, Replacement.CONDITIONAL, Replacement.ALWAYS)
_CERTAINTY_ORDER: Final = (Certainty.CASCADE, Certainty.POSSIBLE, Certainty.CERTAIN)
_LASTING: Final = ("Arn", "ARN", "Id", "Name", "Url", "URL", "Uri")
"""Ends of the names of attributes that identify a resource: they change only when it is replaced."""


def worst(found: Iterable[Replacement]) -> Replacement:
    """The replacement with the most impact."""
    return max(found, key=_REPLACEMENT_ORDER.index, default=Replacement.NEVER)


def surest(found: Iterable[Certainty]) -> Certainty:
    """A change is as sure as its surest property; without properties it is certain."""
    return max(found, key=_CERTAINTY_ORDER.index, default=Certainty.CERTAIN)


def weight(change: PropertyChange) -> tuple[int, int, int]:
    """How much a property deserves to be looked at first."""
    direct = 0 if change.cause else 1
    return _REPLACEMENT_ORDER.index(change.replacement), _CERTAINTY_ORDER.index(change.certainty), direct


def spread(
    direct: Mapping[str, tuple[PropertyChange, ...]], before: View, after: View
) -> dict[str, tuple[PropertyChange, ...]]:
    """The direct changes and everything that follows from them, until nothing new follows."""
    found = {name: {change.path: change for change in changes} for name, changes in direct.items()}
    grown = True
    while grown:
        grown = False
        for name in sorted(before.keys() & after.keys()):
            for change in _follow(name, found, before, after):
                old = found.get(name, {}).get(change.path)
                if old is None or worst((old.replacement, change.replacement)) is not old.replacement:
                    found.setdefault(name, {})[change.path] = change
                    grown = True
    return {name: tuple(changes[path] for path in sorted(changes)) for name, changes in found.items()}


def _follow(
    name: str, found: Mapping[str, Mapping[str, PropertyChange]], before: View, after: View
) -> Iterable[PropertyChange]:
    resource = after[name]
    for path, marker in markers(resource.properties):
        if marker.kind not in {"ref", "getatt"}:
            continue
        source, _, attribute = str(marker.argument).partition(".")
        if source == name or source not in found or source not in before:
            continue
        where = "/".join(str(step) for step in path)
        existing = found.get(name, {}).get(where)
        if existing is not None and existing.certainty is Certainty.CERTAIN:
            continue
        change = _consequent(where, path, marker, attribute, resource, found[source])
        if change is not None:
            yield change


def _consequent(
    where: str,
    path: JsonPath,
    marker: Marker,
    attribute: str,
    resource: Resource,
    source: Mapping[str, PropertyChange],
) -> PropertyChange | None:
    replaced = worst(change.replacement for change in source.values())
    known = source.get(attribute) if attribute else None
    if replaced is Replacement.NEVER and not known and not _may_change(attribute):
        return None
    needs = requires(resource.type, Difference(path, marker, ABSENT))
    # As CloudFormation evaluates it: a reference to what is certainly replaced is Static, any other Dynamic, and
    # Always with Dynamic is Conditional (API reference, ResourceChange.Replacement).
    if needs is Replacement.ALWAYS and replaced is not Replacement.ALWAYS and not known:
        needs = Replacement.CONDITIONAL
    node = _value_at(resource.properties, path)
    told = known is not None and isinstance(node, Marker) and node.kind == "getatt"
    return PropertyChange(
        path=where,
        before=known.before if told and known else text(node),
        after=known.after if told and known else KNOWN_AFTER_APPLY,
        replacement=needs,
        certainty=Certainty.CERTAIN if told and known and known.certainty is Certainty.CERTAIN else Certainty.CASCADE,
        cause=str(marker.argument),
    )


def _may_change(attribute: str) -> bool:
    """Whether an attribute can change while its resource stays (a LaunchTemplate's LatestVersionNumber)."""
    return bool(attribute) and not attribute.endswith(_LASTING)


def _value_at(node: object, path: JsonPath) -> object:
    for step in path:
        node = node[step]  # type: ignore[index] # the path was read from this very value
    return node
