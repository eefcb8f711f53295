"""`init`: the folders and files of a consumer's repository (spec A03, A05)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from stackseal.commands.base import emit
from stackseal.world import World

SUMMARY: Final = "set up a repository: folders, settings, examples, editor schema"
HELP: Final = """\
Write what a repository needs: the folders configs, templates, policies, reports and docs below the root, a
stackseal.yaml to fill in, the editor schema, and with --examples the product's example configs. Files that exist are
left as they are.

    stackseal init --forge local
    stackseal init --forge local --examples ml
"""
_SETTINGS: Final = """\
# Settings of stackseal. Pipelines read this file from the base branch only; see docs/reference/settings.md.
version: 1
configs: {configs}
# accounts:
#   "123456789012":
#     execution_role: arn:aws:iam::123456789012:role/stackseal-execution
#     artifact_bucket: stackseal-artifacts-123456789012
# waivers:
#   - check: CKV_AWS_18
#     resource: ArtifactsBucket
#     reason: Access logs of this bucket are collected by the organisation's trail.
#     owner: platform-team
#     until: "2027-06-30"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The forge and the examples."""
    parser.add_argument("--forge", choices=("local",), default="local", help="where pull requests live")
    parser.add_argument("--examples", metavar="PRODUCT", help="copy this product's example configs to configs/")
    parser.add_argument("--dry-run", action="store_true", help="say what would be written and write nothing")


def run(args: argparse.Namespace, world: World) -> int:
    """Write what is missing."""
    from stackseal import artifacts, settings

    files = {
        Path(settings.FILE): _SETTINGS.replace("{configs}", (world.root / "configs").as_posix()),
        Path(".stackseal/config.schema.json"): _schema(world),
    }
    files |= _examples(args.examples, world) if args.examples else {}
    folders = [world.root / name for name in artifacts.FOLDERS]
    missing = {path: text for path, text in files.items() if not path.exists()}
    if not args.dry_run:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        for path, text in missing.items():
            artifacts.write(path, text)
    facts = {
        "folders": [folder.as_posix() for folder in folders],
        "written": [path.as_posix() for path in missing],
        "kept": [path.as_posix() for path in files if path not in missing],
        "dry_run": args.dry_run,
    }
    verb = "would write" if args.dry_run else "wrote"
    lines = [f"{verb} {path}" for path in missing] + [f"kept {path}" for path in files if path not in missing]
    lines.append("Next: put a config into configs/ and run: stackseal validate-config configs/*.yaml")
    emit(world, facts, "\n".join(lines))
    return 0


def _schema(world: World) -> str:
    from stackseal.catalogue import schema
    from stackseal.preparation import catalogue_of

    return json.dumps(schema.editor(catalogue_of(world).products.values()), indent=2, sort_keys=True) + "\n"


def _examples(product: str, world: World) -> dict[Path, str]:
    from stackseal.errors import UsageError
    from stackseal.preparation import catalogue_of

    products = {item.name: item for item in catalogue_of(world).products.values()}
    if product not in products:
        raise UsageError(f"There is no product {product!r}", why=f"the catalogue has {', '.join(sorted(products))}")
    folder = products[product].root / "examples"
    return {
        world.root / "configs" / path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))
    }
