"""DescribeChangeSet's changes as model values.

CloudFormation has two views of one change set. With IncludePropertyValues it tells values, but leaves out changes that
it cannot evaluate yet (recorded on AWS: a property fed by another resource's attribute is missing although the update
changes it; the `[WARN] --include-property-values option can return incomplete ChangeSet data` status tells of others).
The plain view has them all, without values. So both are read and united: the greater danger of the two wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from stackseal.model import (
    KNOWN_AFTER_APPLY,
    Action,
    Certainty,
    Change,
    PropertyChange,
    Replacement,
    canonical_json,
)

_REPLACEMENT_ORDER: Final = (Replacement.NEVER, Replacement.CONDITIONAL, Replacement.ALWAYS)
_CERTAINTY_ORDER: Final = (Certainty.CASCADE, Certainty.POSSIBLE, Certainty.CERTAIN)
_CASCADES: Final = frozenset({"ResourceReference", "ResourceAttribute", "Automatic"})
_ACTIONS: Final = frozenset(action.value for action in Action)
_REPLACEMENTS: Final = frozenset(replacement.value for replacement in Replacement)
_ABSENT: Final = object()


def changes(detailed: Iterable[Mapping[str, Any]], plain: Iterable[Mapping[str, Any]]) -> tuple[Change, ...]:
    """The `ResourceChange`s of both views, one change per logical id, sorted by it."""
    with_values = {raw["LogicalResourceId"]: raw for raw in detailed}
    without = {raw["LogicalResourceId"]: raw for raw in plain}
    names = sorted(with_values.keys() | without.keys())
    return tuple(_change(with_values.get(name), without.get(name)) for name in names)


def nested(plain: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Logical id of each nested stack that has a change set of its own, and its ARN."""
    return {raw["LogicalResourceId"]: raw["ChangeSetId"] for raw in plain if raw.get("ChangeSetId")}


def worst(found: Iterable[Replacement]) -> Replacement:
    """The replacement with the most impact."""
    return max(found, key=_REPLACEMENT_ORDER.index, default=Replacement.NEVER)


def surest(found: Iterable[Certainty]) -> Certainty:
    """The certainty of a change is that of its surest property; without properties it is certain."""
    return max(found, key=_CERTAINTY_ORDER.index, default=Certainty.CERTAIN)


def _change(detailed: Mapping[str, Any] | None, plain: Mapping[str, Any] | None) -> Change:
    raw = detailed or plain or {}
    # A word that AWS adds later must not pass as harmless: Dynamic counts as destructive.
    action = Action(raw["Action"]) if raw.get("Action") in _ACTIONS else Action.DYNAMIC
    properties = _properties(detailed, plain) if action is not Action.ADD else ()
    return Change(
        action=action,
        logical_id=raw["LogicalResourceId"],
        type=raw.get("ResourceType", ""),
        physical_id=raw.get("PhysicalResourceId") or None,
        replacement=_replacement(action, detailed, plain),
        certainty=Certainty.POSSIBLE if action is Action.DYNAMIC else surest(p.certainty for p in properties),
        policy_action=raw.get("PolicyAction") or (plain or {}).get("PolicyAction"),
        properties=properties,
    )


def _replacement(action: Action, *views: Mapping[str, Any] | None) -> Replacement:
    # AWS writes Replacement True on additions when it includes values; only an existing resource can be replaced.
    if action not in {Action.MODIFY, Action.DYNAMIC}:
        return Replacement.NEVER
    words = [view["Replacement"] for view in views if view and view.get("Replacement")]
    return worst(Replacement(word) if word in _REPLACEMENTS else Replacement.CONDITIONAL for word in words)


def _properties(detailed: Mapping[str, Any] | None, plain: Mapping[str, Any] | None) -> tuple[PropertyChange, ...]:
    before, after = _context(detailed, "BeforeContext"), _context(detailed, "AfterContext")
    merged: dict[str, PropertyChange] = {}
    for detail in (detailed or {}).get("Details", ()):
        _merge(merged, _property(detail, before, after))
    seen = {_top(path) for path in merged}
    for detail in (plain or {}).get("Details", ()):
        change = _property(detail, before, after)
        if _top(change.path) not in seen:
            _merge(merged, change)
    return tuple(merged[path] for path in sorted(merged))


def _top(path: str) -> str:
    return path.strip("/").split("/")[0]


def _merge(merged: dict[str, PropertyChange], new: PropertyChange) -> None:
    """Several details may concern one property: with values AWS adds a direct one beside each named cause."""
    old = merged.get(new.path)
    if old is None:
        merged[new.path] = new
        return
    leader = max((old, new), key=lambda change: (bool(change.cause), _CERTAINTY_ORDER.index(change.certainty)))
    merged[new.path] = PropertyChange(
        path=new.path,
        before=new.before if new.before is not None else old.before,
        after=new.after if new.after is not None else old.after,
        replacement=worst((old.replacement, new.replacement)),
        certainty=leader.certainty,
        cause=leader.cause,
    )


def _property(detail: Mapping[str, Any], before: Any, after: Any) -> PropertyChange:
    target: Mapping[str, Any] = detail.get("Target", {})
    pointer = _pointer(target)
    static = detail.get("Evaluation", "Static") == "Static"
    old, new = _value(before, pointer, target.get("BeforeValue")), _value(after, pointer, target.get("AfterValue"))
    source, unknown = detail.get("ChangeSource", ""), KNOWN_AFTER_APPLY in f"{old}{new}"
    return PropertyChange(
        path=_path(pointer),
        before=old,
        after=new,
        replacement=_recreation(target.get("RequiresRecreation"), static=static),
        certainty=_certainty(source, static=static, told=old != new and not unknown, unknown=unknown),
        cause=detail.get("CausingEntity", ""),
    )


def _pointer(target: Mapping[str, Any]) -> str:
    """`/Properties/Tags/0/Value`; AWS gives no path in the plain view."""
    if target.get("Path"):
        return str(target["Path"])
    attribute, name = target.get("Attribute", ""), target.get("Name")
    if attribute == "Properties":
        return f"/Properties/{name}" if name else "/Properties"
    return f"/Properties/{attribute}" if attribute == "Tags" else f"/{attribute}"


def _path(pointer: str) -> str:
    """Paths of properties lose their prefix; `/DeletionPolicy` and its kin keep their slash."""
    return pointer.removeprefix("/Properties/") if pointer.startswith("/Properties/") else pointer


def _recreation(word: str | None, *, static: bool) -> Replacement:
    # RequiresRecreation Always with a Dynamic evaluation is Replacement Conditional (API reference, ResourceChange).
    if word == "Always":
        return Replacement.ALWAYS if static else Replacement.CONDITIONAL
    return Replacement.CONDITIONAL if word == "Conditionally" else Replacement.NEVER


def _certainty(source: str, *, static: bool, told: bool, unknown: bool) -> Certainty:
    if told or (static and not unknown and source not in _CASCADES):
        return Certainty.CERTAIN
    return Certainty.CASCADE if source in _CASCADES else Certainty.POSSIBLE


def _context(view: Mapping[str, Any] | None, key: str) -> Any:
    """The resource before or after, as data; AWS sends it as JSON text and may cut long ones."""
    text = (view or {}).get(key)
    if not text:
        return _ABSENT
    try:
        return json.loads(text)
    except ValueError:
        return _ABSENT


def _value(context: Any, pointer: str, text: str | None) -> str | None:
    """The JSON text of a node; the bare word KNOWN_AFTER_APPLY for what only the deployment tells."""
    found = _walk(context, pointer)
    if found is _ABSENT:
        return None if text is None else _as_json(text)
    return KNOWN_AFTER_APPLY if found == KNOWN_AFTER_APPLY else canonical_json(found)


def _as_json(text: str) -> str:
    if text == KNOWN_AFTER_APPLY:
        return text
    if text[:1] in {"{", "["}:
        try:
            return canonical_json(json.loads(text))
        except ValueError:
            pass
    return canonical_json(text)


def _walk(node: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            return _ABSENT
    return node
