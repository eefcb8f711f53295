"""`create-review-report` (spec A29): one config's review as HTML and Markdown, from the same data."""

from __future__ import annotations

import argparse
from typing import Final

from stackseal.commands.base import config_argument, emit
from stackseal.world import World

SUMMARY: Final = "write the review of a config as HTML and Markdown"
HELP: Final = """\
Check a config, generate its policies, predict its plan, and write ROOT/reports/…-review.html, .md and .json: resources,
findings with the config line that caused them, IAM statements with their reasons, cost-relevant types, and what changed
since the last such report. The HTML file is complete in itself and opens offline. No call to AWS.

    stackseal create-review-report configs/my.yaml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)


def run(args: argparse.Namespace, world: World) -> int:
    """Write the reports and print their paths."""
    from stackseal import artifacts, pipeline, since
    from stackseal.report import FORMATS

    prepared = pipeline.prepare(world, args.config)
    report = pipeline.examine(world, prepared)
    last = artifacts.report(world.root, prepared.stack, "json")
    report = since.with_changes(report, last)
    paths = [
        artifacts.write(artifacts.report(world.root, prepared.stack, suffix), FORMATS[name].render(report))
        for name, suffix in (("html", "html"), ("markdown", "md"), ("json", "json"))
    ]
    facts = {"verdict": report.verdict.value, "reports": [path.as_posix() for path in paths]}
    emit(world, facts, "\n".join(path.as_posix() for path in paths))
    return 0
