"""Which IAM actions an operation on a resource calls: handlers, tags and tables, less what no property needs."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from stackseal import facts
from stackseal.facts import ActionFacts, TypeFacts
from stackseal.model import Operation
from stackseal.policy.legacy import LEGACY
from stackseal.policy.scene import Resource
from stackseal.policy.tables import ALIASES, ALWAYS, EXTRAS, NEVER, OWNERS, PREFIXES, TRIGGERS, Operations

_VERBS: Final = re.compile(r"^(Create|Put|Update|Delete|Set|Enable|Disable|Modify|Add|Remove|Attach|Detach|Associate|"
                           r"Disassociate|Start|Stop|Register|Deregister|Authorize|Revoke|Replace|Change)")  # fmt: skip
_UNTAGS: Final = re.compile(r":(Delete|Remove|Untag)")
# As _words() gives them: in the singular.
_EMPTY_WORDS: Final = frozenset(
    {"configuration", "config", "setting", "specification", "propertie", "document", "body", "list", "option"}
    | {"arn", "id", "name", "in", "day"}
)


@dataclass(frozen=True, kw_only=True)
class Call:
    """One action that one operation on one resource needs."""

    resource: Resource
    operation: Operation
    action: ActionFacts


def sourced(kind: str) -> bool:
    """Whether anything says which permissions a type needs: our table, or handlers with a write that IAM knows."""
    known = facts.of_type(kind)
    if _legacy(kind) is not None or known is None or known.handlers is None:
        return _legacy(kind) is not None
    return any(not action.reads for name in known.handlers.get("create", ()) for action in canonical(name))


def calls(
    resource: Resource, operation: Operation, before: Resource | None = None, *, tagged: bool = True
) -> Iterator[Call]:
    """The calls of one operation, in a fixed order; none for a type without a source.

    `before` is the same resource in the base template: what an update takes away must be called too. `tagged` says that
    the stack has tags, which CloudFormation hands on to every resource.
    """
    present = resource.words | (before.words if before else frozenset())
    for name in sorted(_permissions(resource.kind, operation, present)):
        for action in canonical(name):
            if not tagged and "t" in action.levels and _tagless(resource.kind, present):
                continue
            if _wanted(resource.kind, operation, action, present):
                yield Call(resource=resource, operation=operation, action=action)


def _tagless(kind: str, present: frozenset[str]) -> bool:
    """Whether nothing tags a resource of a stack without tags: no property of its own, no tag of CloudFormation's."""
    known = facts.of_type(kind)
    if known is None or not known.no_system_tags or not known.tag_property:
        return False
    return known.tag_property.rpartition("/")[2] not in present


def _wanted(kind: str, operation: Operation, action: ActionFacts, present: frozenset[str]) -> bool:
    if action.name in NEVER or action.name == "iam:PassRole":  # passing follows the values: see passing.py
        return False
    prefix = action.name.partition(":")[0]
    if action.reads:  # only what the table gives to a property as a whole service
        owners = OWNERS.get(kind, {}).get(f"{prefix}:*")
        return owners is None or bool(present.intersection(owners))
    if operation is Operation.READ:
        return False
    if "t" in action.levels:
        return operation is Operation.UPDATE or not _UNTAGS.search(action.name)
    return needed(kind, action.name, present)


def _permissions(kind: str, operation: Operation, present: frozenset[str]) -> set[str]:
    """Names as the sources write them."""
    known = facts.of_type(kind)
    listed = _legacy(kind) or (known.handlers if known else None) or {}
    found = set(listed.get(operation.value, ()))
    for trigger, extra in EXTRAS.get(kind, {}).items():
        if not trigger or trigger in present:
            found.update(extra.get(operation.value, ()))
    if known is not None and listed and operation in {Operation.CREATE, Operation.UPDATE}:
        found.update(_tagging(known, removing=operation is Operation.UPDATE))
    return found


def _legacy(kind: str) -> Operations | None:
    return LEGACY.get("AWS::CloudFormation::CustomResource" if kind.startswith("Custom::") else kind)


def _tagging(known: TypeFacts, *, removing: bool) -> Iterator[str]:
    """Stack tags reach every taggable resource, with or without a property for tags."""
    for name in known.tag_permissions or _tag_actions(known.name):
        for action in canonical(name):
            if not action.reads and (removing or not _UNTAGS.search(action.name)):
                yield action.name


@cache
def _tag_actions(kind: str) -> tuple[str, ...]:
    """The service's own tagging actions, for a taggable type whose schema names none."""
    known = facts.of_type(kind)
    if known is None or not known.tag_property or not known.arn:
        return ()
    service = facts.service(known.arn.split(":")[2])
    shape = skeleton(known.arn)
    if service is None:
        return ()
    return tuple(
        action.name
        for action in service.actions.values()
        if "t" in action.levels
        and any(skeleton(arn) == shape for target in action.resources for arn in service.arns.get(target, ()))
    )


@cache
def skeleton(arn: str) -> str:
    """An ARN template without the names of its variables; some sources write `*` for one."""
    return re.sub(r"\$\{[^}]+\}|\*", "{}", arn)


@cache
def canonical(name: str) -> tuple[ActionFacts, ...]:
    """The IAM actions behind a name in a handler: none for a name that IAM lacks, only reads for a wildcard."""
    prefix, _, verb = name.partition(":")
    prefix = PREFIXES.get(prefix.lower(), prefix.lower())
    name = ALIASES.get(f"{prefix}:{verb}".lower(), f"{prefix}:{verb}")
    if "*" not in name:
        found = facts.action(name)
        return (found,) if found else ()
    service = facts.service(prefix)
    actions = service.actions.values() if service else ()
    return tuple(a for a in actions if a.reads and a.resources and fnmatch.fnmatch(a.name.lower(), name.lower()))


@cache
def needed(kind: str, action: str, present: frozenset[str]) -> bool:
    """Whether a write is called for a resource on which these properties are set.

    First the table; then words: a write that is named after an absent property and after no present one is not called;
    then another service's writes, whose property (a key, a log, a VPC) is there in the schema but not in the template.
    """
    prefix = action.partition(":")[0]
    owners = OWNERS.get(kind, {})
    if (properties := owners.get(action, owners.get(f"{prefix}:*"))) is not None:
        return bool(present.intersection(properties))
    known = facts.of_type(kind)
    if known is None:
        return True
    if prefix == own_service(kind):
        return action in ALWAYS or action in _only_writes(kind) or _named_after(known, action, present)
    triggers = TRIGGERS.get(prefix, (prefix.replace("-", ""),))
    relevant = {word for word in known.words if any(trigger in word.lower() for trigger in triggers)}
    return not relevant or not relevant.isdisjoint(present)


@cache
def _only_writes(kind: str) -> frozenset[str]:
    """Writes that are all that an operation's handler has of its own service: what makes or removes the resource."""
    known = facts.of_type(kind)
    found: set[str] = set()
    for names in (known.handlers or {}).values() if known else ():
        actions = {action.name: action for name in names for action in canonical(name)}
        writes = {
            name
            for name, action in actions.items()
            if known and not action.reads and "t" not in action.levels and name.startswith(f"{own_service(kind)}:")
        }
        if len(writes) == 1:
            found |= writes
    return frozenset(found)


@cache
def own_service(kind: str) -> str:
    """The IAM prefix of a type: that of its ARN, else of the handlers that are named after it, else its namespace."""
    known = facts.of_type(kind)
    if known is None:
        return kind.split("::")[min(1, kind.count("::"))].lower()
    if known.arn:
        return known.arn.split(":")[2]
    short = known.name.rpartition("::")[2].lower()
    names = [name for listed in (known.handlers or {}).values() for name in listed]
    prefixes = [name.partition(":")[0] for name in names if short in name.lower()]
    prefixes = prefixes or [prefix for name in names if (prefix := name.partition(":")[0]) not in {"iam", "kms"}]
    return max(sorted(set(prefixes)), key=prefixes.count) if prefixes else kind.split("::")[1].lower()


def _named_after(known: TypeFacts, action: str, present: frozenset[str]) -> bool:
    type_words = set(_words(known.name.rpartition("::")[2]))
    subject = set(_words(_VERBS.sub("", action.partition(":")[2]))) - type_words - _EMPTY_WORDS
    if not subject:
        return True
    matching = {
        name
        for name in known.properties
        if name not in known.read_only and _same_subject(subject, set(_words(name)) - type_words - _EMPTY_WORDS)
    }
    return not matching or not matching.isdisjoint(present)


def _same_subject(left: set[str], right: set[str]) -> bool:
    return bool(right) and (left <= right or right <= left)


def _words(name: str) -> list[str]:
    """`PutBucketCORS` → put, bucket, cors; plurals as singulars."""
    found = re.findall(r"[A-Z]+(?=[A-Z][a-z]|\b|\d|_)|[A-Z]?[a-z]+|\d+", name)
    return [word.lower().removesuffix("s") or word.lower() for word in found]
