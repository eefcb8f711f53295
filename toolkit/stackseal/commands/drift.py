"""`drift`: what cron causes; one issue for each drifted stack."""

from __future__ import annotations

import argparse
from typing import Final

from stackseal.commands.base import emit
from stackseal.world import World

SUMMARY: Final = "compare every stack with its template; one issue per drifted stack, closed when it is gone"
HELP: Final = """\
Run drift detection on the stacks of all configs (or of those named), open one issue for each that drifted, bring it up
to date, and close it when the drift is gone. A stack that could not be compared is unknown: its issue stays as it is.
Exit 0 when the run was published; with --fail-on-drift exit 1 when anything drifted; 5 when a stack is unknown.

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

    from stackseal import config, pipeline, preparation, settings
    from stackseal.commands import check_drift
    from stackseal.model import DriftStatus

    ours = settings.load(world.here)
    names = args.config or [path.as_posix() for path in config.discover(Path(ours.configs))]
    resolved = preparation.resolve(world, names)
    done = pipeline.drift(world, [item.stack for item in resolved], ours)
    rows = [
        {**check_drift.facts(found), "issue": {"move": step.move.value, "number": step.number}} for found, step in done
    ]
    lines = [
        f"{check_drift.text(found)}\n  issue: {step.move.value}{f' #{step.number}' if step.number else ''}"
        for found, step in done
    ]
    emit(world, {"stacks": rows}, "\n".join(lines) or "No configs, nothing to compare")
    statuses = {found.status for found, _ in done}
    if args.fail_on_drift and DriftStatus.DRIFTED in statuses:
        return 1
    return 5 if DriftStatus.UNKNOWN in statuses else 0
