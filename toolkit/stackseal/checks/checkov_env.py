"""Where checkov lives: an environment of its own, because it pins a boto3 of 2024 (docs/adr/0004).

The folder's name holds the digest of the lock, so that another lock is another environment. It is built under a name of
its own and becomes visible by one symbolic link: of two processes that install at the same time one wins, and nobody
ever sees half an environment. (A rename would break the scripts, which name their interpreter by its path.)
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from stackseal.assets import REQUIREMENTS
from stackseal.errors import Failed, UsageError

LOCK: Final = REQUIREMENTS / "checkov.txt"
_REMEDY: Final = "check the network and pip's index settings, or name an existing checkov in STACKSEAL_CHECKOV"


def version(lock: Path = LOCK) -> str:
    """The version of checkov that the lock names."""
    (found,) = (line for line in lock.read_text(encoding="utf-8").splitlines() if line.startswith("checkov=="))
    return found.split()[0].removeprefix("checkov==")


def find(env: Mapping[str, str], *, prefix: Path = Path(sys.prefix), lock: Path = LOCK) -> Path | None:
    """checkov's executable, or None where it is not installed. Raises `UsageError` if STACKSEAL_CHECKOV is none."""
    if named := env.get("STACKSEAL_CHECKOV"):
        path = Path(named)
        if not os.access(path, os.X_OK) or path.is_dir():
            why, remedy = "that is no executable file", "correct or unset STACKSEAL_CHECKOV"
            raise UsageError(f"STACKSEAL_CHECKOV is {named}", why=why, remedy=remedy)
        return path.absolute()
    for home in _homes(env, prefix, lock):
        executable = home / "bin" / "checkov"
        if os.access(executable, os.X_OK):
            return executable
    return None


def install(
    progress: Callable[[str], None], *, env: Mapping[str, str], prefix: Path = Path(sys.prefix), lock: Path = LOCK
) -> Path:
    """checkov's executable, after installing the locked version if need be. Raises `Failed` where that did not work."""
    if (present := find(env, prefix=prefix, lock=lock)) is not None:
        return present
    home = next((home for home in _homes(env, prefix, lock) if _writable(home.parent)), None)
    if home is None:
        remedy = "set STACKSEAL_CACHE_DIR to a directory that can be written"
        raise Failed("checkov was not installed", why="no directory can be written", remedy=remedy)
    progress(f"Installing checkov into {home} (once; about 200 MB)")
    built = Path(tempfile.mkdtemp(prefix=f"{home.name}-", dir=home.parent))
    built.chmod(0o755)  # other users of an image read it too
    try:
        _build(built, env, lock)
        _publish(built, home)
    finally:
        if not home.exists() or home.resolve() != built.resolve():
            shutil.rmtree(built, ignore_errors=True)
    return home / "bin" / "checkov"


def _homes(env: Mapping[str, str], prefix: Path, lock: Path) -> Sequence[Path]:
    """The places in which an environment may lie: beside our own installation, else in the user's cache."""
    name = f"checkov-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    fallback = Path(env.get("HOME") or Path.home()) / ".cache" / "stackseal"
    cache = Path(env.get("STACKSEAL_CACHE_DIR") or fallback).absolute()
    return (prefix / "share" / "stackseal" / name, cache / name)


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _publish(built: Path, home: Path) -> None:
    """Makes an environment visible. Whoever comes second keeps the first one's."""
    if home.is_symlink() and not home.exists():
        home.unlink(missing_ok=True)
    try:
        home.symlink_to(built.name, target_is_directory=True)
    except FileExistsError:
        if not os.access(home / "bin" / "checkov", os.X_OK):
            why, remedy = f"{home} is in the way", "delete it and install again"
            raise Failed("checkov was not installed", why=why, remedy=remedy) from None


def _build(home: Path, env: Mapping[str, str], lock: Path) -> None:
    """An environment with exactly what the lock names, hashes checked; uv where it is on PATH, else pip."""
    python = str(home / "bin" / "python")
    if uv := shutil.which("uv", path=env.get("PATH")):
        _run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(home)], env)
        _run([uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", str(lock)], env)
    else:
        _run([sys.executable, "-I", "-m", "venv", str(home)], env)
        options = ["--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps", "--require-hashes"]
        _run([python, "-I", "-m", "pip", "install", *options, "--requirement", str(lock)], env)
    if not os.access(home / "bin" / "checkov", os.X_OK):
        raise Failed("checkov was not installed", why="the lock does not hold it", remedy=f"look at {lock}")


def _run(command: Sequence[str], env: Mapping[str, str]) -> None:
    clean = {key: value for key, value in env.items() if key not in {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"}}
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands
            command, env=clean, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
        )
    except OSError as error:
        why = f"{command[0]} cannot be started ({error.strerror})"
        raise Failed("checkov was not installed", why=why, remedy=_REMEDY) from error
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        telling = [line for line in lines if "error" in line.lower()] or lines[-1:]
        why = telling[0][:300] if telling else f"{Path(command[0]).name} ended with {done.returncode}"
        raise Failed("checkov was not installed", why=why, remedy=_REMEDY)
