"""Results of engines as JSON, for workers and for the cache; what is read is validated, because others may write it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from stackseal.checks.base import Raw
from stackseal.model import JsonPath, Level

_LEVELS: Final = {level.value: level for level in Level}


def encode(raws: Iterable[Raw]) -> list[list[Any]]:
    """A row for each result."""
    return [
        [raw.check, raw.level.value, raw.message, list(raw.path), raw.line, raw.column, raw.help_url, raw.suppressed]
        for raw in raws
    ]


def decode(rows: Any) -> tuple[Raw, ...]:
    """The results of such rows. Raises `ValueError` for anything else."""
    match rows:
        case list():
            return tuple(_raw(row) for row in rows)
    raise ValueError("no list of results")


def _raw(row: Any) -> Raw:
    match row:
        case [str(), str(), str(), list(), int(), int(), str(), None | str()] if row[1] in _LEVELS:
            check, level, message, path, line, column, help_url, suppressed = row
            return Raw(
                check=check,
                level=_LEVELS[level],
                message=message,
                path=_path(path),
                line=line,
                column=column,
                help_url=help_url,
                suppressed=suppressed,
            )
    raise ValueError("a result of an unknown shape")


def _path(steps: list[Any]) -> JsonPath:
    if not all(isinstance(step, str | int) and not isinstance(step, bool) for step in steps):
        raise ValueError("a path of an unknown shape")
    return tuple(steps)
