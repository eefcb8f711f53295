"""Nothing outside the template decides what is deployed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from stackseal.checks.base import finding
from stackseal.checks.values import resources, text, walk
from stackseal.model import Finding, JsonPath, Level, Template

ID: Final = "transform"
LEVEL: Final = Level.ERROR
TITLE: Final = "No macro, nested template or module that was not reviewed"
HELP: Final = """\
A macro rewrites the template inside AWS, a nested template and a module come from elsewhere: what is deployed is then
not what was linted, scanned and reviewed. `AWS::LanguageExtensions`, which only evaluates functions, is allowed.

Write the resources out, or make the nested template a stack of its own.
"""
ALLOWED: Final = frozenset({"AWS::LanguageExtensions"})
_NESTED: Final = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::CloudFormation::StackSet": "TemplateURL"}


def check(template: Template) -> Iterator[Finding]:
    """One finding for each use, top level or inside."""
    for path, node in walk(template.body):
        for name, at in _uses(node, path):
            if (macro := text(template, name)) not in ALLOWED:
                message = f"The template is rewritten by {macro}, which is not one of the allowed ones."
                yield finding(template, at, message, check=ID, level=LEVEL)
    for resource in resources(template):
        if resource.type.endswith("::MODULE"):
            message = f"{resource.id} is the module {resource.type}: its resources are not in this template."
            yield finding(template, (*resource.path, "Type"), message, check=ID, level=LEVEL)
        address = _NESTED.get(resource.type, "")
        if address in resource.properties:
            message = f"{resource.id} deploys a template from {text(template, resource.properties[address])}."
            yield finding(template, (*resource.path, "Properties", address), message, check=ID, level=LEVEL)


def _uses(node: Any, path: JsonPath) -> Iterator[tuple[Any, JsonPath]]:
    """Names of macros that a node uses: `Transform` at the top, `Fn::Transform` anywhere below."""
    if not isinstance(node, Mapping):
        return
    for key in ("Fn::Transform", "Transform") if path == () else ("Fn::Transform",):
        used = node.get(key, [])
        for name in used if isinstance(used, list) else [used]:
            yield (name.get("Name") if isinstance(name, Mapping) else name), (*path, key)
