"""Where the jobs' folders lie: in memory, if this machine has a file system there that is large enough.

A job's environment is nine thousand files that live for seconds. On a disk, making and removing them was half of all
that these tests did (measured on ext4: it looks for places that no file has left just before).
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ENOUGH: Final = 4 * 1024**3
"""Bytes; two workers need a quarter of it."""
_NAME: Final = "stackseal-tests-"


@contextmanager
def quick(folder: Path) -> Iterator[Path]:
    """A folder for a test: in memory, or else this one. What lies in memory goes with the test."""
    if not _roomy():
        yield folder
        return
    with tempfile.TemporaryDirectory(dir=_ours()) as made:
        yield Path(made)


def beside(folder: Path) -> Path | None:
    """Where to put what files in this folder shall be links to; None: wherever temporary files lie."""
    return _ours() if folder.is_relative_to(MEMORY) else None


def _roomy() -> bool:
    if not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:  # Docker lets nothing run there
        return False
    return shutil.disk_usage(MEMORY).free >= ENOUGH


@cache
def _ours() -> Path:
    """This process's own folder. Those of processes that were killed are removed: nobody else gives memory back."""
    for left in MEMORY.glob(f"{_NAME}*"):
        if not Path("/proc", left.name.removeprefix(_NAME)).exists():
            shutil.rmtree(left, ignore_errors=True)
    made = MEMORY / f"{_NAME}{os.getpid()}"
    made.mkdir(mode=0o700)
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
