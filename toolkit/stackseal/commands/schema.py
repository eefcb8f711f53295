"""`schema`: one JSON Schema for every config, so that an editor knows what `validate-config` knows."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from stackseal.world import World

SUMMARY: Final = "the JSON Schema of configs, for editors"
HELP: Final = """\
Print the JSON Schema of every config of the catalogue. An editor that speaks YAML language server then completes and
checks configs while they are written:

    stackseal schema --output .stackseal/config.schema.json
    # first line of a config:
    # yaml-language-server: $schema=../.stackseal/config.schema.json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Where to."""
    parser.add_argument("--output", metavar="FILE", type=Path, help="write it there instead of stdout")


def run(args: argparse.Namespace, world: World) -> int:
    """Print or write the schema."""
    from stackseal import artifacts
    from stackseal.catalogue import schema
    from stackseal.change.preparation import catalogue_of

    found = schema.editor(catalogue_of(world).products.values())
    if args.output is None:
        world.out.json(found, sort_keys=True)
    else:
        text = json.dumps(found, indent=2, sort_keys=True)
        world.out.data(artifacts.write(args.output, text + "\n").as_posix())
    return 0
