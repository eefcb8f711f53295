"""What is taken out of a review before it goes anywhere: settings, templates and facts, joined with `redact`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from stackseal import facts
from stackseal.hiding import Hidden
from stackseal.model import Drift, Report, Template
from stackseal.planning import Pair
from stackseal.report.redact import redact
from stackseal.settings import Settings

_LEAST = 6
"""A shorter value of a parameter could be any word."""


def of_review(report: Report, ours: Settings, pairs: Iterable[Pair], known: Hidden) -> Report:
    """The report without NoEcho parameters, write-only properties and what the settings' patterns match."""
    hidden = _hidden(ours, known)
    templates = [side for pair in pairs for side in (pair.base, pair.head) if side is not None]
    secret = {value for template in templates for value in _no_echo(template) if len(value) >= _LEAST}
    hidden = replace(hidden, known=(*hidden.known, *sorted(secret)))
    return redact(report, salt=report.run.repository, hidden=hidden, write_only=_write_only)


def of_drift(drift: Drift, ours: Settings, known: Hidden) -> Drift:
    """The drift without what the settings' patterns match."""
    return redact(drift, salt=str(drift.stack), hidden=_hidden(ours, known))


def _hidden(ours: Settings, known: Hidden) -> Hidden:
    return replace(known, patterns=(*known.patterns, *(re.compile(pattern) for pattern in ours.redact)))


def _no_echo(template: Template) -> Iterator[str]:
    """The values of the parameters that CloudFormation shows as asterisks."""
    declared = template.body.get("Parameters") or {}
    for name, parameter in declared.items():
        if isinstance(parameter, dict) and str(parameter.get("NoEcho", "")).lower() == "true":
            yield from {str(template.parameters.get(name, "")), str(parameter.get("Default", ""))}


def _write_only(name: str) -> tuple[str, ...]:
    return facts.write_only(name) if name in facts.types() else ()
