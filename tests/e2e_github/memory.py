"""Where the jobs' folders lie: in memory, if this machine has a file system there that is large enough.

A job's environment is nine thousand files that live for seconds. On a disk, making and removing them was half of all
that these tests did (measured on ext4: it looks for places that no file has left just before).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ENOUGH: Final = 4 * 1024**3
"""Bytes; two workers need a quarter of it."""


def folder() -> Path | None:
    """None: wherever temporary files lie."""
    if not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:  # Docker lets nothing run there
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= ENOUGH else None
