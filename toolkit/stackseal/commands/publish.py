"""`publish`: a report that another job made becomes the comment, the annotations and the files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from stackseal.commands.base import emit
from stackseal.world import World

SUMMARY: Final = "publish a report that another job made"
HELP: Final = """\
Read a report.json that `review --to-report` wrote, as data only, render it here and bring the pull request's one
comment up to date. The number of the pull request and the commit come from the event, not from the file. Exit 1 when
the review is blocked.

    stackseal publish report.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The report."""
    parser.add_argument("report", type=Path, metavar="REPORT", help="what review --to-report wrote")
    parser.add_argument("--pull-request", type=int, metavar="N", help="the number, where the event does not tell it")
    parser.add_argument("--id", default="review", metavar="KEY", help="tells comments apart (default: review)")


def run(args: argparse.Namespace, world: World) -> int:
    """Publish."""
    from dataclasses import replace

    from stackseal import artifacts, publication
    from stackseal.model import Verdict
    from stackseal.report import json

    report = json.loads(artifacts.read(args.report))
    told = world.runner.run()
    run_ = replace(
        told,
        commit=told.commit or report.run.commit,
        base=told.base or report.run.base,
        pull_request=args.pull_request or told.pull_request,
    )
    report = replace(report, run=run_)
    done = publication.publish(world, report, key=args.id)
    emit(world, {**publication.facts(report), "comment": done.where}, done.where)
    return 1 if report.verdict is Verdict.BLOCKED else 0
