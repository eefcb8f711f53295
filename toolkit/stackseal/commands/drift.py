"""`drift`: what cron causes; one issue for each drifted stack."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import emit
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.errors import ConfigError
    from stackseal.model import Stack

SUMMARY: Final = "compare every stack with its template; one issue per drifted stack, closed when it is gone"
HELP: Final = """\
Run drift detection on the stacks of all configs (or of those named), open one issue for each that drifted, bring it up
to date, and close it when the drift is gone. A stack that could not be compared is unknown: its issue stays as it is,
and the others are compared all the same.
Exit 0 when the run was published; with --fail-on-drift exit 1 when anything drifted; 5 when a stack is unknown; 2 when
a config is invalid.

    stackseal drift
    stackseal drift configs/my.yaml --fail-on-drift
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The configs."""
    parser.add_argument("config", nargs="*", metavar="CONFIG", help="configs (default: all of the settings' folder)")
    parser.add_argument("--fail-on-drift", action="store_true", help="exit 1 when anything drifted")


def run(args: argparse.Namespace, world: World) -> int:
    """Compare and file."""
    from pathlib import Path

    from stackseal import acting, config, pipeline, settings
    from stackseal.commands import check_drift
    from stackseal.model import DriftStatus

    ours = settings.load(world.here)
    names = args.config or [path.as_posix() for path in config.discover(Path(ours.configs))]
    stacks, wrong = _stacks(world, names)
    done = pipeline.drift(acting.acting(world, "drift", ours), stacks, ours)
    rows = [
        {**check_drift.facts(found), "issue": {"move": step.move.value, "number": step.number}} for found, step in done
    ]
    lines = [
        f"{check_drift.text(found)}\n  issue: {step.move.value}{f' #{step.number}' if step.number else ''}"
        for found, step in done
    ]
    emit(world, {"stacks": rows}, "\n".join(lines) or "No configs, nothing to compare")
    for error in wrong:
        world.out.say(f"{error.where}: error: {error}", "error")
    statuses = {found.status for found, _ in done}
    if args.fail_on_drift and DriftStatus.DRIFTED in statuses:
        return 1
    if DriftStatus.UNKNOWN in statuses:
        return 5
    return 2 if wrong else 0


def _stacks(world: World, names: Sequence[str]) -> tuple[list[Stack], list[ConfigError]]:
    """The stacks of the configs that are valid, and what is wrong with the others: they stop nobody."""
    from stackseal import preparation
    from stackseal.errors import ConfigError, ConfigErrors

    stacks: list[Stack] = []
    wrong: list[ConfigError] = []
    for name in names:
        try:
            stacks += [item.stack for item in preparation.resolve(world, [name])]
        except ConfigErrors as several:
            wrong += several.errors
        except ConfigError as error:
            wrong.append(error)
    return stacks, wrong
