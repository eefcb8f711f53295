"""Resources whose loss is data loss are kept when the stack lets go of them."""

from collections.abc import Iterator
from typing import Final

from stackseal.checks.base import finding
from stackseal.checks.values import resources
from stackseal.model import Finding, Level, Template

ID: Final = "stateful-retention"
LEVEL: Final = Level.ERROR
TITLE: Final = "Resources that hold data are retained"
HELP: Final = """\
Deleting or replacing a bucket, a key or a domain takes its data along. A resource of a type that the product calls
`stateful` needs

    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain

`RetainExceptOnCreate` also cleans up when the very first creation fails. Test stacks are exempt: nothing of them stays.
"""
_WANTED: Final = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}


def check(template: Template) -> Iterator[Finding]:
    """One finding for each policy that is missing or another."""
    if template.stack is None or template.stack.test:
        return
    for resource in resources(template, *sorted(template.stack.product.stateful)):
        if resource.type not in template.stack.product.stateful:
            continue
        for attribute, wanted in _WANTED.items():
            if (found := resource.body.get(attribute)) != wanted:
                path = (*resource.path, attribute) if attribute in resource.body else resource.path
                message = (
                    f"{resource.id} ({resource.type}) holds data: {attribute} must be {wanted}, "
                    f"it is {found if found is not None else 'missing'}."
                )
                yield finding(template, path, message, check=ID, level=LEVEL)
