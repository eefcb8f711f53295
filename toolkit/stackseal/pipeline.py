"""START HERE: the stages in their order, and nothing else.

    config → catalogue → render → checks → policy → plan → report → deploy, drift

Stages know values (`model`), not each other; this module hands the values on. `review` and `deploy` work on the change
between two commits; `prepare` on one config of the working directory, for the commands that serve a person.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from stackseal import (
    artifacts,
    catalogue,
    checks,
    config,
    graph,
    planning,
    policy,
    progress,
    render,
    sealed,
    settings,
    subjects,
)
from stackseal import deploy as stage
from stackseal.catalogue import Catalogue, Resolved
from stackseal.drift import Move, Step, decide, judge, key
from stackseal.errors import ConfigError, ConfigErrors, StacksealError, UsageError
from stackseal.hosts.base import Issue
from stackseal.hosts.git import Repository
from stackseal.model import (
    Deployment,
    Drift,
    Failure,
    Finding,
    Plan,
    Policy,
    PolicyDelta,
    Report,
    ResourceRow,
    Run,
    Stack,
    StackId,
    StackReport,
    Template,
    Waiver,
    canonical_json,
)
from stackseal.plan.record import Records
from stackseal.planning import Planner
from stackseal.report.issue import issue as issue_of
from stackseal.settings import Settings
from stackseal.subjects import Subject
from stackseal.world import World


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A config that has become a template."""

    resolved: Resolved
    template: Template

    @property
    def stack(self) -> Stack:
        return self.resolved.stack


@dataclass(frozen=True, kw_only=True)
class Examined:
    """A stack with all that a reviewer needs to know."""

    subject: Subject
    head: Prepared | None
    base: Prepared | None
    findings: tuple[Finding, ...]
    policies: tuple[Policy, ...]
    deltas: tuple[PolicyDelta, ...]
    plan: Plan | None


def review(world: World, repository: Repository, run: Run, planner: Planner, *, base: str, head: str) -> Report:
    """Everything that a pull request causes, in order. It changes nothing but change sets of its own."""
    change = subjects.between(repository, base, head, catalogue_of(world), world.sandbox)
    counted = [waiver for waiver in change.waivers if not waiver.proposed]
    failures = list(change.failures)
    pairs: list[tuple[Subject, Prepared | None, Prepared | None]] = []
    for subject in change.subjects:
        with _told(subject, failures):
            pairs.append((subject, *_prepared(world, subject, counted)))
    findings = _found(world, [new for _, _, new in pairs if new is not None], change.waivers)
    examined: list[Examined] = []
    for subject, old, new in pairs:
        plan: Plan | None = None
        with _told(subject, failures):
            plan = _planned(subject, old, new, planner, change.settings, run)
        examined.append(_examined(subject, old, new, findings, change.settings, plan))
    return Report(run=run, stacks=tuple(_reported(item) for item in examined), failures=tuple(failures))


def deploy(
    world: World, repository: Repository, *, base: str, head: str, pull_request: int | None, records: Records
) -> tuple[Deployment, ...]:
    """What a merge causes: exactly what the pull request's review sealed is executed, stack by stack.

    New and changed stacks first, removed ones last. The first stack that is refused or does not end well stops the
    rest, because what follows may need it. Raises Refused for what nobody reviewed; nothing is changed then.
    """
    change = subjects.between(repository, base, head, catalogue_of(world), world.sandbox)
    if change.failures:
        raise ConfigErrors([_as_error(failure) for failure in change.failures])
    counted = [waiver for waiver in change.waivers if not waiver.proposed]
    ready = [
        _ready(world, subject, _prepared(world, subject, counted), change.settings, pull_request, records)
        for subject in sorted(change.subjects, key=lambda item: item.head is None)
    ]
    done: list[Deployment] = []
    for step in ready:
        done.append(step())
        if not done[-1].outcome.good:
            break
    return tuple(done)


def drift(world: World, stacks: Sequence[Stack], ours: Settings) -> tuple[tuple[Drift, Step], ...]:
    """What cron causes: every stack is compared, and its one issue opened, edited, closed or left alone."""
    found = [judge(drift_of(world, stack), ours.drift.ignore, world.clock.today) for stack in stacks]
    issues = world.forge.issues()
    return tuple((each, _filed(world, each, stack, issues)) for each, stack in zip(found, stacks, strict=True))


def drift_of(world: World, stack: Stack) -> Drift:
    """Stage 9 for one stack.

    Raises UsageError where there is no stack.
    """
    cfn = world.cloudformation(stack.id)
    if cfn.stack(stack.id.name) is None:
        raise UsageError(
            f"There is no stack {stack.id.name}", why="it is not deployed", remedy="deploy it, or remove its config"
        )
    return cfn.detect_drift(stack.id, sleep=world.clock.sleep, clock=world.clock.monotonic)


def examine(world: World, prepared: Prepared, *, base: Prepared | None = None) -> Report:
    """The review of one config of the working directory, with a predicted plan."""
    ours = settings.load(world.here)
    run = world.runner.run()
    subject = Subject(id=prepared.stack.id, base=base.resolved if base else None, head=prepared.resolved)
    findings = _found(world, [prepared], ours.waived())
    plan = _planned(subject, base, prepared, planning.Predicting(), ours, run)
    item = _examined(subject, base, prepared, findings, ours, plan)
    return Report(run=run, stacks=(_reported(item),))


def catalogue_of(world: World) -> Catalogue:  # noqa: ARG001 - an organisation's own catalogue will come from the settings
    """The products that configs can choose."""
    return Catalogue.load()


def resolve(world: World, names: Sequence[str], *, suffix: str = "") -> tuple[Resolved, ...]:
    """Stages 1 and 2: files → configs → stacks.

    Raises ConfigErrors with the line for everything that is wrong with them, two configs of one stack included.
    """
    products = catalogue_of(world)
    configs = config.load(names, here=world.here, root=world.root)
    found = catalogue.resolve_all(configs, products, world.sandbox, suffix=suffix, edition=world.edition)
    catalogue.unique(found)
    return found


def prepare(world: World, name: str, *, suffix: str = "") -> Prepared:
    """Stages 1 to 3 for one config: its template, waivers written into it."""
    (resolved,) = resolve(world, [name], suffix=suffix)
    return rendered(world, resolved, settings.load(world.here).waived())


def rendered(world: World, resolved: Resolved, waivers: Sequence[Waiver]) -> Prepared:
    """Stage 3: stack → template."""
    stack = resolved.stack
    template = render.render(
        stack,
        resolved.origins,
        world.sandbox,
        path=artifacts.template(world.root, stack).as_posix(),
        decorate=partial(_decorated, stack=stack, waivers=waivers),
    )
    return Prepared(resolved=resolved, template=template)


@contextmanager
def engines(world: World, chosen: tuple[str, ...] | None = None) -> Iterator[checks.Engines]:
    """The outside of the checks: checkov installed if it is asked for and missing, and an empty scratch folder."""
    from stackseal.checks import checkov_env

    names = world.engines if chosen is None else chosen
    checkov = checkov_env.install(world.out.say, env=world.env) if "checkov" in names else None
    with tempfile.TemporaryDirectory(prefix="stackseal-") as work:
        yield checks.Engines(checkov=checkov, work=Path(work), names=names, env=world.env)


def roles_of(stack: StackId, ours: Settings) -> policy.Roles:
    """The role and the bucket that the settings name for the stack's account, or those that bootstrap makes."""
    usual, account = policy.Roles.default(stack), ours.account(stack.account)
    return policy.Roles(
        execution=account.execution_role or usual.execution, bucket=account.artifact_bucket or usual.bucket
    )


def resource_rows(template: Template) -> tuple[ResourceRow, ...]:
    """The resources of a template with their physical names, in the template's order."""
    return tuple(
        ResourceRow(
            logical_id=logical_id,
            type=str(resource.get("Type", "")),
            name=_physical_name(resource, template),
            where=template.source.blame(("Resources", logical_id)),
        )
        for logical_id, resource in template.resources.items()
    )


def _prepared(world: World, subject: Subject, waivers: Sequence[Waiver]) -> tuple[Prepared | None, Prepared | None]:
    """Stage 3 for both sides of a change."""
    old = rendered(world, subject.base, waivers) if subject.base else None
    new = rendered(world, subject.head, waivers) if subject.head else None
    return old, new


def _found(world: World, prepared: Sequence[Prepared], waivers: Sequence[Waiver]) -> tuple[Finding, ...]:
    """Stage 4 for all templates at once: the engines start once."""
    if not prepared:
        return ()
    templates = [item.template for item in prepared]
    with engines(world) as ready:
        return checks.run(templates, world=ready, waivers=waivers, today=world.clock.today)


def _examined(
    subject: Subject,
    base: Prepared | None,
    head: Prepared | None,
    findings: Sequence[Finding],
    ours: Settings,
    plan: Plan | None,
) -> Examined:
    """Stage 5: the policies, and what they gain and lose."""
    mine = tuple(finding for finding in findings if finding.stack in {str(subject.id), subject.id.name})
    roles = roles_of(subject.id, ours)
    before = policy.generate(base.template, roles=roles) if base else ()
    after = policy.generate(head.template, roles=roles) if head else ()
    doubts = policy.check(head.template, after) if head else ()
    return Examined(
        subject=subject,
        head=head,
        base=base,
        findings=(*mine, *doubts),
        policies=after,
        deltas=policy.delta(before, after),
        plan=plan,
    )


def _planned(
    subject: Subject,
    base: Prepared | None,
    head: Prepared | None,
    planner: Planner,
    ours: Settings,
    run: Run,
) -> Plan | None:
    """Stage 6."""
    return planner.plan(
        subject.id,
        base=base.template if base else None,
        head=head.template if head else None,
        account=ours.account(subject.id.account),
        run=run,
    )


@contextmanager
def _told(subject: Subject, failures: list[Failure]) -> Iterator[None]:
    """What goes wrong with one stack is said in the report, and the others are still reviewed."""
    try:
        yield
    except StacksealError as error:
        message = f"{subject.id.name}: {error.what}: {error.why}" if error.why else f"{subject.id.name}: {error.what}"
        where = error.where or subject.either.stack.config.at()
        failures.append(Failure(message=message, remedy=error.remedy, where=where))


def _reported(item: Examined) -> StackReport:
    """Stage 7, as far as it is data."""
    shown = item.head or item.base
    assert shown is not None  # noqa: S101 - a subject has at least one side
    return StackReport(
        id=item.subject.id,
        product=shown.stack.product.name,
        variant=shown.stack.variant,
        env=shown.stack.env,
        config=item.subject.path,
        template_sha256=shown.template.sha256,
        resources=resource_rows(shown.template),
        findings=item.findings,
        policies=item.policies,
        policy_deltas=item.deltas,
        plan=item.plan,
        edges=graph.edges(shown.template),
        names=tuple(shown.stack.names.values()),
        notes=item.subject.either.warnings,
        config_values=dict(_values(shown.stack)),
    )


def _values(stack: Stack) -> Iterator[tuple[str, str]]:
    """The config with its defaults, leaf by leaf: dotted key and value as JSON text."""
    todo: list[tuple[str, Any]] = [(section, stack.context[section]) for section in sorted(stack.config.data)]
    while todo:
        path, value = todo.pop(0)
        if isinstance(value, Mapping):
            todo += [(f"{path}.{key}", value[key]) for key in value]
        else:
            yield path, canonical_json(value)


def _ready(
    world: World,
    subject: Subject,
    sides: tuple[Prepared | None, Prepared | None],
    ours: Settings,
    pull_request: int | None,
    records: Records,
) -> Callable[[], Deployment]:
    """Prove one stack's plan; what is returned executes it."""
    base, head = sides
    cfn = world.cloudformation(subject.id)
    following = watch(world)
    role = ours.account(subject.id.account).execution_role
    record = planning.record_of(records, subject.id, pull_request, head.template if head else None, role)
    if head is not None:
        plan = sealed.proven(world, cfn, record, head.template, role)
        return partial(stage.execute, plan, head.template, cfn, following)
    assert base is not None  # noqa: S101 - a subject has at least one side
    plan = sealed.proven_deletion(world, cfn, record, base.template)
    return partial(stage.delete, plan.stack, cfn, following, role=role)


def watch(world: World) -> stage.Watch:
    """How an operation is followed, by the world's clock and output."""
    return stage.Watch(sleep=world.clock.sleep, monotonic=world.clock.monotonic, progress=progress.progress(world.out))


def _filed(world: World, found: Drift, stack: Stack, issues: Sequence[Issue]) -> Step:
    """Do with the stack's issue what `decide` says."""
    issue = issue_of(found, config=stack.config.path)
    step = decide(found, key(found), issue.title, issue.body, issues)
    match step.move:
        case Move.OPEN:
            opened = world.forge.open_issue(key(found), issue.title, issue.body)
            return Step(move=Move.OPEN, number=opened.number)
        case Move.REOPEN | Move.EDIT | Move.CLOSE if step.number is not None:
            is_open = step.move is not Move.CLOSE
            world.forge.update_issue(step.number, title=issue.title, body=issue.body, is_open=is_open)
    return step


def _as_error(failure: Failure) -> ConfigError:
    return ConfigError(failure.message, remedy=failure.remedy, where=failure.where)


def _decorated(body: Mapping[str, Any], *, stack: Stack, waivers: Sequence[Waiver]) -> Mapping[str, Any]:
    return checks.with_metadata(body, (*stack.product.waivers, *waivers), stack=str(stack.id))


def _physical_name(resource: Mapping[str, Any], template: Template) -> str:
    """The value of the property that refers to one of the stack's names."""
    names = template.stack.names if template.stack else {}
    for value in (resource.get("Properties") or {}).values():
        if isinstance(value, Mapping) and (name := names.get(str(value.get("Ref")))):
            return name.value
    return ""
