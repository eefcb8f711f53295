"""What `check` said of a file, kept under the file's own bytes: where nothing changed, nothing needs to be loaded.

Needs the standard library only, so that the answer for a thousand known files costs less than to load an engine. Kept
are the finished rows, under the digest of everything that they depend on: the file's bytes and whether it was named,
the region, the engines asked, every installed package's version, the stage of what cfn-lint judges by the day
(`lifecycle`), the locks, and our code. The schemas of cfn-lint come with it, because its workers have an empty home.
Who may write is decided as for `checks.cache`, and a damaged or foreign file is as good as none there, too.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeAlias

from stackseal import __version__, lifecycle

Row: TypeAlias = dict[str, Any]
"""A finding as `check --format json` gives it, and besides who waived it and whether it blocks."""
LIMIT: Final = 1_048_576
"""Bytes of the largest file that is read as a template."""
_SUFFIXES: Final = frozenset({".json", ".template", ".yaml", ".yml"})
_PACKAGE: Final = Path(__file__).parent
_CODE: Final = ("checks/**/*.py", "commands/check.py", "facts/*", "model/*.py", "yamltext/*.py", "checked.py")
_MOST: Final = 20_000
"""Files of which is known at one time; what was kept first is forgotten first."""
_LARGEST: Final = 64 * 1024 * 1024
"""Bytes of the file that is read; a usual one has some hundred for each file that is known."""
_HIDDEN: Final = ("blocks", "owner")
_TEXTS: Final = ("check", "engine", "level", "file", "message")
_KEYS: Final = {*_TEXTS, "line", "column", "resource", "waived", "owner", "blocks"}


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that may be a template."""

    path: str
    named: bool
    """It was named itself, not found in a folder."""
    raw: bytes

    @property
    def key(self) -> str:
        return hashlib.sha256(b"%d" % self.named + self.raw).hexdigest()


def files(paths: Iterable[Path]) -> Iterator[File]:
    """Each file, and of each folder what looks like a template. Raises `OSError` for what cannot be read."""
    for path in paths:
        if not path.is_dir():
            yield File(path=path.as_posix(), named=True, raw=_read(path))
            continue
        inside = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
        for each in sorted(found for found in inside if found.suffix in _SUFFIXES and found.is_file()):
            raw = _read(each)
            if b"Resources" in raw and (b"AWSTemplateFormatVersion" in raw or b"AWS::" in raw):
                yield File(path=each.as_posix(), named=False, raw=raw)


def _read(path: Path) -> bytes:
    """At most one byte more than the limit, so that a huge file is refused without being read; no pipe blocks."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return file.read(LIMIT + 1)
    raise OSError(0, "it is a pipe or a device, not a file", os.fspath(path))


@dataclass(frozen=True, kw_only=True)
class Known:
    """The rows of earlier runs that asked for the same."""

    folder: Path
    salt: str

    def rows(self) -> dict[str, list[Row]]:
        """By key of a file; empty where nothing whole is kept."""
        try:
            with self._path.open("rb") as file:
                checksum, _, content = file.read(_LARGEST).partition(b"\n")
            found = json.loads(content) if hashlib.sha256(content).hexdigest().encode() == checksum else {}
            kept: dict[str, list[Row]] = found["files"] if found["salt"] == self.salt else {}
            return kept if all(_is_row(row) for rows in kept.values() for row in rows) else {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def keep(self, more: Mapping[str, Sequence[Row]]) -> None:
        """Add rows. A folder that cannot be written costs the next run time, nothing else."""
        known = {**self.rows(), **{key: [{**row, "file": ""} for row in rows] for key, rows in more.items()}}
        kept = dict(list(known.items())[-_MOST:])
        content = json.dumps({"salt": self.salt, "files": kept}, separators=(",", ":")).encode()
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                file.write(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
            Path(file.name).replace(self._path)

    @property
    def _path(self) -> Path:
        return self.folder / f"checked-{self.salt[:32]}.json"


def _is_row(row: Any) -> bool:
    """Whether something that others may have written is a row."""
    if not isinstance(row, dict) or row.keys() != _KEYS:
        return False
    owner = row["owner"]
    return (
        all(isinstance(row[key], str) for key in _TEXTS)
        and all(isinstance(row[key], str | None) for key in ("resource", "waived"))
        and type(row["line"]) is type(row["column"]) is int
        and isinstance(row["blocks"], bool)
        and (owner is None or (isinstance(owner, list) and list(map(type, owner)) == [str, str]))
    )


def known(
    cache: Path,
    *,
    region: str,
    engines: Sequence[str],
    env: Mapping[str, str],
    lock: Path,
    today: date | None = None,
) -> Known | None:
    """What is kept for these questions on this day; None where a person's own checkov answers them."""
    if env.get("STACKSEAL_CHECKOV"):
        return None
    folders = [Path(each) for each in sys.path if each.endswith("site-packages")]
    packages = sorted({each.name for folder in folders if folder.is_dir() for each in folder.glob("*.dist-info")})
    code = [each.read_bytes() for pattern in _CODE for each in sorted(_PACKAGE.glob(pattern)) if each.is_file()]
    parts = [__version__, *sys.version_info[:2], lifecycle.stage(today), region, list(engines), packages]
    digest = hashlib.sha256(json.dumps(parts).encode())
    for each in (lock.read_bytes(), *code):
        digest.update(hashlib.sha256(each).digest())
    return Known(folder=cache / "findings", salt=digest.hexdigest())


def placed(rows: Iterable[Row], path: str) -> Iterator[Row]:
    """The rows of a file that is called so now."""
    return ({**row, "file": path} for row in rows)


def ordered(rows: Iterable[Row]) -> list[Row]:
    """The one order of findings: by file, line, check and resource."""
    return sorted(
        rows,
        key=lambda row: (row["file"], row["line"], row["column"], row["check"], row["resource"] or "", row["message"]),
    )


def shown(rows: Iterable[Row]) -> list[Row]:
    """As `--format json` gives them."""
    return [{key: value for key, value in row.items() if key not in _HIDDEN} for row in rows]


def text(rows: Sequence[Row]) -> str:
    """One line for each finding, `file:line:column` first, and a last line that counts them."""
    lines = [
        f"{row['file']}:{row['line']}:{row['column']}: {row['level']}: {row['message']} [{row['check']}]"
        + (f" waived by {row['owner'][0]}: {row['owner'][1]}" if row["owner"] else "")
        for row in rows
    ]
    blocking = sum(row["blocks"] for row in rows)
    waived = sum(row["owner"] is not None for row in rows)
    lines.append(f"{len(rows)} findings, {blocking} blocking, {waived} waived")
    return "\n".join(lines)


def code(rows: Iterable[Row]) -> int:
    """The exit code."""
    return 1 if any(row["blocks"] for row in rows) else 0
