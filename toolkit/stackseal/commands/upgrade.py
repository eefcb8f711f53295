"""`upgrade CONFIG` (spec A67): what a newer stackseal makes of a config that an older one has rendered."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Final

from stackseal import __version__
from stackseal.commands.base import config_argument, emit
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.model import StackId, Template

SUMMARY: Final = "what this version makes of a config that an older one rendered"
HELP: Final = """\
Check a config against this version's rules and compare what it renders to with the template that the old version wrote
(ROOT/templates/…), or with --deployed with the one that the stack runs: compatible, and the changes that the upgrade
would bring; or the keys to change first. Writes nothing. To go back, run the old version: it renders the old bytes.

    stackseal upgrade configs/my.yaml
    stackseal upgrade configs/my.yaml --deployed
"""
_VERSION: Final = re.compile(r"\A# Rendered by stackseal (\S+)")


def configure(parser: argparse.ArgumentParser) -> None:
    """The config, and what it is compared with."""
    config_argument(parser)
    parser.add_argument("--deployed", action="store_true", help="compare with the stack's template instead of the file")


def run(args: argparse.Namespace, world: World) -> int:
    """Print what would change; an incompatible config ends with its errors, exit 2."""
    from stackseal import render
    from stackseal.change import preparation
    from stackseal.commands import operate, written
    from stackseal.plan import predicted

    prepared = preparation.prepare(world, args.config)
    stack = prepared.stack
    if args.deployed:
        base, before = _deployed(world, stack.id), "the deployed template"
    else:
        path, text = written.written(world, stack)
        base, before = render.read(text, path.as_posix()), _version(text)
    plan = predicted.predict(base, prepared.template, stack=stack.id)
    rows = operate.change_rows(plan)
    facts = {
        "compatible": True,
        "from": before,
        "to": __version__,
        "operation": plan.operation.value,
        "changes": rows,
        "consequences": [item.sentence for item in plan.consequences],
    }
    lines = [f"{stack.config.path}: compatible; {before} → {__version__}: {plan.operation.value}, {len(rows)} changes"]
    lines += [f"  ! {item.sentence}" for item in plan.consequences]
    lines += [f"  {row['action']} {row['resource']} {row['type']}" for row in rows]
    emit(world, facts, "\n".join(lines))
    return 0


def _version(text: str) -> str:
    found = _VERSION.match(text)
    return found.group(1) if found else "an unknown version"


def _deployed(world: World, stack: StackId) -> Template:
    from stackseal import render
    from stackseal.errors import UsageError

    cfn = world.cloudformation(stack)
    if cfn.stack(stack.name) is None:
        raise UsageError(f"There is no stack {stack.name}", why="it is not deployed", remedy="leave out --deployed")
    return render.read(cfn.template(stack=stack.name), stack.name)
