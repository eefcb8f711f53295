"""What must hold of every generated policy, judged on its statements and the published facts alone.

Of `stackseal.policy` only what is judged is used, and a list that others wrote: a generator that doubts itself is not
its own judge.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from stackseal import assets, facts, policy
from stackseal.model import Policy, Role, Statement, Template
from stackseal.policy import escalation
from trust import corpora
from unit.products import cases

GRANTING = tuple(role for role in Role if role is not Role.BOUNDARY)
"""A boundary grants nothing; it is a ceiling of whole services."""
_OPEN = re.compile(r"^\*$|:\*$|:[^:/]+/\*$")
"""A resource that ends where its name would begin; what comes after a name (a stack's id) may be open."""
_REGION_ONLY = {"aws:requestedregion"}


@cache
def examples() -> Mapping[str, Template]:
    """Product and name of every example of every product, and every combination of the ML product, rendered."""
    found = {
        f"{path.parts[-3]}/{path.stem}": cases.rendered(cases.example(path))
        for path in sorted(assets.PRODUCTS.glob("*/examples/*.yaml"))
    }
    return found | {f"ml/{case}": cases.template(case) for case in cases.CASES}


@cache
def policies(name: str) -> Mapping[Role, Policy]:
    """The six policies of one of the `examples`."""
    return {found.role: found for found in policy.generate(examples()[name])}


def grants(found: Policy) -> Iterator[tuple[Statement, str]]:
    """Every statement that allows something, with each of its actions."""
    for statement in found.statements:
        if statement.effect == "Allow":
            for action in statement.actions:
                yield statement, action


def keys(statement: Statement) -> set[str]:
    """The condition keys of a statement, in lower case."""
    return {key.lower() for entries in statement.conditions.values() for key in entries}


def writes(found: Policy) -> set[str]:
    """The actions that change something; one that IAM does not know counts."""
    return {action for _, action in grants(found) if (known := facts.action(action)) is None or not known.reads}


def unscoped_writes(found: Policy) -> set[str]:
    """Writes that are allowed on everything although IAM could limit them to resources."""
    return {
        action
        for statement, action in grants(found)
        if "*" in statement.resources and (known := facts.action(action)) and known.resources and not known.reads
    }


def loose_passing(found: Policy) -> set[str]:
    """Roles that may be handed to any service, or that are not one role each."""
    return {
        resource
        for statement, action in grants(found)
        if action.lower() == "iam:passrole"
        for resource in statement.resources
        if "iam:passedtoservice" not in keys(statement)
        or any("*" in service for service in _values(statement, "iam:passedtoservice"))
        or _OPEN.search(resource)
    }


def _values(statement: Statement, wanted: str) -> Iterator[str]:
    for entries in statement.conditions.values():
        for key, values in entries.items():
            if key.lower() == wanted:
                yield from values


def unknown_actions(found: Policy) -> set[str]:
    """Actions that IAM does not have; a wildcard is none."""
    return {action for _, action in grants(found) if facts.action(action) is None}


def unsupported_keys(found: Policy) -> set[tuple[str, str]]:
    """Action and condition key that IAM never fills for it: the statement would never match."""
    return {
        (action, key)
        for statement, action in grants(found)
        if (known := facts.action(action))
        for key in keys(statement)
        if not key.startswith("aws:") and key not in {each.lower() for each in known.keys}
    }


@cache
def prowler() -> Mapping[str, frozenset[str]]:
    """The ways to somebody else's rights that Prowler lists (tests/trust/corpora/NOTICE)."""
    return {name: frozenset(actions) for name, actions in corpora.read("escalations").items()}


@cache
def paths() -> Mapping[str, frozenset[str]]:
    """The known ways from some actions to somebody else's rights: Prowler's, and those of pathfinding.cloud."""
    return {**prowler(), **{name: frozenset(actions.split()) for name, actions in escalation.WAYS.items()}}


def escalations(statements: Iterable[Statement]) -> set[str]:
    """Every path whose actions are all allowed without a limit: on all of a kind, with no condition but the region."""
    listed = tuple(statements)
    denied = {name.lower() for item in listed if item.effect == "Deny" and not item.conditions for name in item.actions}
    free = {
        action.lower()
        for item in listed
        if item.effect == "Allow" and any(_OPEN.search(each) for each in item.resources)
        for action in item.actions
        if not _limited(item, action)
    }
    return {
        name
        for name, needed in paths().items()
        if all(_has(free, action.lower()) and not _has(denied, action.lower()) for action in needed)
    }


def _limited(statement: Statement, action: str) -> bool:
    allowed = _REGION_ONLY | ({"iam:passedtoservice"} if action.lower() == "iam:passrole" else set())
    return bool(keys(statement) - allowed)


def _has(patterns: set[str], action: str) -> bool:
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in patterns)


def roles_within(template: Template) -> Mapping[str, tuple[Statement, ...]]:
    """Logical id of every role that a template makes, and the statements of its own and its attached policies."""
    assert template.stack
    pseudo = {"AWS::Region": template.stack.id.region, "AWS::AccountId": template.stack.id.account}
    resources = cases.fill(template.resources, {**cases.PSEUDO, **pseudo, **template.parameters})
    return {
        logical_id: tuple(_read(statement) for statement in _statements(node["Properties"], resources))
        for logical_id, node in resources.items()
        if node["Type"] == "AWS::IAM::Role"
    }


def _statements(role: Mapping[str, Any], resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    documents = [each["PolicyDocument"] for each in role.get("Policies", [])]
    attached = [resources.get(name.strip("<>")) for name in role.get("ManagedPolicyArns", []) if isinstance(name, str)]
    documents += [policy["Properties"]["PolicyDocument"] for policy in attached if policy]
    for document in documents:
        yield from document["Statement"]


def _read(statement: Mapping[str, Any]) -> Statement:
    """A statement of a template as one of a policy; what it says of everything but some actions is of everything."""
    return Statement(
        sid=str(statement.get("Sid", "")),
        effect="Deny" if statement["Effect"] == "Deny" else "Allow",
        actions=_texts(statement.get("Action", "*")),
        resources=_texts(statement.get("Resource", "*")),
        conditions=statement.get("Condition", {}),
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
