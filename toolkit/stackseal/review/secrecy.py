"""What is taken out of a review before it goes anywhere: settings, templates and facts, joined with `redact`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from stackseal import facts
from stackseal.hiding import Hidden
from stackseal.model import Drift, Report, Template, canonical_json
from stackseal.report.redact import hidden_in, redact
from stackseal.review.planning import Pair
from stackseal.settings import Settings

_LEAST: Final = 6
"""A shorter value of a parameter could be any word."""
_LONG: Final = 12
"""The same for a write-only property, which is rarely a secret."""


def of_review(report: Report, ours: Settings, pairs: Iterable[Pair], known: Hidden) -> Report:
    """The report without NoEcho parameters, write-only properties and what the settings' patterns match."""
    hidden = _hidden(ours, known)
    templates = [side for pair in pairs for side in (pair.base, pair.head) if side is not None]
    secret = {value for template in templates for value in _secrets(template)}
    hidden = replace(hidden, known=(*hidden.known, *sorted(secret)))
    return redact(report, salt=report.run.repository, hidden=hidden, write_only=_write_only)


def of_drift(drift: Drift, ours: Settings, known: Hidden) -> Drift:
    """The drift without what the settings' patterns match."""
    return redact(drift, salt=str(drift.stack), hidden=_hidden(ours, known))


def _hidden(ours: Settings, known: Hidden) -> Hidden:
    return replace(known, patterns=(*known.patterns, *(re.compile(pattern) for pattern in ours.redact)))


def _secrets(template: Template) -> Iterator[str]:
    """What a template holds that no text about it may repeat, such as an error that quotes a property."""
    by_name = (*_no_echo(template), *hidden_in(canonical_json(template.body)))
    yield from (value for value in by_name if len(value) >= _LEAST)
    for resource in template.resources.values():
        if not isinstance(resource, dict):  # a loop, which the check transform refuses
            continue
        for path in _write_only(str(resource.get("Type"))):
            yield from (value for value in _at(resource.get("Properties"), path.split("/")) if len(value) >= _LONG)


def _at(value: Any, path: list[str]) -> Iterator[str]:
    """The texts at a path of the facts; below `*` those of every item."""
    if not path:
        yield from (value,) if isinstance(value, str) and "{{resolve:" not in value else ()
    elif isinstance(value, list):
        for item in value:
            yield from _at(item, path[1:] if path[0] == "*" else path)
    elif isinstance(value, dict):
        yield from _at(value.get(path[0]), path[1:])


def _no_echo(template: Template) -> Iterator[str]:
    """The values of the parameters that CloudFormation shows as asterisks."""
    declared = template.body.get("Parameters") or {}
    for name, parameter in declared.items():
        if isinstance(parameter, dict) and str(parameter.get("NoEcho", "")).lower() == "true":
            yield from {str(template.parameters.get(name, "")), str(parameter.get("Default", ""))}


def _write_only(name: str) -> tuple[str, ...]:
    return facts.write_only(name) if name in facts.types() else ()
