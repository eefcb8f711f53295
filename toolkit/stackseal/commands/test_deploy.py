"""`test-deploy` (spec A30): an isolated copy of a config's stack, beside whatever is there."""

from __future__ import annotations

import argparse
import secrets
import shlex
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import config_argument, emit, mutation_arguments
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.change.preparation import Prepared
    from stackseal.model import Deployment

SUMMARY: Final = "deploy an isolated copy with suffixed names, beside production"
HELP: Final = """\
Deploy a config as a test stack: every physical name, SSM path and the stack's name carry a random suffix, private DNS
of endpoints is off, nothing is retained, so that a plain `aws cloudformation delete-stack` removes everything. The
production stack is not touched. The stack's name is printed; --delete removes the test stack at the end. With the
suffix of a test stack that exists, --delete only deletes it.

    stackseal test-deploy configs/my.yaml
    stackseal test-deploy configs/my.yaml --delete
    stackseal test-deploy configs/my.yaml --suffix 0a1b2c --delete
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)
    mutation_arguments(parser, force=False)
    parser.add_argument("--delete", action="store_true", help="delete the test stack, when it is created or at once")
    parser.add_argument("--suffix", metavar="HEX6", help="use this suffix instead of a random one")


def run(args: argparse.Namespace, world: World) -> int:
    """Create the test stack, or delete one that is there."""
    from stackseal.change import preflight, preparation
    from stackseal.commands import operate

    given = _suffix(args.suffix)
    prepared = preparation.prepare(world, args.config, suffix=f"-test-{given}")
    stack = prepared.stack
    there = args.delete and args.suffix and world.cloudformation(stack.id).stack(stack.id.name) is not None
    if args.dry_run:
        facts = {"dry_run": True, "stack": stack.id.name, "resources": len(prepared.template.resources)}
        emit(world, facts, f"would {'delete' if there else 'create'} the test stack {stack.id.name}")
        return 0
    if there:
        return operate.finished(world, prepared, _deleted(world, prepared))
    command = f"stackseal test-deploy {shlex.quote(args.config)} --suffix {given} --delete"
    operate.absent(world, stack, remedy=f"remove it with: {command}")
    preflight.run(world, prepared.template)
    world.out.say(f"Test stack: {stack.id.name}")
    deployment = operate.deployed(world, prepared, change_set_name="test-deploy")
    code = operate.finished(world, prepared, deployment)
    if args.delete:
        code = code or operate.code(_deleted(world, prepared))
    else:
        world.out.say(f"Remove it with: {command}")
    return code


def _deleted(world: World, prepared: Prepared) -> Deployment:
    from stackseal import deploy
    from stackseal.deployment import proving

    stack = prepared.stack.id
    world.out.say(f"Deleting {stack.name}")
    return deploy.delete(stack, world.cloudformation(stack), proving.watch(world))


def _suffix(given: str | None) -> str:
    from stackseal.errors import UsageError

    if given is None:
        return secrets.token_hex(3)
    if len(given) != 6 or any(character not in "0123456789abcdef" for character in given):
        raise UsageError(f"The suffix {given!r} cannot be used", why="it is not six hexadecimal digits")
    return given
