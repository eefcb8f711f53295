"""Every resource that can carry tags carries the stack's."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stackseal import facts
from stackseal.checks.base import finding
from stackseal.checks.values import UNKNOWN, resources, text
from stackseal.model import Finding, Level, Template

ID: Final = "tags"
LEVEL: Final = Level.WARNING
TITLE: Final = "Taggable resources carry the stack's tags"
HELP: Final = """\
Cost reports and clean-up scripts find a resource by its tags. CloudFormation hands a stack's tags on to most resources,
but not to all; a tag in the template is there in any case.

Add the tags of the config's `tags` section to the resource.
"""


def check(template: Template) -> Iterator[Finding]:
    """One finding for each resource with missing or other tags."""
    if template.stack is None or not template.stack.tags:
        return
    for resource in resources(template):
        if (name := facts.taggable(resource.type)) is None:
            continue
        carried = _carried(template, resource.properties.get(name))
        if carried is None:
            continue
        wrong = [key for key, value in sorted(template.stack.tags.items()) if carried.get(key) not in {value, UNKNOWN}]
        if wrong:
            path = (*resource.path, "Properties", name) if name in resource.properties else resource.path
            message = f"{resource.id} ({resource.type}) does not carry the stack's tags {', '.join(wrong)} in {name}."
            yield finding(template, path, message, check=ID, level=LEVEL)


def _carried(template: Template, value: Any) -> dict[str, str] | None:
    """Tags from both spellings, a list of Key and Value or a mapping; None where a function hides them."""
    match value:
        case None:
            return {}
        case list():
            pairs = [item for item in value if isinstance(item, Mapping) and "Key" in item]
            return {text(template, item["Key"]): text(template, item.get("Value")) for item in pairs}
        case Mapping() if not any(str(key).startswith("Fn::") or key == "Ref" for key in value):
            return {str(key): text(template, item) for key, item in value.items()}
    return None
