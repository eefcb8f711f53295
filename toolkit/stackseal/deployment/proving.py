"""The stacks of a deployment take turns: all are proven before the first is changed, and each again right before it is.

What goes wrong in a turn is that stack's outcome, so that what was done before it is still told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stackseal import deploy as stage
from stackseal import naming
from stackseal.change.preparation import Prepared
from stackseal.change.subjects import Subject
from stackseal.deployment import progress, rollout, sealed, spreading, stack_sets
from stackseal.deployment.spreading import Fresh
from stackseal.errors import Blocked, Refused, StacksealError, Unknown
from stackseal.hosts.gates import Facts
from stackseal.hosts.git import Repository
from stackseal.model import (
    Deployment,
    Growth,
    Outcome,
    Plan,
    PlanOperation,
    Stack,
    StackId,
    Template,
    Wait,
)
from stackseal.plan import seal
from stackseal.plan.record import SealRecord
from stackseal.review import gating, planning
from stackseal.review import stack_sets as review
from stackseal.review.gating import Approvals
from stackseal.settings import Settings
from stackseal.upkeep import cleanup
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation

_OUTCOMES: Final[Mapping[type[StacksealError], Outcome]] = {
    Blocked: Outcome.REFUSED,
    Refused: Outcome.REFUSED,
    Unknown: Outcome.UNKNOWN,
}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One stack's part of a deployment."""

    world: World
    subject: Subject
    sides: tuple[Prepared | None, Prepared | None]
    ours: Settings
    approvals: Approvals
    narrow: Template | None = None
    """What a stack of roles becomes at the end, where its role may do more meanwhile."""
    alone: bool = True
    """Whether no other stack is deployed beside it; else every line names its stack."""
    pushed: str | None = None
    """A commit that was pushed without a review: its own records count, because a person let it through."""
    waits: tuple[Wait, ...] = ()
    """What it waits for in this deployment."""
    wave: int = 1
    """When it is its turn, counted from 1."""
    fresh: Fresh = field(default_factory=Fresh)
    """The roles that this deployment has changed so far; all its turns have the same."""

    def record(self) -> SealRecord:
        """What it is held against.

        Raises Unreviewed where there is nothing, Refused for a blocked review.
        """
        identity, head = self.subject.id, self.sides[1]
        account = self.ours.account(identity.account)
        records, template = planning.records_of(self.world, identity, account), head.template if head else None
        role = account.role_for(head.stack) if head else None
        if self.pushed is not None:
            return planning.pushed_record_of(records, identity, self.pushed, template, role)
        return planning.record_of(records, identity, self.approvals.number, template, role)

    @property
    def reviewed(self) -> bool:
        """Whether a review has sealed exactly this, blocked or not."""
        try:
            self.record()
        except planning.Unreviewed:
            return False
        except Refused:
            return True
        return True

    def ready(self) -> Plan | None:
        """The plan that may be executed, as far as that can be known before anything is changed.

        None for one that other stacks of this deployment have to come before: it is proven when its turn comes.
        """
        record = self.record()
        if not record.awaited:
            return self._proven(record)
        sealed.expected(self.world, self.world.cloudformation(self.subject.id), record, self.waits)
        return None

    def prove(self) -> Plan:
        """The plan that is still the reviewed one; whether it needs an approval says `closed`."""
        record, head = self.record(), self.sides[1]
        if head is not None:
            sealed.unmoved(self.world, record, head.template, self.waits)
        return self._proven(record)

    def _proven(self, record: SealRecord) -> Plan:
        world, identity, (base, head) = self.world, self.subject.id, self.sides
        account = self.ours.account(identity.account)
        if self._set is not None:
            after, before = (side.template if side else None for side in (head, base))
            return stack_sets.proven(world, world.stack_sets(self._set), record, after, before, account)
        cfn = world.cloudformation(identity)
        if head is not None:
            return sealed.proven(world, cfn, record, head.template, account)
        assert base is not None  # noqa: S101 - a subject has at least one side
        return sealed.proven_deletion(world, cfn, record, base.template)

    def closed(self, plan: Plan | None) -> tuple[str, ...]:
        """Why a gate of the base's settings does not let the plan pass, in sentences; None is judged by its record."""
        record, envs = self.record(), [side.stack.env for side in self.sides if side is not None]
        facts = Facts.of(plan, envs) if plan else _foreseen(record, envs)
        growth = Growth(since=record.since, grown=record.grown, head=record.head)
        return gating.closed(facts, growth, self.ours.rules, self.approvals)

    def take(self) -> Deployment:
        """Prove once more and do it; what goes wrong is the outcome, so that what was done before is still told."""
        try:
            if naming.roles_stack(self.subject.id) not in self.fresh:
                return self.fresh.note(self._taken())
            clock = self.world.clock
            return spreading.patiently(self._taken, self.subject.id, say=self.world.out.say, sleep=clock.sleep)
        except StacksealError as error:
            return stopped(self.subject.id, error)

    def _taken(self) -> Deployment:
        """Prove it and do it. It can be begun anew where AWS has refused the call, and sees what has changed since."""
        plan, cfn, head = self.prove(), self.world.cloudformation(self.subject.id), self.sides[1]
        gating.stop(f"The stack {plan.stack.name} is not deployed", self.closed(plan))
        if self._set is not None:
            return self._everywhere(plan, self._set)
        stale = self._others(cfn)
        if head is not None:
            done = stage.execute(plan, head.template, cfn, self._watch)
        else:
            role = self.ours.account(self.subject.id.account).role_of(self.subject.id)
            done = stage.delete(plan.stack, cfn, self._watch, role=role)
        return done if done.outcome is Outcome.UNCHANGED else replace(done, stale=stale)

    @property
    def _set(self) -> Stack | None:
        """The stack set that it is; None for an ordinary stack."""
        head, base = (side.template if side else None for side in (self.sides[1], self.sides[0]))
        return review.described(head, base)

    def _everywhere(self, plan: Plan, owner: Stack) -> Deployment:
        """The same for a stack set."""
        side = self.sides[1] or self.sides[0]
        assert side is not None  # noqa: S101 - a subject has at least one side
        account = self.ours.account(self.subject.id.account)
        return stack_sets.execute(plan, side.template, self.world.stack_sets(owner), account, self._watch)

    def _others(self, cfn: CloudFormation) -> tuple[int, ...]:
        """Who else plans on the stack: executing one change set deletes the others."""
        name = self.subject.id.name
        return cleanup.others(cfn.list_change_sets(name), self.approvals.number) if cfn.stack(name) else ()

    @property
    def _watch(self) -> stage.Watch:
        return watch(self.world, "" if self.alone else self.subject.id.name)


def stopped(stack: StackId, error: StacksealError) -> Deployment:
    """The outcome of a turn that an error ended: what could not be learned is unknown, not failed."""
    outcome = next((found for kind, found in _OUTCOMES.items() if isinstance(error, kind)), Outcome.FAILED)
    return Deployment(stack=stack, outcome=outcome, status="", message=str(error))


def waves(turns: Mapping[StackId, Turn]) -> tuple[tuple[StackId, ...], ...]:
    """Whose turn it is when: the stacks of each wave, sorted."""
    numbers = sorted({turn.wave for turn in turns.values()})
    return tuple(tuple(sorted(stack for stack in turns if turns[stack].wave == number)) for number in numbers)


def all_proven(turns: Sequence[Turn]) -> None:
    """Nothing, if every stack may be deployed; else what this run made for its comparisons is removed again.

    Raises Refused for what nobody reviewed, Blocked where a gate is closed.
    """
    found = rollout.attempted(Turn.ready, turns)
    errors = [each for each in found if isinstance(each, StacksealError)]
    plans = [(turn, plan) for turn, plan in zip(turns, found, strict=True) if not isinstance(plan, StacksealError)]
    try:
        if errors:
            raise errors[0]
        gating.stop("Nothing is deployed", [reason for turn, plan in plans for reason in turn.closed(plan)])
    except StacksealError:
        for turn, plan in plans:
            if plan is not None:
                sealed.discard(turn.world.cloudformation(turn.subject.id), plan)
        raise


def _foreseen(record: SealRecord, envs: Iterable[str]) -> Facts:
    """What a gate looks at in a plan that waits for other stacks; what removes or replaces may lose data."""
    gone = any(line.destructive for line in record.lines)
    return Facts(
        stack=record.stack.name,
        envs=frozenset(envs),
        destructive=gone,
        data_loss=gone,
        changes=record.operation != PlanOperation.NONE.value,
    )


def let_through(turns: Sequence[Turn], digest: str) -> None:
    """Nothing, if the plans that a person let through are the ones on record.

    Raises Refused where another run has planned the same commit again since.
    """
    found = seal.of_all({turn.subject.id: turn.record().seal for turn in turns})
    if found != digest:
        raise Refused(
            "Nothing is deployed",
            why=f"the plans on record ({found[:12]}) are not the ones that somebody approved ({digest[:12]})",
            remedy="run the deployment again and approve what it shows",
        )


def no_foreign_records(world: World, repository: Repository, head: str) -> None:
    """Nothing, if the repository holds no seal records and no approvals.

    Those below the working root count because this machine wrote them; a pull request could bring its own.
    """
    root = world.root if not world.root.is_absolute() else _below(world.root, world.here)
    for folder, what in (("seals", "seal records"), ("forge", "approvals")) if root is not None else ():
        files = repository.files(head, f"{root}/{folder}")
        if tracked := [path for path in files if folder == "seals" or path.endswith("/approvals")]:
            raise Refused(
                "Nothing is deployed",
                why=f"the repository itself holds {what} ({tracked[0]}), so a pull request could bring its own",
                remedy=f"remove {root}/{folder} from the repository and name it in .gitignore",
            )


def _below(path: Path, folder: Path) -> Path | None:
    return path.relative_to(folder) if path.is_relative_to(folder) else None


def watch(world: World, stack: str = "") -> stage.Watch:
    """How an operation is followed, by the world's clock and output; `stack` stands in front of every line."""
    shown = progress.progress(world.out, stack)
    return stage.Watch(sleep=world.clock.sleep, monotonic=world.clock.monotonic, progress=shown)
