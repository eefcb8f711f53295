"""`publish`: a report that another job made becomes the comment, the annotations, the findings and the files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from stackseal.commands.base import emit
from stackseal.hosts.base import CommentMode
from stackseal.world import World

SUMMARY: Final = "publish a report that another job made"
HELP: Final = """\
Read a report.json that `review --to-report` wrote, as data only, render it here and bring the pull request's one
comment up to date; send the findings to code scanning where the repository has it. The number of the pull request and
the commit come from the event, not from the file. The forge is asked how the gates stand that concern the plans, and
approvals that were given before a plan grew are dismissed. Exit 1 when the review is blocked, also by
a gate that cannot be decided.
--comment-mode says when there is a comment: `update` keeps one, `changes-only` begins it when something would change or
blocks, `new` writes one for each run and folds those before, `off` writes none. --labels labels the pull request with
the verdict, and `destructive` where something goes away.
--status sets the verdict as the status `stackseal/KEY` of the reviewed commit, for a CI whose own result no branch rule
can require; the token needs `statuses: write`. Where the report cannot be read or published the status is an error.
A comment and findings take different permissions: with --part two jobs do one each. With --part findings the exit code
says nothing of the verdict.

    stackseal publish report.json
    stackseal publish report.json --part comment --comment-mode changes-only
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The report."""
    parser.add_argument("report", type=Path, metavar="REPORT", help="what review --to-report wrote")
    parser.add_argument("--pull-request", type=int, metavar="N", help="the number, where the event does not tell it")
    parser.add_argument(
        "--folder", default=".", metavar="DIR", help="the reviewed folder of the repository, for links (default: .)"
    )
    parser.add_argument("--commit", metavar="SHA", help="the reviewed commit, where the event does not tell it")
    parser.add_argument("--id", default="review", metavar="KEY", help="tells comments apart (default: review)")
    parser.add_argument(
        "--comment-mode",
        choices=[mode.value for mode in CommentMode],
        default=CommentMode.UPDATE.value,
        help="when there is a comment (default: update)",
    )
    parser.add_argument("--labels", action="store_true", help="label the pull request with the verdict")
    parser.add_argument("--status", action="store_true", help="set the verdict as the status of the commit")
    parser.add_argument("--part", choices=("comment", "findings"), help="publish this alone (default: both)")


def run(args: argparse.Namespace, world: World) -> int:
    """Publish; where that fails, at least no older status stands for it."""
    from stackseal.errors import StacksealError
    from stackseal.review import publication

    try:
        return _published(args, world)
    except StacksealError as error:
        if args.status and (commit := args.commit or world.runner.run().commit):
            publication.mark_lost(world, commit, key=args.id, why=error.what)
        raise


def _published(args: argparse.Namespace, world: World) -> int:
    from dataclasses import replace

    from stackseal import artifacts
    from stackseal.model import Verdict
    from stackseal.report import json, place
    from stackseal.review import gating, publication

    report = json.loads(artifacts.received(args.report, limit=json.LIMIT))
    told = world.runner.run()
    run_ = replace(
        told,
        commit=args.commit or told.commit or report.run.commit,
        base=told.base or report.run.base,
        pull_request=args.pull_request or told.pull_request,
    )
    report = place.below(replace(report, run=run_), args.folder)
    if args.part != "findings":
        report = gating.settled(world, report)
    facts, lines = publication.facts(report), []
    if args.part != "findings":
        mode = CommentMode(args.comment_mode)
        where = publication.publish(world, report, key=args.id, mode=mode, labels=args.labels).where
        facts["comment"] = where
        lines.append(where or "No comment was written")
        if args.status:
            publication.mark(world, report, key=args.id, where=where)
    if args.part != "comment":
        facts["code_scanning"] = publication.scan(world, report, key=args.id)
        lines.append(f"Code scanning: {facts['code_scanning']}")
    emit(world, facts, "\n".join(lines))
    if args.part == "findings":
        return 0
    return 1 if report.verdict is Verdict.BLOCKED else 0
