"""A connection that nobody has confirmed: no pipeline reads its source. Only AWS can tell, so it is asked first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from stackseal.checks.base import finding
from stackseal.checks.values import Resource, resources, text, walk
from stackseal.model import Finding, JsonPath, Level, Template

ID: Final = "connection"
LEVEL: Final = Level.WARNING
TITLE: Final = "Connections to source repositories are confirmed"
HELP: Final = """\
A connection of AWS CodeConnections is made PENDING, and only a person can confirm it, in the console. Until then
pipelines are created and deployed, and none of them can read its source. A review and `deploy-product` with credentials
look, and warn with the link to the connection's page; where the role may not look, a note says so.

Open the link and choose *Update pending connection*. A role that was bootstrapped may look at the connections that
`bootstrap.connections` lists.
"""
_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:(?:codeconnections|codestar-connections):([a-z0-9-]+):([0-9]{12}):connection/([0-9a-f-]+)"
)
_KINDS: Final = ("AWS::CodePipeline::Pipeline", "AWS::CodeBuild::Project")


@dataclass(frozen=True, kw_only=True)
class Use:
    """A connection that a template uses, and where it does so first."""

    arn: str
    path: JsonPath


def uses(template: Template) -> tuple[Use, ...]:
    """The connections of the pipelines and projects, each once, as far as their ARNs are known today."""
    found: dict[str, Use] = {}
    for resource in resources(template, *_KINDS):
        for path, value in _named(resource):
            arn = text(template, value)
            if _ARN.fullmatch(arn):
                found.setdefault(arn, Use(arn=arn, path=path))
    return tuple(found[arn] for arn in sorted(found))


def judge(template: Template, use: Use, status: str | None) -> Iterator[Finding]:
    """What is wrong with a connection of this status; None means that it is not there."""
    if status is None:
        message = f"The connection {use.arn} is not there, so no pipeline can read its source; make one at {_home(use)}"
        yield finding(template, use.path, message, check=ID, level=LEVEL)
    elif status != "AVAILABLE":
        message = (
            f"The connection {use.arn} is {status}, so no pipeline can read its source; complete it at {_page(use)}"
        )
        yield finding(template, use.path, message, check=ID, level=LEVEL)


def unseen(template: Template, use: Use, why: str) -> Finding:
    """The note that nobody could look."""
    message = f"Nobody could see whether the connection {use.arn} is confirmed ({why}); look at {_page(use)}"
    return finding(template, use.path, message, check=ID, level=Level.NOTE)


def _named(resource: Resource) -> Iterator[tuple[JsonPath, Any]]:
    for path, node in walk(resource.properties, (*resource.path, "Properties")):
        if path[-1] == "ConnectionArn" or path[-2:] == ("Auth", "Resource"):
            yield path, node


def _page(use: Use) -> str:
    """The console's page of a connection."""
    found = _ARN.fullmatch(use.arn)
    assert found is not None  # noqa: S101 - only such are found
    region, account, name = found.groups()
    return f"https://{region}.console.aws.amazon.com/codesuite/settings/{account}/{region}/connections/{name}"


def _home(use: Use) -> str:
    region = use.arn.split(":")[3]
    return f"https://{region}.console.aws.amazon.com/codesuite/settings/connections?region={region}"
