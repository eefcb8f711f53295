"""The files that commands write: below the working root, in the originals' folders, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

from stackseal.errors import UsageError
from stackseal.model import Role, Stack

FOLDERS: Final = ("configs", "templates", "policies", "reports", "docs")


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


def write(path: Path, text: str) -> Path:
    """The file with this text: an old one is replaced in one step, so that nobody reads half of it.

    Raises UsageError where the folder cannot be written.
    """
    try:
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
        raise UsageError(
            f"{path} cannot be written", why=error.strerror or str(error), remedy="give another --root"
        ) from error
    return path


def _stem(stack: Stack) -> str:
    return f"{stack.slug}-{stack.scenario}" if stack.scenario else stack.slug
