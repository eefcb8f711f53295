"""`deploy-product` (spec A31-A34): the first deployment of a config, from the written template."""

from __future__ import annotations

import argparse
from typing import Final

from stackseal.commands.base import config_argument, confirmed, emit, mutation_arguments
from stackseal.world import World

SUMMARY: Final = "create the stack of a config from its written template"
HELP: Final = """\
Deploy the template that create-prov-template wrote as a new stack, after looking whether everything that it reads is
there. A stack that exists is left alone: updates go through review and deploy. Asks first; --force answers yes.

    stackseal create-prov-template configs/my.yaml
    stackseal deploy-product configs/my.yaml --force
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)
    mutation_arguments(parser, force=True)


def run(args: argparse.Namespace, world: World) -> int:
    """Create the stack."""
    from stackseal.change import preflight, preparation
    from stackseal.commands import everywhere, operate, written

    prepared = preparation.prepare(world, args.config)
    stack = prepared.stack
    path = written.current(world, stack, prepared.template)
    if args.dry_run:
        rows = [{"action": "Add", "resource": name} for name in prepared.template.resources]
        emit(world, {"dry_run": True, "stack": stack.id.name, "changes": rows}, _plan(stack.id.name, path, rows))
        return 0
    if stack.stack_set is not None:
        everywhere.absent(world, prepared)
        plan = everywhere.planned(world, prepared)
        confirmed(args, world, f"The stack set {stack.id.name} is created: {' '.join(plan.notes[:1])}")
        return operate.finished(world, prepared, everywhere.done(world, prepared, plan))
    operate.absent(world, stack)
    preflight.run(world, prepared.template)
    confirmed(args, world, f"The stack {stack.id.name} with {len(prepared.template.resources)} resources is created")
    deployment = operate.deployed(world, prepared, change_set_name="deploy-product")
    return operate.finished(world, prepared, deployment)


def _plan(name: str, path: object, rows: list[dict[str, str]]) -> str:
    lines = [f"would create the stack {name} from {path}:", *(f"  add {row['resource']}" for row in rows)]
    return "\n".join(lines)
