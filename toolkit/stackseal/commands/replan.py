"""`replan`: pull requests whose plans a deployment has made stale are marked and planned again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import emit, listed
from stackseal.errors import UsageError
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.hosts.base import Replans

SUMMARY: Final = "mark pull requests whose plans are stale, and have them planned again"
HELP: Final = """\
Executing one change set deletes the others of its stack. With the numbers that `stackseal deploy` gives as stale, each
pull request that the forge says is open gets the label `stackseal: stale plan` and a line in its comment, and the
workflow of the review is started with its number on the branch. What is closed or unknown is left alone.

    stackseal replan --pull-requests 12,14 --workflow stackseal-review.yml --branch main
"""
NOTE: Final = (
    "> ⚠️ **Stale plan**: a deployment of the same stack has taken its change set away. It is being planned again; "
    "until then nothing of this can be deployed as it is shown here."
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Which pull requests, and the workflow that plans."""
    parser.add_argument("--pull-requests", required=True, metavar="N,N", help="the numbers")
    parser.add_argument("--workflow", default="stackseal-review.yml", metavar="FILE", help="the review's workflow")
    parser.add_argument("--branch", default="main", metavar="NAME", help="where the workflow is (default: main)")


def run(args: argparse.Namespace, world: World) -> int:
    """Mark and start."""
    forge = asked(world)
    words = listed(args.pull_requests) or ()
    if not all(word.isascii() and word.isdigit() for word in words):
        raise UsageError(f"--pull-requests {args.pull_requests!r} is no list of numbers", remedy="write it like 12,14")
    begun = {
        int(word): forge.replan(int(word), workflow=args.workflow, branch=args.branch, note=NOTE) for word in words
    }
    lines = [f"#{number}: {'planned again' if done else 'not open here, left alone'}" for number, done in begun.items()]
    emit(world, {"planned_again": [number for number, done in begun.items() if done]}, "\n".join(lines))
    return 0


def asked(world: World) -> Replans:
    """The forge that can be asked about pull requests.

    Raises UsageError where there is none.
    """
    from stackseal.hosts.base import Replans

    if isinstance(world.forge, Replans):
        return world.forge
    raise UsageError(
        "Nobody can be asked about pull requests here",
        why="the forge is a folder",
        remedy="run it in a job of GitHub Actions with a token",
    )
