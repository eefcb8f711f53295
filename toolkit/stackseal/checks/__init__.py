"""Stage 4, Template to Finding: our own checks, cfn-lint and checkov, and who answers for what they find.

ADD A CHECK: one file in `own/` that satisfies `Check`, its line in `CHECKS`, a good and a bad template in
`tests/unit/checks/fixtures/<id>/`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from stackseal.checks import checkov_env, connection, foreign, waive
from stackseal.checks.base import Check, Described, Engine, Engines
from stackseal.checks.engines import cfn_lint, checkov
from stackseal.checks.own import (
    boundary,
    dynamic_reference,
    endpoint_config_name,
    name_limits,
    no_full_access,
    pass_role,
    resource_count,
    ssm_outputs,
    stateful_retention,
    tags,
    transform,
    wildcard_action,
)
from stackseal.checks.scan import order, scan, suppressed
from stackseal.checks.waive import with_metadata
from stackseal.errors import UsageError
from stackseal.model import Finding, Template, Waiver
from stackseal.workers import Gone, Workers

CHECKS: Final[dict[str, Check]] = {
    "boundary": boundary,
    "dynamic-reference": dynamic_reference,
    "endpoint-config-name": endpoint_config_name,
    "name-limits": name_limits,
    "no-full-access": no_full_access,
    "pass-role": pass_role,
    "resource-count": resource_count,
    "ssm-outputs": ssm_outputs,
    "stateful-retention": stateful_retention,
    "tags": tags,
    "transform": transform,
    "wildcard-action": wildcard_action,
}

LIVE: Final[dict[str, Described]] = {
    "connection": connection,
}
"""Checks of what only AWS can tell: whoever has credentials asks, and the check judges the answer."""

ENGINES: Final[dict[str, Engine]] = {
    "cfn-lint": cfn_lint,
    "checkov": checkov,
}


def run(
    templates: Sequence[Template],
    *,
    world: Engines,
    waivers: Sequence[Waiver] = (),
    today: date,
    region: str = "us-east-1",
) -> tuple[Finding, ...]:
    """Everything that a reviewer should know about the templates, sorted, waivers of products and settings applied.

    `waivers` are the settings'; `region` is for templates without a stack. Raises `Failed` where an engine could not do
    its work: silence is never a success.
    """
    found: list[Finding] = []
    for template, raw in zip(templates, _raw(templates, world, region=region), strict=True):
        product = template.stack.product.waivers if template.stack else ()
        found += waive.apply(raw, (*product, *waivers), today=today)
    asked = [waiver for waiver in waivers if waiver.check not in LIVE]
    return order([*found, *waive.unused(asked, found, templates, world.names)])


def warm(names: Sequence[str], hands: Workers, env: Mapping[str, str]) -> None:
    """The workers of these engines begin to load; nothing is said of one that does not, because its first use will."""
    with suppress(Gone, UsageError):
        if "cfn-lint" in names:
            cfn_lint.start(hands)
        if "checkov" in names and (executable := checkov_env.find(env)) is not None:
            checkov.start(hands, executable)


def unanswered(name: str, template: Template, waivers: Sequence[Waiver], *, today: date) -> tuple[Finding, ...]:
    """What one of our own checks finds in a template and nobody has waived."""
    found = waive.apply(CHECKS[name].check(template), waivers, today=today)
    return tuple(finding for finding in found if finding.blocks)


def answered(found: Sequence[Finding], waivers: Sequence[Waiver], *, today: date) -> tuple[Finding, ...]:
    """Findings of live checks with the waivers that count."""
    return order(waive.apply(found, waivers, today=today))


def nested_elsewhere(template: Template, bucket: str | None) -> tuple[str, ...]:
    """The addresses of nested templates outside a bucket, or of which that is not known."""
    return transform.elsewhere(template, bucket)


def run_foreign(paths: Sequence[Path], *, world: Engines, region: str = "us-east-1") -> tuple[Finding, ...]:
    """The same for any CloudFormation template files, or folders of them; findings stand on the files' own lines.

    Checks that need a product or a config say nothing. A template's own suppressions count, as they do for the plain
    engines, and show as waivers of the template. An unreadable file is a finding. Raises
    `UsageError` for a path that is not there.
    """
    templates, found = foreign.load(paths)
    return order([*found, *(finding for raw in _raw(templates, world, region=region) for finding in raw)])


def _raw(templates: Sequence[Template], world: Engines, *, region: str) -> list[list[Finding]]:
    """Per template all findings, before any waiver."""
    scanned = scan(templates, _engines(world), region=region, world=world)
    return [[*_ours(template), *findings] for template, findings in zip(templates, scanned, strict=True)]


def _ours(template: Template) -> Iterator[Finding]:
    """What our own checks say; a foreign template's own suppressions stand at the findings."""
    for finding in (found for check in CHECKS.values() for found in check.check(template)):
        if template.stack is None:
            reason = foreign.suppression(template, finding.resource, finding.check)
            yield replace(finding, waiver=suppressed(finding.check, finding.resource, reason))
        else:
            yield finding


def _engines(world: Engines) -> list[Engine]:
    unknown: Mapping[str, None] = {name: None for name in world.names if name not in ENGINES}
    if unknown:
        remedy = f"choose among {', '.join(ENGINES)}"
        raise UsageError(f"There is no engine {', '.join(unknown)}", why="it is not known", remedy=remedy)
    return [ENGINES[name] for name in world.names]


__all__ = [
    "CHECKS",
    "ENGINES",
    "LIVE",
    "Check",
    "Described",
    "Engine",
    "Engines",
    "run",
    "run_foreign",
    "with_metadata",
]
