"""Where a template defines a permissions boundary, every role wears it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stackseal.checks.base import finding
from stackseal.checks.values import resources, text, walk
from stackseal.model import Finding, Level, Template

ID: Final = "boundary"
LEVEL: Final = Level.ERROR
TITLE: Final = "Every role wears the template's permissions boundary"
HELP: Final = """\
A boundary only limits the roles that it is set on. A template that defines one and leaves a role without it has a hole.

Set `PermissionsBoundary: !Ref <the boundary policy>` on the role.
"""


def check(template: Template) -> Iterator[Finding]:
    """One finding for each role without a boundary; a template that defines none has none."""
    wearers = list(resources(template, "AWS::IAM::Role", "AWS::IAM::User"))
    worn = {name for wearer in wearers for name in _references(wearer.properties.get("PermissionsBoundary"))}
    boundaries = sorted(
        policy.id
        for policy in resources(template, "AWS::IAM::ManagedPolicy")
        if policy.id in worn
        or "boundary" in policy.id.lower()
        or "boundary" in text(template, policy.properties.get("ManagedPolicyName")).lower()
    )
    for wearer in wearers if boundaries else ():
        if "PermissionsBoundary" not in wearer.properties:
            message = f"{wearer.id} has no PermissionsBoundary, though the template defines {', '.join(boundaries)}."
            yield finding(template, wearer.path, message, check=ID, level=LEVEL)


def _references(value: Any) -> set[str]:
    return {node["Ref"] for _, node in walk(value) if isinstance(node, Mapping) and isinstance(node.get("Ref"), str)}
