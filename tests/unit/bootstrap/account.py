"""The product's examples, and what their roles trust and may do, as IAM would read them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from stackseal import assets, yamltext
from stackseal.model import Template
from unit.products.cases import PSEUDO, example, fill, rendered, resolved

FOLDER = assets.PRODUCTS / "bootstrap" / "examples"
EXAMPLES = tuple(sorted(FOLDER.glob("*.yaml")))
PLAIN = FOLDER / "stackseal-111122223333-us-west-2-bootstrap.yaml"
ACCOUNT = "111122223333"
VALUES = {**PSEUDO, "AWS::AccountId": ACCOUNT}


def data(path: Path = PLAIN) -> dict[str, Any]:
    """The config of an example, to be changed."""
    found = yamltext.parse(path.read_text(encoding="utf-8"), path.name).data
    assert isinstance(found, dict)
    return found


@cache
def template(path: Path = PLAIN) -> Template:
    return rendered(example(path))


def of(changed: dict[str, Any]) -> Template:
    """The template of a changed config."""
    return rendered(resolved(changed))


def filled(found: Template) -> dict[str, Any]:
    """Resources with parameters and pseudo parameters in place; other references as `<Name>` or `<Name.Arn>`."""
    resources: dict[str, Any] = fill(found.resources, {**VALUES, **found.parameters})
    return resources


def trust(found: Template, role: str) -> dict[str, Any]:
    document: dict[str, Any] = filled(found)[f"{role}Role"]["Properties"]["AssumeRolePolicyDocument"]
    return document


def statements(found: Template, role: str) -> list[dict[str, Any]]:
    """All statements of a role, those of its managed policies included."""
    resources = filled(found)
    body = resources[f"{role}Role"]["Properties"]
    documents = [policy["PolicyDocument"] for policy in body.get("Policies", [])]
    names = [reference.strip("<>") for reference in body.get("ManagedPolicyArns", [])]
    documents += [resources[name]["Properties"]["PolicyDocument"] for name in names]
    return [statement for document in documents for statement in document["Statement"]]
