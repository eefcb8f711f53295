"""The same for a stack set: one operation after another, and what became of every account and region.

An operation of CloudFormation SUCCEEDED although accounts failed, as long as its tolerance allows it. Here each account
counts: one that failed makes the deployment fail, one of which nobody knows makes it unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from stackseal.deploy import Watch
from stackseal.errors import StacksealError, Unknown
from stackseal.model import (
    STACK_INSTANCE,
    Deployment,
    InstanceOutcome,
    Outcome,
    ResourceEvent,
    StackId,
    Step,
    Target,
    sha256,
)

if TYPE_CHECKING:
    from stackseal.aws.shapes import InstanceState, NewStackSet, OperationState
    from stackseal.aws.stack_sets import Reach, StackSets

RUNNING: Final = frozenset({"RUNNING", "QUEUED", "STOPPING"})
_PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0)
_DOING: Final = {"create": "CREATE", "add": "CREATE", "update": "UPDATE", "remove": "DELETE", "delete": "DELETE"}
_DONE: Final = {"CREATE": Outcome.CREATED, "UPDATE": Outcome.UPDATED, "DELETE": Outcome.DELETED}
_WORDS: Final = {
    "PENDING": "IN_PROGRESS",
    "RUNNING": "IN_PROGRESS",
    "SUCCEEDED": "COMPLETE",
    "FAILED": "FAILED",
    "CANCELLED": "FAILED",
}
"""Results of operations in the words that progress has for resources."""
NOT_BEGUN: Final = "NOT_BEGUN"


@dataclass(kw_only=True)
class Run:
    """One deployment of a stack set."""

    stack: StackId
    sets: StackSets
    reach: Reach
    watch: Watch
    word: str
    """Begins the ids of its operations."""
    found: dict[Target, InstanceOutcome] = field(default_factory=dict)
    status: str = ""

    def execute(self, steps: Sequence[Step], new: NewStackSet | None, *, outcome: Outcome) -> Deployment:
        """Take the steps, which the caller has proven, until one does not end well; `outcome` is that of success."""
        for number, step in enumerate(steps):
            try:
                operation = self._begin(step, new)
            except Unknown as error:
                return self._ended(Outcome.UNKNOWN, steps[number:], message=str(error))
            if operation and not self._follow(operation, step):
                return self._ended(Outcome.UNKNOWN, steps[number:])
            if any(not one.outcome.good for one in self.found.values()) or self.status in {"FAILED", "STOPPED"}:
                return self._ended(Outcome.FAILED, steps[number + 1 :])
        return self._ended(outcome, ())

    def _begin(self, step: Step, new: NewStackSet | None) -> str:
        """The id of the operation that the step has begun; empty for what is done at once."""
        name, group = self.stack.name, step.group
        if step.kind == "create" and new is not None:
            self.sets.create(new, token=self.word[:64])
            return ""
        if step.kind == "delete":
            self.sets.delete(name)
            return ""
        operation = self._id(step)
        if step.kind == "update" and new is not None:
            self.sets.update(new, group, self.reach, operation=operation)
        elif step.kind == "add" and group is not None:
            self.sets.create_instances(name, group, self.reach, operation=operation)
        elif group is not None:
            self.sets.delete_instances(name, group, self.reach, operation=operation)
        return operation

    def _id(self, step: Step) -> str:
        """The same for the same step after the same history, so that a repeat is refused and not done twice."""
        last = next(iter(self.sets.operations(self.stack.name)), None)
        return f"{self.word}-{sha256(f'{step} {last.id if last else None}')[:16]}"

    def _follow(self, operation: str, step: Step) -> bool:
        """Watch an operation to its end; whether that was seen. What became of its targets is in `found` then."""
        doing, results = _DOING[step.kind], {}
        try:
            for state, seen in watched(self.sets, self.stack, operation, doing, self.watch):
                self.status, results = state.status, dict(seen)
            there = {each.target: each for each in self.sets.instances(self.stack.name)}
        except StacksealError:
            return False
        if self.status in RUNNING:
            return False
        wanted = step.group.targets if step.group else frozenset()
        for target in sorted(wanted | results.keys()):
            self.found[target] = _outcome(target, doing, results.get(target), there.get(target))
        return True

    def _ended(self, outcome: Outcome, left: Sequence[Step], *, message: str = "") -> Deployment:
        for number, step in enumerate(left):
            lost = outcome is Outcome.UNKNOWN and number == 0
            for target in sorted(step.group.targets if step.group else ()):
                if lost:
                    self.found[target] = InstanceOutcome(target=target, outcome=Outcome.UNKNOWN)
                else:
                    self.found.setdefault(target, _not_begun(target))
        return ended(self.stack, outcome, self.status, tuple(self.found[key] for key in sorted(self.found)), message)


def _not_begun(target: Target) -> InstanceOutcome:
    why = "an earlier step did not end well"
    return InstanceOutcome(target=target, outcome=Outcome.FAILED, status=NOT_BEGUN, reason=why)


def watched(
    sets: StackSets, stack: StackId, operation: str, doing: str, watch: Watch
) -> Iterator[tuple[OperationState, Mapping[Target, tuple[str, str]]]]:
    """An operation and its results, again and again until it ends or nobody waits longer; each change is told."""
    end, turn = watch.monotonic() + watch.limit, 0
    told: dict[Target, tuple[str, str]] = {}
    while True:
        state = sets.operation(stack.name, operation)
        results = sets.results(stack.name, operation)
        for target in sorted(results):
            if told.get(target) != results[target] and results[target][0] != "PENDING":
                status, reason = results[target]
                watch.progress.event(_event(target, doing, status, reason))
        told = results
        yield state, results
        if state.status not in RUNNING or watch.monotonic() >= end:
            return
        watch.sleep(_PAUSES[min(turn, len(_PAUSES) - 1)])
        turn += 1


def ended(
    stack: StackId, outcome: Outcome, status: str, instances: tuple[InstanceOutcome, ...], message: str = ""
) -> Deployment:
    """The deployment of a set whose accounts ended like this: the worst of them counts."""
    worst = {one.outcome for one in instances}
    if Outcome.UNKNOWN in worst:
        outcome = Outcome.UNKNOWN
    elif Outcome.FAILED in worst and outcome.good:
        outcome = Outcome.FAILED
    first = next((one for one in instances if one.outcome is Outcome.FAILED and one.status == "FAILED"), None)
    return Deployment(
        stack=stack,
        outcome=outcome,
        status=status,
        first_failure=_event(first.target, "STACK", "FAILED", first.reason) if first else None,
        resume=f"stackseal recover {stack.name} --region {stack.region}" if outcome is Outcome.UNKNOWN else "",
        message=message,
        instances=instances,
    )


def resumed(sets: StackSets, stack: StackId, last: OperationState | None, watch: Watch) -> Deployment:
    """Follow an operation that somebody else began, or whose end nobody saw; None where there never was one."""
    if last is None:
        return Deployment(
            stack=stack, outcome=Outcome.UNCHANGED, status="", message="nothing was ever deployed with it"
        )
    status, results = last.status, {}
    try:
        for state, seen in watched(sets, stack, last.id, last.action, watch):
            status, results = state.status, dict(seen)
    except StacksealError as error:
        return ended(stack, Outcome.UNKNOWN, status, (), str(error))
    found = tuple(_by_result(target, last.action, results[target]) for target in sorted(results))
    outcome = _DONE[last.action] if status == "SUCCEEDED" else Outcome.FAILED
    return ended(stack, Outcome.UNKNOWN if status in RUNNING else outcome, status, found)


def _outcome(
    target: Target, doing: str, result: tuple[str, str] | None, there: InstanceState | None
) -> InstanceOutcome:
    """By the result, and by what is there: a target that CloudFormation passed over is no success."""
    found = _by_result(target, doing, result or ("", "CloudFormation does not tell what became of it"))
    if not found.outcome.good:
        return found
    if doing == "DELETE":
        why = "it is still there" if there else ""
    elif there is None:
        why = "its stack is not there"
    else:
        why = "" if there.status == "CURRENT" else there.reason or f"its stack is {there.status}"
    detailed = there.detailed if there else ""
    return replace(found, outcome=Outcome.FAILED, status=detailed, reason=why) if why else found


def _by_result(target: Target, doing: str, result: tuple[str, str]) -> InstanceOutcome:
    status, reason = result
    if status == "SUCCEEDED":
        outcome = _DONE[doing]
    else:
        outcome = Outcome.FAILED if status in {"FAILED", "CANCELLED"} else Outcome.UNKNOWN
    return InstanceOutcome(target=target, outcome=outcome, status=status, reason=reason)


def _event(target: Target, doing: str, status: str, reason: str) -> ResourceEvent:
    return ResourceEvent(
        logical_id=str(target), type=STACK_INSTANCE, status=f"{doing}_{_WORDS.get(status, status)}", reason=reason
    )
