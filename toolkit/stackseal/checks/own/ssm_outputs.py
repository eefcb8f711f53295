"""The template publishes exactly the SSM parameters that its product promises."""

from collections.abc import Iterator
from typing import Final

from stackseal.checks.base import finding
from stackseal.checks.values import UNKNOWN, resources, text
from stackseal.model import Finding, Level, Template

ID: Final = "ssm-outputs"
LEVEL: Final = Level.ERROR
TITLE: Final = "The published SSM parameters are the promised ones"
HELP: Final = """\
Other stacks and programs read a stack's results from SSM parameters. A missing path breaks them; a path that no product
promises is one that nobody may rely on.

Make `publishes` in `product.yaml` and the `AWS::SSM::Parameter` resources of the template agree.
"""


def check(template: Template) -> Iterator[Finding]:
    """One finding for each promised path that is missing, and for each parameter that was not promised."""
    if template.stack is None:
        return
    promised = set(template.stack.publishes)
    found: set[str] = set()
    for resource in resources(template, "AWS::SSM::Parameter"):
        name = text(template, resource.properties.get("Name"))
        found.add(name)
        if name not in promised:
            path = (*resource.path, "Properties", "Name") if "Name" in resource.properties else resource.path
            shown = "a name that is only known after the deployment" if UNKNOWN in name else name
            message = f"{resource.id} publishes {shown}, which the product does not promise."
            yield finding(template, path, message, check=ID, level=LEVEL)
    for missing in sorted(promised - found):
        message = f"The product promises the SSM parameter {missing}, but the template does not have it."
        yield finding(template, ("Resources",), message, check=ID, level=LEVEL)
