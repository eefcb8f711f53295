"""What goes away or may go away: every one of it, said once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from stackseal.model import Certainty, PlanKind, PlanOperation, StackId, StackReport
from stackseal.report.view.effects import Effect, effect_of


@dataclass(frozen=True, kw_only=True)
class Whole:
    """A stack that is deleted as a whole."""

    production: bool
    goes: int
    stays: int


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
    whole: Whole | None = None
    """The stack itself goes; `resources` are then those that stay behind, by the names they have."""

    @property
    def named(self) -> bool:
        """Whether the sentence itself begins with the resource, so that nothing has to be put in front."""
        return len(self.resources) == 1 and self.sentence.startswith(f"{self.resources[0][0]} ")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What stands open and what is folded below it; nothing is folded below an empty part."""

    open: tuple[Danger, ...]
    folded: tuple[Danger, ...]
    detail: bool
    """The folded ones only go into the detail of what stands open: they are not *more* of it."""


def dangers(stack: StackReport) -> tuple[Danger, ...]:
    """All dangers of one stack: that it goes as a whole, data loss, the rest."""
    return (*_whole(stack), *_together(_dangers(stack)))


def rank(danger: Danger) -> tuple[bool, bool]:
    """The order of dangers over all stacks."""
    return (danger.whole is None, not danger.data_loss)


def shown(found: Sequence[Danger], limit: int) -> Shown:
    """Deleted stacks and data loss stand open; of the others at most `limit`, or those that nothing stands above."""
    loud = tuple(danger for danger in found if danger.whole or danger.data_loss)
    quiet = tuple(danger for danger in found if not (danger.whole or danger.data_loss))
    if len(quiet) <= limit:
        return Shown(open=(*loud, *quiet), folded=(), detail=False)
    deleted = {danger.stack for danger in loud if danger.whole}
    if loud:
        return Shown(open=loud, folded=quiet, detail={danger.stack for danger in quiet} <= deleted)
    return Shown(open=quiet[:limit], folded=quiet[limit:], detail=False)


def _whole(stack: StackReport) -> Iterator[Danger]:
    plan = stack.plan
    if plan is None or plan.operation is not PlanOperation.DELETE:
        return
    types = {change.logical_id: (change.physical_id or change.logical_id, change.type) for change in plan.changes}
    stays = tuple(types.get(name, (name, "")) for name in plan.retained)
    goes = sum(change.logical_id not in plan.retained for change in plan.changes)
    yield Danger(
        stack=stack.id,
        resources=stays,
        sentence="",
        data_loss=False,  # each loss has a sentence of its own
        retained=bool(stays),
        effect=Effect.REMOVE,
        certainty=Certainty.CERTAIN,
        predicted=plan.kind is not PlanKind.CHANGE_SET,
        whole=Whole(production=stack.env == "prod", goes=goes, stays=len(stays)),
    )


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
            predicted=plan.kind is not PlanKind.CHANGE_SET,
        )


def _together(dangers: Iterable[Danger]) -> Iterable[Danger]:
    """Dangers without data loss that only differ in their resource as one, where the first of them stands."""
    found: dict[Danger, list[tuple[str, str]]] = {}
    for danger in dangers:
        alone = danger.resources if danger.data_loss else ()
        found.setdefault(replace(danger, resources=alone), []).extend(danger.resources)
    return (replace(danger, resources=tuple(resources)) for danger, resources in found.items())
