"""START HERE: the stages in their order, and nothing else.

    config → catalogue → render → checks → policy → plan → report → deploy, drift

Stages know values (`model`), not each other; this module hands the values on. `review` and `deploy` work on the change
between two commits; `examine` on one config of the working directory, for the commands that serve a person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from stackseal import checks, settings
from stackseal.change import preparation, subjects, waves
from stackseal.change.concerned import Part, Sides, concerned
from stackseal.change.preparation import Prepared
from stackseal.change.subjects import Subject
from stackseal.change.waves import Order
from stackseal.deployment import contracting, proving, rollout
from stackseal.deployment.proving import Turn
from stackseal.deployment.spreading import Fresh
from stackseal.drift import MAX_OPEN, Step, judge
from stackseal.errors import ConfigError, ConfigErrors, StacksealError
from stackseal.hiding import Hidden
from stackseal.hosts.git import Repository
from stackseal.model import (
    Deployment,
    Drift,
    DriftStatus,
    Failure,
    Finding,
    Location,
    Plan,
    Report,
    Run,
    Stack,
    StackId,
    StackReport,
    Waiver,
)
from stackseal.plan import rest
from stackseal.review import bundle, gating, granting, planning, secrecy, shards
from stackseal.review.examining import examined
from stackseal.review.planning import Pair, Planner
from stackseal.review.shards import Cut
from stackseal.settings import Settings
from stackseal.upkeep import filing, stack_set_drift, watching
from stackseal.upkeep.watching import Watched
from stackseal.world import World


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A review without its plans: all that the render job makes, and all that the plan job needs."""

    report: Report
    pairs: tuple[Pair, ...]
    shard: bundle.Shard | None = None
    """Which part of a review this is; None for a whole one."""


def review(world: World, repository: Repository, run: Run, planner: Planner, *, base: str, head: str) -> Report:
    """Everything that a pull request causes, in order. It changes nothing but change sets of its own."""
    change = subjects.between(repository, base, head, preparation.shipped(), world.sandbox)
    return plan(draw(world, change, run), planner, change.settings, world.out.hidden)


def draw(world: World, change: subjects.Change, run: Run, cut: Cut | None = None) -> Drawn:
    """Stages 3 to 5 for every stack that the change concerns: templates, findings, policies. No credentials.

    Of a part of a review all templates are made, because they decide the order, and its own stacks alone are examined.
    """
    counted = [waiver for waiver in change.waivers if not waiver.proposed]
    failures = list(change.failures)

    def prepare(subject: Subject) -> Sides | None:
        with _told(subject.id.name, subject.either.stack.config.at(), failures):
            return _prepared(world, subject, counted)
        return None

    whole = granting.with_roles(concerned(change, prepare), change.settings, counted)
    everything = whole.found.parts
    parts = everything if cut is None else cut.own(everything)
    findings = _found(world, [new for part in parts if (new := part.sides[1]) is not None], change.waivers)
    accounts = [preparation.rendered(world, item, ()) for item in granting.bootstraps(change)] if whole.granted else []
    findings += tuple(stop for stack, found in whole.granted.items() for stop in granting.over(found, stack, accounts))
    stacks = tuple(
        _placed(
            part, examined(part.subject, *part.sides, findings, change.settings, whole.granted.get(part.subject.id))
        )
        for part in parts
    )
    report = Report(run=run, stacks=stacks, failures=tuple(failures), proposed=change.proposed)
    # One stack's secret is no other's to tell, also where another part holds it.
    secret = secrecy.of_review(report, change.settings, [_pair(part) for part in everything], world.out.hidden)
    return Drawn(report=secret, pairs=tuple(_pair(part) for part in parts), shard=_shard(cut, everything))


def plan(drawn: Drawn, planner: Planner, ours: Settings, known: Hidden) -> Report:
    """Stage 6: the report with the plan of every stack, without secrets; what goes wrong with one is said in it."""
    report, failures = drawn.report, list(drawn.report.failures)
    plans: dict[StackId, Plan | None] = {}
    seen: dict[StackId, tuple[Finding, ...]] = {}
    for pair in drawn.pairs:
        with _told(pair.id.name, Location(path=pair.path), failures):
            seen[pair.id] = planner.look(pair, ours=ours)
            plans[pair.id] = planner.plan(pair, ours=ours, run=report.run)
    stacks = tuple(
        replace(stack, plan=plans.get(stack.id), findings=(*stack.findings, *seen.get(stack.id, ())))
        for stack in report.stacks
    )
    whole = replace(report, stacks=stacks, failures=tuple(failures))
    whole = gating.applied(whole, ours.rules, {pair.id: pair.envs for pair in drawn.pairs})
    whole = secrecy.of_review(whole, ours, drawn.pairs, known)
    planner.finish(whole.verdict)
    return whole


def bundled(drawn: Drawn) -> str:
    """What the render job hands to the plan job, as JSON text."""
    pairs = tuple(
        bundle.Pair(
            id=pair.id, path=pair.path, base=bundle.sheet(pair.base), head=bundle.sheet(pair.head), waits=pair.waits
        )
        for pair in drawn.pairs
    )
    return bundle.dumps(bundle.Bundle(version=bundle.VERSION, report=drawn.report, pairs=pairs, shard=drawn.shard))


def unbundled(text: str) -> Drawn:
    """The review without its plans that a bundle carries.

    Raises ConfigError for a text that is none, Refused for a part of a review: only the whole has a verdict.
    """
    found = shards.whole(bundle.loads(text))
    pairs = tuple(
        Pair(
            id=pair.id,
            path=pair.path,
            base=bundle.template(pair.base, pair.id, pair.path) if pair.base else None,
            head=bundle.template(pair.head, pair.id, pair.path) if pair.head else None,
            waits=pair.waits,
        )
        for pair in found.pairs
    )
    return Drawn(report=found.report, pairs=pairs)


def unreviewed(
    world: World, repository: Repository, *, base: str, head: str, pull_request: int | None
) -> tuple[StackId, ...]:
    """The stacks of a push that no review has sealed as they are now."""
    turns = _turns(world, repository, base, head, number=pull_request)
    return tuple(stack for stack, turn in turns.items() if not turn.reviewed)


def deploy(
    world: World,
    repository: Repository,
    *,
    base: str,
    head: str,
    pull_request: int | None,
    only: Collection[str] | None = None,
    approved: str | None = None,
) -> tuple[Deployment, ...]:
    """What a merge causes: exactly what the pull request's review sealed is executed, wave by wave.

    New and changed stacks first, each after those whose parameters it reads, removed ones last and in reverse. All are
    proven before the first is changed, and each again right before its own turn. The first that is refused or does not
    end well stops the rest, because what follows may need it. Raises Refused for what nobody reviewed,
    Blocked where a gate's approval is missing; nothing is changed then.

    Args:
        only: the names of the stacks that are meant; None is all that the change concerns.
        approved: what was pushed without a review is executed, if this is the digest of its plans on record.
    """
    turns = _turns(world, repository, base, head, number=pull_request, pushed=approved is not None)
    everyone = turns
    if only is not None:
        turns = {stack: turn for stack, turn in turns.items() if stack.name in only}
    if approved is not None:
        proving.let_through(tuple(turns.values()), approved)
    proving.all_proven([turns[stack] for wave in proving.waves(turns) for stack in wave])
    done = rollout.run(proving.waves(turns), turns, world.out.say)
    if len(done) < len(turns) or not all(each.outcome.good for each in done):
        return done
    return (*done, *(last.take() for last in contracting.after(everyone, turns)))


def order(world: World, change: subjects.Change) -> Order:
    """Who goes when, with the stacks that take part only because they read what the change changes."""
    if change.failures:
        return waves.order([subject.member for subject in change.subjects])
    counted = [waiver for waiver in change.waivers if not waiver.proposed]
    return _parts(world, change, counted).found.order


def _parts(world: World, change: subjects.Change, waivers: Sequence[Waiver]) -> granting.Parts:
    """The parts of a change that is known to be valid, with the stacks of roles that they need."""
    found = concerned(change, lambda subject: _prepared(world, subject, waivers))
    return granting.with_roles(found, change.settings, waivers)


def _turns(
    world: World, repository: Repository, base: str, head: str, *, number: int | None, pushed: bool = False
) -> dict[StackId, Turn]:
    """The stacks of a push, each with its turn.

    Raises ConfigErrors for configs that are invalid, Refused where the repository brought records along.
    """
    change = subjects.between(repository, base, head, preparation.shipped(), world.sandbox)
    if change.failures:
        raise ConfigErrors([_as_error(failure) for failure in change.failures])
    proving.no_foreign_records(world, repository, change.head)
    counted = [waiver for waiver in change.waivers if not waiver.proposed]
    whole = _parts(world, change, counted)
    found = whole.found
    fresh = Fresh()
    approvals = gating.Approvals(world, number, change.base, pushed=pushed)
    return {
        part.subject.id: Turn(
            world=world,
            subject=part.subject,
            sides=part.sides,
            narrow=whole.narrow.get(part.subject.id),
            ours=change.settings,
            pushed=change.head if pushed else None,
            approvals=approvals,
            alone=len(found.parts) == 1,
            waits=part.waits,
            wave=part.wave,
            fresh=fresh,
        )
        for part in found.parts
    }


def drift(
    world: World, stacks: Sequence[Stack], ours: Settings, *, max_open: int = MAX_OPEN
) -> tuple[tuple[Drift, Step], ...]:
    """What cron causes: every stack is compared, and its one issue opened, edited, closed or left alone.

    The stack that holds a stack's role is compared after it, and has an issue of its own. A stack that cannot be
    compared is unknown, with the reason; the others are compared all the same. At most `max_open` drift issues are open
    then.
    """
    everyone = tuple(watching.watched(world, stacks, ours))
    found = [judge(_compared(world, each), ours.drift.ignore, world.clock.today) for each in everyone]
    found = [secrecy.of_drift(each, ours, world.out.hidden) for each in found]
    return filing.file(world, zip(found, (each.stack for each in everyone), strict=True), max_open=max_open)


def drift_of(world: World, stack: Stack) -> Drift:
    """Stage 9 for one stack, once nothing runs on it.

    Raises UsageError where there is no stack, or none that was ever whole; Failed where it stays busy.
    """
    if stack.stack_set is not None:
        return stack_set_drift.drift_of(world, stack)
    cfn = world.cloudformation(stack.id)
    rest.comparable(cfn, stack.id.name, planning.patience(world))
    return cfn.detect_drift(stack.id, sleep=world.clock.sleep, clock=world.clock.monotonic)


def examine(world: World, prepared: Prepared, *, base: Prepared | None = None) -> Report:
    """The review of one config of the working directory, with a predicted plan."""
    ours = settings.load(world.here)
    run = world.runner.run()
    subject = Subject(id=prepared.stack.id, base=base.resolved if base else None, head=prepared.resolved)
    findings = _found(world, [prepared], ours.waived())
    stack = examined(subject, base, prepared, findings, ours)
    pair = Pair(id=subject.id, path=subject.path, base=base.template if base else None, head=prepared.template)
    return plan(
        Drawn(report=Report(run=run, stacks=(stack,)), pairs=(pair,)), planning.Predicting(), ours, world.out.hidden
    )


def _shard(cut: Cut | None, everything: Sequence[Part]) -> bundle.Shard | None:
    if cut is None:
        return None
    return bundle.Shard(part=cut.part, of=cut.of, stacks=tuple(part.subject.id for part in everything))


def _pair(part: Part) -> Pair:
    old, new = part.sides
    return Pair(
        id=part.subject.id,
        path=part.subject.path,
        base=old.template if old else None,
        head=new.template if new else None,
        waits=part.waits,
    )


def _placed(part: Part, report: StackReport) -> StackReport:
    """The stack's report with its place in the order."""
    return replace(report, wave=part.wave, waits=part.waits, notes=(*part.notes, *report.notes))


def _prepared(world: World, subject: Subject, waivers: Sequence[Waiver]) -> tuple[Prepared | None, Prepared | None]:
    """Stage 3 for both sides of a change."""
    old = preparation.rendered(world, subject.base, waivers) if subject.base else None
    new = preparation.rendered(world, subject.head, waivers) if subject.head else None
    return old, new


def _found(world: World, prepared: Sequence[Prepared], waivers: Sequence[Waiver]) -> tuple[Finding, ...]:
    """Stage 4 for all templates at once: the engines start once."""
    if not prepared:
        return ()
    templates = [item.template for item in prepared]
    with preparation.engines(world, texts=len(templates)) as ready:
        return checks.run(templates, world=ready, waivers=waivers, today=world.clock.today)


@contextmanager
def _told(name: str, where: Location, failures: list[Failure]) -> Iterator[None]:
    """What goes wrong with one stack is said in the report, and the others are still reviewed."""
    try:
        yield
    except StacksealError as error:
        what = error.what if name in error.what else f"{name}: {error.what}"
        message = f"{what}: {error.why}" if error.why else what
        failures.append(Failure(message=message, remedy=error.remedy, where=error.where or where))


def _compared(world: World, each: Watched) -> Drift:
    try:
        return replace(drift_of(world, each.stack), role_of=each.role_of)
    except StacksealError as error:
        return Drift(
            stack=each.stack.id,
            status=DriftStatus.UNKNOWN,
            resources=(),
            reason=str(error),
            role_of=each.role_of,
            absent=isinstance(error, rest.Absent),
        )


def _as_error(failure: Failure) -> ConfigError:
    return ConfigError(failure.message, remedy=failure.remedy, where=failure.where)
