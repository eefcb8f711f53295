"""Roles are handed on by name and to a named service only."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from stackseal.checks.base import finding
from stackseal.checks.values import Statement, statements, texts
from stackseal.model import Finding, Level, Template

ID: Final = "pass-role"
LEVEL: Final = Level.ERROR
TITLE: Final = "iam:PassRole names its roles and its service"
HELP: Final = """\
Whoever may pass any role to any service has the permissions of the strongest role in the account.

Give `Resource` the ARNs of the roles, without `*` in the role's name, and add the condition
`StringEquals: {iam:PassedToService: sagemaker.amazonaws.com}`.
"""


def check(template: Template) -> Iterator[Finding]:
    """One finding for each statement that allows too much."""
    for statement in statements(template):
        if statement.allows and not statement.trusts and _passes(template, statement):
            problems = [*_roles(template, statement), *_service(template, statement)]
            if problems:
                message = f"A statement of {statement.resource.id} allows iam:PassRole {' and '.join(problems)}."
                yield finding(template, statement.path, message, check=ID, level=LEVEL)


def _passes(template: Template, statement: Statement) -> bool:
    """An action matches PassRole by name or by pattern; a bare `*` or `iam:*` is `wildcard-action`'s too."""
    return any(fnmatchcase("iam:passrole", a.lower()) for a in texts(template, statement.body.get("Action")))


def _roles(template: Template, statement: Statement) -> Iterator[str]:
    named = texts(template, statement.body.get("Resource"))
    broad = [arn for arn in named if "*" in arn.rpartition("role/")[2] or "?" in arn.replace("${?}", "")]
    if broad:
        yield f"for {', '.join(broad)}"
    elif not named:
        yield "for all but its NotResource"


def _service(template: Template, statement: Statement) -> Iterator[str]:
    conditions: Any = statement.body.get("Condition")
    for operator, keys in conditions.items() if isinstance(conditions, Mapping) else ():
        if operator not in {"StringEquals", "StringLike"} or not isinstance(keys, Mapping):
            continue
        for key, services in keys.items():
            if key.lower() == "iam:passedtoservice" and "*" not in texts(template, services):
                return
    yield "to any service (no iam:PassedToService)"
