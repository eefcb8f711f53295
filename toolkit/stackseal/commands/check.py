"""`check PATH…`: our checks, cfn-lint and checkov for any CloudFormation template."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stackseal import checked
from stackseal.commands.base import emit
from stackseal.errors import Failed, UsageError
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.model import Finding

SUMMARY: Final = "check any CloudFormation template: our checks, cfn-lint, checkov"
HELP: Final = """\
Run our own checks, cfn-lint and checkov over CloudFormation templates, ours or anybody's, or over folders of them.
Configuration files of the tools (.cfnlintrc, .checkov.yaml) are ignored. What a template's own Metadata suppresses
(ignore_checks of cfn-lint, skip of checkov and of stackseal) counts as waived and is shown with its reason, or with a
word that none is given; with --ignore-suppressions it does not count, so that a pull request cannot excuse itself.
Findings stand on the files' own lines. With --configs the templates of all configs are checked in place of files; with
--verify-cache besides, it is proven what reviews believe of earlier runs. Exit 1 when an error is found that nothing
waives.

    stackseal check template.yaml
    stackseal check templates/ --ignore-suppressions --format json
    stackseal check --configs --verify-cache
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Paths and the engines."""
    parser.add_argument("path", nargs="*", metavar="PATH", type=Path, help="a template, or a folder of templates")
    parser.add_argument("--configs", action="store_true", help="the templates of all configs, in place of files")
    parser.add_argument("--region", default="us-east-1", help="the region to check for (default: us-east-1)")
    parser.add_argument(
        "--engines", default="cfn-lint,checkov", help="engines besides our own checks (default: cfn-lint,checkov)"
    )
    parser.add_argument(
        "--ignore-suppressions",
        action="store_true",
        help="what a template's own Metadata suppresses counts all the same",
    )
    parser.add_argument(
        "--verify-cache",
        action="store_true",
        help="read every template anew, and fail where the findings of earlier runs say something else",
    )


def run(args: argparse.Namespace, world: World) -> int:
    """Print the findings."""
    from stackseal import checks
    from stackseal.change import preparation

    if bool(args.path) is args.configs:
        raise UsageError("There is nothing to check, or too much", remedy="name files or folders, or give --configs")
    names = tuple(name for name in args.engines.split(",") if name)
    if args.configs:
        return _configs(world, names, verify=args.verify_cache)
    known = preparation.known(world, names, args.region)
    files = checks.foreign.files(args.path)
    before = known.rows() if known else {}
    new = [file for file in files if args.verify_cache or file.key not in before]
    if new:
        preparation.warm(world, needed=True)
    with preparation.engines(world, names, verify=args.verify_cache, texts=len(new)) as ready:
        findings = checks.run_files(new, world=ready, region=args.region)
    found = _by_file(new, findings)
    if args.verify_cache:
        _compare(before, {file.key: found[file.path] for file in new})
    if known and preparation.lasting(world):
        known.keep({file.key: rows for file in new if _lasts(rows := found[file.path])})
    rows = checked.ordered(
        row for file in files for row in found.get(file.path) or checked.placed(before.get(file.key, ()), file.path)
    )
    if args.ignore_suppressions:
        rows = [{**row, "waived": None, "owner": None, "blocks": row["level"] == "error"} for row in rows]
    emit(world, {"findings": checked.shown(rows)}, checked.text(rows))
    return checked.code(rows)


def _configs(world: World, engines: tuple[str, ...], *, verify: bool) -> int:
    """The templates of all configs, with the waivers of the settings: what a review reads."""
    from stackseal import checks, config, settings
    from stackseal.change import preparation

    ours = settings.load(world.here)
    names = [path.relative_to(world.here).as_posix() for path in config.discover(world.here / ours.configs)]
    found = preparation.resolve(world, names)
    templates = [preparation.rendered(world, item, ours.waived()).template for item in found]
    with preparation.engines(world, engines, verify=verify, texts=len(templates)) as ready:
        findings = checks.run(templates, world=ready, waivers=ours.waived(), today=world.clock.today)
    rows = checked.ordered(row(finding) for finding in findings)
    emit(world, {"findings": checked.shown(rows)}, checked.text(rows))
    return checked.code(rows)


def _by_file(files: Sequence[checked.File], findings: Iterable[Finding]) -> dict[str, list[checked.Row]]:
    found: dict[str, list[checked.Row]] = {file.path: [] for file in files}
    for finding in findings:
        found[finding.where.path].append(row(finding))
    return found


def _lasts(rows: Sequence[checked.Row]) -> bool:
    """Whether the rows say something about a file's content, not about its name or an engine's bad day."""
    from stackseal import checks

    return not any(row["check"] in checks.PASSING for row in rows)


def _compare(before: Mapping[str, Sequence[checked.Row]], now: Mapping[str, Sequence[checked.Row]]) -> None:
    """Nothing, if what is kept of these files is what is found."""
    wrong = [key for key, rows in now.items() if key in before and before[key] != [{**row, "file": ""} for row in rows]]
    if wrong:
        raise Failed(
            "The cache of findings is wrong",
            why=f"it says something else of {len(wrong)} of {len(now)} files",
            remedy="delete its folder, find out who writes to it, and run again",
        )


def row(finding: Finding) -> checked.Row:
    """A finding as `--format json` gives it, who waived it, and whether it blocks."""
    waiver = finding.waiver
    return {
        "check": finding.check,
        "engine": finding.engine,
        "level": finding.level.value,
        "file": finding.where.path,
        "line": finding.where.line,
        "column": finding.where.column,
        "resource": finding.resource,
        "message": finding.message,
        "waived": waiver.reason if waiver and not waiver.proposed else None,
        "owner": [waiver.owner, waiver.reason] if waiver else None,
        "blocks": finding.blocks,
    }
