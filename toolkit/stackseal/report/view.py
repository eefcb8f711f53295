"""What every format shows of a report, worked out once: counts, dangers, cost-relevant changes, the order of things.

Nothing here judges and nothing here is text for a reader; templates turn these values into words.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import yaml

from stackseal import assets
from stackseal.model import (
    Action,
    Certainty,
    Change,
    Finding,
    Level,
    Location,
    Plan,
    PlanKind,
    PlanOperation,
    PolicyDelta,
    Replacement,
    Report,
    Risk,
    Role,
    Run,
    StackId,
    StackReport,
    Statement,
    Verdict,
    canonical_json,
    sha256,
)
from stackseal.report.diff import property_name
from stackseal.report.redact import redact


class Effect(enum.Enum):
    """What a change does to a resource, in the order in which a reviewer wants to see it."""

    REMOVE = "remove"
    REPLACE = "replace"
    MAY_REPLACE = "may replace"
    DYNAMIC = "dynamic"
    MODIFY = "modify"
    SYNC = "sync"
    IMPORT = "import"
    ADD = "add"


_EFFECTS: Final = {
    Action.ADD: Effect.ADD,
    Action.REMOVE: Effect.REMOVE,
    Action.IMPORT: Effect.IMPORT,
    Action.DYNAMIC: Effect.DYNAMIC,
    Action.SYNC: Effect.SYNC,
}
_REPLACEMENTS: Final = {
    Replacement.NEVER: Effect.MODIFY,
    Replacement.CONDITIONAL: Effect.MAY_REPLACE,
    Replacement.ALWAYS: Effect.REPLACE,
}
_NO_RUN: Final = Run(host="", repository="", commit="")
_ROLES: Final = (Role.EXECUTION, Role.DEPLOY, Role.PLAN, Role.DRIFT, Role.BOUNDARY, Role.OPERATOR)
_RISKS: Final = tuple(Risk)
_LEVELS: Final = (Level.ERROR, Level.WARNING, Level.NOTE)


def effect_of(change: Change) -> Effect:
    """What a change does; a replacement that is not certain only may happen."""
    if change.action is not Action.MODIFY:
        return _EFFECTS[change.action]
    found = _REPLACEMENTS[change.replacement]
    return Effect.MAY_REPLACE if found is Effect.REPLACE and change.certainty is not Certainty.CERTAIN else found


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How many resources are added, changed, replaced, removed; what only may be replaced counts as replaced."""

    add: int = 0
    change: int = 0
    replace: int = 0
    remove: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            add=self.add + other.add,
            change=self.change + other.change,
            replace=self.replace + other.replace,
            remove=self.remove + other.remove,
        )

    @property
    def total(self) -> int:
        return self.add + self.change + self.replace + self.remove


_COUNTED: Final = {
    Effect.ADD: Counts(add=1),
    Effect.IMPORT: Counts(add=1),
    Effect.MODIFY: Counts(change=1),
    Effect.SYNC: Counts(change=1),
    Effect.DYNAMIC: Counts(replace=1),
    Effect.MAY_REPLACE: Counts(replace=1),
    Effect.REPLACE: Counts(replace=1),
    Effect.REMOVE: Counts(remove=1),
}


@dataclass(frozen=True, kw_only=True)
class Danger:
    """Something that exists goes away, may go away or loses data: shown always, never shortened."""

    stack: StackId
    resources: tuple[tuple[str, str], ...]
    """Logical id and type; several where one sentence is true of each and no data is lost."""
    sentence: str
    """Empty where the plan has no words for it; the template has."""
    data_loss: bool
    retained: bool
    """The resource stays behind, no longer managed."""
    effect: Effect
    certainty: Certainty
    predicted: bool

    @property
    def named(self) -> bool:
        """Whether the sentence itself begins with the resource, so that nothing has to be put in front."""
        return len(self.resources) == 1 and self.sentence.startswith(f"{self.resources[0][0]} ")


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """A change of a billable type: what is billed, and the sizes that matter before and after."""

    logical_id: str
    type: str
    billed: str
    effect: Effect
    sizes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, kw_only=True)
class PermissionRow:
    """One statement that a policy gains or loses."""

    added: bool
    role: Role
    statement: Statement


@dataclass(frozen=True, kw_only=True)
class RiskRow:
    """How many actions one policy gains and loses, per risk: `(risk, gained, lost)`, most risky first."""

    role: Role
    counts: tuple[tuple[Risk, int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Because:
    """One resource that needs a statement, and for which operations."""

    resource: str
    operations: str
    where: Location


@dataclass(frozen=True, kw_only=True)
class ChangeRow:
    """One change with its effect and the nested stacks on the way to it."""

    change: Change
    effect: Effect
    path: str


@dataclass(frozen=True, kw_only=True)
class StackView:
    """One stack's part of a report, in reading order."""

    report: StackReport
    counts: Counts
    changes: tuple[ChangeRow, ...]
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
    def status(self) -> Verdict:
        """The verdict on this stack alone."""
        return Report(run=_NO_RUN, stacks=(self.report,)).verdict

    @property
    def changed(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.changes or self.findings or self.added or self.removed or self.dangers) or self.plan is None


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

    @property
    def changed(self) -> tuple[StackView, ...]:
        return tuple(stack for stack in self.stacks if stack.changed)

    @property
    def destructive(self) -> bool:
        """Whether something goes away, by a change or with its whole stack."""
        plans = [stack.plan for stack in self.stacks if stack.plan is not None]
        return any(plan.destructive or plan.operation is PlanOperation.DELETE for plan in plans)

    @property
    def failures(self) -> int:
        return len(self.report.failures)


def view(report: Report) -> View:
    """The report as every format shows it."""
    clean = redact(report, salt=report.run.repository)
    found = (stack_view(stack) for stack in clean.stacks)
    urgency = list(Verdict)
    stacks = tuple(sorted(found, key=lambda one: (urgency.index(one.status), one.id, one.report.config)))
    dangers = [danger for stack in stacks for danger in stack.dangers]
    return View(
        report=clean,
        verdict=report.verdict,
        stacks=stacks,
        counts=sum((stack.counts for stack in stacks), Counts()),
        dangers=tuple(sorted(dangers, key=lambda danger: not danger.data_loss)),
        blocking=sum(stack.blocking for stack in stacks),
        findings=sum(len(stack.findings) for stack in stacks),
        waived=sum(stack.waived for stack in stacks),
        added=sum(stack.added for stack in stacks),
        removed=sum(stack.removed for stack in stacks),
        predicted=any(stack.predicted for stack in stacks),
        seal=_seal(clean),
    )


def stack_view(stack: StackReport) -> StackView:
    """One stack as every format shows it."""
    changes = tuple(_changes(stack.plan))
    return StackView(
        report=stack,
        counts=sum((_COUNTED[row.effect] for row in changes), Counts()),
        changes=changes,
        dangers=tuple(_together(_dangers(stack))),
        costs=tuple(_costs(changes)),
        findings=tuple(sorted(stack.findings, key=_finding_order)),
        blocking=sum(finding.blocks for finding in stack.findings),
        waived=sum(finding.waiver is not None and not finding.waiver.proposed for finding in stack.findings),
        permissions=tuple(sorted(_permissions(stack.policy_deltas), key=_permission_order)),
        risks=tuple(_risks(delta) for delta in sorted(stack.policy_deltas, key=lambda one: _ROLES.index(one.role))),
        added=len(_actions(one for delta in stack.policy_deltas for one in delta.added)),
        removed=len(_actions(one for delta in stack.policy_deltas for one in delta.removed)),
    )


def because(statement: Statement) -> tuple[Because, ...]:
    """Why a statement is there, one row per resource, with its operations as `create, delete, read`."""
    found: dict[tuple[str, Location], list[str]] = {}
    for reason in statement.because:
        found.setdefault((reason.resource, reason.where), []).append(reason.operation)
    return tuple(
        Because(resource=resource, operations=", ".join(dict.fromkeys(operations)), where=where)
        for (resource, where), operations in found.items()
    )


def _actions(statements: Iterable[Statement]) -> set[str]:
    return {action for statement in statements for action in statement.actions}


def _permissions(deltas: Iterable[PolicyDelta]) -> Iterator[PermissionRow]:
    for delta in deltas:
        for added, statements in ((True, delta.added), (False, delta.removed)):
            for statement in statements:
                yield PermissionRow(added=added, role=delta.role, statement=statement)


def _permission_order(row: PermissionRow) -> tuple[Any, ...]:
    return (_RISKS.index(row.statement.risk), not row.added, _ROLES.index(row.role), row.statement.sid)


def _risks(delta: PolicyDelta) -> RiskRow:
    def count(statements: Iterable[Statement], risk: Risk) -> int:
        return len(_actions(statement for statement in statements if statement.risk is risk))

    return RiskRow(
        role=delta.role,
        counts=tuple((risk, count(delta.added, risk), count(delta.removed, risk)) for risk in _RISKS),
    )


def _seal(report: Report) -> str:
    plans = [stack.plan for stack in report.stacks]
    seals = sorted(f"{plan.stack} {plan.seal}" for plan in plans if plan is not None and plan.seal)
    return sha256(canonical_json(seals)) if seals and len(seals) == len(plans) else ""


def _finding_order(finding: Finding) -> tuple[Any, ...]:
    where = (finding.where, finding.check, finding.resource or "", finding.message)
    return (not finding.blocks, _LEVELS.index(finding.level), *where)


def _changes(plan: Plan | None) -> Iterator[ChangeRow]:
    order = list(Effect)
    rows = [] if plan is None else [(effect_of(change), change) for change in plan.changes]
    for effect, change in sorted(rows, key=lambda row: (order.index(row[0]), row[1].nested, row[1].logical_id)):
        path = "/".join((*change.nested, change.logical_id))
        yield ChangeRow(change=change, effect=effect, path=path)


def _dangers(stack: StackReport) -> Iterator[Danger]:
    plan = stack.plan
    if plan is None:
        return
    changes = {change.logical_id: change for change in reversed(plan.changes)}
    unsaid = [change for change in plan.changes if change.destructive]
    rows = [(item.logical_id, item.type, item.sentence, item.data_loss) for item in plan.consequences]
    for item in plan.consequences:
        covered = next((change for change in unsaid if change.logical_id == item.logical_id), None)
        unsaid = [change for change in unsaid if change is not covered]
    # A destructive change without a sentence of its own is still named: nothing goes away unsaid.
    rows += [(change.logical_id, change.type, "", False) for change in unsaid]
    whole = Effect.REMOVE if plan.operation is PlanOperation.DELETE else Effect.MODIFY
    for logical_id, type_, sentence, data_loss in sorted(rows, key=lambda row: (not row[3], row[0], row[2])):
        change = changes.get(logical_id)
        yield Danger(
            stack=stack.id,
            resources=((logical_id, type_),),
            sentence=sentence,
            data_loss=data_loss,
            retained=logical_id in plan.retained,
            effect=effect_of(change) if change else whole,
            certainty=change.certainty if change else Certainty.CERTAIN,
            predicted=plan.kind is PlanKind.PREDICTED,
        )


def _together(dangers: Iterable[Danger]) -> Iterable[Danger]:
    """Dangers without data loss that only differ in their resource as one, where the first of them stands."""
    found: dict[Danger, list[tuple[str, str]]] = {}
    for danger in dangers:
        alone = danger.resources if danger.data_loss else ()
        found.setdefault(replace(danger, resources=alone), []).extend(danger.resources)
    return (replace(danger, resources=tuple(resources)) for danger, resources in found.items())


@cache
def billable() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Type → (what is billed, the properties that set the size), from `templates/reports/billing.yaml`."""
    data = yaml.safe_load((assets.REPORTS / "billing.yaml").read_text(encoding="utf-8"))
    return {name: (row["billed"], tuple(row.get("sizes", ()))) for name, row in data.items()}


def _costs(changes: Sequence[ChangeRow]) -> Iterator[CostRow]:
    for row in changes:
        known = billable().get(row.change.type)
        if known is None:
            continue
        billed, properties = known
        sizes = tuple(
            (property_name(item.path), item.before or "", item.after or "")
            for item in row.change.properties
            if item.path.replace(".", "/").rsplit("/", 1)[-1] in properties
        )
        if sizes or row.effect in {Effect.ADD, Effect.REMOVE}:
            yield CostRow(logical_id=row.path, type=row.change.type, billed=billed, effect=row.effect, sizes=sizes)
