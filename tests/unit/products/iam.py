"""Just enough of IAM to judge the product's policies: wildcards, Allow and Deny, no conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from unit.products.cases import Case, filled

ROLES = ("CodeBuildRole", "CodePipelineRole", "SageMakerExecutionRole")
Statement = Mapping[str, Any]


def many(value: Any) -> list[Any]:
    """IAM writes one as itself and several as a list."""
    return list(value) if isinstance(value, list) else [value]


def statements(case: Case, logical_id: str) -> list[Statement]:
    """All statements of a role (inline and attached), or those of a managed policy."""
    resources = filled(case)
    body = resources[logical_id]["Properties"]
    documents = [body["PolicyDocument"]] if "PolicyDocument" in body else []
    documents += [policy["PolicyDocument"] for policy in body.get("Policies", [])]
    attached = [reference.strip("<>") for reference in body.get("ManagedPolicyArns", [])]
    documents += [resources[name]["Properties"]["PolicyDocument"] for name in attached]
    return [statement for document in documents for statement in document["Statement"]]


def grants(allowed: Iterable[Statement]) -> Iterator[tuple[str, str]]:
    """Every pair of action and resource pattern that is allowed."""
    for statement in allowed:
        if statement["Effect"] == "Allow":
            for action in many(statement["Action"]):
                for resource in many(statement["Resource"]):
                    yield action, resource


def permits(policy: Iterable[Statement], action: str, resource: str) -> bool:
    """Whether a policy allows an action on a resource (or on every resource of a pattern) and denies it nowhere."""
    found = list(policy)
    if any(_applies(statement, action, resource) for statement in found if statement["Effect"] == "Deny"):
        return False
    return any(_applies(statement, action, resource) for statement in found if statement["Effect"] == "Allow")


def _applies(statement: Statement, action: str, resource: str) -> bool:
    named = statement.get("Action", statement.get("NotAction"))
    hit = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in many(named))
    if "NotAction" in statement:
        hit = not hit
    return hit and any(fnmatchcase(resource, pattern) for pattern in many(statement["Resource"]))
