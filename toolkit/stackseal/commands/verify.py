"""`verify`: where a live stack comes from, link by link."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from stackseal.commands.base import emit, table
from stackseal.world import World

SUMMARY: Final = "prove where a live stack comes from: template, seal record, commit, pull request, approvers"
HELP: Final = """\
Read the template that CloudFormation runs, find the record of the review that sealed exactly it, render the commit that
was reviewed, and name its pull request and who approved it, as far as the forge knows. Each link says whether it is
proven. Exit 0 when the chain is whole, 1 when a link is missing. Changes nothing; resources are not compared.

    stackseal verify my-stack --region us-west-2
    stackseal verify my-stack --region us-west-2 --html my-stack.html
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The stack."""
    parser.add_argument("stack", metavar="STACK", help="the stack's name")
    parser.add_argument("--region", required=True, metavar="R", help="its region")
    parser.add_argument("--account", default="", metavar="A", help="its account (default: that of the credentials)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the chain as one HTML page, too")


def run(args: argparse.Namespace, world: World) -> int:
    """Follow the chain."""
    from stackseal import acting, artifacts, settings
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.model import StackId
    from stackseal.upkeep import verify

    world = acting.acting(world, "plan", settings.load(world.here))
    account = args.account or CloudFormation(world.aws("", args.region), args.region).account
    stack = StackId(account=account, region=args.region, name=args.stack)
    found = verify.chain(world, world.cloudformation(stack), stack)
    if args.html:
        artifacts.write(args.html, verify.page(found))
    rows = [(link.name, link.state.value, link.value or "-", link.why) for link in found.links]
    text = f"{table(rows, ('LINK', 'STATE', 'VALUE', 'WHY'))}\n\n{verify.sentence(found)}"
    emit(world, verify.facts(found), text)
    return 0 if found.whole else 1
