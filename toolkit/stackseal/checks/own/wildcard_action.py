"""No statement allows every action, or every action of a service."""

from collections.abc import Iterator
from typing import Final

from stackseal.checks.base import finding
from stackseal.checks.values import Statement, statements, texts
from stackseal.model import Finding, Level, Template

ID: Final = "wildcard-action"
LEVEL: Final = Level.ERROR
TITLE: Final = "No statement allows all actions of a service"
HELP: Final = """\
`"Action": "*"` and `"s3:*"` allow what nobody reviewed, tomorrow's actions of the service included; `NotAction` in an
Allow does the same.

Name the actions. Exempt are the policies of VPC endpoints, which limit and never grant, and the statement of a KMS key
that hands the key to its own account, which AWS requires.
"""
_LIMITING: Final = frozenset({"AWS::EC2::VPCEndpoint"})


def check(template: Template) -> Iterator[Finding]:
    """One finding for each statement."""
    for statement in statements(template):
        if not statement.allows or statement.resource.type in _LIMITING or _own_account(template, statement):
            continue
        broad = [a for a in texts(template, statement.body.get("Action")) if a == "*" or a.endswith(":*")]
        words = ", ".join(broad) if broad else "everything but its NotAction" if "NotAction" in statement.body else ""
        if words:
            message = f"A statement of {statement.resource.id} allows {words}; name the actions that are needed."
            yield finding(template, statement.path, message, check=ID, level=LEVEL)


def _own_account(template: Template, statement: Statement) -> bool:
    """The key's own account as principal: without it nobody could ever administer the key (KMS developer guide)."""
    if statement.resource.type not in {"AWS::KMS::Key", "AWS::KMS::ReplicaKey"}:
        return False
    match statement.body.get("Principal"):
        case {"AWS": principal, **others} if not others:
            return all(arn.endswith(":root") for arn in texts(template, principal))
    return False
