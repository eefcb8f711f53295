"""Who answers for a finding: applying waivers, and writing them where the engines' own command lines look for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final

from stackseal.errors import ConfigError
from stackseal.model import Finding, Level, Location, Template, Waiver

UNUSED: Final = "unused-waiver"
SETTINGS: Final = "stackseal.yaml"
OURS: Final = "stackseal"
"""The engine of our own checks, and their key in a resource's Metadata."""
_CFN_LINT: Final = re.compile(r"[EWI]\d{4}")
_CHECKOV: Final = re.compile(r"CKV2?_[A-Z0-9]+_\w+")


def apply(findings: Iterable[Finding], waivers: Sequence[Waiver], *, today: date) -> list[Finding]:
    """The findings with the waiver that counts, else with one that is proposed; an expired one is named in the text."""
    return [_waived(finding, [w for w in waivers if _meant(w, finding)], today) for finding in findings]


def unused(
    waivers: Sequence[Waiver], findings: Sequence[Finding], templates: Sequence[Template], engines: Sequence[str]
) -> Iterator[Finding]:
    """A note for each waiver of the settings that is about a stack of this run and about none of its findings.

    Nothing is said about the checks of an engine that did not run.
    """
    stacks = sorted({str(template.stack.id) for template in templates if template.stack})
    for waiver in waivers:
        concerned = [stack for stack in stacks if _covers(waiver, stack)]
        asked = engine_of(waiver.check) in {OURS, *engines}
        if asked and concerned and not any(_meant(waiver, finding) for finding in findings):
            message = (
                f"The waiver of {waiver.check} by {waiver.owner} (stack {waiver.stack}, resource {waiver.resource}) "
                f"matches no finding; remove it, or correct it."
            )
            where = Location(path=SETTINGS)
            yield Finding(check=UNUSED, engine=OURS, level=Level.NOTE, message=message, where=where)


def engine_of(check: str) -> str:
    """Which engine a check's identifier belongs to."""
    if _CFN_LINT.fullmatch(check):
        return "cfn-lint"
    return "checkov" if _CHECKOV.fullmatch(check) else OURS


def expired(waiver: Waiver, today: date) -> bool:
    """Its last day is over. Raises `ConfigError` for an `until` that is no date."""
    try:
        return waiver.until is not None and date.fromisoformat(waiver.until) < today
    except ValueError as error:
        why, remedy = f"until is {waiver.until!r}", "write a date such as 2027-01-31"
        raise ConfigError(f"The waiver of {waiver.check} has no valid end", why=why, remedy=remedy) from error


def with_metadata(
    body: Mapping[str, Any], waivers: Sequence[Waiver], *, stack: str = "", today: date | None = None
) -> dict[str, Any]:
    """A copy of a template with the waivers in its Metadata, so that plain cfn-lint and checkov agree with us.

    `stack` is `account/region/name` or the name; empty means that the waivers are chosen already. Proposed waivers are
    left out, and with `today` expired ones too. cfn-lint rules for all resources go to the template's own Metadata
    (`cfn-lint.config.ignore_checks`); those for some, and every check of checkov (`checkov.skip`) and our own
    (`stackseal.skip`), to the resources'.
    """
    counted = [
        waiver
        for waiver in waivers
        if not waiver.proposed and not (today and expired(waiver, today)) and (not stack or _covers(waiver, stack))
    ]
    everywhere = {w.check for w in counted if _CFN_LINT.fullmatch(w.check) and w.resource == "*"}
    changed = _ignoring(body, everywhere)
    resources = body.get("Resources")
    if isinstance(resources, Mapping):
        changed["Resources"] = {
            logical_id: _excused(str(logical_id), resource, counted, everywhere)
            if isinstance(resource, Mapping)
            else resource
            for logical_id, resource in resources.items()
        }
    return changed


def _excused(
    logical_id: str, resource: Mapping[str, Any], waivers: Sequence[Waiver], everywhere: set[str]
) -> dict[str, Any]:
    meant = [waiver for waiver in waivers if fnmatchcase(logical_id, waiver.resource)]
    changed = _ignoring(resource, {w.check for w in meant if _CFN_LINT.fullmatch(w.check)} - everywhere)
    for engine in ("checkov", OURS):
        excuses = sorted((w.check, f"{w.reason} ({w.owner})") for w in meant if engine_of(w.check) == engine)
        if excuses:
            comments = dict(reversed(excuses))
            skip = [{"id": check, "comment": comments[check]} for check in sorted(comments)]
            changed["Metadata"] = {**(changed.get("Metadata") or {}), engine: {"skip": skip}}
    return changed


def _ignoring(owner: Mapping[str, Any], rules: set[str]) -> dict[str, Any]:
    """A copy of a template or resource whose Metadata tells cfn-lint to ignore rules."""
    if not rules:
        return dict(owner)
    metadata = {**(owner.get("Metadata") or {}), "cfn-lint": {"config": {"ignore_checks": sorted(rules)}}}
    return {**owner, "Metadata": metadata}


def _waived(finding: Finding, meant: Sequence[Waiver], today: date) -> Finding:
    running = [waiver for waiver in meant if not expired(waiver, today)]
    chosen = next((waiver for waiver in running if not waiver.proposed), running[0] if running else None)
    if chosen is not None and not chosen.proposed:
        return replace(finding, waiver=chosen)
    over = "".join(f" (waiver of {w.owner} expired on {w.until})" for w in meant if w not in running and not w.proposed)
    return replace(finding, waiver=chosen or finding.waiver, message=finding.message + over)


def _meant(waiver: Waiver, finding: Finding) -> bool:
    return (
        waiver.check == finding.check
        and _covers(waiver, finding.stack or "")
        and fnmatchcase(finding.resource or "", waiver.resource)
    )


def _covers(waiver: Waiver, stack: str) -> bool:
    """A waiver names a stack by its name or by `account/region/name`."""
    return fnmatchcase(stack, waiver.stack) or fnmatchcase(stack.rpartition("/")[2], waiver.stack)
