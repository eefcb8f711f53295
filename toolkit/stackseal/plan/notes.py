"""What a predicted plan cannot know, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from stackseal import facts
from stackseal.model import Action, Change, Replacement, Template, canonical_json
from stackseal.plan.body import resources
from stackseal.plan.overrides import NAME_SCOPES, REFUSED
from stackseal.plan.resolve import markers
from stackseal.plan.view import View

_REFERENCE: Final = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^}]+)\}\}")
BLIND: Final = (
    "Predicted from the templates without asking AWS: changes made outside CloudFormation, names already taken and "
    "quotas are not seen."
)


def predicted(before: View, after: View, changes: tuple[Change, ...], template: Template) -> tuple[str, ...]:
    """The notes of a predicted plan; the general one first, the others sorted."""
    special = {*_unknown_values(after), *_unknown_types(changes), *_refused(changes), *_retyped(before, after)}
    special |= set(_same_name(after, changes))
    special |= set(dynamic(template))
    if template.body.get("Transform"):
        special.add("The template uses macros, which CloudFormation runs before it plans: what they add is not seen.")
    return (BLIND, *sorted(special))


def dynamic(template: Template) -> tuple[str, ...]:
    """A note on `{{resolve:…}}` without a version: CloudFormation compares its text and never sees a new value.

    Source: "Dynamic references" in the CloudFormation User Guide.
    """
    names = sorted(name for name, raw in resources(template.body).items() if _unversioned(canonical_json(raw)))
    if not names:
        return ()
    return (f"A new value behind a dynamic reference without a version is not seen as a change: {', '.join(names)}.",)


def _unversioned(text: str) -> bool:
    """`ssm:NAME[:VERSION]`, `secretsmanager:ID-OR-ARN[:SecretString:KEY:STAGE:VERSION]`."""
    for service, rest in _REFERENCE.findall(text):
        parts = rest.split(":")
        name = 7 if parts[0] == "arn" else 1
        versions = parts[name + 3 :] if service == "secretsmanager" else parts[1:]
        if not any(versions):
            return True
    return False


def _unknown_values(after: View) -> Iterator[str]:
    paths = set()
    for name, resource in after.items():
        paths |= {str(marker.argument) for _, marker in markers(resource.properties) if marker.kind == "ssm"}
        if not resource.certain:
            yield f"Whether {name} exists depends on a value that only AWS knows."
        if resource.type == "AWS::CloudFormation::Stack":
            yield f"Changes inside the nested stack {name} are not seen."
    if paths:
        yield f"Values read from SSM at deployment are not seen: {', '.join(sorted(paths))}."


def _unknown_types(changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes:
        if change.action is Action.MODIFY and facts.of_type(change.type) is None:
            yield f"AWS publishes no schema for {change.type}: whether {change.logical_id} is replaced is not known."


def _refused(changes: tuple[Change, ...]) -> Iterator[str]:
    for change in changes:
        for path in REFUSED.get(change.type, ()):
            if any(item.path == path for item in change.properties):
                yield f"AWS refuses to change {path} of {change.logical_id}: the update will fail."


def _same_name(after: View, changes: tuple[Change, ...]) -> Iterator[str]:
    """A replacement makes the new resource first, so a name that stays is taken."""
    for change in changes:
        if change.action is not Action.MODIFY or change.replacement is not Replacement.ALWAYS:
            continue
        scope = NAME_SCOPES.get(change.type)
        moved = scope is not None and any(item.path == scope for item in change.properties)
        if change.physical_id and after[change.logical_id].physical_id == change.physical_id and not moved:
            yield (
                f"{change.logical_id} would be replaced under its old name {change.physical_id}: CloudFormation makes "
                "the new one first and fails, because the name is taken; give it another name."
            )


def _retyped(before: View, after: View) -> Iterator[str]:
    for name in before.keys() & after.keys():
        if before[name].type != after[name].type:
            yield (
                f"CloudFormation refuses to turn {name} from {before[name].type} into {after[name].type}: "
                "give the new resource a new logical id."
            )
