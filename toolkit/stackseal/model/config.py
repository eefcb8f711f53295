"""Stage 1, files → Config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from stackseal.model.base import Json, JsonPath, Location, canonical_json, sha256


@dataclass(frozen=True, kw_only=True)
class Config:
    """One file of a user, as plain data that remembers where each node was written."""

    path: str
    """The file as messages name it: relative to the working directory where that is shorter, with `/`."""
    data: Mapping[str, Json]
    marks: Mapping[JsonPath, Location]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content; comments, layout and key order do not change it."""
        return sha256(canonical_json(self.data))

    def at(self, *path: str | int) -> Location:
        """Where a node stands, or its nearest ancestor that stands anywhere."""
        return nearest(self.marks, path) or Location(path=self.path)


def nearest(places: Mapping[JsonPath, Location], path: JsonPath) -> Location | None:
    """The place of a path, or of the nearest of its ancestors that has one."""
    for length in range(len(path), -1, -1):
        if (found := places.get(path[:length])) is not None:
            return found
    return None
