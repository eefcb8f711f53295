"""What engines said of a text, kept between runs: nothing is read twice by the same engine.

A file for each engine and text, or for each engine and shape of texts (`checks.shape`) with the lengths up to which its
results hold, named by the digest of everything that the results depend on: text or shape, region, versions, settings,
our adapters. Results name places in the text, so that every config that renders to it maps them to its own
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
from stackseal.checks.shape import no_longer
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

    def read(self, key: str, lengths: Sequence[int] = ()) -> tuple[Raw, ...] | None:
        """The results under a key; None where there are none that are whole, or none for names as long as these."""
        try:
            with self._path(key).open("rb") as file:
                checksum, _, content = file.read(_LIMIT).decode().partition("\n")
            found = json.loads(content) if sha256(content) == checksum else {}
            holds = found["key"] == key and no_longer(lengths, found["longest"])
            return decode(found["raws"]) if holds else None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def write(self, key: str, raws: Sequence[Raw], longest: Sequence[int] = ()) -> None:
        """Keep results. A folder that cannot be written costs the next run time, nothing else."""
        content = canonical_json({"key": key, "longest": list(longest), "raws": encode(raws)})
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
        world.begun(engine.ID, len(jobs), 0)
        found = _read(engine, jobs, world, apart=False)
        world.over(engine.ID)
        return found
    named = _Named(engine, identity)
    known = {key: raws for key, job in jobs.items() if (raws := named.kept(job, world.cache)) is not None}
    verifies = world.cache.verifies
    left = {key: job for key, job in jobs.items() if verifies or key not in known}
    world.begun(engine.ID, len(jobs), len(jobs) - len(left))
    found = _read(engine, left, world, apart=verifies)
    world.over(engine.ID)
    if verifies:
        _compared(engine.ID, known, found, world.cache.folder)
    if world.cache.writes:
        named.keep({jobs[key]: raws for key, raws in found.items() if key not in known}, world.cache)
    return {**known, **found}


@dataclass(frozen=True)
class _Named:
    """An engine's results by the names under which they are kept."""

    engine: Engine
    identity: str

    def kept(self, job: Job, cache: Cache) -> tuple[Raw, ...] | None:
        """What is known of a text, or of its shape."""
        known = cache.read(self._name(job.shape.key), job.shape.lengths) if job.shape else None
        return known if known is not None else cache.read(self._name([job.region, job.text]))

    def keep(self, found: Mapping[Job, Sequence[Raw]], cache: Cache) -> None:
        """Once for every shape whose results hold for all of it, under the longest names; else for every text."""
        longest: dict[str, Job] = {}
        for job, raws in found.items():
            if not self.engine.settled(raws):
                continue
            if job.shape is None or not self.engine.spreads(raws):
                cache.write(self._name([job.region, job.text]), raws)
            elif job.shape.key not in longest or sum(job.shape.lengths) > sum(_lengths(longest[job.shape.key])):
                longest[job.shape.key] = job
        for key in sorted(longest):
            cache.write(self._name(key), found[longest[key]], _lengths(longest[key]))

    def _name(self, what: object) -> str:
        return sha256(canonical_json([self.engine.ID, self.identity, what]))


def _lengths(job: Job) -> Sequence[int]:
    return job.shape.lengths if job.shape else ()


def _read(engine: Engine, jobs: Mapping[str, Job], world: Engines, *, apart: bool) -> dict[str, Sequence[Raw]]:
    """What an engine says when it reads: of each shape the text with the longest names speaks for all, unless `apart`.

    Where that one's results do not hold for all, the next ones are read, four times as many in each round: who gave one
    config a name that is too long does not pay for a thousand.
    """
    found: dict[str, Sequence[Raw]] = {}
    most = 1
    while left := {key: job for key, job in jobs.items() if key not in found}:
        asked = left if apart else _longest(left, most)
        found |= engine.scan(asked, world)
        for key, job in asked.items():
            if job.shape and engine.spreads(found[key]):
                found |= {other: found[key] for other in left.keys() - found.keys() if _covers(job, left[other])}
        most *= 4
    return found


def _longest(jobs: Mapping[str, Job], most: int) -> dict[str, Job]:
    """Of each shape some texts with the longest names, and every text without a shape."""
    shapes: dict[str, list[str]] = {}
    for key, job in jobs.items():
        shapes.setdefault(job.shape.key if job.shape else key, []).append(key)
    longest = (sorted(keys, key=lambda key: (-sum(_lengths(jobs[key])), key))[:most] for keys in shapes.values())
    return {key: jobs[key] for keys in longest for key in keys}


def _covers(job: Job, other: Job) -> bool:
    """Whether the other one has the same shape and no longer name."""
    same = job.shape is not None and other.shape is not None and job.shape.key == other.shape.key
    return same and no_longer(_lengths(other), _lengths(job))


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
