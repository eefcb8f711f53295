"""Which products configs can choose: those that come with stackseal, and an organisation's own, here or at a commit."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from stackseal import yamltext
from stackseal.catalogue import Catalogue, organisation
from stackseal.catalogue.organisation import Folder
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.hosts.git import Repository
from stackseal.model import Location


def here(folder: Path, root: str | None, shipped: Catalogue) -> Catalogue:
    """The catalogue of a working directory; `root` is the settings' `catalogue`.

    Raises ConfigErrors (one error alone as ConfigError) for everything that is wrong with the organisation's products.
    """
    if root is None:
        return shipped
    own, errors = organisation.load(_read(folder, root), shipped.products.values())
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigErrors(errors)
    return shipped.with_own(own)


def at(
    repository: Repository, commit: str, root: str | None, shipped: Catalogue
) -> tuple[Catalogue, tuple[ConfigError, ...]]:
    """The catalogue at a commit without the products that are invalid there, and what is wrong with them."""
    if root is None:
        return shipped, ()
    prefix = f"{root}/"
    names = [name for name in repository.files(commit, root) if organisation.wanted(name.removeprefix(prefix))]
    if len(names) > organisation.MOST_FILES:
        return shipped, (organisation.too_many(root),)
    files = {name.removeprefix(prefix): repository.read(commit, name) or b"" for name in names}
    folder = Folder(path=root, files=files, links=repository.links(commit, root))
    own, errors = organisation.load(folder, shipped.products.values())
    return shipped.with_own(own), errors


def changed(before: Catalogue, after: Catalogue) -> Catalogue:
    """The catalogue after a change: of a product that the change touches, what excuses findings is as it was before."""
    known = {product.name: product for product in before.products.values()}
    own = [product for product in after.products.values() if product.sources is not None]
    return after.with_own(organisation.changed(product, known.get(product.name)) for product in own)


def mended(before: Catalogue, after: Catalogue) -> Catalogue:
    """The catalogue after a change with what it lost to errors, which are told once and not for every config."""
    lost = [product for section, product in before.products.items() if section not in after.products]
    return after.with_own(lost)


def _read(here: Path, root: str) -> Folder:
    """The files of a catalogue in a working directory; links are named and never followed.

    Raises ConfigError where there is no such folder, or one with too many files.
    """
    way = [here.joinpath(*Path(root).parts[: n + 1]) for n in range(len(Path(root).parts))]
    links = [step for step in way if step.is_symlink()]
    if links:
        return Folder(path=root, files={}, links=(links[0].relative_to(here).as_posix(),))
    top = here / root
    if not top.is_dir():
        raise ConfigError(
            f"The catalogue {root!r} was not found",
            why="`catalogue` in stackseal.yaml names it, and there is no such folder",
            remedy="make it, or correct the settings",
            where=Location(path="stackseal.yaml"),
        )
    files: dict[str, bytes] = {}
    for path in _walk(top):
        name = path.relative_to(top).as_posix()
        if path.is_symlink():
            links.append(path)
        elif organisation.wanted(name):
            files[name] = _bytes(path, Location(path=f"{root}/{name}"))
        if len(files) > organisation.MOST_FILES:
            raise organisation.too_many(root)
    return Folder(path=root, files=files, links=tuple(path.relative_to(here).as_posix() for path in links))


def _walk(top: Path) -> Iterator[Path]:
    """Every file and every link below a folder, sorted within each folder; links to folders are not entered."""
    for base, folders, names in os.walk(top):
        folders.sort()
        yield from (
            Path(base, name) for name in sorted([*names, *folders]) if name in names or Path(base, name).is_symlink()
        )


def _bytes(path: Path, where: Location) -> bytes:
    """A file's content, up to the limit of a template and one byte more."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return file.read(yamltext.TEMPLATE.size + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ConfigError("The product cannot be read", why=why, remedy="check the file", where=where) from error
    raise ConfigError(
        "The product is not a file",
        why="it is a pipe or a device",
        remedy="put the file itself there",
        where=where,
    )
