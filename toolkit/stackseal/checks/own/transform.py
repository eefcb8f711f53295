"""Nothing outside the template decides what is deployed."""

import re
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
not what was linted, scanned and reviewed. `AWS::LanguageExtensions`, which only evaluates functions, is allowed; a loop
over resources (`Fn::ForEach`) is not, because no check, policy or count sees the resources that it makes.

Write the resources out, or make the nested template a stack of its own. Where this is waived, a nested template still
has to lie in the account's artifact bucket (`accounts.ID.artifact_bucket`), or no change set is made.
"""
ALLOWED: Final = frozenset({"AWS::LanguageExtensions"})
_S3: Final = re.compile(
    r"(?!.*\.\.)https://(?:(?P<host>[a-z0-9][a-z0-9.-]+)\.)?s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?/"
    r"(?(host)|(?P<path>[a-z0-9][a-z0-9.-]+)/)[A-Za-z0-9!_.*'()/-]+"
)
"""Virtual-hosted and path style (Amazon S3 User Guide, "Methods for accessing a bucket"); no user, port or query."""
_NESTED: Final = {"AWS::CloudFormation::Stack": "TemplateURL", "AWS::CloudFormation::StackSet": "TemplateURL"}


def check(template: Template) -> Iterator[Finding]:
    """One finding for each use, top level or inside."""
    for path, node in walk(template.body):
        for name, at in _uses(node, path):
            if (macro := text(template, name)) not in ALLOWED:
                message = f"The template is rewritten by {macro}, which is not one of the allowed ones."
                yield finding(template, at, message, check=ID, level=LEVEL)
    for name in template.resources:
        if name.startswith("Fn::ForEach"):
            message = f"{name} makes resources inside AWS, which nobody has looked at."
            yield finding(template, ("Resources", name), message, check=ID, level=LEVEL)
    for resource in resources(template):
        if resource.type.endswith("::MODULE"):
            message = f"{resource.id} is the module {resource.type}: its resources are not in this template."
            yield finding(template, (*resource.path, "Type"), message, check=ID, level=LEVEL)
    for path, address in addresses(template):
        yield finding(template, path, f"{path[1]} deploys a template from {address}.", check=ID, level=LEVEL)


def addresses(template: Template) -> Iterator[tuple[JsonPath, str]]:
    """Where nested templates come from: the property and what is known of its address."""
    for resource in resources(template):
        name = _NESTED.get(resource.type, "")
        if name in resource.properties:
            yield (*resource.path, "Properties", name), text(template, resource.properties[name])


def elsewhere(template: Template, bucket: str | None) -> tuple[str, ...]:
    """The addresses of nested templates that do not lie in the bucket, or of which that is not known."""
    return tuple(address for _, address in addresses(template) if bucket is None or _bucket(address) != bucket)


def _bucket(address: str) -> str | None:
    """The bucket of an https address of S3, in either of its forms; None where it is no such address."""
    found = _S3.fullmatch(address)
    return (found["host"] or found["path"]) if found else None


def _uses(node: Any, path: JsonPath) -> Iterator[tuple[Any, JsonPath]]:
    """Names of macros that a node uses: `Transform` at the top, `Fn::Transform` anywhere below."""
    if not isinstance(node, Mapping):
        return
    for key in ("Fn::Transform", "Transform") if path == () else ("Fn::Transform",):
        used = node.get(key, [])
        for name in used if isinstance(used, list) else [used]:
            yield (name.get("Name") if isinstance(name, Mapping) else name), (*path, key)
