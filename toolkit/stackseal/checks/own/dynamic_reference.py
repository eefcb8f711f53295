"""A dynamic reference without a version changes without a change set."""

import re
from collections.abc import Iterator
from typing import Final

from stackseal.checks.base import finding
from stackseal.checks.values import walk
from stackseal.model import Finding, Level, Template

ID: Final = "dynamic-reference"
LEVEL: Final = Level.NOTE
TITLE: Final = "Dynamic references name their version"
HELP: Final = """\
`{{resolve:ssm:name}}` without a version is read again on each deployment, but a new value alone is no change: a change
set does not show it, and nobody reviews it.

Add the version, `{{resolve:ssm:name:3}}`. For Secrets Manager name the version id where rotation allows it.
"""
_REFERENCE: Final = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]*(?:\$\{[^{}]*\}[^{}]*)*)\}\}")


def check(template: Template) -> Iterator[Finding]:
    """One finding for each text with an unversioned reference."""
    for path, value in walk(template.body):
        if not isinstance(value, str):
            continue
        for service, reference in _REFERENCE.findall(value):
            if not _versioned(service, reference):
                message = (
                    f"{{{{resolve:{service}:{reference}}}}} names no version: a new value alone is no change, "
                    f"so no review shows it."
                )
                yield finding(template, path, message, check=ID, level=LEVEL)


def _versioned(service: str, reference: str) -> bool:
    """A parameter ends in a number, a secret in `:SecretString:key:stage:version`; its id may be an ARN with colons."""
    if service != "secretsmanager":
        return re.search(r":\d+$", reference) is not None
    parts = reference.split(":SecretString", 1)
    return len(parts) == 2 and parts[1].count(":") >= 3 and not parts[1].endswith(":")
