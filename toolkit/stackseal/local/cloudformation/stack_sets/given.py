"""The parameters of a Query request as the nested data that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def nested(form: Mapping[str, str]) -> dict[str, Any]:
    """`Tags.member.1.Key=a` → `{"Tags": [{"Key": "a"}]}`; every leaf is text."""
    tree: dict[str, Any] = {}
    for name in form:
        here, steps = tree, name.split(".")
        for step in steps[:-1]:
            here = here.setdefault(step, {})
        here[steps[-1]] = form[name]
    return {key: _listed(value) for key, value in tree.items()}


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"} and isinstance(node["member"], dict):
        members = node["member"]
        return [_listed(members[number]) for number in sorted(members, key=int)]
    return {key: _listed(value) for key, value in node.items()}


def texts(value: Any) -> list[str]:
    """A list of texts; an empty list travels as an empty text."""
    return [str(item) for item in value] if isinstance(value, list) else []


def yes(value: Any) -> bool:
    """A truth value as the Query protocol writes it."""
    return str(value).lower() == "true"
