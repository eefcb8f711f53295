"""`outputs NAME`: what a deployed product publishes, for people, scripts and programs."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Mapping
from typing import Final

from stackseal.commands.base import emit, table
from stackseal.errors import UsageError
from stackseal.world import World

SUMMARY: Final = "what a deployed ML product publishes"
HELP: Final = """\
Print the values that an ML product publishes below /ml/NAME/ in Parameter Store. NAME is the product's name, as in the
examples. Its region is taken from the name unless --region says another.

    stackseal outputs techcorp-prod-a001-us-west-2-customer-churn-ml
    stackseal outputs techcorp-prod-a001-us-west-2-customer-churn-ml --as env > product.env
    stackseal outputs techcorp-prod-a001-us-west-2-customer-churn-ml --format json
"""
_REGION: Final = re.compile(r"-([a-z]{2}(?:-gov)?-(?:north|south|east|west|central)[a-z]*-[0-9])-")


def configure(parser: argparse.ArgumentParser) -> None:
    """The product, where it is, and how values are written."""
    parser.add_argument("name", metavar="NAME", help="the product's name, {ml_name}")
    parser.add_argument("--region", metavar="R", help="the region (default: the one in the name, else AWS_REGION)")
    words = "how text is written: a table, or lines of NAME=value for a shell (default: table)"
    parser.add_argument("--as", dest="shape", choices=("env", "table"), default="table", help=words)


def run(args: argparse.Namespace, world: World) -> int:
    """Print the values."""
    from stackseal.outputs import get_ml_outputs

    region = args.region or _region(args.name, world.env)
    found = get_ml_outputs(args.name, region, aws=world.aws("", region))
    text = _env(found) if args.shape == "env" else table(list(found.items()), ("NAME", "VALUE"))
    emit(world, {"name": args.name, "region": region, "outputs": found}, text)
    return 0


def _region(name: str, env: Mapping[str, str]) -> str:
    match = _REGION.search(name)
    region = match[1] if match else env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    if not region:
        raise UsageError(
            f"The region of {name} is not known",
            why="the name does not hold one",
            remedy="give --region or set AWS_REGION",
        )
    return region


def _env(found: Mapping[str, str]) -> str:
    """`ModelPackageGroupArn` becomes `MODEL_PACKAGE_GROUP_ARN=…`, quoted for a shell where that is needed."""
    return "\n".join(f"{_variable(key)}={shlex.quote(value)}" for key, value in found.items())


def _variable(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[.-]", "_", key).upper()
