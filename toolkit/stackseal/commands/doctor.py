"""`doctor`: what is there, what is missing, what the embedded AWS cannot do."""

from __future__ import annotations

import argparse
import platform
import shutil
from typing import Final

from stackseal import __version__
from stackseal.commands.base import emit, table
from stackseal.world import World

SUMMARY: Final = "say what is installed and what the embedded AWS cannot do"
HELP: Final = """\
Look at the installation: versions, the locked checkov, git, the catalogue. With --aws local also list what the
embedded AWS does differently from AWS. Changes nothing.

    stackseal doctor
    stackseal doctor --aws local --format json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """It has no arguments of its own."""
    del parser


def run(args: argparse.Namespace, world: World) -> int:
    """Print the findings; exit 1 when something is missing that stackseal needs."""
    from stackseal import facts
    from stackseal.checks import checkov_env
    from stackseal.preparation import catalogue_of

    checkov = checkov_env.find(world.env)
    git = shutil.which("git", path=world.env.get("PATH"))
    rows = [
        ("stackseal", __version__, "ok"),
        ("python", platform.python_version(), "ok"),
        ("checkov", str(checkov or "-"), "ok" if checkov else "installed when it is first needed"),
        ("git", str(git or "-"), "ok" if git else "missing: install git"),
        ("facts", facts.published().isoformat(), facts.stale(world.clock.today) or "ok"),
        ("products", ", ".join(product.name for product in catalogue_of(world).products.values()), "ok"),
    ]
    found = {"checks": [{"what": what, "found": value, "status": status} for what, value, status in rows]}
    text = table(rows, ("WHAT", "FOUND", "STATUS"))
    if args.aws == "local":
        from stackseal.local import GAPS

        gaps = [(gap.area, gap.what, gap.consequence, gap.where) for gap in GAPS]
        found["gaps"] = [dict(zip(("area", "what", "consequence", "where"), gap, strict=True)) for gap in gaps]
        text += "\n\nWhat the embedded AWS does differently from AWS:\n" + "\n".join(
            f"- {area}: {what}; {consequence} ({where})" for area, what, consequence, where in gaps
        )
    emit(world, found, text)
    return 0 if git else 1
