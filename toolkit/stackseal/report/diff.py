"""The properties of a change as lines of a unified diff, for the one block where they may stand: a fence."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import Final

from stackseal.model import KNOWN_AFTER_APPLY, Change, PropertyChange
from stackseal.report.encode import one_line

WIDE: Final = 60
"""JSON longer than this is spread over lines."""
LONG: Final = 2_000
"""Lines up to which two values are compared; the time grows with their product."""


def diff(change: Change, *, because: str, later: str) -> str:
    """`- path: before`, `+ path: after`; the words for a cause and for a value not known yet are the template's.

    Two values of several lines each are compared line by line, three lines of context around what differs.
    """
    lines: list[str] = []
    for item in change.properties:
        cause = f"  ({because} {one_line(item.cause)})" if item.cause else ""
        lines += _compared(item, later, cause) or _listed(item, later, cause)
    return "\n".join(lines)


def _listed(item: PropertyChange, later: str, cause: str) -> list[str]:
    lines: list[str] = []
    for sign, text in (("-", item.before), ("+", item.after)):
        if text is not None:
            first, *rest = value(text, later).split("\n")
            lines += [f"{sign} {_name(item)}: {first}", *(f"{sign}   {line}" for line in rest)]
    return [*lines[:-1], lines[-1] + cause] if lines else []


def _compared(item: PropertyChange, later: str, cause: str) -> list[str]:
    """Empty where a comparison line by line would say no more."""
    if item.before is None or item.after is None:
        return []
    before, after = value(item.before, later).split("\n"), value(item.after, later).split("\n")
    if min(len(before), len(after)) < 2 or max(len(before), len(after)) > LONG:
        return []
    found = list(unified_diff(before, after, lineterm=""))[2:]
    head = f"@@ {_name(item)}{cause} @@"
    return [head if line.startswith("@@") else f"{line[:1]} {line[1:]}" for line in found]


def _name(item: PropertyChange) -> str:
    """On one line, so that a key that somebody chose cannot write a line of the diff."""
    return one_line(property_name(item.path))


def property_name(path: str) -> str:
    """A property's path without the part that every one has."""
    return path.removeprefix("/Properties/").removeprefix("/")


def value(text: str, later: str) -> str:
    """A property's JSON text on as many lines as it is readable on; `later` says that it is not known yet."""
    try:
        data = json.loads(text) if len(text) > WIDE else None
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict | list):
        text = json.dumps(data, indent=2, ensure_ascii=False)
    return text.replace(f'"{KNOWN_AFTER_APPLY}"', later).replace(KNOWN_AFTER_APPLY, later)
