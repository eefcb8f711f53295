"""`review`: everything that a pull request causes, with its sealed or predicted plan."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import emit
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.hosts.git import Repository
    from stackseal.model import Report, Run

SUMMARY: Final = "review a change between two commits: findings, policies, plan, one report"
HELP: Final = """\
Review the configs that differ between --base and --head of the repository here: validate, render, lint, scan, generate
policies, plan. With --plan sealed every plan is a change set against the real stack, and its seal is recorded: exactly
that is what `stackseal deploy` executes. With --plan predicted nothing is asked of AWS. The comment is published to the
forge and printed; ROOT/reports/review.{html,md,json,sarif} hold the rest. Exit 1 when the review is blocked.

    stackseal review --base main
    stackseal review --base main --head feature --pull-request 7 --plan sealed
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The two commits and the kind of plan."""
    parser.add_argument("--base", default="main", metavar="REV", help="what it is compared with (default: main)")
    parser.add_argument("--head", default="HEAD", metavar="REV", help="what is reviewed (default: HEAD)")
    parser.add_argument("--pull-request", type=int, metavar="N", help="the number of the pull request")
    parser.add_argument(
        "--plan",
        choices=("predicted", "sealed"),
        default="predicted",
        help="predicted: from the templates; sealed: by change set, recorded (default: predicted)",
    )
    parser.add_argument("--fail-on-changes", action="store_true", help="exit 1 when anything would change")


def run(args: argparse.Namespace, world: World) -> int:
    """Review and publish."""
    from pathlib import Path

    from stackseal import pipeline, planning
    from stackseal.hosts.git import Repository
    from stackseal.model import PlanOperation, Verdict

    repository = Repository(world.here)
    run_ = _run(args, world, repository)
    sealing = planning.Sealing(world=world)
    planner = sealing if args.plan == "sealed" else planning.Predicting()
    report = pipeline.review(world, repository, run_, planner, base=args.base, head=args.head)
    comment = publish(world, report)
    plans = [stack.plan for stack in report.stacks if stack.plan is not None]
    changes = any(plan.operation is not PlanOperation.NONE for plan in plans)
    facts = {
        "verdict": report.verdict.value,
        "stacks": [stack.id.name for stack in report.stacks],
        "findings": sum(len(stack.findings) for stack in report.stacks),
        "blocking": sum(finding.blocks for stack in report.stacks for finding in stack.findings),
        "failures": [f"{failure.where}: {failure.message}" for failure in report.failures],
        "seals": {stack.id.name: stack.plan.seal for stack in report.stacks if stack.plan and stack.plan.seal},
        "comment": comment,
    }
    emit(world, facts, Path(comment).read_text(encoding="utf-8"))
    return 1 if report.verdict is Verdict.BLOCKED or (args.fail_on_changes and changes) else 0


def publish(world: World, report: Report) -> str:
    """Write every format below the root and bring the one comment up to date; returns where it can be read."""
    from stackseal import artifacts
    from stackseal.report import FORMATS, markdown

    for name, suffix in (("html", "html"), ("markdown", "md"), ("json", "json"), ("sarif", "sarif")):
        artifacts.write(world.root / "reports" / f"review.{suffix}", FORMATS[name].render(report))
    if world.runner.annotates:
        world.out.command(FORMATS["annotations"].render(report))
    return world.forge.upsert_comment(report.run.pull_request or 0, "review", markdown.render_parts(report))


def _run(args: argparse.Namespace, world: World, repository: Repository) -> Run:
    """The runner's own account of the run, with the commits that are really compared."""
    from dataclasses import replace

    return replace(
        world.runner.run(),
        commit=repository.commit(args.head),
        base=repository.commit(args.base),
        pull_request=args.pull_request,
    )
