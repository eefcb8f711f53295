"""`check PATH…`: our checks, cfn-lint and checkov for any CloudFormation template."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stackseal.commands.base import emit
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.model import Finding

SUMMARY: Final = "check any CloudFormation template: our checks, cfn-lint, checkov"
HELP: Final = """\
Run our own checks, cfn-lint and checkov over CloudFormation templates, ours or anybody's, or over folders of them.
Configuration files of the tools (.cfnlintrc, .checkov.yaml) are ignored. What a template's own Metadata suppresses
(ignore_checks of cfn-lint, skip of checkov and of stackseal) counts as waived and is shown with its reason, or with a
word that none is given; with --ignore-suppressions it does not count, so that a pull request cannot excuse itself.
Findings stand on the files' own lines. Exit 1 when an error is found that nothing waives.

    stackseal check template.yaml
    stackseal check templates/ --ignore-suppressions --format json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Paths and the engines."""
    parser.add_argument("path", nargs="+", metavar="PATH", type=Path, help="a template, or a folder of templates")
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

    preparation.warm(world)
    names = tuple(name for name in args.engines.split(",") if name)
    with preparation.engines(world, names, verify=args.verify_cache) as ready:
        findings = checks.run_foreign(args.path, world=ready, region=args.region)
    if args.ignore_suppressions:
        findings = tuple(replace(finding, waiver=None) for finding in findings)
    emit(world, {"findings": [row(finding) for finding in findings]}, text(findings))
    return 1 if any(finding.blocks for finding in findings) else 0


def row(finding: Finding) -> dict[str, Any]:
    """A finding as `--format json` gives it."""
    return {
        "check": finding.check,
        "engine": finding.engine,
        "level": finding.level.value,
        "file": finding.where.path,
        "line": finding.where.line,
        "column": finding.where.column,
        "resource": finding.resource,
        "message": finding.message,
        "waived": finding.waiver.reason if finding.waiver and not finding.waiver.proposed else None,
    }


def text(findings: tuple[Finding, ...]) -> str:
    """One line for each finding, `file:line:column` first, and a last line that counts them."""
    lines = [
        f"{finding.where}: {finding.level.value}: {finding.message} [{finding.check}]"
        + (f" waived by {finding.waiver.owner}: {finding.waiver.reason}" if finding.waiver else "")
        for finding in findings
    ]
    blocking = sum(finding.blocks for finding in findings)
    waived = sum(finding.waiver is not None for finding in findings)
    lines.append(f"{len(findings)} findings, {blocking} blocking, {waived} waived")
    return "\n".join(lines)
