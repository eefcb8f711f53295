"""Values that are only partly known before a deployment: `*` for the unknown part, `Choice` for alternatives."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

UNKNOWN: Final = "*"
NOTHING: Final = object()
"""`AWS::NoValue`: the key or item is left out."""
_MOST: Final = 16
"""More alternatives than this are not worth listing: the value counts as unknown."""


@dataclass(frozen=True)
class Choice:
    """One of several values; which one is known only when the stack is deployed."""

    options: tuple[Any, ...]


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one: a malformed section says nothing."""
    return value if isinstance(value, Mapping) else {}


def options(value: Any) -> tuple[Any, ...]:
    """The alternatives of a value; a plain value is its own only one."""
    return value.options if isinstance(value, Choice) else (value,)


def strings(value: Any) -> tuple[str, ...]:
    """A scalar's alternatives as text; anything that is not a scalar is unknown."""
    return tuple(dict.fromkeys(text(option) for option in options(value)))


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (str, int, float)) else UNKNOWN


def leaves(
    value: Any, skip: frozenset[str] = frozenset(), path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every string in a computed value with its path; list items are `*`; keys in `skip` are not entered."""
    for option in options(value):
        if isinstance(option, str):
            yield path, option
        elif isinstance(option, Mapping):
            for key in sorted(option):
                if key not in skip:
                    yield from leaves(option[key], skip, (*path, key))
        elif isinstance(option, list):
            for item in option:
                yield from leaves(item, skip, (*path, "*"))


def choice(values: Sequence[Any]) -> Any:
    """One value, or a `Choice` of the different ones; none is unknown, too many are too."""
    flat: list[Any] = []
    for value in values:
        flat.extend(option for option in options(value) if option not in flat)
    if len(flat) == 1:
        return flat[0]
    return Choice(tuple(flat)) if 0 < len(flat) <= _MOST else UNKNOWN


def concatenate(parts: Sequence[Any]) -> Any:
    """The texts that several parts, each perhaps a choice, come to."""
    every = [strings(part) for part in parts if part is not NOTHING]
    if math.prod(len(texts) for texts in every) > _MOST:
        return UNKNOWN
    return choice(["".join(combination) for combination in itertools.product(*every)])
