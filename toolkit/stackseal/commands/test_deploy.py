"""`test-deploy` (spec A30): an isolated copy of a config's stack, beside whatever is there."""

from __future__ import annotations

import argparse
import secrets
from typing import Final

from stackseal.commands.base import config_argument, emit, mutation_arguments
from stackseal.world import World

SUMMARY: Final = "deploy an isolated copy with suffixed names, beside production"
HELP: Final = """\
Deploy a config as a test stack: every physical name, SSM path and the stack's name carry a random suffix, private DNS
of endpoints is off, nothing is retained, so that a plain `aws cloudformation delete-stack` removes everything. The
production stack is not touched. The stack's name is printed; --delete removes the test stack at the end.

    stackseal test-deploy configs/my.yaml
    stackseal test-deploy configs/my.yaml --delete
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)
    mutation_arguments(parser, force=False)
    parser.add_argument("--delete", action="store_true", help="delete the test stack when it has been created")
    parser.add_argument("--suffix", metavar="HEX6", help="use this suffix instead of a random one")


def run(args: argparse.Namespace, world: World) -> int:
    """Create the test stack."""
    from stackseal import deploy, pipeline, preflight, preparation
    from stackseal.commands import operate

    suffix = f"-test-{_suffix(args.suffix)}"
    prepared = preparation.prepare(world, args.config, suffix=suffix)
    stack = prepared.stack
    if args.dry_run:
        facts = {"dry_run": True, "stack": stack.id.name, "resources": len(prepared.template.resources)}
        emit(world, facts, f"would create the test stack {stack.id.name}")
        return 0
    operate.absent(world, stack)
    preflight.run(world, prepared.template)
    world.out.say(f"Test stack: {stack.id.name}")
    deployment = operate.deployed(world, prepared, change_set_name="test-deploy")
    code = operate.finished(world, prepared, deployment)
    if args.delete:
        world.out.say(f"Deleting {stack.id.name}")
        removed = deploy.delete(stack.id, world.cloudformation(stack.id), pipeline.watch(world))
        code = code or operate.code(removed)
    return code


def _suffix(given: str | None) -> str:
    from stackseal.errors import UsageError

    if given is None:
        return secrets.token_hex(3)
    if len(given) != 6 or any(character not in "0123456789abcdef" for character in given):
        raise UsageError(f"The suffix {given!r} cannot be used", why="it is not six hexadecimal digits")
    return given
