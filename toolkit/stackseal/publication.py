"""Where a report goes: files in every format below the root, annotations, and the one comment of the pull request."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stackseal import artifacts
from stackseal.model import PlanOperation, Report
from stackseal.report import FORMATS, markdown
from stackseal.world import World

_ROOM: Final = 64_600
"""Code points of a comment: GitHub takes 65,536, we send 65,000, and a forge may stamp it with a line of its own."""
_FILES = (("html", "html"), ("markdown", "md"), ("json", "json"), ("sarif", "sarif"))


@dataclass(frozen=True, kw_only=True)
class Published:
    """What was published: the comment's parts, and where it can be read."""

    parts: tuple[str, ...]
    where: str


def publish(world: World, report: Report, *, key: str = "review") -> Published:
    """Write every format below the root and bring the one comment up to date."""
    for name, suffix in _FILES:
        artifacts.write(world.root / "reports" / f"review.{suffix}", FORMATS[name].render(report))
    if world.runner.annotates:
        world.out.command(FORMATS["annotations"].render(report))
    if summary := world.env.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(markdown.render_summary(report))
    parts = markdown.render_parts(report, key=key, limit=_ROOM)
    where = world.forge.upsert_comment(report.run.pull_request or 0, key, parts)
    return Published(parts=parts, where=where)


def changes(report: Report) -> bool:
    """Whether anything would change."""
    plans = [stack.plan for stack in report.stacks if stack.plan is not None]
    return any(plan.operation is not PlanOperation.NONE for plan in plans)


def facts(report: Report) -> dict[str, Any]:
    """A report in numbers, as `--format json` gives it."""
    plans = [stack.plan for stack in report.stacks if stack.plan is not None]
    findings = [finding for stack in report.stacks for finding in stack.findings]
    return {
        "verdict": report.verdict.value,
        "stacks": [stack.id.name for stack in report.stacks],
        "findings": len(findings),
        "blocking": sum(finding.blocks for finding in findings),
        "failures": [f"{failure.where}: {failure.message}" for failure in report.failures],
        "changed": changes(report),
        "changes": sum(len(plan.changes) for plan in plans),
        "change_sets": [plan.change_set for plan in plans if plan.change_set],
        "seals": {stack.id.name: stack.plan.seal for stack in report.stacks if stack.plan and stack.plan.seal},
    }
