"""Stage 6 with its two answers: ask CloudFormation and seal what it says, or predict without credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from stackseal import checks
from stackseal.aws.s3 import Bucket
from stackseal.aws.shapes import Store
from stackseal.aws.states import Do
from stackseal.change import preflight
from stackseal.errors import Refused, StacksealError
from stackseal.model import (
    Change,
    Drift,
    Finding,
    Growth,
    Plan,
    PlanKind,
    PlanOperation,
    Run,
    StackId,
    Template,
    Verdict,
    Wait,
)
from stackseal.plan import change_set, deletion, predicted, record, rest, seal, stack_set
from stackseal.plan.record import LocalRecords, Records, SealRecord
from stackseal.plan.rest import Patience
from stackseal.plan.shared_records import SharedRecords
from stackseal.review import awaiting, stack_sets
from stackseal.review.awaiting import Values
from stackseal.upkeep import cleanup

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.settings import Account, Settings
    from stackseal.world import World

_UNNUMBERED: Final = 1
"""Where there is no pull request, plans are made as if for the first one."""
UNSEALED: Final = "There are no AWS credentials, so the plan is predicted and not sealed, and cannot be deployed."
"""Said where a sealed plan was wanted."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One stack's template before and after a change; not both are None."""

    id: StackId
    path: str
    """The config file's."""
    base: Template | None
    head: Template | None
    waits: tuple[Wait, ...] = ()
    """What the stack waits for in this change."""

    @property
    def envs(self) -> tuple[str, ...]:
        """The stages of both sides, where they are known."""
        return tuple(side.stack.env for side in (self.base, self.head) if side and side.stack)


class Unreviewed(Refused):
    """No review has sealed this; another way than refusing may be open to it."""


class Planner(Protocol):
    """Makes the plan of a stack."""

    def plan(self, pair: Pair, *, ours: Settings, run: Run) -> Plan | None:
        """The plan; None where there is nothing to say."""
        ...

    def look(self, pair: Pair, *, ours: Settings) -> tuple[Finding, ...]:
        """What only AWS can tell about what the stack needs, with the waivers that count."""
        ...

    def finish(self, verdict: Verdict) -> None:
        """The whole review is known now: keep what has to be kept."""
        ...


class Predicting:
    """Without credentials: from the templates of base and head."""

    def plan(self, pair: Pair, *, ours: Settings, run: Run) -> Plan | None:
        """A predicted plan."""
        del run
        account = ours.account(pair.id.account)
        if (owner := stack_sets.described(pair.head, pair.base)) is not None:
            return stack_set.blindly(pair.base, pair.head, role=account.role_for(owner))
        role = account.role_of(pair.id)
        later = {wait.path for wait in pair.waits if wait.changes}
        return predicted.predict(pair.base, pair.head, stack=pair.id, execution_role=role, later=later)

    def look(self, pair: Pair, *, ours: Settings) -> tuple[Finding, ...]:
        """Nothing: nobody is there to ask."""
        del pair, ours
        return ()

    def finish(self, verdict: Verdict) -> None:
        """A prediction leaves nothing behind."""
        del verdict


@dataclass(kw_only=True)
class Sealing:
    """With credentials: a change set against the real stack, sealed; the records are kept when the verdict is known."""

    world: World
    _made: list[tuple[Records, SealRecord]] = field(default_factory=list)
    _sets: set[StackId] = field(default_factory=set)  # they have no change sets

    def plan(self, pair: Pair, *, ours: Settings, run: Run) -> Plan | None:
        """The sealed plan of a stack: by change set, or deferred where it reads what this change publishes first.

        Raises Refused for a template that would run code while its change set is made, unless somebody answers for it,
        and for parameters that nobody publishes.
        """
        stack, base, head = pair.id, pair.base, pair.head
        if not self.world.aws(stack.account, stack.region).has_credentials:
            return self._predicted(pair, ours, run)
        self.world.out.say(f"Planning {stack.name}")
        account = ours.account(stack.account)
        cfn = self.world.cloudformation(stack)
        records = records_of(self.world, stack, account)
        if head is not None:
            self._inert(head, ours, account)
        if (owner := stack_sets.described(head, base)) is not None:
            self._sets.add(stack)
            made = stack_sets.plan(self.world.stack_sets(owner), head, base, account, patience(self.world))
            return self._keep(cfn, made, stack_sets.of(head, base), run, records)
        if head is None:
            return self._removal(cfn, stack, base, run, records)
        values = awaiting.values(self.world, stack, head, pair.waits)
        values = replace(values, awaits=(*values.awaits, *awaiting.missing_roles(cfn, pair.waits)))
        if values.awaits:
            return self._deferred(cfn, pair, head, values, account, run, records)
        inputs = seal.inputs(head, stack=stack, execution_role=account.role_of(stack))
        name = seal.change_set_name(run.pull_request or _UNNUMBERED, run.commit, inputs.digest)
        if run.unsealed:
            name = seal.change_set_again(run.commit, inputs.digest)
        made = change_set.create(
            inputs,
            cfn,
            name=name,
            patience=patience(self.world),
            description=f"stackseal {inputs.digest}",
            store=store_of(account),
        )
        return self._keep(cfn, made, head, run, records)

    def look(self, pair: Pair, *, ours: Settings) -> tuple[Finding, ...]:
        """Whether the connections that the stack reads through are confirmed."""
        aws = self.world.aws(pair.id.account, pair.id.region)
        if pair.head is None or not aws.has_credentials:
            return ()
        found = preflight.connections(aws, pair.head)
        return checks.answered(found, ours.waived(), today=self.world.clock.today)

    def finish(self, verdict: Verdict) -> None:
        """Keep the records; those of a blocked review say so, and nobody may execute them. What they supersede goes."""
        for records, found in self._made:
            records.put(replace(found, blocked=verdict is Verdict.BLOCKED))
            self._supersede(found)
        self._made.clear()

    def _supersede(self, found: SealRecord) -> None:
        """Remove the older change sets of the same pull request and stack: AWS keeps at most 1,000 of a stack.

        Only now, when their successor is on record; one that stays is no reason to lose the review.
        """
        if found.pull_request is None or found.stack in self._sets:
            return
        choose = cleanup.before(found.pull_request, found.change_set)
        try:
            cfn = self.world.cloudformation(found.stack)
            if found.change_set is not None or cfn.stack(found.stack.name) is not None:
                cleanup.drop(cfn, found.stack.name, choose)
        except StacksealError as error:
            self.world.out.say(f"{found.stack.name}: warning: an older change set stays: {error}", "warning")

    def _predicted(self, pair: Pair, ours: Settings, run: Run) -> Plan | None:
        """Where nobody is there to ask AWS: a prediction that says so, which no deployment takes for a sealed plan."""
        self.world.out.say(f"{pair.id.name}: warning: {UNSEALED}", "warning")
        found = Predicting().plan(pair, ours=ours, run=run)
        return replace(found, notes=(*found.notes, UNSEALED)) if found else None

    def _inert(self, head: Template, ours: Settings, account: Account) -> None:
        """CloudFormation runs macros while it makes a change set, and what another job found is no proof."""
        found = checks.unanswered("transform", head, ours.waived(), today=self.world.clock.today)
        if found:
            raise Refused(
                "No change set is made",
                why=found[0].message,
                remedy="take it out of the template, or waive the check transform on the base branch",
            )
        if outside := checks.nested_elsewhere(head, account.artifact_bucket):
            raise Refused(
                "No change set is made",
                why=f"a nested template comes from {outside[0]}, not from the account's artifact bucket",
                remedy="put it there, with the whole address, and name the bucket under accounts on the base branch",
            )

    def _deferred(
        self,
        cfn: CloudFormation,
        pair: Pair,
        head: Template,
        values: Values,
        account: Account,
        run: Run,
        records: Records,
    ) -> Plan:
        state, row = change_set.settled(cfn, pair.id, patience(self.world))
        made = awaiting.plan(
            cfn,
            pair.id,
            head,
            values.awaits,
            live=state if row.review is Do.UPDATE else None,
            execution_role=account.role_of(pair.id),
        )
        return self._keep(cfn, made, head, run, records, resolved=awaiting.resolved(head, values.known))

    def _removal(
        self, cfn: CloudFormation, stack: StackId, base: Template | None, run: Run, records: Records
    ) -> Plan | None:
        if base is None:
            return None
        stateful = base.stack.product.stateful if base.stack else frozenset()
        there = rest.at_rest(cfn, stack.name, patience(self.world))[0] is not None
        made = deletion.deletion(cfn, stack, stateful=stateful) if there else deletion.nothing(stack, base.sha256)
        made = replace(made, seal=seal.seal(made, base))
        return self._keep(cfn, made, base, run, records)

    def _keep(
        self,
        cfn: CloudFormation,
        made: Plan,
        template: Template,
        run: Run,
        records: Records,
        *,
        resolved: Mapping[str, str] | None = None,
    ) -> Plan:
        now = self.world.clock.now().isoformat()
        made = replace(made, growth=_growth(made, records, run, now))
        if made.change_set:
            resolved = cfn.change_set(made.change_set).resolved
        drift = drift_of(cfn, made, self.world)
        found = record.record(
            made,
            template,
            pull_request=None if run.unsealed else run.pull_request,
            head=run.commit,
            base=run.base,
            created=now,
            drift={item.logical_id: item.status for item in drift.resources} if drift else {},
            resolved=resolved,
        )
        self._made.append((records, replace(found, unsealed=run.unsealed)))
        return made


def _growth(made: Plan, records: Records, run: Run, now: str) -> Growth:
    """How a plan stands to the last one on record; where that cannot be read, nobody knows what was approved."""
    try:
        previous = None if run.unsealed else records.last(made.stack, run.pull_request)
    except Refused:
        return Growth(since=now, grown=True, head=run.commit)
    return record.growth(made, previous, head=run.commit, now=now)


def records_of(world: World, stack: StackId, account: Account) -> Records:
    """Where a stack's records live: the account's artifact bucket, or without one a folder below the root."""
    if (store := store_of(account)) is None:
        return LocalRecords(world.root)
    return SharedRecords(Bucket(world.aws(stack.account, stack.region), store, stack.region))


def store_of(account: Account) -> Store | None:
    """Where what is too large for a request goes."""
    return Store(bucket=account.artifact_bucket) if account.artifact_bucket else None


def patience(world: World) -> Patience:
    """How to wait for a stack or a change set, by the world's clock."""
    return Patience(sleep=world.clock.sleep, clock=world.clock.monotonic)


def drift_of(cfn: CloudFormation, plan: Plan, world: World) -> Drift | None:
    """The drift of the resources that a plan touches; None for a stack that is to be created, and for a stack set."""
    if plan.kind is PlanKind.STACK_SET or plan.operation not in {PlanOperation.UPDATE, PlanOperation.DELETE}:
        return None
    touched = sorted(change.logical_id for change in plan.changes if _exists(change))
    if not touched:
        return None
    found = cfn.detect_drift(plan.stack, sleep=world.clock.sleep, clock=world.clock.monotonic, logical_ids=touched)
    return replace(found, resources=tuple(item for item in found.resources if item.logical_id in touched))


def record_of(
    records: Records, stack: StackId, pull_request: int | None, template: Template | None, role: str | None
) -> SealRecord:
    """The newest record of the pull request with the same inputs.

    Raises Unreviewed when nobody reviewed this, Refused when the review was blocked.
    """
    return _newest(records.of(stack, pull_request), stack, template, role)


def pushed_record_of(
    records: Records, stack: StackId, commit: str, template: Template | None, role: str | None
) -> SealRecord:
    """The record of exactly this commit, which was pushed without a review, with the same inputs.

    Raises as `record_of` does.
    """
    found = [item for item in records.of(stack, None, unsealed=True) if item.head == commit]
    return _newest(found, stack, template, role)


def _newest(found: Sequence[SealRecord], stack: StackId, template: Template | None, role: str | None) -> SealRecord:
    if template is None:
        removals = {PlanOperation.DELETE.value, PlanOperation.NONE.value}
        mine = [item for item in found if item.operation in removals]
    else:
        digest = seal.inputs(template, stack=stack, execution_role=role).digest
        mine = [item for item in found if item.input_digest == digest]
    if not mine:
        raise Unreviewed(
            f"The stack {stack.name} is not deployed",
            why="no review has sealed exactly this; the config, its settings or the toolkit are not the reviewed ones",
            remedy="review the change again: `stackseal review --base BASE --plan sealed --pull-request N`",
        )
    if mine[0].blocked:
        raise Refused(
            f"The stack {stack.name} is not deployed",
            why=f"the review of {mine[0].head[:12]} was blocked",
            remedy="mend what it names and review again: `stackseal review --base BASE --plan sealed --pull-request N`",
        )
    return mine[0]


def _exists(change: Change) -> bool:
    return change.physical_id is not None and not change.nested
