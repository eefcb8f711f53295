"""Stage 4, Template to Finding: our own checks, cfn-lint and checkov, and who answers for what they find.

ADD A CHECK: one file in `own/` that satisfies `Check`, its line in `CHECKS`, a good and a bad template in
`tests/unit/checks/fixtures/<id>/`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from stackseal.checked import File
from stackseal.checks import checkov_env, connection, foreign, shape, waive
from stackseal.checks.base import Check, Described, Engine, Engines
from stackseal.checks.checkov_output import UNREAD
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
from stackseal.checks.scan import canonical, order, plain, scan, suppressed
from stackseal.checks.shape import Shape
from stackseal.checks.waive import with_metadata
from stackseal.errors import ConfigError, UsageError
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
PASSING: Final = frozenset({foreign.UNREADABLE, cfn_lint.STOPPED, UNREAD})
"""Findings about a file's name, or about an engine's bad day: another run may say something else."""


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
    return run_files(foreign.files(paths), world=world, region=region)


def run_files(files: Sequence[File], *, world: Engines, region: str) -> tuple[Finding, ...]:
    """The same for files that are read already. One speaks for all of its shape where its findings are about no name.

    That is so where only checkov finds something (`checks.shape`), and the file is written as we write one.
    """
    by_path = {file.path: file for file in files}
    speakers = {} if world.cache and world.cache.verifies else shape.spread(dict(_shapes(by_path.values())))
    spoken = {path: speaker for path, speaker in speakers.items() if path != speaker}
    found = _by_file([file for path, file in by_path.items() if path not in spoken], world, region)
    speaking = {path for path in set(spoken.values()) if _speaks(by_path[path], found[path])}
    found |= _by_file([by_path[path] for path, speaker in spoken.items() if speaker not in speaking], world, region)
    for path, speaker in spoken.items():
        if speaker in speaking:
            found[path] = [foreign.moved(finding, path) for finding in found[speaker]]
    return order([finding for file in files for finding in found[file.path]])


def _by_file(files: Sequence[File], world: Engines, region: str) -> dict[str, list[Finding]]:
    """What is found in each file by its path, nothing included."""
    found: dict[str, list[Finding]] = {file.path: [] for file in files}
    templates, unreadable = foreign.load(files)
    for finding in (*unreadable, *(each for raw in _raw(templates, world, region=region) for each in raw)):
        found[finding.where.path].append(finding)
    return found


def _shapes(files: Iterable[File]) -> Iterator[tuple[str, Shape]]:
    for file in files:
        with suppress(ConfigError):
            found = shape.of(plain(foreign.text_of(file)))
            if found is not None:
                yield file.path, found


def _speaks(file: File, findings: Sequence[Finding]) -> bool:
    if any(finding.engine != checkov.ID or finding.check in PASSING for finding in findings):
        return False
    (template,), _ = foreign.load([file])
    return canonical(template)


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
