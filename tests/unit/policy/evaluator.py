"""Our own reading of how IAM evaluates documents (IAM Guide, "Policy evaluation logic"): one answer for one request.

What it knows: Action and NotAction, Resource and NotResource with wildcards, Deny before Allow, and of conditions the
operators below, their `IfExists` forms and lists of values. Keys that a request lacks match nothing but `Null`, `…Not…`
and `…IfExists`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any


def allows(documents: Iterable[Mapping[str, Any]], action: str, resource: str, context: Mapping[str, Any]) -> bool:
    """Whether the documents allow the request; an explicit denial wins."""
    keys = {key.lower(): _many(value) for key, value in context.items()}
    effects = {
        str(statement["Effect"])
        for document in documents
        for statement in _many(document["Statement"])
        if _applies(statement, action, resource, keys)
    }
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], action: str, resource: str, keys: Mapping[str, list[Any]]) -> bool:
    return (
        _named(statement, "Action", action.lower(), str.lower)
        and _named(statement, "Resource", resource, str)
        and all(
            _met(operator, key, _many(values), keys)
            for operator, entries in statement.get("Condition", {}).items()
            for key, values in entries.items()
        )
    )


def _named(statement: Mapping[str, Any], element: str, asked: str, form: Callable[[str], str]) -> bool:
    if f"Not{element}" in statement:
        return not any(_like(form(pattern), asked) for pattern in _many(statement[f"Not{element}"]))
    return any(_like(form(pattern), asked) for pattern in _many(statement[element]))


def _met(operator: str, key: str, wanted: list[Any], keys: Mapping[str, list[Any]]) -> bool:
    given = keys.get(key.lower(), [])
    if operator == "Null":
        return (str(wanted[0]).lower() == "true") == (not given)
    plain = operator.removesuffix("IfExists")
    if not given:
        return operator != plain or "Not" in plain
    positive = plain.replace("Not", "")
    hit = any(OPERATORS[positive](str(each), str(value)) for each in wanted for value in given)
    return hit if positive == plain else not hit


def _like(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _arn_like(pattern: str, text: str) -> bool:
    """Each of the six parts on its own: a wildcard does not reach over a colon, except in the last part."""
    parts, found = pattern.split(":", 5), text.split(":", 5)
    return len(parts) == len(found) == 6 and all(map(_like, parts, found))


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, given: wanted == given,
    "StringEqualsIgnoreCase": lambda wanted, given: wanted.lower() == given.lower(),
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda wanted, given: wanted.lower() == given.lower(),
}


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
