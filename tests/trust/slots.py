"""Values of the model with a text in every place that can hold one, built from the model's own type hints.

Nothing here names a field, so a field that is added tomorrow is filled tomorrow.
"""

from __future__ import annotations

import dataclasses
import enum
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from stackseal.model import Report

Fill = Callable[[str], str]
"""The text of a slot, `Finding.message` or `Plan.tags key`."""
TURNS = 9
"""After so many turns every choice of the largest enumeration has been made, and every optional field left out once."""


def build(kind: Any, fill: Fill, turn: int = 0, slot: str = "") -> Any:
    """A value of a type. `turn` chooses among enumerations, truth values and what may be left out."""
    origin = get_origin(kind)
    if origin in {Union, types.UnionType}:
        (inner,) = (one for one in get_args(kind) if one is not type(None))
        return None if turn % 4 == 3 else build(inner, fill, turn, slot)
    if origin is not None:
        return _collection(origin, get_args(kind), fill, turn, slot)
    if dataclasses.is_dataclass(kind):
        return kind(**{name: build(hint, fill, turn, f"{kind.__name__}.{name}") for name, hint in _fields(kind)})
    if issubclass(kind, enum.Enum):
        return list(kind)[turn % len(kind)]
    plain = {str: lambda: fill(slot), bool: lambda: turn % 2 == 1, int: lambda: 1 if slot == "Report.version" else 3}
    return plain[kind]()


def _collection(origin: Any, arguments: tuple[Any, ...], fill: Fill, turn: int, slot: str) -> Any:
    if issubclass(origin, Mapping):
        return {fill(f"{slot} key"): build(arguments[1], fill, turn, slot)}
    return _items(arguments, fill, turn, slot)


def _items(arguments: tuple[Any, ...], fill: Fill, turn: int, slot: str) -> tuple[Any, ...]:
    """Two items that choose differently; of a tuple of a fixed form, that form."""
    if arguments[-1] is not Ellipsis:
        return tuple(build(one, fill, turn, slot) for one in arguments)
    return tuple(build(arguments[0], fill, turn + n, slot) for n in range(2))


@cache
def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in dataclasses.fields(kind))  # type: ignore[arg-type]


def slots(kind: Any) -> tuple[str, ...]:
    """The names of all places of a type that hold text."""
    found: dict[str, None] = {}

    def note(slot: str) -> str:
        found[slot] = None
        return "x"

    build(kind, note)
    return tuple(found)


def report(fill: Fill, turn: int) -> Report:
    """A report with a text in every slot."""
    found: Report = build(Report, fill, turn)
    return found
