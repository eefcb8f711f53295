"""`cleanup`: what pull requests left behind in AWS."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from stackseal.commands.base import emit
from stackseal.errors import UsageError
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.hosts.base import KnowsPulls, Pull
    from stackseal.model import StackId
    from stackseal.upkeep.cleanup import Removal

SUMMARY: Final = "remove what closed pull requests left: change sets, and stacks that never came to be"
HELP: Final = """\
With --pull-request remove the change sets seal-prN-… of a pull request that was closed without a merge, from the stacks
that it concerns, and the stack that only its review had begun (REVIEW_IN_PROGRESS) when it is empty and no other pull
request plans on it. A merged pull request is left to its deployment. With --sweep remove those of pull requests that
were closed over 35 days ago from the stacks of all configs. Nothing else is ever touched. Where the forge cannot be
asked, --state says what became of the pull request, and --open which ones are open.

    stackseal cleanup --pull-request 7 --state closed --base main --head feature --dry-run
    stackseal cleanup --sweep --open 12,14
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Which pull request, or all."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--pull-request", type=int, metavar="N", help="the number of a closed pull request")
    which.add_argument("--sweep", action="store_true", help="those of all pull requests closed over 35 days ago")
    parser.add_argument("--base", default="main", metavar="REV", help="what it was compared with (default: main)")
    parser.add_argument("--head", default="HEAD", metavar="REV", help="its last commit (default: HEAD)")
    parser.add_argument(
        "--state", choices=("open", "merged", "closed"), help="what became of it, where the forge cannot be asked"
    )
    parser.add_argument(
        "--superseded", action="store_true", help="also of an open one: all its change sets but the newest of a stack"
    )
    parser.add_argument("--open", metavar="N,N", help="the open pull requests, where the forge cannot be asked")
    parser.add_argument(
        "--whole-account",
        action="store_true",
        help="sweep all stacks of the accounts and regions of the configs: only where no other repository uses them",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done and do nothing")


def run(args: argparse.Namespace, world: World) -> int:
    """Remove, and say what."""
    done = list(_sweep(args, world) if args.sweep else _closed(args, world))
    told = [removal for removal in done if not removal.nothing]
    facts = {"dry_run": args.dry_run, "looked_at": len(done), "stacks": [_facts(removal) for removal in told]}
    lines = [_line(removal, dry_run=args.dry_run) for removal in told]
    emit(world, facts, "\n".join(lines) or f"Nothing to remove, {len(done)} stacks looked at")
    return 0


def _closed(args: argparse.Namespace, world: World) -> Iterator[Removal]:
    from stackseal import acting
    from stackseal.change import preparation, subjects
    from stackseal.hosts.git import Repository
    from stackseal.upkeep import cleanup

    pull = _pull(args, world)
    if pull.merged or (pull.open and not args.superseded):
        why = "was merged: its deployment tidies up" if pull.merged else "is open"
        world.out.say(f"The pull request {pull.number} {why}; nothing is removed")
        return
    change = subjects.between(Repository(world.here), args.base, args.head, preparation.shipped(), world.sandbox)
    there = acting.acting(world, "plan", change.settings, pull_request=pull.number)
    # A stack set has no change sets, and the roles of its stacks lie in other accounts.
    mine = [subject.id for subject in change.subjects if subject.either.stack.stack_set is None]
    for stack in change.settings.with_roles(mine):
        cfn = there.cloudformation(stack)
        choose = cleanup.of_pull(pull.number, superseded=pull.open)
        yield cleanup.tidy(cfn, stack, choose, dry_run=args.dry_run, shells=lambda _: not pull.open)


def _sweep(args: argparse.Namespace, world: World) -> Iterator[Removal]:
    from stackseal import acting, settings
    from stackseal.aws.shapes import StackState
    from stackseal.upkeep import cleanup

    today = world.clock.today
    choose = cleanup.long_closed(_pulls(args, world), today)

    def stale(state: StackState) -> bool:
        return cleanup.old(cleanup.day(state.created), today)

    world = acting.acting(world, "cleanup", settings.load(world.here))
    for stack in _stacks(args, world):
        yield cleanup.tidy(world.cloudformation(stack), stack, choose, dry_run=args.dry_run, shells=stale)


def _stacks(args: argparse.Namespace, world: World) -> list[StackId]:
    """The stacks of all configs, or all stacks where those are."""
    from stackseal import config, settings
    from stackseal.change import preparation
    from stackseal.model import StackId

    names = [path.as_posix() for path in config.discover(world.here / settings.load(world.here).configs)]
    found = {item.stack.id for item in preparation.resolve(world, names) if item.stack.stack_set is None}
    if args.whole_account:
        for place in sorted({(stack.account, stack.region): stack for stack in sorted(found)}.values()):
            listed = world.cloudformation(place).stacks()
            found |= {StackId(account=place.account, region=place.region, name=state.name) for state in listed}
    return sorted(settings.load(world.here).with_roles(found))


def _pull(args: argparse.Namespace, world: World) -> Pull:
    """The pull request as --state says, or the forge, or the event that started us."""
    from stackseal.hosts.base import KnowsPulls, Pull
    from stackseal.hosts.codebuild import CodeBuildRunner
    from stackseal.hosts.event import Mode
    from stackseal.hosts.github import GitHubRunner

    number = args.pull_request
    if args.state:
        return Pull(number=number, open=args.state == "open", merged=args.state == "merged")
    if isinstance(world.forge, KnowsPulls) and (found := world.forge.pull(number)) is not None:
        return found
    if isinstance(world.runner, (GitHubRunner, CodeBuildRunner)):
        event = world.runner.event
        if event.mode is Mode.CLEANUP and event.pull_request == number:
            return Pull(number=number, open=False, merged=event.merged)
    raise UsageError(
        f"Nobody knows what became of the pull request {number}",
        why="the forge here cannot be asked",
        remedy="say it: --state closed, merged or open",
    )


def _pulls(args: argparse.Namespace, world: World) -> KnowsPulls:
    from stackseal.hosts.base import KnowsPulls
    from stackseal.upkeep.cleanup import Given

    if args.open is not None:
        words = [word.strip() for word in args.open.split(",") if word.strip()]
        if not all(word.isascii() and word.isdigit() for word in words):
            raise UsageError(f"--open {args.open!r} is no list of numbers", remedy="write it like 12,14")
        return Given(open=frozenset(int(word) for word in words))
    if isinstance(world.forge, KnowsPulls):
        return world.forge
    raise UsageError(
        "Nobody knows which pull requests are open",
        why="the forge here cannot be asked",
        remedy="list them: --open 12,14, or --open '' for none",
    )


def _facts(removal: Removal) -> dict[str, Any]:
    return {
        "stack": removal.stack.name,
        "account": removal.stack.account,
        "region": removal.stack.region,
        "change_sets": list(removal.change_sets),
        "stack_removed": removal.whole,
        "note": removal.note or None,
    }


def _line(removal: Removal, *, dry_run: bool) -> str:
    parts = [f"{len(removal.change_sets)} change sets"] if removal.change_sets else []
    parts += ["the empty stack"] if removal.whole else []
    verb = "would remove" if dry_run else "removed"
    told = f"{verb} {' and '.join(parts)}" if parts else "removed nothing"
    return f"{removal.stack}: {told}{f'; {removal.note}' if removal.note else ''}"
