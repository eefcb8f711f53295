"""`show-product` (spec A13): the exact resources of a config."""

from __future__ import annotations

import argparse
from typing import Final

from stackseal.commands.base import config_argument, emit, table
from stackseal.world import World

SUMMARY: Final = "the exact resources that a config stands for"
HELP: Final = """\
Show every resource of the stack that a config describes, with its type and physical name, and their number.
Renders the template in memory; writes nothing, calls nothing.

    stackseal show-product configs/techcorp-prod-a001-us-west-2-customer-churn-ml-s3.yaml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)


def run(args: argparse.Namespace, world: World) -> int:
    """Print the resources."""
    from stackseal.change import preparation

    prepared = preparation.prepare(world, args.config)
    stack = prepared.stack
    rows = preparation.resource_rows(prepared.template)
    facts = {
        "product": stack.product.name,
        "variant": stack.variant,
        "scenario": stack.scenario,
        "stack": stack.id.name,
        "count": len(rows),
        "resources": [{"logical_id": row.logical_id, "type": row.type, "name": row.name} for row in rows],
        "publishes": list(stack.publishes),
        "consumes": list(stack.consumes),
        "stack_set": stack.stack_set.document() if stack.stack_set else None,
    }
    what = ", ".join(part for part in (stack.product.title, stack.variant, stack.scenario) if part)
    head = f"{what}: {len(rows)} resources in {stack.id.name}"
    if (found := stack.stack_set) is not None:
        where = f"{', '.join(found.units or found.accounts)} in {', '.join(found.regions)}"
        head = f"{what}: {len(rows)} resources in each stack of {stack.id.name}: {where}"
    cells = [(row.logical_id, row.type, row.name) for row in rows]
    emit(world, facts, f"{head}\n\n{table(cells, ('LOGICAL ID', 'TYPE', 'NAME'))}")
    return 0
