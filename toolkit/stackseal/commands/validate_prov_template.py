"""`validate-prov-template` (spec A28): the written template, checked without a call to AWS."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Final

from stackseal import checked
from stackseal.commands.base import config_argument, emit
from stackseal.commands.check import row
from stackseal.world import World

SUMMARY: Final = "lint, scan and count the written template, without AWS"
HELP: Final = """\
Check the file that create-prov-template wrote: cfn-lint, checkov, our own checks, and the number of resources that the
product promises. Findings name the line of the file and the line of the config that caused it. A file that is not what
the config renders to is said to be so. Exit 1 when an error is found.

    stackseal validate-prov-template configs/my.yaml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)


def run(args: argparse.Namespace, world: World) -> int:
    """Print the findings."""

    from stackseal import checks, render, settings
    from stackseal.change import preparation
    from stackseal.commands.written import written

    preparation.warm(world)
    prepared = preparation.prepare(world, args.config)
    path, content = written(world, prepared.stack)
    template = prepared.template
    if content != template.text:
        world.out.say(
            f"{path}: warning: the file is not what {prepared.stack.config.path} renders to; it was edited, or the "
            "config changed: run create-prov-template",
            "warning",
        )
        template = replace(render.read(content, path.as_posix()), stack=prepared.stack)
    with preparation.engines(world) as ready:
        findings = checks.run(
            [template], world=ready, waivers=settings.load(world.here).waived(), today=world.clock.today
        )
    rows = [row(item) for item in findings]
    emit(world, {"template": path.as_posix(), "findings": checked.shown(rows)}, checked.text(rows))
    return 1 if any(finding.blocks for finding in findings) else 0
