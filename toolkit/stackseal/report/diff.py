"""The properties of a change as lines of a unified diff, for the one block where they may stand: a fence."""

from __future__ import annotations

import json
from typing import Final

from stackseal.model import KNOWN_AFTER_APPLY, Change

WIDE: Final = 60
"""JSON longer than this is spread over lines."""


def diff(change: Change, *, because: str, later: str) -> str:
    """`- path: before`, `+ path: after`; the words for a cause and for a value not known yet are the template's."""
    lines: list[str] = []
    for item in change.properties:
        cause = f"  ({because} {item.cause})" if item.cause else ""
        sides = [(sign, text) for sign, text in (("-", item.before), ("+", item.after)) if text is not None]
        for sign, text in sides:
            first, *rest = value(text, later).split("\n")
            lines += [f"{sign} {property_name(item.path)}: {first}", *(f"{sign}   {line}" for line in rest)]
        if cause and lines:
            lines[-1] += cause
    return "\n".join(lines)


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
