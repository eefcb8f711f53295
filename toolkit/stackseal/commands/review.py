"""`review`: everything that a pull request causes, with its sealed or predicted plan."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import emit, listed
from stackseal.errors import Refused
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.hosts.git import Repository
    from stackseal.model import Report, Run
    from stackseal.pipeline import Drawn
    from stackseal.review.planning import Planner
    from stackseal.review.shards import Cut
    from stackseal.settings import Settings

SUMMARY: Final = "review a change between two commits: findings, policies, plan, one report"
HELP: Final = """\
Review the configs that differ between --base and --head of the repository here: validate, render, lint, scan, generate
policies, plan. With --plan sealed every plan is a change set against the real stack, and its seal is recorded: exactly
that is what `stackseal deploy` executes. With --plan predicted nothing is asked of AWS. The comment is published to the
forge and printed; ROOT/reports/review.{html,md,json,sarif,xml} hold the rest. Exit 1 when the review is blocked.

    stackseal review --base main
    stackseal review --base main --head feature --pull-request 7 --plan sealed

In CI the three parts run in three jobs, so that the job that reads a pull request's files has no credentials, the one
with credentials reads no such file, and the one that may write comments has neither:

    stackseal review --base main --to-bundle bundle.json
    stackseal review --base main --from-bundle bundle.json --plan sealed --to-report report.json
    stackseal publish report.json

A review of many stacks can be drawn by several jobs. With --stacks-per-shard no bundle is written where the change
concerns more stacks; it is said which parts are to be drawn, each by a job with --shard, and `report --merge` puts them
together:

    stackseal review --base main --to-bundle bundle.json --stacks-per-shard 100
    stackseal review --base main --to-bundle bundle-2.json --shard 2/8
    stackseal report --merge --to-bundle bundle.json bundle-1.json bundle-2.json

In a merge queue, which has no AWS, --queued compares what is rendered with what the pull request's comment says was
sealed, and refuses anything else with exit 4: a warning before the merge, where a deployment would refuse it after.

What was pushed without a review is planned with --unsealed: its change sets are called deploy-…, and only
`stackseal deploy --approved DIGEST` executes them, with the digest that is printed here.

    stackseal review --base HEAD~1 --plan sealed --unsealed
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The two commits, the kind of plan, and where a part of the work begins or ends."""
    parser.add_argument("--base", default="main", metavar="REV", help="what it is compared with (default: main)")
    parser.add_argument("--head", default="HEAD", metavar="REV", help="what is reviewed (default: HEAD)")
    parser.add_argument("--pull-request", type=int, metavar="N", help="the number of the pull request")
    parser.add_argument(
        "--plan",
        choices=("predicted", "sealed"),
        default="predicted",
        help="predicted: from the templates; sealed: by change set, recorded (default: predicted)",
    )
    parser.add_argument("--unsealed", action="store_true", help="plan what was pushed without a review")
    parser.add_argument("--queued", action="store_true", help="refuse what the comment does not name as sealed")
    parser.add_argument("--id", default="review", metavar="KEY", help="whose comment that is (default: review)")
    parser.add_argument("--commit", metavar="SHA", help="the reviewed commit, where the event does not tell it")
    parser.add_argument("--stacks", metavar="NAME,NAME", help="the stacks that are meant (default: all of the change)")
    parser.add_argument("--fail-on-changes", action="store_true", help="exit 1 when anything would change")
    parser.add_argument("--to-bundle", type=Path, metavar="FILE", help="stop before the plans and write the rest here")
    parser.add_argument("--shard", metavar="I/N", help="draw this part of the review into the bundle")
    parser.add_argument(
        "--stacks-per-shard",
        type=int,
        metavar="N",
        help="name the parts, and write no bundle, where more stacks are concerned",
    )
    parser.add_argument("--from-bundle", type=Path, metavar="FILE", help="plan what --to-bundle wrote")
    parser.add_argument("--to-report", type=Path, metavar="FILE", help="write the report here instead of publishing it")


def run(args: argparse.Namespace, world: World) -> int:
    """Review, or one part of it."""
    from stackseal import artifacts, pipeline
    from stackseal.change import preparation, subjects
    from stackseal.hosts.git import Repository
    from stackseal.model import Verdict
    from stackseal.report import json, place
    from stackseal.review import gating, publication

    cut, repository = _cut(args), Repository(world.here)
    if args.from_bundle:
        report = _planned(args, world, repository)
    else:
        if any((file.new or "").endswith((".yaml", ".yml")) for file in repository.changed(args.base, args.head)):
            preparation.warm(world)  # a config may have changed
        products = preparation.shipped()
        change = subjects.between(repository, args.base, args.head, products, world.sandbox)
        if (meant := listed(args.stacks)) is not None:
            change = subjects.only(change, meant)
        if len(parts := _parts(args, len(change.subjects))) > 1:
            emit(world, {"bundle": None, "shards": parts}, "\n".join(f"{each['part']}/{each['of']}" for each in parts))
            return 0
        drawn = pipeline.draw(world, change, _run(args, world, repository), cut)
        drawn = drawn if meant is None else _of(drawn, meant)
        if args.to_bundle:
            artifacts.write(args.to_bundle, pipeline.bundled(drawn))
            emit(world, {"bundle": args.to_bundle.as_posix(), "shards": []}, args.to_bundle.as_posix())
            return 0
        report = pipeline.plan(drawn, _planner(args, world, change.settings), change.settings, world.out.hidden)
    if args.to_report:
        artifacts.write(args.to_report, json.dumps(report))
        emit(world, publication.facts(report), args.to_report.as_posix())
        return 0
    report = gating.settled(world, report)
    done = publication.publish(world, place.below(report, repository.prefix))
    facts = {**publication.facts(report), "comment": done.where, **(_digest(report) if args.unsealed else {})}
    emit(world, facts, "\n".join(done.parts))
    blocked = report.verdict is Verdict.BLOCKED
    return 1 if blocked or (args.fail_on_changes and publication.changes(report)) else 0


def _cut(args: argparse.Namespace) -> Cut | None:
    """The part that is drawn; None for the whole.

    Raises UsageError where a part is asked for by itself: it has no verdict, and nothing can be planned of it.
    """
    from stackseal.errors import UsageError
    from stackseal.review.shards import Cut

    each = args.stacks_per_shard
    if args.shard is None and each is None:
        return None
    if not args.to_bundle or args.from_bundle or args.stacks or (args.shard and each is not None):
        raise UsageError(
            f"{'--shard' if args.shard else '--stacks-per-shard'} does not go with these options",
            why="a part of a review is drawn into a bundle, of all stacks of the change, and nothing else",
            remedy="give --to-bundle, and one of --shard and --stacks-per-shard",
        )
    if each is not None and each < 1:
        raise UsageError(f"There are no parts of {each} stacks", remedy="give --stacks-per-shard 1 or more")
    return Cut.parse(args.shard) if args.shard else None


def _parts(args: argparse.Namespace, stacks: int) -> list[dict[str, int]]:
    """The parts in which the review is to be drawn; one part is none."""
    from stackseal.review import shards

    each = args.stacks_per_shard or stacks or 1
    return [{"part": cut.part, "of": cut.of} for cut in shards.cuts(stacks, each)]


def _of(drawn: Drawn, names: Collection[str]) -> Drawn:
    """The same for the stacks of these names only, without those that take part because of what they read."""
    from dataclasses import replace

    stacks = tuple(stack for stack in drawn.report.stacks if stack.id.name in names)
    pairs = tuple(pair for pair in drawn.pairs if pair.id.name in names)
    return replace(drawn, report=replace(drawn.report, stacks=stacks), pairs=pairs)


def _digest(report: Report) -> dict[str, str]:
    """What a person's approval of these plans is held against."""
    from stackseal.plan import seal

    digest = seal.of_all({item.id: item.plan.seal for item in report.stacks if item.plan and item.plan.seal})
    return {"plan_digest": digest}


def _planned(args: argparse.Namespace, world: World, repository: Repository) -> Report:
    """The plans of a bundle, by the base's settings and the runner's own account of the run."""
    from dataclasses import replace

    from stackseal import artifacts, pipeline
    from stackseal.change import subjects
    from stackseal.commands import replan
    from stackseal.review import bundle, queued

    drawn = pipeline.unbundled(artifacts.received(args.from_bundle, limit=bundle.LIMIT))
    base = repository.commit(args.base)
    run_ = replace(world.runner.run(), pull_request=args.pull_request or world.runner.run().pull_request, base=base)
    commit = args.commit or run_.commit or drawn.report.run.commit
    drawn = replace(drawn, report=replace(drawn.report, run=replace(run_, commit=commit)))
    ours = subjects.settings_at(repository, base)
    if args.queued:
        number = run_.pull_request
        shown = replan.asked(world).shown(number, args.id) if number else None
        queued.hold(drawn.pairs, ours, shown, number)
    return pipeline.plan(drawn, _planner(args, world, ours), ours, world.out.hidden)


def _planner(args: argparse.Namespace, world: World, ours: Settings) -> Planner:
    """The settings are the base's: a pull request does not choose the role that plans it."""
    from stackseal import acting
    from stackseal.review import planning

    if args.plan != "sealed":
        return planning.Predicting()
    number = args.pull_request or world.runner.run().pull_request
    return planning.Sealing(world=acting.acting(world, "plan", ours, pull_request=number))


def _run(args: argparse.Namespace, world: World, repository: Repository) -> Run:
    """The runner's own account of the run, with the commits that are really compared."""
    from dataclasses import replace

    found = world.runner.run()
    if args.commit:
        _merge_of(args, repository)
    return replace(
        found,
        commit=args.commit or found.commit or repository.commit(args.head),
        base=found.base or repository.commit(args.base),
        pull_request=args.pull_request or found.pull_request,
        unsealed=args.unsealed,
    )


def _merge_of(args: argparse.Namespace, repository: Repository) -> None:
    """Nothing, if the head is the merge of the commit that is said to be reviewed."""
    if repository.commit(f"{args.head}^2") != args.commit:
        raise Refused(
            "The change is not reviewed",
            why=f"{args.head} is not the merge of {args.commit[:12]}; the pull request may have moved",
            remedy="start the workflow again",
        )
