"""What an engine is, as a text: its results may be reused for as long as this stays the same."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from stackseal import lifecycle
from stackseal.model import sha256

_FOLDER = Path(__file__).parent


def of_packages(names: Sequence[str]) -> str:
    """Our own Python packages by version and stage of life, the interpreter's minor version, and our code."""
    versions = " ".join(f"{name}=={version(name)}" for name in names)
    return f"{versions} stage{lifecycle.stage()} python{sys.version_info[0]}.{sys.version_info[1]} {_code()}"


def of_checkov(env: Mapping[str, str], lock: Path) -> str | None:
    """The lock from which checkov is installed, or every package beside the executable that a person named."""
    if named := env.get("STACKSEAL_CHECKOV"):
        folders = sorted(Path(named).resolve().parent.parent.glob("lib/python*/site-packages"))
        found = sorted(path.name for folder in folders for path in folder.glob("*.dist-info"))
        if not any(name.startswith("checkov-") for name in found):
            return None
        what = sha256("\n".join([os.fspath(folder) for folder in folders] + found))
    else:
        what = hashlib.sha256(lock.read_bytes()).hexdigest()
    return f"checkov {what} python{sys.version_info[0]}.{sys.version_info[1]} {_code()}"


@cache
def _code() -> str:
    """The adapters of the engines: what they make of an engine's words is part of the result."""
    files = sorted([*_FOLDER.glob("*.py"), *_FOLDER.glob("engines/*.py")])
    return sha256("\0".join(path.read_text(encoding="utf-8") for path in files))[:16]
