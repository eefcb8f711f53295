"""`report`: the parts of a review become the one bundle that a single job would have made."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from stackseal.commands.base import emit
from stackseal.world import World

SUMMARY: Final = "put together the parts of a review that several jobs have drawn"
HELP: Final = """\
Read the bundles that `review --to-bundle --shard` wrote, as data only, and write the bundle of the whole review: the
same, byte for byte, as without parts. It is planned, sealed and published like any other, once. Exit 4 where the parts
do not add up: one is missing or there twice, one is of another commit, or one does not hold exactly its own stacks.
A bundle of a whole review is taken as it is.

    stackseal report --merge --to-bundle bundle.json bundle-1.json bundle-2.json
    stackseal report --merge --to-bundle bundle.json parts/
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The parts, and where the whole goes."""
    parser.add_argument("bundle", nargs="+", type=Path, metavar="BUNDLE", help="a part, or a folder with parts")
    parser.add_argument("--merge", action="store_true", required=True, help="put parts together")
    parser.add_argument("--to-bundle", type=Path, required=True, metavar="FILE", help="where the whole is written")


def run(args: argparse.Namespace, world: World) -> int:
    """Put them together."""
    from stackseal import artifacts
    from stackseal.review import bundle, shards

    paths = [path for given in args.bundle for path in (sorted(given.glob("*.json")) if given.is_dir() else [given])]
    found = shards.merged([bundle.loads(artifacts.received(path, limit=bundle.LIMIT)) for path in paths])
    artifacts.write(args.to_bundle, bundle.dumps(found))
    facts = {"bundle": args.to_bundle.as_posix(), "stacks": [pair.id.name for pair in found.pairs]}
    emit(world, facts, args.to_bundle.as_posix())
    return 0
