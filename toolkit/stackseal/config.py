"""Stage 1, files → Config: which files, read how, and nothing about what they mean.

A name that a person gives is looked up as it stands, then in `configs/` of the working root (spec §0.6). What a
repository holds is not trusted: symbolic links, devices, and relative paths that climb out are refused, because in CI
the repository is the pull request's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stackseal import yamltext
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.model import Config, Location

FOLDER: Final = "configs"
SUFFIXES: Final = (".yaml", ".yml")


def load(names: Sequence[str], *, here: Path, root: Path) -> tuple[Config, ...]:
    """The configs of these names, in their order; `here` is the working directory.

    Raises ConfigError for one that cannot be read, ConfigErrors for several.
    """
    found: list[Config] = []
    errors: list[ConfigError] = []
    for name in names:
        try:
            found.append(read(find(name, here, root), here))
        except ConfigError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigErrors(errors)
    return tuple(found)


def discover(folder: Path) -> tuple[Path, ...]:
    """Every config file below a folder, sorted, links not followed."""
    found = [
        Path(base) / name
        for base, _, names in os.walk(folder)
        for name in names
        if name.endswith(SUFFIXES) and not any(part.startswith(".") for part in Path(base).relative_to(folder).parts)
    ]
    return tuple(sorted(found))


def find(name: str, here: Path, root: Path) -> Path:
    """The file that a name means: the path itself, or the file of this name in the root's `configs/`."""
    if "\0" in name or not name.strip():
        raise ConfigError("The config has no usable name", why=f"it is {name!r}", remedy="give the path of a file")
    candidates = [Path(name)]
    if not Path(name).is_absolute():
        candidates += [root / FOLDER / name, *(root / FOLDER / (name + suffix) for suffix in SUFFIXES)]
    for candidate in candidates:
        if _exists(here / candidate):
            return candidate
    looked = " or ".join(str(path) for path in candidates[:2])
    raise ConfigError(
        f"The config {name!r} was not found",
        why=f"there is no {looked}",
        remedy="check the spelling, or copy an example: stackseal init --examples PRODUCT",
        where=Location(path=name),
    )


def read(path: Path, here: Path = Path()) -> Config:
    """One file as a Config; a relative path is below the working directory `here`.

    Raises ConfigError with file, line and column for everything that is wrong with the file as a file.
    """
    shown = path.as_posix()
    _inside(path, here, Location(path=shown))
    return parse(_bytes(here / path, Location(path=shown)), shown)


def parse(raw: bytes, path: str) -> Config:
    """The config of a file's content; `path` is what messages call it.

    Raises ConfigError with file, line and column.
    """
    document = yamltext.parse(yamltext.decode(raw, path), path)
    if not isinstance(document.data, dict):
        raise ConfigError(
            "The file is not a config",
            why="its top level is not a mapping of sections",
            remedy="start from one of the examples",
            where=Location(path=path),
        )
    return Config(path=path, data=document.data, marks=document.marks)


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except OSError:  # e.g. a name longer than the file system allows
        return False


def _inside(path: Path, here: Path, where: Location) -> None:
    """A relative path stays below the working directory and passes no link; an absolute one is the person's own."""
    steps = [path] if path.is_absolute() else [here.joinpath(*path.parts[: n + 1]) for n in range(len(path.parts))]
    if any(step.is_symlink() for step in steps):
        raise ConfigError(
            "The config is a symbolic link",
            why="a link can point anywhere, and a review must show what it reads",
            remedy="put the file itself there",
            where=where,
        )
    if not path.is_absolute() and not (here / path).resolve().is_relative_to(here.resolve()):
        raise ConfigError(
            "The config lies outside the working directory",
            why="its path climbs out with '..'",
            remedy="run from the folder that holds it, or give its absolute path",
            where=where,
        )


def _bytes(path: Path, where: Location) -> bytes:
    try:
        # No waiting on a pipe, no link swapped in after the look above.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(error, where) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigError(
                "The config is not a file",
                why="it is a folder, a pipe or a device",
                remedy="give the path of a YAML file",
                where=where,
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(yamltext.CONFIG.size + 1)
    except OSError as error:
        raise _unreadable(error, where) from error
    finally:
        os.close(descriptor)


def _unreadable(error: OSError, where: Location) -> ConfigError:
    return ConfigError(
        "The config cannot be read", why=error.strerror or type(error).__name__, remedy="check the file", where=where
    )
