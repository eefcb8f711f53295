"""What every format shows of a report, worked out once: counts, dangers, cost-relevant changes, the order of things.

Nothing here judges and nothing here is text for a reader; templates turn these values into words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from stackseal.model import (
    Finding,
    Level,
    Plan,
    PlanKind,
    PlanOperation,
    Report,
    Run,
    StackId,
    StackReport,
    Standing,
    Verdict,
    canonical_json,
    sha256,
)
from stackseal.report.redact import redact
from stackseal.report.view.costs import CostRow, costs
from stackseal.report.view.dangers import Danger, dangers, rank
from stackseal.report.view.effects import ChangeRow, Counts, changes, count
from stackseal.report.view.everywhere import TargetRow, others, targets
from stackseal.report.view.gates import GateRow, Grown, gates, grown
from stackseal.report.view.permissions import PermissionRow, RiskRow, actions, permissions, risks

_NO_RUN: Final = Run(host="", repository="", commit="")
_LEVELS: Final = (Level.ERROR, Level.WARNING, Level.NOTE)


@dataclass(frozen=True, kw_only=True)
class StackView:
    """One stack's part of a report, in reading order."""

    report: StackReport
    counts: Counts
    changes: tuple[ChangeRow, ...]
    """Without those of `targets`, which are counted all the same."""
    targets: tuple[TargetRow, ...]
    """Of a stack set what happens in which accounts."""
    dangers: tuple[Danger, ...]
    costs: tuple[CostRow, ...]
    findings: tuple[Finding, ...]
    blocking: int
    waived: int
    permissions: tuple[PermissionRow, ...]
    """The most risky first, and of those the role first that does the most."""
    risks: tuple[RiskRow, ...]
    added: int
    removed: int
    """Different actions, over all policies."""

    @property
    def id(self) -> StackId:
        return self.report.id

    @property
    def plan(self) -> Plan | None:
        return self.report.plan

    @property
    def operation(self) -> str:
        return self.plan.operation.value if self.plan else "unknown"

    @property
    def predicted(self) -> bool:
        return self.plan is not None and self.plan.kind is PlanKind.PREDICTED

    @property
    def deferred(self) -> bool:
        """Whether its change set can only be made after other stacks of this change."""
        return self.plan is not None and self.plan.kind is PlanKind.DEFERRED

    @property
    def everywhere(self) -> bool:
        """Whether it is a stack set, sealed without change sets."""
        return self.plan is not None and self.plan.kind is PlanKind.STACK_SET

    @property
    def status(self) -> Verdict:
        """The verdict on this stack alone."""
        return Report(run=_NO_RUN, stacks=(self.report,)).verdict

    @property
    def changed(self) -> bool:
        """Whether there is anything to look at."""
        return (
            bool(self.changes or self.targets or self.findings or self.added or self.removed or self.dangers)
            or self.plan is None
        )


@dataclass(frozen=True, kw_only=True)
class View:
    """A whole report, redacted and counted."""

    report: Report
    verdict: Verdict
    stacks: tuple[StackView, ...]
    counts: Counts
    dangers: tuple[Danger, ...]
    blocking: int
    findings: int
    waived: int
    added: int
    removed: int
    predicted: bool
    """Whether any plan is predicted only."""
    seal: str
    """One digest of all seals; empty where a plan has none."""
    gates: tuple[GateRow, ...]
    grown: tuple[Grown, ...]

    @property
    def changed(self) -> tuple[StackView, ...]:
        return tuple(stack for stack in self.stacks if stack.changed)

    @property
    def waves(self) -> int:
        """How many there are; stacks of one go at the same time."""
        return len({stack.report.wave for stack in self.stacks})

    @property
    def ordered(self) -> tuple[StackView, ...]:
        """The stacks in the order in which they go."""
        return tuple(sorted(self.stacks, key=lambda stack: (stack.report.wave, stack.id)))

    @property
    def deferred(self) -> bool:
        """Whether any change set can only be made after other stacks."""
        return any(stack.deferred for stack in self.stacks)

    @property
    def everywhere(self) -> bool:
        """Whether any stack is a stack set."""
        return any(stack.everywhere for stack in self.stacks)

    @property
    def destructive(self) -> bool:
        """Whether something goes away, by a change or with its whole stack."""
        plans = [stack.plan for stack in self.stacks if stack.plan is not None]
        return any(plan.destructive or plan.operation is PlanOperation.DELETE for plan in plans)

    @property
    def undecided(self) -> int:
        """Stacks that are blocked because nobody can decide about an approval."""
        return len({name for row in self.gates if row.blocks for name in row.stacks})

    @property
    def unapproved(self) -> int:
        """Stacks whose approval is missing or not asked for yet."""
        waiting = {Standing.MISSING, Standing.OPEN}
        return len({name for row in self.gates if row.standing in waiting for name in row.stacks})

    @property
    def failures(self) -> int:
        return len(self.report.failures)

    @property
    def unreviewed(self) -> int:
        """How many files could not be reviewed; one may have several failures."""
        return len({failure.where.path for failure in self.report.failures})


def view(report: Report) -> View:
    """The report as every format shows it."""
    clean = redact(report, salt=report.run.repository)
    found = (stack_view(stack) for stack in clean.stacks)
    urgency = list(Verdict)
    stacks = tuple(sorted(found, key=lambda one: (urgency.index(one.status), one.id, one.report.config)))
    every = [danger for stack in stacks for danger in stack.dangers]
    return View(
        report=clean,
        verdict=report.verdict,
        stacks=stacks,
        counts=sum((stack.counts for stack in stacks), Counts()),
        dangers=tuple(sorted(every, key=rank)),
        blocking=sum(stack.blocking for stack in stacks),
        findings=sum(len(stack.findings) for stack in stacks),
        waived=sum(stack.waived for stack in stacks),
        added=sum(stack.added for stack in stacks),
        removed=sum(stack.removed for stack in stacks),
        predicted=any(stack.predicted for stack in stacks),
        seal=_seal(clean),
        gates=gates(stack.report for stack in stacks),
        grown=grown(stack.report for stack in stacks),
    )


def stack_view(stack: StackReport) -> StackView:
    """One stack as every format shows it."""
    rows = tuple(changes(stack.plan))
    deltas = stack.policy_deltas
    return StackView(
        report=stack,
        counts=count(rows),
        changes=others(rows),
        targets=targets(rows),
        dangers=dangers(stack),
        costs=tuple(costs(rows)),
        findings=tuple(sorted(stack.findings, key=_finding_order)),
        blocking=sum(finding.blocks for finding in stack.findings),
        waived=sum(finding.waiver is not None and not finding.waiver.proposed for finding in stack.findings),
        permissions=permissions(deltas),
        risks=risks(deltas),
        added=len(actions(one for delta in deltas for one in delta.added)),
        removed=len(actions(one for delta in deltas for one in delta.removed)),
    )


def _seal(report: Report) -> str:
    plans = [stack.plan for stack in report.stacks]
    seals = sorted(f"{plan.stack} {_sealed(plan)}" for plan in plans if plan is not None and _sealed(plan))
    return sha256(canonical_json(seals)) if seals and len(seals) == len(plans) else ""


def _sealed(plan: Plan) -> str:
    """A plan's seal; one in which nothing happens needs none."""
    nothing = plan.operation is PlanOperation.NONE and plan.kind is PlanKind.CHANGE_SET
    return plan.seal or ("nothing" if nothing else "")


def _finding_order(finding: Finding) -> tuple[Any, ...]:
    where = (finding.where, finding.check, finding.resource or "", finding.message)
    return (not finding.blocks, _LEVELS.index(finding.level), *where)
