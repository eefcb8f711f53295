"""`delete-product` (spec A37): the stack goes; what holds data stays, by name, unless told otherwise."""

from __future__ import annotations

import argparse
from typing import Final

from stackseal.commands.base import config_argument, confirmed, emit, mutation_arguments
from stackseal.world import World

SUMMARY: Final = "delete the stack of a config; says what stays behind"
HELP: Final = """\
Delete a config's stack. Resources that hold data are retained and named. --delete-data empties and removes the
retained buckets too; nothing brings their content back. Asks first; --force answers yes.

    stackseal delete-product configs/my.yaml --force
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)
    mutation_arguments(parser, force=True)
    parser.add_argument("--delete-data", action="store_true", help="also empty and remove the retained buckets")


def run(args: argparse.Namespace, world: World) -> int:
    """Delete the stack."""
    from dataclasses import replace

    from stackseal import deploy, pipeline, preparation
    from stackseal.aws.retained import remove
    from stackseal.commands import operate
    from stackseal.errors import UsageError
    from stackseal.plan import deletion

    prepared = preparation.prepare(world, args.config)
    stack = prepared.stack
    cfn = world.cloudformation(stack.id)
    if cfn.stack(stack.id.name) is None:
        raise UsageError(f"There is no stack {stack.id.name}", why="it is not deployed", remedy="nothing to delete")
    plan = deletion.deletion(cfn, stack.id, stateful=stack.product.stateful)
    for item in plan.consequences:
        world.out.say(f"  ! {item.sentence}")
    if args.dry_run:
        facts = {"dry_run": True, "stack": stack.id.name, "retained": list(plan.retained)}
        emit(world, facts, f"would delete {stack.id.name}; retained: {', '.join(plan.retained) or 'nothing'}")
        return 0
    confirmed(args, world, f"The stack {stack.id.name} is deleted")
    deployment = deploy.delete(stack.id, cfn, pipeline.watch(world), role=plan.execution_role)
    if args.delete_data and deployment.outcome.good:
        aws = world.aws(stack.id.account, stack.id.region)
        removed = remove(aws, stack.id.region, deployment.retained)
        deployment = replace(deployment, retained=tuple(item for item in deployment.retained if item not in removed))
    return operate.finished(world, prepared, deployment)
