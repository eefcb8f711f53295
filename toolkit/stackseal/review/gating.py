"""Gates, plans and the forge: which gates concern a plan, how they stand, which approvals are too early.

The rules are the base's. A review only shows how they stand; a deployment asks again before anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Final

from stackseal.errors import Blocked, ConfigError, StacksealError
from stackseal.hosts.base import KnowsReviews, ReviewState
from stackseal.hosts.gates import LET_THROUGH, NO_PULL_REQUEST, NOBODY_ASKED, Facts, concerning, judged, sentence
from stackseal.model import Gate, GateCheck, Growth, Report, StackId, StackReport
from stackseal.world import World

_GREW: Final = (
    "The plan has grown since this approval: it does more than what was approved. "
    "Please look at the plan in the review comment and approve again."
)


@dataclass(frozen=True)
class Approvals:
    """Who has approved the pull request of a deployment: the forge is asked once, when a gate wants to know."""

    world: World
    number: int | None
    base: str
    """The commit before the pull request's changes, whose rules count."""
    pushed: bool = False
    """It goes without a review: a person has let exactly these plans into their environment."""

    @cached_property
    def state(self) -> ReviewState:
        forge = self.world.forge
        if self.pushed:
            return LET_THROUGH
        if self.number is None:
            return NO_PULL_REQUEST
        if not isinstance(forge, KnowsReviews):
            return NOBODY_ASKED
        found = forge.review(self.number, base=self.base)
        if found.merged is False:
            unmerged = f"the pull request {self.number} is not merged"
            return ReviewState(approved=None, code_owner=None, undecided=unmerged)
        return found


def applied(report: Report, rules: Sequence[Gate], envs: Mapping[StackId, Iterable[str]]) -> Report:
    """The report with the gates that concern its plans, before anybody was asked.

    Args:
        rules: the base's.
        envs: the stages of a stack before and after the change.
    """
    facts = {stack.id: Facts.of(stack.plan, (stack.env, *envs[stack.id])) for stack in report.stacks if stack.plan}
    gates = {identity: concerning(rules, found) for identity, found in facts.items()}
    return replace(
        report,
        stacks=tuple(replace(stack, gates=gates.get(stack.id, ())) for stack in report.stacks),
        ungated=tuple(key.name for key, found in facts.items() if found.destructive and not gates[key]),
    )


def closed(facts: Facts, growth: Growth, rules: Iterable[Gate], approvals: Approvals) -> tuple[str, ...]:
    """Why a plan must not be executed, a sentence for each gate; empty where every gate is open."""
    found = [_judged(check, growth, approvals.state) for check in concerning(rules, facts)]
    return tuple(f"{sentence(check, facts.stack)}." for check in found if check.stops)


def stop(what: str, reasons: Sequence[str]) -> None:
    """Nothing where there are no reasons; else Blocked with all of them."""
    if reasons:
        raise Blocked(
            what,
            why=" ".join(dict.fromkeys(reasons)),
            remedy="have what is named approved and deploy again; see docs/how-to/gates.md",
        )


def settled(world: World, report: Report) -> Report:
    """The report with the standing of its gates, after approvals that are too early were taken back."""
    forge, run = world.forge, report.run
    if run.pull_request is None or not isinstance(forge, KnowsReviews):
        return report
    if times := [_time(growth) for growth in _outgrown(report.stacks)]:
        _take_back(world, forge, run.pull_request, max(times))
    if run.base is None or not any(stack.gates for stack in report.stacks):
        return report
    state = forge.review(run.pull_request, base=run.base)
    return replace(report, stacks=tuple(_settled(stack, state) for stack in report.stacks))


def _outgrown(stacks: Iterable[StackReport]) -> Iterable[Growth]:
    """Plans that earlier approvals are not about: those that grew, and any that a gate concerns."""
    for stack in stacks:
        growth = stack.plan.growth if stack.plan else None
        if growth and (growth.grown or stack.gates):
            yield growth


def _take_back(world: World, forge: KnowsReviews, number: int, before: datetime) -> None:
    """A refusal is heard, and the review goes on: what is too early does not count at the deployment either."""
    try:
        gone = forge.dismiss(number, _GREW, before=before)
    except StacksealError as error:
        world.out.say(f"warning: approvals from before the plan was what it is now are still there: {error}", "warning")
        return
    if gone:
        world.out.say(f"Dismissed the approvals of {', '.join(gone)}: the plan has grown since")


def _settled(stack: StackReport, state: ReviewState) -> StackReport:
    growth = stack.plan.growth if stack.plan else None
    return replace(stack, gates=tuple(_judged(check, growth, state) for check in stack.gates))


def _judged(check: GateCheck, growth: Growth | None, state: ReviewState) -> GateCheck:
    if growth is None:
        return judged(check, state)
    return judged(check, state, since=_time(growth), head=growth.head)


def _time(growth: Growth) -> datetime:
    """Since when the plan is what it is; the text comes from a record or another job's report."""
    try:
        found = datetime.fromisoformat(growth.since)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ConfigError(
            "The plan cannot be used",
            why=f"{growth.since[:40]!r} is no time with a time zone",
            remedy="review the pull request again",
        )
    return found
