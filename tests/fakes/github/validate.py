"""Requests and replies against GitHub's description.

GitHub's request schemas mostly allow unknown properties, so a misspelt optional one (`label` for `labels`) would pass
in silence; here every object that lists its properties refuses others.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry
from referencing.jsonschema import DRAFT4

from fakes.github.description import Description, Route

WAIVERS: Final[Mapping[str, str]] = {
    "nullable-enum": (
        "`nullable: true` with an `enum` that lacks null (a check run's conclusion, an issue's state_reason): GitHub "
        "answers null there; null is added to such enums when the description is read"
    ),
    "bare-label-array": (
        "issues/add-labels and issues/set-labels document the object form and arrays of objects, but the field's text "
        "and GitHub itself also take an array of names, which PyGithub sends"
    ),
    "discriminator": (
        "repos/get-content tells its alternatives apart by `type`, which the list of a folder does not have; "
        "discriminators are ignored, the alternatives themselves are enough"
    ),
    "examples": (
        "10 of the operations have official examples that fail their own schema; examples are not kept at all, replies "
        "are built from the schemas"
    ),
    "branch-protection": (
        "PyGithub omits required `contexts` when it edits branch protection; the fake offers no such operation, "
        "because a job's token can never have `administration`"
    ),
    "label-description": (
        "in a list of pull requests a label's description is required and no null, but a label without description has "
        "null everywhere else, and GitHub answers it here, too"
    ),
}
"""What GitHub's description gets wrong, and how the fake lives with it."""

ANY_OPERATION: Final = frozenset({304, 400, 401, 403, 404, 410, 422, 429, 500, 502, 503, 504})
"""Statuses that any operation may answer, whether its description lists them or not."""

_NAMES: Final = {"type": "array", "items": {"type": "string", "minLength": 1}}
_BARE_LABELS: Final = frozenset({"issues/add-labels", "issues/set-labels"})
_UNIVERSAL: Final = frozenset({"page", "per_page"})  # ignored where a list has no pages; PyGithub always sends them


class Validator:
    """Problems of requests and replies, as sentences; empty when there is none."""

    def __init__(self, description: Description) -> None:
        self._description = description
        resource = DRAFT4.create_resource(description.document)
        self._registry: Registry[Any] = Registry().with_resource("urn:github", resource)
        self._ready: dict[object, OAS30Validator] = {}
        self._proven: set[bytes] = set()

    def request(self, route: Route, path: Mapping[str, str], query: Mapping[str, str], body: Any) -> list[str]:
        """What is wrong with a request. Query and path values are text; `body` is parsed JSON or None."""
        return [
            *self._parameters(route, "path", path),
            *self._parameters(route, "query", query),
            *self._body(route, body),
        ]

    def reply(self, route: Route, status: int, body: Any) -> list[str]:
        """What is wrong with a reply."""
        if str(status) not in route.definition["responses"]:
            return [] if status in ANY_OPERATION else [f"status {status} is not documented"]
        schema = self._description.reply_schema(route, status)
        if schema is None:
            return [] if body is None or status >= 400 else [f"status {status} is documented without a body"]
        key, whole = f"{route.operation} {status}", self._description.follow(schema)
        if whole.get("type") != "array" or not isinstance(body, list):
            return self._prove(key, schema, body)
        return [
            f"{index}/{problem}"
            for index, entry in enumerate(body)
            for problem in self._prove(f"{key} item", whole["items"], entry)
        ]

    def _prove(self, key: str, schema: Any, value: Any) -> list[str]:
        """The problems of a value; what was found good is not looked at again, lists repeat their entries."""
        digest = hashlib.sha256(f"{key} {json.dumps(value)}".encode()).digest()
        if digest in self._proven:
            return []
        problems = self._errors(key, schema, value)
        if not problems:
            self._proven.add(digest)
        return problems

    def _parameters(self, route: Route, place: str, given: Mapping[str, str]) -> Iterator[str]:
        known = {entry["name"]: entry for entry in route.parameters if entry["in"] == place}
        for name, text in given.items():
            if name not in known:
                if place == "path" or name not in _UNIVERSAL:
                    yield f"{place}: unknown parameter {name!r}"
                continue
            schema = self._description.follow(known[name]["schema"])
            for problem in self._errors((route.operation, place, name), schema, _typed(schema, text)):
                yield f"{place} {name}: {problem}"

    def _body(self, route: Route, body: Any) -> list[str]:
        holder = self._description.follow(route.definition.get("requestBody"))
        if holder is None:
            return [] if body in (None, {}) else ["body: the operation takes none"]
        if body is None:
            return ["body: it is required"] if holder.get("required") else []
        if route.operation in _BARE_LABELS and isinstance(body, list):
            return self._errors("bare labels", _NAMES, body)
        schema = self._description.body_schema(route)
        return self._errors((route.operation, "body"), _strict(self._description, schema), body)

    def _errors(self, key: object, schema: Any, value: Any) -> list[str]:
        if key not in self._ready:
            self._ready[key] = OAS30Validator(
                _absolute(schema), registry=self._registry, format_checker=oas30_format_checker
            )
        return [
            f"{'/'.join(map(str, error.absolute_path)) or 'body'}: {_short(error.message)}"
            for error in self._ready[key].iter_errors(value)
        ]


def _short(message: str) -> str:
    """A message starts with the value and ends with what is wrong with it."""
    return message if len(message) <= 300 else f"{message[:100]} … {message[-200:]}"


def _typed(schema: Mapping[str, Any], text: str) -> Any:
    """The text of a parameter as the type that its schema has."""
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    if kind == "array":
        return text.split(",")
    return int(text) if kind is None and text.isdigit() else text


def _absolute(node: Any) -> Any:
    """The schema with references into the registered document."""
    if isinstance(node, Mapping):
        return {
            key: f"urn:github{value}" if key == "$ref" and str(value).startswith("#") else _absolute(value)
            for key, value in node.items()
            if key != "discriminator" or "propertyName" not in value
        }
    return [_absolute(entry) for entry in node] if isinstance(node, list) else node


def _strict(description: Description, node: Any) -> Any:
    """The schema, references resolved, refusing properties that it does not list."""
    node = description.follow(node)
    if isinstance(node, list):
        return [_strict(description, entry) for entry in node]
    if not isinstance(node, Mapping):
        return node
    found = {key: _strict(description, value) for key, value in node.items()}
    combined = found.keys() & {"oneOf", "anyOf", "allOf", "additionalProperties"}
    if found.get("type") == "object" and found.get("properties") and not combined:
        found["additionalProperties"] = False
    return found
