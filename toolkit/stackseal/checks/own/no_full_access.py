"""No role gets one of AWS's own policies that allow everything."""

import re
from collections.abc import Iterator
from typing import Any, Final

from stackseal.checks.base import finding
from stackseal.checks.values import resources, text, walk
from stackseal.model import Finding, Level, Template

ID: Final = "no-full-access"
LEVEL: Final = Level.ERROR
TITLE: Final = "No full-access policy of AWS is attached"
HELP: Final = """\
`AdministratorAccess`, `PowerUserAccess` and every `…FullAccess` policy allow far more than one stack needs, and AWS
extends them without asking.

Write a policy with the actions and resources that the role needs; `stackseal create-policy` shows how.
"""
_BROAD: Final = re.compile(r"\bpolicy/(?:[^\s\"]*/)?([\w-]*(?:FullAccess|PowerUser|AdministratorAccess)[\w-]*)$")
_ATTACHMENTS: Final = ("ManagedPolicyArns", "ManagedPolicies")
"""Properties that attach by ARN; a permissions boundary limits and is none of them."""


def check(template: Template) -> Iterator[Finding]:
    """One finding for each attachment."""
    for resource in resources(template):
        for name in _ATTACHMENTS:
            attached = resource.properties.get(name)
            for index, item in enumerate(attached if isinstance(attached, list) else [attached]):
                for broad in _broad(template, item):
                    path = (*resource.path, "Properties", name, *([index] if isinstance(attached, list) else []))
                    message = f"{resource.id} gets AWS's policy {broad}, which allows far more than a stack needs."
                    yield finding(template, path, message, check=ID, level=LEVEL)


def _broad(template: Template, value: Any) -> list[str]:
    """The names of broad policies in an attachment, behind functions too."""
    found = {match[1] for _, node in walk(value) if (match := _BROAD.search(text(template, node)))}
    return sorted(found)
