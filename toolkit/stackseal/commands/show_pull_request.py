"""`show-pull-request`: an open pull request as it is to be planned, by the forge's word and nobody else's."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Final

from stackseal.commands import replan
from stackseal.commands.base import emit
from stackseal.world import World

SUMMARY: Final = "ask the forge for an open pull request: its commits, and whether credentials may plan it"
HELP: Final = """\
A workflow that a person or another workflow has started knows a number and nothing else. This asks the forge for the
pull request: its last commit, its trial merge with that commit's base, and whether it may be planned with credentials
(from a branch of the repository itself, neither Dependabot's nor a draft). One that is closed or conflicts is refused.

    stackseal show-pull-request --pull-request 7
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Its number."""
    parser.add_argument("--pull-request", type=int, required=True, metavar="N", help="the number of the pull request")


def run(args: argparse.Namespace, world: World) -> int:
    """Ask and tell."""
    found = replan.asked(world).proposal(args.pull_request)
    facts = {**asdict(found), "trusted": str(found.trusted).lower()}
    emit(world, facts, "\n".join(f"{name}: {value}" for name, value in facts.items()))
    return 0
