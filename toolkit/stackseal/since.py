"""What changed since the last report of the same stack: sentences for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from stackseal.errors import StacksealError
from stackseal.model import Report, StackReport
from stackseal.report import json

_TITLE = "Since the last report"


def with_changes(report: Report, last: Path) -> Report:
    """The report with a note for everything that the last one, if there is one, did not have."""
    if not last.is_file():
        return report
    try:
        before = {stack.id: stack for stack in json.loads(last.read_text(encoding="utf-8")).stacks}
    except StacksealError:
        return report  # written by another version: nothing can be compared
    stacks = tuple(
        replace(stack, notes=(*stack.notes, *_changes(before[stack.id], stack))) if stack.id in before else stack
        for stack in report.stacks
    )
    return replace(report, stacks=stacks)


def _changes(old: StackReport, new: StackReport) -> Iterator[str]:
    if old.template_sha256 == new.template_sha256:
        yield f"{_TITLE}: the template is the same."
        return
    before, after = ({row.logical_id for row in stack.resources} for stack in (old, new))
    if added := sorted(after - before):
        yield f"{_TITLE}: new resources {', '.join(added)}."
    if removed := sorted(before - after):
        yield f"{_TITLE}: removed resources {', '.join(removed)}."
    if not added and not removed:
        yield f"{_TITLE}: the same resources with other properties."
    had, has = (sum(finding.blocks for finding in stack.findings) for stack in (old, new))
    if had != has:
        yield f"{_TITLE}: {has} blocking findings where there were {had}."
