"""What a command is, and the arguments that several of them share."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from stackseal.errors import Refused
from stackseal.hosts import github_action
from stackseal.world import World


class Command(Protocol):
    """A module that is one command; SUMMARY is its line in `--help`, HELP what `COMMAND --help` teaches."""

    SUMMARY: str
    HELP: str

    @property
    def configure(self) -> Callable[[argparse.ArgumentParser], None]:
        """Adds the command's arguments."""
        ...

    @property
    def run(self) -> Callable[[argparse.Namespace, World], int]:
        """Does it and returns the exit code."""
        ...


def config_argument(parser: argparse.ArgumentParser, *, several: bool = False) -> None:
    """CONFIG, a path or the name of a file in `configs/`."""
    text = "a config file, or the name of one in the root's configs/"
    if several:
        parser.add_argument("config", nargs="+", metavar="CONFIG", help=text)
    else:
        parser.add_argument("config", metavar="CONFIG", help=text)


def mutation_arguments(parser: argparse.ArgumentParser, *, force: bool) -> None:
    """--dry-run, and --force where the command asks before it changes something."""
    parser.add_argument("--dry-run", action="store_true", help="say what would be done and do nothing")
    if force:
        parser.add_argument("--force", action="store_true", help="do it without asking")


def listed(text: str | None) -> tuple[str, ...] | None:
    """The words of `A,B`; None where nothing is given."""
    words = [word.strip() for word in (text or "").split(",")]
    return tuple(word for word in words if word) or None


def confirmed(args: argparse.Namespace, world: World, what: str) -> None:
    """Nothing, if the person wants it.

    Raises Refused where nobody said so: without --force and without a terminal to ask on.
    """
    if args.force or (world.confirm is not None and world.confirm(f"{what}. Go on?")):
        return
    why = "--force is missing and nobody can be asked here" if world.confirm is None else "the answer was no"
    raise Refused(f"{what}: not done", why=why, remedy="run it again with --force")


def emit(world: World, facts: Mapping[str, Any], text: str) -> None:
    """A result on stdout: the facts with --format json, else the text. Both go to the Action that asked for them."""
    if path := world.env.get(github_action.FACTS):
        Path(path).write_text(json.dumps(world.out.hidden.data({"facts": facts, "text": text})), encoding="utf-8")
    if world.json:
        world.out.json(facts)
    else:
        world.out.data(text)


def table(rows: Sequence[tuple[str, ...]], head: tuple[str, ...]) -> str:
    """Columns of equal width, two spaces apart."""
    lines = [head, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
