"""The repository that holds the configs: what changed between two commits, and files as they were at one of them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from stackseal.errors import Failed, UsageError

_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/~^@{}-]{0,199}")
_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A file that differs between two commits; `old` or `new` is None where it does not exist."""

    old: str | None
    new: str | None


class Repository:
    """A Git work tree, or a folder of one: names are relative to it, and what lies outside is not seen.

    Its own configuration cannot make us run anything: hooks, filters and pagers are off.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def prefix(self) -> str:
        """Where the folder lies in the repository; empty for its top."""
        return _text(self._git("rev-parse", "--show-prefix").stdout).strip("\n").rstrip("/")

    @property
    def top(self) -> Repository:
        """The whole work tree that this one may be a folder of."""
        return Repository(self.folder / _text(self._git("rev-parse", "--show-cdup").stdout).strip("\n"))

    def commit(self, revision: str) -> str:
        """The full hash of a revision.

        Raises UsageError when there is none.
        """
        if not _REVISION.fullmatch(revision):
            raise UsageError(f"The revision {revision!r} cannot be used", why="it is not a branch, tag or commit")
        done = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", check=False)
        if done.returncode != 0:
            raise UsageError(
                f"The revision {revision!r} was not found",
                why="the repository here has no such branch, tag or commit",
                remedy="fetch it first, or give another --base",
            )
        return done.stdout.decode().strip()

    def found(self, revision: str) -> str | None:
        """The full hash of a revision, None where there is none or where it cannot be one."""
        try:
            return self.commit(revision)
        except UsageError:
            return None

    def contains(self, revision: str, commit: str) -> bool:
        """Whether a commit is the revision or one of its ancestors."""
        return self._git("merge-base", "--is-ancestor", commit, revision, check=False).returncode == 0

    def last(self, base: str, head: str, path: str) -> str | None:
        """The newest commit after `base`, up to `head`, that touched a file; a merge counts as one commit."""
        arguments = ("rev-list", "--first-parent", "--max-count=1", f"{base}..{head}", "--", f":(literal){path}")
        return _text(self._git(*arguments).stdout).strip() or None

    def changed(self, base: str, head: str) -> tuple[Changed, ...]:
        """The files that differ, sorted by name; a rename is a removal and an addition."""
        listed = self._git("diff", "--name-status", "--no-renames", "--relative", "-z", base, head, "--").stdout
        names = _text(listed).split("\0")
        rows = zip(names[::2], names[1::2], strict=False)
        return tuple(
            Changed(old=None if state == "A" else name, new=None if state == "D" else name)
            for state, name in sorted(rows, key=lambda row: row[1])
        )

    def files(self, revision: str, folder: str) -> tuple[str, ...]:
        """The regular files below a folder at a commit; links and submodules are left out."""
        listed = _text(self._git("ls-tree", "-r", "-z", revision, "--", f"{folder}/").stdout).split("\0")
        rows = (line.split("\t", 1) for line in listed if line)
        return tuple(sorted(name for meta, name in rows if meta.startswith("100")))

    def links(self, revision: str, folder: str) -> tuple[str, ...]:
        """What is no file and no folder on the way to a folder and below it at a commit: links and submodules."""
        path = PurePosixPath(folder)
        way = [step.as_posix() for step in (*reversed(path.parents), path) if step.name]
        listed = _text(self._git("ls-tree", "-z", revision, "--", *way).stdout)
        listed += _text(self._git("ls-tree", "-r", "-z", revision, "--", f"{folder}/").stdout)
        rows = (line.split("\t", 1) for line in listed.split("\0") if line)
        return tuple(sorted({name for meta, name in rows if not meta.startswith(("100", "040"))}))

    def read(self, revision: str, path: str) -> bytes | None:
        """A file's content at a commit; None where it does not exist or is not a regular file."""
        listed = _text(self._git("ls-tree", "-z", revision, "--", path).stdout).rstrip("\0")
        if not listed.startswith("100"):
            return None
        return self._git("cat-file", "blob", f"{revision}:./{path}").stdout

    def contents(self, revision: str, folder: str) -> dict[str, bytes]:
        """The regular files below a folder at a commit with what they hold, sorted by name; two calls for all.

        A name that is not UTF-8 cannot be told from another one; such a file holds nothing.
        """
        listed = _text(self._git("ls-tree", "-r", "-z", revision, "--", f"{folder}/").stdout).split("\0")
        rows = (line.split("\t", 1) for line in listed if line)
        blobs = {
            name: meta.split(" ")[2] for meta, name in sorted(rows, key=lambda row: row[1]) if meta.startswith("100")
        }
        wanted = list(dict.fromkeys(blobs.values()))
        rest = memoryview(self._git("cat-file", "--batch", given="\n".join(wanted).encode()).stdout if wanted else b"")
        held: dict[str, bytes] = {}
        for blob in wanted:
            head, _, _ = bytes(rest[:200]).partition(b"\n")
            start, size = len(head) + 1, int(head.split(b" ")[2])
            held[blob], rest = bytes(rest[start : start + size]), rest[start + size + 1 :]
        return {name: held[blob] if "\ufffd" not in name else b"" for name, blob in blobs.items()}

    def _git(self, *arguments: str, check: bool = True, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ["git", "--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - fixed commands
                command, cwd=self.folder, input=given, capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failed("Git could not be run", why=str(error), remedy="install git, or run in a work tree") from error
        if check and done.returncode != 0:
            why = done.stderr.decode(errors="replace").strip().splitlines()
            raise Failed(
                f"git {arguments[0]} failed",
                why=why[-1] if why else f"exit status {done.returncode}",
                remedy="run in the work tree of the repository that holds the configs",
            )
        return done


def _text(raw: bytes) -> str:
    """What Git lists; a name that is not UTF-8 can be shown but not read."""
    return raw.decode(errors="replace")
