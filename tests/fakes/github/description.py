"""GitHub's own description of its REST API: routes, and the schema of every request and reply.

`openapi.json.gz` and `permissions.json` are made by scripts/github_openapi.py from the packages that Octokit publishes.
"""

from __future__ import annotations

import copy
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

FOLDER: Final = Path(__file__).parent
VERSIONS: Final = ("2022-11-28", "2026-03-10")
"""API versions that the fake speaks; the first is what GitHub takes when a request names none."""

SPANNING: Final = frozenset({"basehead", "branch", "path", "ref"})
"""Path parameters that may hold slashes. The description marks only some of them (`x-multi-segment`), not the one
of `git/ref/{ref}`, which is asked as `git/ref/heads/main`."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation: `parameters` and `definition` are GitHub's, references not followed."""

    operation: str
    method: str
    template: str
    pattern: re.Pattern[str]
    parameters: tuple[Mapping[str, Any], ...]
    definition: Mapping[str, Any]


class Description:
    """The description of one API version."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.document = _patched(_read(), version)
        _let_enums_be_null(self.document)
        _let_label_descriptions_be_null(self.document)
        self.routes = tuple(sorted(self._routes(), key=_specific_first))

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a path (still percent-encoded) and its parameters (decoded)."""
        for route in self.routes:
            if route.method == method and (found := route.pattern.fullmatch(path)):
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        return None

    def follow(self, node: Any) -> Any:
        """The node itself, or what its `$ref` names."""
        while isinstance(node, Mapping) and "$ref" in node:
            found: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step.replace("~1", "/").replace("~0", "~")]
            node = found
        return node

    def body_schema(self, route: Route) -> Any:
        """The schema of a request's body; None when the operation takes none."""
        return _json_schema(self.follow(route.definition.get("requestBody")))

    def reply_schema(self, route: Route, status: int) -> Any:
        """The schema of a reply; None when it has no body, KeyError when the status is not documented."""
        return _json_schema(self.follow(route.definition["responses"][str(status)]))

    def _routes(self) -> Iterator[Route]:
        for template, item in self.document["paths"].items():
            for verb, definition in item.items():
                yield Route(
                    operation=definition["operationId"],
                    method=verb.upper(),
                    template=template,
                    pattern=_pattern(template),
                    parameters=tuple(self.follow(entry) for entry in definition.get("parameters", ())),
                    definition=definition,
                )


@cache
def description(version: str) -> Description:
    """The description of a version, read once in a process; nobody may change it."""
    return Description(version)


@cache
def permissions() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Operation → (permission, "read" or "write") pairs, each of which is enough."""
    table = json.loads((FOLDER / "permissions.json").read_text(encoding="utf-8"))
    return {name: tuple(tuple(pair.split(" ")) for pair in pairs) for name, pairs in table.items()}


def _read() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress((FOLDER / "openapi.json.gz").read_bytes()))
    return found


def _json_schema(holder: Any) -> Any:
    return None if holder is None else holder.get("content", {}).get("application/json", {}).get("schema")


def _pattern(template: str) -> re.Pattern[str]:
    def group(found: re.Match[str]) -> str:
        name = found[1]
        return f"(?P<{name}>{'.*' if name == 'path' else '.+' if name in SPANNING else '[^/]+'})"

    literal = re.escape(template).replace(r"\{", "{").replace(r"\}", "}")
    return re.compile(re.sub(r"\{(\w+)\}", group, literal))


def _specific_first(route: Route) -> tuple[bool, int, str]:
    """Routes with a spanning parameter last, then the longest: `commits/{ref}/status` before `commits/{ref}`."""
    spanning = any(f"{{{name}}}" in route.template for name in SPANNING)
    return spanning, -route.template.count("/"), route.template


def _let_enums_be_null(node: Any) -> None:
    """Waiver "nullable-enum": `nullable: true` beside an `enum` without null means null is allowed."""
    if isinstance(node, dict):
        values = node.get("enum")
        if node.get("nullable") is True and isinstance(values, list) and None not in values:
            values.append(None)
        for value in node.values():
            _let_enums_be_null(value)
    elif isinstance(node, list):
        for value in node:
            _let_enums_be_null(value)


def _let_label_descriptions_be_null(document: Any) -> None:
    """Waiver "label-description"."""
    labels = document["components"]["schemas"]["pull-request-simple"]["properties"]["labels"]
    labels["items"]["properties"]["description"]["nullable"] = True


# --- the differences of a newer version


def _patched(node: Any, version: str) -> Any:
    """The node with the breaking changes of the version applied, innermost first."""
    if isinstance(node, list):
        return [_patched(entry, version) for entry in node]
    if not isinstance(node, dict):
        return node
    found = {key: _patched(value, version) for key, value in node.items() if key != "x-github-breaking-changes"}
    for change in node.get("x-github-breaking-changes", ()):
        if change["version"] <= version:
            patch = change["patch"]
            found = _operated(found, patch) if isinstance(patch, list) else _merged(found, patch)
    return found


def _merged(target: Any, patch: Any) -> Any:
    """RFC 7396: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    found = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _merged(found.get(key), value)
    return found


def _operated(target: Any, operations: list[dict[str, Any]]) -> Any:
    """RFC 6902 as far as GitHub uses it: `remove`, `replace`, `add`; what is no longer there stays away."""
    found = copy.deepcopy(target)
    for operation in operations:
        *steps, last = (s.replace("~1", "/").replace("~0", "~") for s in operation["path"].split("/")[1:])
        holder = found
        for step in steps:
            holder = holder[int(step)] if isinstance(holder, list) else holder.get(step, {})
        key: Any = int(last) if isinstance(holder, list) and last != "-" else last
        if operation["op"] != "remove":
            holder[key] = operation["value"]
        elif isinstance(holder, list) or key in holder:
            del holder[key]
    return found
