"""The template holds as many resources as its product promises."""

from collections.abc import Iterator
from typing import Final

from stackseal.checks.base import finding
from stackseal.model import Finding, Level, Template

ID: Final = "resource-count"
LEVEL: Final = Level.ERROR
TITLE: Final = "The number of resources is the one that the product promises"
HELP: Final = """\
A product states in `product.yaml` how many resources each variant has. Another number means that the template was
edited by hand or that the product changed without its promise.

Render the template again (`stackseal create-prov-template`). If the product itself changed, update `resources` there.
"""


def check(template: Template) -> Iterator[Finding]:
    """One finding where the counts differ; templates without a promise have none."""
    expected = template.stack.expected_resources if template.stack else None
    found = len(template.resources)
    if template.stack is not None and expected is not None and found != expected:
        message = (
            f"The template has {found} resources, but {template.stack.product.name} ({template.stack.variant}) "
            f"promises {expected}."
        )
        yield finding(template, ("Resources",), message, check=ID, level=LEVEL)
