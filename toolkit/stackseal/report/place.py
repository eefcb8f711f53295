"""Paths as they are from the repository's top: a review names files from the folder of its settings."""

from __future__ import annotations

import dataclasses
from pathlib import PurePosixPath
from typing import Any

from stackseal.errors import UsageError
from stackseal.model import Location, Report, StackReport


def below(report: Report, folder: str) -> Report:
    """The report with every path below a folder of the repository, so that links and annotations find the file.

    Raises UsageError for a folder that is none of the repository's.
    """
    path = PurePosixPath(folder)
    if path.is_absolute() or ".." in path.parts:
        raise UsageError(f"The folder {folder!r} cannot be used", why="it is not a folder below the repository's top")
    if not path.parts:
        return report
    placed: Report = _placed(report, path.as_posix())
    return placed


def _placed(value: Any, folder: str) -> Any:
    if isinstance(value, Location):
        return dataclasses.replace(value, path=f"{folder}/{value.path}")
    if isinstance(value, tuple):
        return tuple(_placed(item, folder) for item in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    moved = {name: new for name, old in fields.items() if (new := _placed(old, folder)) is not old}
    if isinstance(value, StackReport):
        moved["config"] = f"{folder}/{value.config}"
    return dataclasses.replace(value, **moved) if moved else value
