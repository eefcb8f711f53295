"""`deploy`: what a merge causes; exactly what was reviewed is executed."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from stackseal.commands.base import confirmed, emit, listed, mutation_arguments
from stackseal.errors import Refused, UsageError
from stackseal.hosts.base import KnowsEnvironments
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.change.subjects import Change
    from stackseal.change.waves import Order
    from stackseal.hosts.git import Repository
    from stackseal.model import Deployment, StackId

SUMMARY: Final = "execute exactly what a review has sealed"
HELP: Final = """\
Render the configs that differ between --base and --head, find the seal record of each stack, prove that its change set
is still the reviewed one, and execute it. Where it is gone, the plan is made again and executed only if it does no more
than what was reviewed: a plan may shrink, never grow. Anything else is refused with exit 4, and says why. The gates of
the settings are asked once more before anything is changed: a missing approval blocks with exit 1.

Stacks that read each other's SSM parameters go in waves: first who publishes, then who reads; removed stacks last and
in reverse. Up to eight stacks of one wave go at the same time. A stack that does not end well stops the later waves.
--dry-run shows the waves and what each stack waits for.

    stackseal deploy --base HEAD~1 --head HEAD --pull-request 7 --force

What was pushed without a review (directly, or from a fork) is refused as a whole. With --leave-unsealed the stacks that
a review has sealed are deployed and the others are named. `stackseal review --plan sealed --unsealed` plans those, and
prints the digest with which a person lets exactly these plans through; on GitHub it has to be in an environment with
required reviewers.

    stackseal deploy --base HEAD~1 --approved DIGEST

Where the account manages its roles, `--only roles` deploys the stacks of roles that a change makes or lets grow, and
`--only stacks` all that follows, so that a job in an environment of its own, with reviewers of its own, can go first.

A stack that a newer commit of the branch changes again is left to that commit's own deployment, and named with it, so
that no run that starts late puts an older state over a newer one. CI's branch is known as it was fetched; elsewhere
--tip names it. Plans that a person has let through (--approved) are refused as a whole then.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The two commits and the pull request whose records count."""
    parser.add_argument("--base", default="HEAD~1", metavar="REV", help="what was deployed before (default: HEAD~1)")
    parser.add_argument("--head", default="HEAD", metavar="REV", help="what is deployed (default: HEAD)")
    parser.add_argument("--pull-request", type=int, metavar="N", help="the number of the pull request")
    parser.add_argument("--stacks", metavar="NAME,NAME", help="the stacks that are meant (default: all of the change)")
    parser.add_argument(
        "--tip", metavar="REV", help="the branch's newest commit; what it changes again is left to its own deployment"
    )
    parser.add_argument(
        "--only", choices=("roles", "stacks"), help="roles: stacks of roles; stacks: all that follow them"
    )
    parser.add_argument("--leave-unsealed", action="store_true", help="leave and name stacks that nobody reviewed")
    parser.add_argument("--approved", metavar="DIGEST", help="execute these plans of review --unsealed")
    parser.add_argument("--environment", metavar="NAME", help="the environment that has let an --approved job in")
    mutation_arguments(parser, force=True)


def run(args: argparse.Namespace, world: World) -> int:
    """Deploy."""

    from stackseal import acting, pipeline
    from stackseal.change import preparation, subjects
    from stackseal.commands import operate
    from stackseal.hosts.git import Repository
    from stackseal.report.redact import redact

    repository = Repository(world.here)
    change = subjects.between(repository, args.base, args.head, preparation.shipped(), world.sandbox)
    if (only := listed(args.stacks)) is not None:
        change = subjects.only(change, only)
    order = pipeline.order(world, change)
    names = [stack.name for wave in order.waves for stack in wave]
    if args.dry_run:
        emit(world, {"dry_run": True, **_order(order)}, _shown(change, order))
        return 2 if change.failures else 0
    if args.approved:
        _let_in(args, world)
    number = args.pull_request
    if number is None and not args.approved:  # what a person let through had no review, and its job may not ask
        number = world.forge.pull_request_of(change.head, world.runner.branch)
    there = acting.acting(world, "deploy", change.settings, pull_request=number)
    passed = _superseded(args, repository, change, order, world)
    if args.approved:
        _still_wanted(passed)
    names = [name for name in names if name not in passed]
    left: list[str] = []
    if args.leave_unsealed:
        nobody = pipeline.unreviewed(there, repository, base=args.base, head=args.head, pull_request=number)
        left = [name for name in _left(order, nobody) if name not in passed]
        names = [name for name in names if name not in left]
    names = _kind(order, names, args.only)
    if names:
        confirmed(args, world, f"{len(names)} stacks are deployed: {', '.join(names)}")
    done = pipeline.deploy(
        there,
        repository,
        base=args.base,
        head=args.head,
        pull_request=number,
        only=names if only or left or passed or args.only else None,
        approved=args.approved,
    )
    done = tuple(redact(deployment, hidden=world.out.hidden) for deployment in done)
    begun = {deployment.stack for deployment in done}
    waiting = [stack.name for wave in order.waves for stack in wave if stack not in begun and stack.name in names]
    _tell(world, done, waiting, left, passed)
    return max((operate.code(deployment) for deployment in done), default=0)


def _kind(order: Order, names: Sequence[str], only: str | None) -> list[str]:
    """Of these the stacks of roles that stand before others, or all the rest; a role that is removed goes last."""
    from stackseal import naming
    from stackseal.model import Because

    last = {stack.name for stack, waits in order.waits.items() if any(wait.because is Because.USES for wait in waits)}
    roles = {name for name in names if name.startswith(naming.ROLES)} - last
    return [name for name in names if only is None or (name in roles) is (only == "roles")]


def _tell(
    world: World, done: Sequence[Deployment], waiting: Sequence[str], left: Sequence[str], passed: Mapping[str, str]
) -> None:
    """What became of every stack, for a person, for a program and for the job's summary page."""
    from stackseal.commands import operate
    from stackseal.deployment import progress
    from stackseal.report import done as report
    from stackseal.review import publication

    lines = [*(progress.sentence(deployment) for deployment in done), *(f"{name}: not begun" for name in waiting)]
    lines += [f"{name}: left, because no review has sealed it" for name in left]
    lines += [f"{name}: superseded by {commit[:12]}, whose own run deploys it" for name, commit in passed.items()]
    facts = {
        "deployments": [operate.facts(deployment) for deployment in done],
        "not_begun": waiting,
        "unsealed": left,
        "superseded": passed,
    }
    emit(world, facts, "\n".join(lines) or "Nothing to deploy")
    publication.summarise(world, lambda _: report.deployed(done, waiting=waiting, left=left, passed=passed))


def _superseded(
    args: argparse.Namespace, repository: Repository, change: Change, order: Order, world: World
) -> dict[str, str]:
    """Name → the newer commit, of the stacks that are left to it; a name that stands in two places only if both are."""
    from stackseal.change import newer, preparation

    tip = newer.tip_of(repository, args.tip, world.runner.branch)
    if tip is None and args.approved:  # an approval may be old: by hand the checked-out commit is the newest
        tip = repository.commit("HEAD")
    found = newer.superseded(repository, change, order, tip, preparation.shipped(), world.sandbox)
    staying = {stack.name for wave in order.waves for stack in wave if stack not in found}
    return {stack.name: commit for stack, commit in found.items() if stack.name not in staying}


def _still_wanted(passed: Mapping[str, str]) -> None:
    """Nothing, if no newer commit changes what a person has let through: the approval was for all of it.

    Raises Refused otherwise; the newer commit's own run plans the stacks, and asks.
    """
    if passed:
        name, commit = next(iter(passed.items()))
        raise Refused(
            "Nothing is deployed",
            why=f"since these plans were approved, {commit[:12]} changes the stack {name} again",
            remedy="approve what the run of that commit shows",
        )


def _order(order: Order) -> dict[str, Any]:
    """The order as `--format json` gives it."""
    waits = {
        stack.name: [
            {"stack": wait.stack.name, "path": wait.path, "because": wait.because.value} for wait in order.waits[stack]
        ]
        for wave in order.waves
        for stack in wave
    }
    named = [[stack.name for stack in wave] for wave in order.waves]
    return {"stacks": [name for wave in named for name in wave], "waves": named, "waits": waits}


def _shown(change: Change, order: Order) -> str:
    """One line for each wave, and below each stack that waits what it waits for."""
    from stackseal.change import waves

    if not order.waves:
        return "would deploy: nothing"
    going = {subject.id for subject in change.subjects if subject.head is None}
    lines = []
    for number, wave in enumerate(order.waves, start=1):
        verb = "delete" if wave[0] in going else "deploy"
        lines.append(f"wave {number}: would {verb} {', '.join(stack.name for stack in wave)}")
        lines += [f"  {stack.name} {waves.because(wait)}" for stack in wave for wait in order.waits[stack]]
    return "\n".join([*lines, *(f"not possible: {failure.message}; {failure.remedy}" for failure in change.failures)])


def _left(order: Order, nobody: Collection[StackId]) -> list[str]:
    """What nobody reviewed, and what waits for it: its turn comes after."""
    found: set[StackId] = set()
    for stack in (stack for wave in order.waves for stack in wave):
        if stack in nobody or any(wait.stack in found for wait in order.waits[stack]):
            found.add(stack)
    return sorted(stack.name for stack in found)


def _let_in(args: argparse.Namespace, world: World) -> None:
    """Nothing, if somebody had to let this job in; by hand the person who types it is asked instead.

    Raises Refused for an environment that lets everybody in, and where nobody can tell.
    """
    if isinstance(world.forge, KnowsEnvironments):
        if not args.environment:
            raise UsageError("No environment is given", remedy="name it: --environment production-unsealed")
        if world.forge.reviewers(args.environment):
            return
        why = f"the environment {args.environment} has no required reviewers, so nobody had to look at it"
        remedy = "add required reviewers to it in the repository's settings, or open a pull request"
        raise Refused("Nothing is deployed", why=why, remedy=remedy)
    if (host := world.runner.run().host) != "local":
        why = f"nobody can say here ({host}) whether a person has to approve it"
        raise Refused("Nothing is deployed", why=why, remedy="open a pull request, so that it is reviewed")
