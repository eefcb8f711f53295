"""Where a report goes: files in every format below the root, annotations, and the one comment of the pull request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stackseal import artifacts
from stackseal.errors import StacksealError
from stackseal.hosts.base import CommentMode, HasLabels, Mark, MarksCommits, MarkState, ShowsFindings
from stackseal.model import PlanOperation, Report, Verdict
from stackseal.report import FORMATS, markdown, sarif
from stackseal.report.view import view
from stackseal.world import World

_ROOM: Final = 64_600
"""Code points of a comment: GitHub takes 65,536, we send 65,000, and a forge may stamp it with a line of its own."""
_FILES = (("html", "html"), ("markdown", "md"), ("json", "json"), ("sarif", "sarif"), ("junit", "xml"))


@dataclass(frozen=True, kw_only=True)
class Published:
    """What was published: the comment's parts, and where it can be read."""

    parts: tuple[str, ...]
    where: str


def publish(
    world: World,
    report: Report,
    *,
    key: str = "review",
    mode: CommentMode = CommentMode.UPDATE,
    labels: bool = False,
) -> Published:
    """Write every format below the root and bring the one comment up to date, and the labels where they are wanted."""
    for name, suffix in _FILES:
        artifacts.write(world.root / "reports" / f"review.{suffix}", FORMATS[name].render(report))
    if world.runner.annotates:
        world.out.command(FORMATS["annotations"].render(report))
    summarise(world, lambda room: markdown.render_summary(report, limit=room))
    parts = markdown.render_parts(report, key=key, limit=_ROOM)
    number = report.run.pull_request or 0
    where = world.forge.upsert_comment(number, key, parts, mode=mode, worth=worth(report))
    if number:
        _label(world, number, _labels(report) if labels else None)
    return Published(parts=parts, where=where)


def scan(world: World, report: Report, *, key: str = "review") -> str:
    """Send the findings to code scanning; returns `accepted`, `off` or `refused`. They are a display, so nothing fails.

    Where code scanning is off, nobody has to hear of it; where it refuses, the person hears what to do.
    """
    if not isinstance(world.forge, ShowsFindings):
        return "off"
    done = world.forge.upload_sarif(report.run, sarif.render(report, key=key))
    if done.accepted:
        return "accepted"
    world.out.say(f"The findings are not in code scanning: {done.why}", "debug" if done.off else "warning")
    return "off" if done.off else "refused"


def mark(world: World, report: Report, *, key: str, where: str) -> None:
    """The reviewed commit has the verdict as its status, so that a branch rule can require it.

    Like the required check of the review workflow: blocked is a failure, a need of a human is none.
    """
    state = MarkState.FAILURE if report.verdict is Verdict.BLOCKED else MarkState.SUCCESS
    found = facts(report)
    counts = f"{len(found['stacks'])} stacks, {found['changes']} changes, {found['blocking']} blocking findings"
    _mark(
        world,
        report.run.commit,
        Mark(key=key, state=state, text=f"{report.verdict.value}: {counts}", url=where or report.run.url),
    )


def mark_lost(world: World, commit: str, *, key: str, why: str) -> None:
    """The same for a review that could not be published: an error, so that nobody takes an older word for this one's.

    What is in the way of it is only said, because the reason to do it is the failure that counts.
    """
    try:
        _mark(
            world, commit, Mark(key=key, state=MarkState.ERROR, text=f"no verdict: {why}", url=world.runner.run().url)
        )
    except StacksealError as error:
        world.out.say(f"The status of the commit is as it was: {error}", "warning")


def _mark(world: World, commit: str, mark: Mark) -> None:
    if isinstance(world.forge, MarksCommits):
        world.forge.mark(commit, mark)
    else:
        world.out.say("No status was set: nothing here can require one", "warning")


def summarise(world: World, render: Callable[[int], str]) -> None:
    """Append to the job's summary what is made of the bytes that are left in it.

    GitHub drops a step's summary as a whole when it is over the limit, so what other commands of the step wrote counts.
    """
    if not (summary := world.env.get("GITHUB_STEP_SUMMARY")):
        return
    path = Path(summary)
    room = markdown.SUMMARY_LIMIT - (path.stat().st_size if path.exists() else 0)
    text = markdown.cut(world.out.hidden.text(render(max(0, room))), room)
    if not text:
        world.out.say("The job's summary is full, so this is not in it; see the job's log", "warning")
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _labels(report: Report) -> tuple[str, ...]:
    """The verdict, and whether something goes away."""
    return (f"stackseal: {report.verdict.value}", *(["stackseal: destructive"] if view(report).destructive else []))


def _label(world: World, number: int, names: tuple[str, ...] | None) -> None:
    """Label the pull request; with None only what is no longer true goes.

    Labels decide nothing, so what is in the way is only said.
    """
    forge = world.forge
    try:
        if not isinstance(forge, HasLabels) or not forge.label(number, names):
            world.out.say("No labels were set: the token may not, or there are none here", "debug")
    except StacksealError as error:
        world.out.say(f"The labels are as they were: {error}", "warning")


def worth(report: Report) -> bool:
    """Whether a review is worth a comment in mode `changes-only`: something would change, or it blocks."""
    return changes(report) or report.verdict is Verdict.BLOCKED


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
        "gates": [
            {
                "stack": stack.id.name,
                "on": check.gate.on.value,
                "needs": check.gate.needs.value,
                "standing": check.standing.value,
                "reason": check.reason,
            }
            for stack in report.stacks
            for check in stack.gates
        ],
        "grown": {plan.stack.name: list(plan.growth.lines) for plan in plans if plan.growth and plan.growth.lines},
        "failures": [f"{failure.where}: {failure.message}" for failure in report.failures],
        "changed": changes(report),
        "changes": sum(len(plan.changes) for plan in plans),
        "change_sets": [plan.change_set for plan in plans if plan.change_set],
        "seals": {stack.id.name: stack.plan.seal for stack in report.stacks if stack.plan and stack.plan.seal},
    }
