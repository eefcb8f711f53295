"""What follows from changes: references to a resource that is replaced, and to attributes that change with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from stackseal.model import KNOWN_AFTER_APPLY, Certainty, JsonPath, PropertyChange, Replacement
from stackseal.plan.diff import Difference, requires, text
from stackseal.plan.resolve import ABSENT, Marker, markers
from stackseal.plan.view import Resource, View

_REPLACEMENT_ORDER: Final = (Replacement.NEVER, Replacement.CONDITIONAL, Replacement.ALWAYS)
_CERTAINTY_ORDER: Final = (Certainty.CASCADE, Certainty.POSSIBLE, Certainty.CERTAIN)
_LASTING: Final = ("Arn", "ARN", "Id", "Name", "Url", "URL", "Uri")
"""Ends of the names of attributes that identify a resource: they change only when it is replaced."""


class Reference(NamedTuple):
    """A place that refers to a resource, or to one of its attributes."""

    path: JsonPath
    marker: Marker
    source: str
    attribute: str


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
    direct: Mapping[str, tuple[PropertyChange, ...]], before: View, after: View, *, cautious: bool = False
) -> dict[str, tuple[PropertyChange, ...]]:
    """The direct changes and everything that follows from them, until nothing new follows.

    `cautious` follows the attributes of what changes in place, too. Those that identify a resource stay as they are
    then, but CloudFormation's change sets list them: it evaluates an attribute only when it deploys.
    """
    found = {name: {change.path: change for change in changes} for name, changes in direct.items()}
    references = {name: _references(name, after[name], before) for name in sorted(before.keys() & after.keys())}
    fresh = set(found)
    while fresh:
        moved, fresh = fresh, set()
        for name, pointers in references.items():
            sources = [item for item in pointers if item.source in moved]
            for change in _follow(name, after[name], sources, found, cautious=cautious):
                old = found.get(name, {}).get(change.path)
                if old is None or worst((old.replacement, change.replacement)) is not old.replacement:
                    found.setdefault(name, {})[change.path] = change
                    fresh.add(name)
    return {name: tuple(changes[path] for path in sorted(changes)) for name, changes in found.items()}


def _references(name: str, resource: Resource, before: View) -> list[Reference]:
    """What a resource refers to among those that exist already, other than itself."""
    found = [
        Reference(path, marker, *str(marker.argument).partition(".")[::2])
        for path, marker in markers(resource.properties)
        if marker.kind in {"ref", "getatt"}
    ]
    return [item for item in found if item.source != name and item.source in before]


def _follow(
    name: str,
    resource: Resource,
    references: list[Reference],
    found: Mapping[str, Mapping[str, PropertyChange]],
    *,
    cautious: bool,
) -> Iterable[PropertyChange]:
    for item in references:
        where = "/".join(str(step) for step in item.path)
        existing = found.get(name, {}).get(where)
        if existing is not None and existing.certainty is Certainty.CERTAIN:
            continue
        change = _consequent(where, item, resource, found[item.source], cautious=cautious)
        if change is not None:
            yield change


def _consequent(
    where: str, item: Reference, resource: Resource, source: Mapping[str, PropertyChange], *, cautious: bool
) -> PropertyChange | None:
    path, marker, _, attribute = item
    replaced = worst(change.replacement for change in source.values())
    known = source.get(attribute) if attribute else None
    if replaced is Replacement.NEVER and not known and not (_may_change(attribute) or (cautious and attribute)):
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
