"""`validate-config` (spec A14-A21): schema, names, file-name tokens; `file:line:column` for whatever is wrong."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from stackseal.commands.base import config_argument, emit, table
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.catalogue import Resolved

SUMMARY: Final = "check configs: schema, rules, names, file name"
HELP: Final = """\
Check configs against their product's schema and rules, compute every physical name with the length that AWS allows,
and compare the file's name with its content. Errors name file, line and column. No call to AWS.

    stackseal validate-config configs/*.yaml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The configs."""
    config_argument(parser, several=True)


def run(args: argparse.Namespace, world: World) -> int:
    """Print the names; warnings go to stderr."""
    from stackseal.change import preparation

    resolved = preparation.resolve(world, args.config)
    for item in resolved:
        for warning in item.warnings:
            world.out.say(f"{item.stack.config.path}:1:1: warning: {warning}", "warning")
    facts = {"configs": [_facts(item) for item in resolved]}
    emit(world, facts, "\n\n".join(_text(item) for item in resolved))
    return 0


def _facts(item: Resolved) -> dict[str, Any]:
    stack = item.stack
    return {
        "config": stack.config.path,
        "valid": True,
        "stack": stack.id.name,
        "account": stack.id.account,
        "region": stack.id.region,
        "product": stack.product.name,
        "variant": stack.variant,
        "names": {
            name.key: {"value": name.value, "limit": name.limit, "shortened": name.shortened}
            for name in stack.names.values()
        },
        "warnings": list(item.warnings),
    }


def _text(item: Resolved) -> str:
    stack = item.stack
    rows = [
        (name.key, name.value, f"{len(name.value)}/{name.limit}", "shortened" if name.shortened else "")
        for name in stack.names.values()
    ]
    head = f"{stack.config.path}: valid; {stack.product.title}, {stack.variant}; stack {stack.id.name}"
    return f"{head}\n{table(rows, ('NAME', 'VALUE', 'LENGTH', ''))}"
