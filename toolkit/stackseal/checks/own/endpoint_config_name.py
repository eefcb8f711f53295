"""An endpoint configuration has no fixed name, so that it can be replaced."""

from collections.abc import Iterator
from typing import Final

from stackseal.checks.base import finding
from stackseal.checks.values import resources
from stackseal.model import Finding, Level, Template

ID: Final = "endpoint-config-name"
LEVEL: Final = Level.ERROR
TITLE: Final = "Endpoint configurations have no fixed name"
HELP: Final = """\
Every change of an `AWS::SageMaker::EndpointConfig` is a replacement, and CloudFormation creates the new one before it
deletes the old one: with a fixed `EndpointConfigName` the update fails because the name is taken.

Leave the property out; CloudFormation then makes up a new name each time.
"""


def check(template: Template) -> Iterator[Finding]:
    """One finding for each name."""
    for resource in resources(template, "AWS::SageMaker::EndpointConfig"):
        if "EndpointConfigName" in resource.properties:
            message = f"{resource.id} has a fixed EndpointConfigName: every update would fail on the taken name."
            path = (*resource.path, "Properties", "EndpointConfigName")
            yield finding(template, path, message, check=ID, level=LEVEL)
