"""What the jobs' uv installs from: its cache, whose packages bring the byte code that this environment has of them.

A job's environment is always a new one, and on a hosted runner it compiles what it imports. Here that was half of
a job's work, the same for each of some sixty jobs. uv takes a package with everything that lies in its folder, so
that the cache is the place for it: the jobs install as they do, every file by its hash, and an interpreter takes byte
code only of the very source beside it.
"""

from __future__ import annotations

import atexit
import os
import pwd
import re
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from typing import Final

from contract.support import ROOT

_LOCKS: Final = ("runtime.txt", "build.txt")
_PINNED: Final = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


@cache
def cached(place: Path | None) -> Path:
    """A cache for uv in a folder, made once in each worker; the user's own is only read."""
    made = Path(tempfile.mkdtemp(prefix="stackseal-uv-", dir=place))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    users = theirs()
    for entry in users.iterdir():
        if entry.name.startswith("wheels-"):
            shutil.copytree(entry, made / entry.name, symlinks=True)
        elif not entry.name.startswith("archive-"):
            (made / entry.name).symlink_to(entry)
    needed = {archive.resolve() for archive in _needed(made)}
    for archive in users.glob("archive-*/*"):
        here = made / archive.relative_to(users)
        here.parent.mkdir(exist_ok=True)
        if here in needed:
            shutil.copytree(archive, here, copy_function=_linked)
            _add_byte_code(here)
        else:
            here.symlink_to(archive)
    return made


def theirs() -> Path:
    """The user's own cache, for a job that installs more than `cached` has made quick."""
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)  # HOME is the tests' own
    return Path(os.environ.get("UV_CACHE_DIR") or home / ".cache" / "uv")


def _needed(made: Path) -> Iterator[Path]:
    """Links to the unpacked packages that the jobs install, of every platform that the cache has."""
    for lock in _LOCKS:
        for name, version in _PINNED.findall((ROOT / "requirements" / lock).read_text(encoding="utf-8")):
            for link in made.glob(f"wheels-*/*/{name}/{version}-*"):
                if link.is_symlink():
                    yield link


def _add_byte_code(package: Path) -> None:
    ours = Path(sysconfig.get_paths()["purelib"])
    for source in package.rglob("*.py"):
        code = Path(cache_from_source(str(ours / source.relative_to(package))))
        if code.is_file():
            target = Path(cache_from_source(str(source)))
            target.parent.mkdir(exist_ok=True)
            _linked(code, target)


def _linked(source: str | Path, target: str | Path) -> None:
    """A second name of a file; a copy where the two places lie on different disks."""
    with suppress(OSError):
        os.link(source, target)
        return
    shutil.copy2(source, target)
