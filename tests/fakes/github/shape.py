"""Replies in exactly the shape that GitHub's description gives them.

Handlers say what the fake models, under GitHub's names. What a shape does not have is dropped (the short form of a pull
request has no `mergeable`), and what it requires beyond that is filled with a value that nobody can mistake for data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fakes.github.description import Description

UNMODELLED: Final = "unmodelled"
UNMODELLED_URL: Final = "https://unmodelled.invalid/"
EPOCH: Final = "1970-01-01T00:00:00Z"
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (Mapping,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def shaped(description: Description, schema: Any, value: Any) -> Any:
    """The value in the shape of a schema."""
    schema = _whole(description, schema)
    if isinstance(value, Mapping):
        return _object(description, schema, value)
    if isinstance(value, list | tuple):
        items = _pick(description, schema, value).get("items", {})
        return [shaped(description, items, entry) for entry in value]
    return value


def _object(description: Description, schema: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    schema = _pick(description, schema, value)
    properties = schema.get("properties")
    if properties is None:
        return dict(value)
    required = schema.get("required", ())
    found = {
        name: shaped(description, properties[name], value[name])
        for name in properties
        if name in value and (value[name] is not None or name in required or _nullable(description, properties[name]))
    }
    for name in required:
        if name not in found:
            found[name] = _neutral(description, properties.get(name, {}), name)
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping) or more is True:
        found |= {name: entry for name, entry in value.items() if name not in properties}
    return found


def _nullable(description: Description, schema: Any) -> bool:
    """Whether null may stand there; an optional value that is null and may not be is left out."""
    schema = description.follow(schema)
    if "type" not in schema and "nullable" not in schema:
        alternatives = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf")
        return alternatives is None or any(_nullable(description, entry) for entry in alternatives)
    return schema.get("nullable") is True


def _whole(description: Description, schema: Any) -> Any:
    """The schema with `allOf` folded into it."""
    schema = description.follow(schema) or {}
    if "allOf" not in schema:
        return schema
    found: dict[str, Any] = {"properties": {}, "required": [], **{k: v for k, v in schema.items() if k != "allOf"}}
    for part in schema["allOf"]:
        inner = _whole(description, part)
        found["properties"] = found["properties"] | inner.get("properties", {})
        found["required"] = [*found["required"], *inner.get("required", ())]
    return found


def _pick(description: Description, schema: Any, value: Any) -> Any:
    """Of alternatives that the value can be, the one that knows most of it."""
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    if not alternatives or "properties" in schema:
        return schema
    whole = [_whole(description, entry) for entry in alternatives]
    fitting = [entry for entry in whole if _fits(description, entry, value)] or whole[:1]
    names = value.keys() if isinstance(value, Mapping) else set()
    best = max(fitting, key=lambda entry: len(names & entry.get("properties", {}).keys()))
    return _pick(description, best, value)


def _fits(description: Description, schema: Any, value: Any) -> bool:
    if "type" in schema and not isinstance(value, _TYPES[schema["type"]]):
        return False
    if not isinstance(value, Mapping):
        return True
    for name, entry in schema.get("properties", {}).items():
        allowed = description.follow(entry).get("enum")
        if allowed is not None and name in value and value[name] not in allowed:
            return False
    return True


def _neutral(description: Description, schema: Any, name: str) -> Any:  # noqa: PLR0911 - one line per kind
    """A value for what is required and not modelled."""
    schema = _whole(description, schema)
    if schema.get("nullable"):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    if alternatives := schema.get("oneOf") or schema.get("anyOf"):
        return _neutral(description, alternatives[0], name)
    match schema.get("type"):
        case "string":
            return _text(schema.get("format"), name)
        case "integer" | "number":
            return 0
        case "boolean":
            return False
        case "array":
            return []
    properties = schema.get("properties", {})
    return {key: _neutral(description, properties.get(key, {}), key) for key in schema.get("required", ())}


def _text(kind: str | None, name: str) -> str:
    if kind == "date-time":
        return EPOCH
    return UNMODELLED_URL + name if kind == "uri" or name.endswith("url") else UNMODELLED
