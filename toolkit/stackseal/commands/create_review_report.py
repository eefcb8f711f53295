"""`create-review-report` (spec A29): one config's review as HTML and Markdown, from the same data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import config_argument, emit
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.model import Report

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
    from stackseal import artifacts, pipeline
    from stackseal.change import preparation
    from stackseal.report import html, json, markdown

    preparation.warm(world)
    prepared = preparation.prepare(world, args.config)
    report = pipeline.examine(world, prepared)
    last = artifacts.report(world.root, prepared.stack, "json")
    previous = _previous(last)
    texts = {
        "html": html.render(report, previous),
        "md": markdown.render(report, previous),
        "json": json.render(report),
    }
    paths = [artifacts.write(last.with_suffix(f".{suffix}"), text) for suffix, text in texts.items()]
    facts = {"verdict": report.verdict.value, "reports": [path.as_posix() for path in paths]}
    emit(world, facts, "\n".join(path.as_posix() for path in paths))
    return 0


def _previous(path: Path) -> Report | None:
    """The last report of the same config; None where there is none, or one of another version."""
    from stackseal.errors import ConfigError
    from stackseal.report import json

    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (ConfigError, OSError, UnicodeDecodeError):
        return None
