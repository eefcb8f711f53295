"""`drift`: what cron causes; one issue for each drifted stack."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import emit
from stackseal.drift import MAX_OPEN, Move
from stackseal.world import World

if TYPE_CHECKING:
    from datetime import datetime

    from stackseal.drift import Step
    from stackseal.errors import ConfigError
    from stackseal.model import Drift, Stack
    from stackseal.upkeep.filing import Retired

SUMMARY: Final = "compare every stack with its template; one issue per drifted stack, closed when it is gone"
HELP: Final = """\
Run drift detection on the stacks of all configs (or of those named) and on the stacks that hold their roles, open one
issue for each that drifted, bring it up to date, and close it when the drift is gone. A stack that could not be
compared is unknown: its issue stays as it is, and the others are compared all the same. Where --max-open-issues are
open, drifted stacks without one are listed.
The issue of a stack that does not exist any more is closed with a comment that says so. A check of all configs does the
same with the issues that it has opened for stacks that no config of this folder makes any more.
A check of all configs in which every stack was compared and filed is written down with its time; `stackseal doctor`
and the next run show it. ROOT/reports/drift.xml holds the result of each stack as JUnit writes test results.
Exit 0 when the run was published; with --fail-on-drift exit 1 when anything drifted; 5 when a stack is unknown; 3 when
an issue could not be written; 2 when a config is invalid.

    stackseal drift
    stackseal drift configs/my.yaml --fail-on-drift
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The configs."""
    parser.add_argument("config", nargs="*", metavar="CONFIG", help="configs (default: all of the settings' folder)")
    parser.add_argument("--fail-on-drift", action="store_true", help="exit 1 when anything drifted")
    parser.add_argument(
        "--max-open-issues",
        type=_count,
        default=MAX_OPEN,
        metavar="N",
        help=f"how many drift issues may be open (default: {MAX_OPEN})",
    )


def run(args: argparse.Namespace, world: World) -> int:
    """Compare and file."""
    from dataclasses import asdict
    from pathlib import Path

    from stackseal import acting, artifacts, config, pipeline, settings
    from stackseal.commands import check_drift
    from stackseal.model import DriftStatus
    from stackseal.report import done as report
    from stackseal.report import junit
    from stackseal.review import publication
    from stackseal.upkeep import filing

    ours = settings.load(world.here)
    names = args.config or [path.as_posix() for path in config.discover(Path(ours.configs))]
    stacks, wrong = _stacks(world, names)
    last = world.forge.last_heartbeat()
    there = acting.acting(world, "drift", ours)
    done = pipeline.drift(there, stacks, ours, max_open=args.max_open_issues)
    everything = not args.config and not wrong
    retired = filing.retire(there, [found.stack for found, _ in done]) if everything else ()
    whole = everything and filing.complete(done)
    at = filing.write_down(world, done) if whole else None
    rows = [
        {**check_drift.facts(found), "issue": {"move": step.move.value, "number": step.number}} for found, step in done
    ]
    held = [found.stack.name for found, step in done if step.move is Move.HOLD]
    times = {"last_check": last.isoformat() if last else None, "checked_at": at.isoformat() if at else None}
    facts = {"stacks": rows, "held_back": held, "retired": [asdict(each) for each in retired], **times}
    emit(world, facts, "\n".join([*_text(done, held, args.max_open_issues, last, at), *map(_gone, retired)]))
    filings = [(found, step.move.value, step.number) for found, step in done]
    publication.summarise(world, lambda _: report.watched(filings, [(each.stack, each.number) for each in retired]))
    artifacts.write(world.root / "reports" / "drift.xml", junit.watched([found for found, _ in done]))
    for error in wrong:
        world.out.say(f"{error.where}: error: {error}", "error")
    statuses, moves = {found.status for found, _ in done}, {step.move for _, step in done}
    if args.fail_on_drift and DriftStatus.DRIFTED in statuses:
        return 1
    if DriftStatus.UNKNOWN in statuses:
        return 5
    if Move.FAIL in moves or any(each.failed for each in retired) or (whole and at is None):
        return 3
    return 2 if wrong else 0


def _count(text: str) -> int:
    """A whole number, zero or more."""
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)


def _text(
    done: Sequence[tuple[Drift, Step]], held: Sequence[str], limit: int, last: datetime | None, at: datetime | None
) -> list[str]:
    """A run for people: each stack with its issue, who has none, when drift was checked."""
    from stackseal.commands import check_drift

    if not done:
        return ["No configs, nothing to compare"]
    lines = [
        f"{check_drift.text(found)}\n  issue: {step.move.value}{f' #{step.number}' if step.number else ''}"
        for found, step in done
    ]
    if held:
        lines.append(f"{len(held)} drifted without an issue, because {limit} may be open: {', '.join(held)}")
    lines.append(f"Last complete check before this one: {last.isoformat() if last else 'none is known'}")
    lines.append("This one is complete" if at else "This one is not complete, so it is not written down as a check")
    return lines


def _gone(found: Retired) -> str:
    """What became of the issue of a stack that no config makes any more."""
    stands = f" it still stands ({found.stands}), and nobody looks after it" if found.stands else ""
    asked = f" whether it still stands is not known: {found.unasked}" if found.unasked else stands or " it is deleted"
    done = "could not be closed" if found.failed else "is closed"
    return f"{found.stack}: no config here makes it any more, so its issue #{found.number} {done};{asked}"


def _stacks(world: World, names: Sequence[str]) -> tuple[list[Stack], list[ConfigError]]:
    """The stacks of the configs that are valid, and what is wrong with the others: they stop nobody."""
    from stackseal.change import preparation
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
