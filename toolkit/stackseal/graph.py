"""Which resource of a template needs which: references and DependsOn, for the picture in the report."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stackseal.model import Edge, Template

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")


def edges(template: Template) -> tuple[Edge, ...]:
    """One edge for every pair of resources of which the first refers to the second, sorted."""
    known = template.resources
    found = {
        Edge(source=name, target=target)
        for name, resource in known.items()
        for target in (*_references(resource), *_depends_on(resource))
        if target in known and target != name
    }
    return tuple(sorted(found, key=lambda edge: (edge.source, edge.target)))


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key == "Ref" and isinstance(value, str):
                yield value
            elif key == "Fn::GetAtt" and value:
                yield str(value[0]) if isinstance(value, list) else str(value).split(".", 1)[0]
            elif key == "Fn::Sub":
                yield from _substituted(value)
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _substituted(value: Any) -> Iterator[str]:
    """The names in `${}`, but not those that the form with a map defines itself."""
    text, own = (value[0], value[1:]) if isinstance(value, list) and value else (value, [])
    defined = own[0] if own and isinstance(own[0], Mapping) else {}
    if isinstance(text, str):
        yield from (name for name in _VARIABLE.findall(text) if name not in defined)
    yield from _references(own)


def _depends_on(resource: Any) -> list[str]:
    found = resource.get("DependsOn") if isinstance(resource, Mapping) else None
    listed = found if isinstance(found, list) else [found]
    return [name for name in listed if isinstance(name, str)]
