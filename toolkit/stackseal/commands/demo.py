"""`demo`: the main job, offline, on the embedded AWS."""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from stackseal.world import EMBEDDED, World, connector

SUMMARY: Final = "the main job from a config to a drift issue, offline, on the embedded AWS"
HELP: Final = """\
Play the main job on an embedded AWS, without network or credentials: a first config becomes a reviewed plan and a
deployed stack; a second pull request moves it to the next tier and replaces its bucket; somebody edits a resource by
hand and a drift issue is opened, and closed when it is put back; a third pull request retires the stack.

    stackseal demo
    stackseal demo --format json
    stackseal demo --keep ./demo      keep the scratch repository with its reports
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Where the scratch repository lies."""
    parser.add_argument("--keep", metavar="DIR", type=Path, help="an empty folder for the scratch repository; kept")


def run(args: argparse.Namespace, world: World) -> int:
    """Play it."""
    from stackseal import demo
    from stackseal.local import EmbeddedAws

    with ExitStack() as stack:
        folder = _folder(args.keep, stack)
        aws = stack.enter_context(EmbeddedAws())
        environ = {**world.env, **aws.environ(), EMBEDDED: "1"}
        mine = replace(demo.scene(world, folder), aws=connector(environ), env=environ)
        facts = demo.Demo(world=mine, folder=folder).play()
    if world.json:
        world.out.json(facts)
    elif args.keep:
        world.out.say(f"Kept: {folder}")
    return 0


def _folder(keep: Path | None, stack: ExitStack) -> Path:
    from stackseal.errors import UsageError

    if keep is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stackseal-demo-")))
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise UsageError(f"{keep} cannot be used", why="it is not an empty folder", remedy="name another one")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()
