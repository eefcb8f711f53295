"""The files that commands write and read whole: below the working root, in the originals' folders, whole or not at all.

In CI the repository is the pull request's, and so is every symbolic link in it: no file is written through one.
"""

from __future__ import annotations

import itertools
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import Final

from stackseal.errors import UsageError
from stackseal.model import Role, Stack

FOLDERS: Final = ("configs", "templates", "policies", "reports", "docs")
LIMIT: Final = 50_000_000
"""Bytes of the largest file that a command takes whole, such as a report of many stacks."""
_NAME: Final = 200
"""Characters of a reserved file's name before its number; file systems take 255."""


def template(root: Path, stack: Stack) -> Path:
    """`templates/{slug}-{scenario}-template.yaml`."""
    return root / "templates" / f"{_stem(stack)}-template.yaml"


def policy(root: Path, stack: Stack, role: Role, part: int = 1) -> Path:
    """`policies/{slug}-{scenario}-iam-policy.json` and its siblings; a split policy goes on with `-2`, `-3`."""
    more = f"-{part}" if part > 1 else ""
    return root / "policies" / f"{_stem(stack)}-{role.value}{more}.json"


def report(root: Path, stack: Stack, suffix: str) -> Path:
    """`reports/{slug}-{scenario}-review.html`, `.md` and `.json`."""
    return root / "reports" / f"{_stem(stack)}-review.{suffix}"


def write(path: Path, text: str, *, below: Path | None = None) -> Path:
    """The file with this text: an old one is replaced in one step, so that nobody reads half of it.

    Raises UsageError where the folder cannot be written, and for a symbolic link on the way (`linked`).
    """
    try:
        unlinked(path, below=below)
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def reserve(folder: Path, stem: str, suffix: str) -> Path:
    """A new empty file `STEM.SUFFIX` in the folder, `STEM-2.SUFFIX` where that is taken: nobody else gets the same.

    Characters that a file's name had better not have become `-`. Raises UsageError as `write`.
    """
    clean = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).lstrip(".")[-_NAME:]
    for path in (folder / f"{clean}{f'-{number}' if number > 1 else ''}.{suffix}" for number in itertools.count(1)):
        try:
            unlinked(path)
            folder.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644))
        except FileExistsError as error:
            if not path.exists():  # the folder is a file
                raise _unwritable(path, error) from error
        except OSError as error:
            raise _unwritable(path, error) from error
        else:
            return path
    raise AssertionError("the numbers never end")  # pragma: no cover


def unlinked(path: Path, *, below: Path | None = None) -> None:
    """Nothing, where a file can be written without following a symbolic link (`linked`); else raises UsageError."""
    if (link := linked(path, below=below)) is not None:
        raise UsageError(
            f"{path} cannot be written",
            why=f"{link} is a symbolic link, which can point anywhere",
            remedy="remove the link, or give another --root",
        )


def linked(path: Path, *, below: Path | None = None) -> Path | None:
    """The symbolic link on the way to a file: in any part of a relative path, in the last two of an absolute one.

    Of an absolute path every part below the folder `below` counts; what stands before is the person's own machine.
    """
    steps = [step for step in (path, *path.parents) if step.name]
    if path.is_absolute():
        inside = len(path.relative_to(below).parts) if below and path.is_relative_to(below) else 0
        steps = steps[: max(2, inside)]
    return next((step for step in steps if step.is_symlink()), None)


def read(path: Path, *, limit: int = LIMIT) -> str:
    """The text of a file that a command takes whole.

    Raises UsageError for what is no regular file, has more than `limit` bytes, or is not UTF-8; a pipe never blocks.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _unreadable(path, "it is a pipe or a device, not a file")
            raw = file.read(limit + 1)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except ValueError as error:  # a zero byte in the name
        raise _unreadable(path, str(error)) from error
    if len(raw) > limit:
        raise _unreadable(path, f"it has more than {limit:,} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"it is not UTF-8: byte {error.start} is {raw[error.start]:#04x}") from error


def received(path: Path, *, limit: int = LIMIT) -> str:
    """The text of a file that another job made, as `read`; a symbolic link on the way is refused, it could be any file.

    Raises UsageError.
    """
    if (link := linked(path)) is not None:
        raise _unreadable(path, f"{link} is a symbolic link, and what another job hands over is a file")
    return read(path, limit=limit)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path} cannot be written", why=error.strerror or str(error), remedy="give another --root")


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(f"{path} cannot be read", why=why, remedy="give the path of the file that the command asks for")


def _stem(stack: Stack) -> str:
    return f"{stack.slug}-{stack.scenario}" if stack.scenario else stack.slug
