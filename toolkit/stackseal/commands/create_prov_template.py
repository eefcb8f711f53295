"""`create-prov-template` (spec A24): `templates/{name}-{scenario}-template.yaml`, the same bytes every time."""

from __future__ import annotations

import argparse
from typing import Final

from stackseal.commands.base import config_argument, emit
from stackseal.world import World

SUMMARY: Final = "write the CloudFormation template of a config"
HELP: Final = """\
Render a config to ROOT/templates/{name}-{scenario}-template.yaml. The same config gives the same bytes. The file
carries the config's values as Defaults and deploys on its own; its first lines name the version and the config's hash.

    stackseal create-prov-template configs/techcorp-prod-a001-us-west-2-customer-churn-ml-s3.yaml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The config."""
    config_argument(parser)


def run(args: argparse.Namespace, world: World) -> int:
    """Write the template and print its path."""
    from stackseal import artifacts
    from stackseal.change import preparation

    prepared = preparation.prepare(world, args.config)
    path = artifacts.write(artifacts.template(world.root, prepared.stack), prepared.template.text)
    facts = {
        "template": path.as_posix(),
        "sha256": prepared.template.sha256,
        "resources": len(prepared.template.resources),
    }
    emit(world, facts, path.as_posix())
    return 0
