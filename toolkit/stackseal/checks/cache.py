"""What engines said of a text, kept between runs: nothing is read twice by the same engine.

A file for each engine and text, named by the digest of everything that the results depend on: text, region, versions,
settings, our adapters. Results name places in the text, so that every config that renders to it maps them to its own
lines. A file that is damaged, or that something else wrote, is as good as none. The checksum finds damage, not malice:
whoever may write to the folder may say what is found, so pull requests only read it (docs/explanation/performance.md).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from stackseal.checks.base import Engine, Engines, Job, Raw
from stackseal.checks.raws import decode, encode
from stackseal.errors import Failed
from stackseal.model import canonical_json, sha256

_LIMIT = 16 * 1024 * 1024
"""Bytes of a file that is read; a usual one has a few thousand."""


@dataclass(frozen=True, kw_only=True)
class Cache:
    """Results of earlier runs."""

    folder: Path
    writes: bool
    """Whether this run may add results; reading is always allowed."""
    verifies: bool = False
    """Whether every text is read anew and compared with what is kept."""

    def read(self, key: str) -> tuple[Raw, ...] | None:
        """The results under a key; None where there are none that are whole."""
        try:
            with self._path(key).open("rb") as file:
                checksum, _, content = file.read(_LIMIT).decode().partition("\n")
            found = json.loads(content) if sha256(content) == checksum else {}
            return decode(found["raws"]) if found["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def write(self, key: str, raws: Sequence[Raw]) -> None:
        """Keep results. A folder that cannot be written costs the next run time, nothing else."""
        content = canonical_json({"key": key, "raws": encode(raws)})
        path = self._path(key)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(f"{sha256(content)}\n{content}".encode())
            Path(file.name).replace(path)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def scanned(engine: Engine, jobs: Mapping[str, Job], world: Engines) -> dict[str, Sequence[Raw]]:
    """What an engine says of every text: from the cache, or by reading it. Raises `Failed` where the cache is wrong."""
    identity = engine.identity(world) if world.cache and jobs else None
    if world.cache is None or identity is None:
        return dict(engine.scan(jobs, world)) if jobs else {}
    names = {key: sha256(canonical_json([engine.ID, identity, job.region, job.text])) for key, job in jobs.items()}
    known = {key: raws for key, name in names.items() if (raws := world.cache.read(name)) is not None}
    left = {key: job for key, job in jobs.items() if world.cache.verifies or key not in known}
    found = engine.scan(left, world) if left else {}
    if world.cache.verifies:
        _compared(engine.ID, known, found, world.cache.folder)
    if world.cache.writes:
        for key in sorted(found.keys() - known.keys()):
            if engine.settled(found[key]):
                world.cache.write(names[key], found[key])
    return {**known, **found}


def _compared(
    engine: str, known: Mapping[str, Sequence[Raw]], found: Mapping[str, Sequence[Raw]], folder: Path
) -> None:
    """Nothing, if what is kept is what is found."""
    wrong = [key for key, raws in known.items() if tuple(raws) != tuple(found[key])]
    if wrong:
        raise Failed(
            "The cache of findings is wrong",
            why=f"{engine} says something else now of {len(wrong)} of {len(known)} templates that it holds",
            remedy=f"delete {folder.as_posix()}, find out who writes to it, and run again",
        )
