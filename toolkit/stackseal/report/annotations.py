"""The findings as workflow commands: GitHub shows them on the config lines in *Files changed*.

A step may have ten annotations of each kind, the rest is dropped without a word (actions/toolkit, problem matchers);
so the most serious ten of each are written and a notice counts the others. The tenth notice is kept for that. A job may
have fifty in all its steps: thirty at most are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stackseal.model import Finding, Level, Location, Report
from stackseal.report.encode import command_data, command_property
from stackseal.report.view import view
from stackseal.report.words import fill

LIMIT: Final = 10
"""Annotations of each kind that GitHub shows of one step."""
_COMMANDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


@dataclass(frozen=True, kw_only=True)
class _Mark:
    level: Level
    where: Location
    title: str
    message: str


def render(report: Report) -> str:
    """Workflow commands, one per line, the most serious first; to be written to stdout of a step alone."""
    marks = list(_marks(report))
    shown = [mark for level in Level for mark in [one for one in marks if one.level is level][: _room(level)]]
    lines = [_line(mark) for mark in shown]
    if len(marks) > len(shown):
        rest = fill("annotations.txt.j2", hidden=len(marks) - len(shown))
        lines.append(f"::notice title=stackseal::{rest}")
    return "".join(f"{line}\n" for line in lines)


def _room(level: Level) -> int:
    return LIMIT - 1 if level is Level.NOTE else LIMIT


def _marks(report: Report) -> Iterator[_Mark]:
    found = view(report)
    for failure in found.report.failures:
        text = f"{failure.message}; {failure.remedy}" if failure.remedy else failure.message
        yield _Mark(level=Level.ERROR, where=failure.where, title="could not be reviewed", message=text)
    every = [finding for stack in found.stacks for finding in stack.findings]
    for finding in sorted(every, key=lambda one: not one.blocks):
        if finding.waiver is None or finding.waiver.proposed:
            yield _Mark(level=finding.level, where=finding.where, title=_title(finding), message=finding.message)


def _title(finding: Finding) -> str:
    return f"{finding.check} {finding.resource}" if finding.resource else finding.check


def _line(mark: _Mark) -> str:
    where = f"file={command_property(mark.where.path)},line={mark.where.line},col={mark.where.column}"
    title = command_property(mark.title)
    return f"::{_COMMANDS[mark.level]} {where},title={title}::{command_data(mark.message)}"
