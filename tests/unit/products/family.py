"""What the tests of the Step Functions and CodePipeline family share: configs, filled templates, the three engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from stackseal import assets, checks, facts, policy
from stackseal.model import Finding, Template
from unit.products.cases import ACCOUNT, PSEUDO, REGION, TEST_SUFFIX, fill, rendered, resolved
from unit.products.engines import engines

HERE = f"{REGION}:{ACCOUNT}"
TODAY = date(2026, 11, 20)
TAGS = {"cost_center": "Sales", "owner": "ml-platform-team"}


def config(section: str, keys: Mapping[str, Any], *, use_case: str = "churn") -> dict[str, Any]:
    """A config of one of the family's products."""
    client = {"company_name": "Acme", "company_prefix": "acme", "account_id": ACCOUNT, "tenant_id": "a001"}
    return {
        "client": client,
        "environment": {"env": "prod", "region": REGION},
        section: {"use_case": use_case, **keys},
        "tags": TAGS,
    }


def template(data: Mapping[str, Any], *, test: bool = False) -> Template:
    """The config's template."""
    return rendered(resolved(data, suffix=TEST_SUFFIX if test else ""))


def filled(found: Template) -> dict[str, Any]:
    """Resources with the parameters' values; a reference to a resource is `<Id>` or `<Id.Attribute>`."""
    resources: dict[str, Any] = fill(found.resources, {**PSEUDO, **found.parameters})
    return resources


def types(found: Template) -> dict[str, str]:
    """Logical id → type."""
    return {key: body["Type"] for key, body in found.resources.items()}


def examples(product: str) -> tuple[Path, ...]:
    """The examples of a product's folder."""
    return tuple(sorted((assets.PRODUCTS / product / "examples").glob("*.yaml")))


def statements(found: Template, role: str) -> list[dict[str, Any]]:
    """The statements of a role's inline policies, filled."""
    body = filled(found)[role]["Properties"]
    return [each for item in body["Policies"] for each in item["PolicyDocument"]["Statement"]]


def untagged(found: Template, product: str) -> list[str]:
    """The resources that could carry the stack's tags and do not."""
    wanted = {**TAGS, "stackseal": product}
    return [key for key, carried in _carried(found) if carried != wanted]


def _carried(found: Template) -> Iterator[tuple[str, dict[str, str]]]:
    for logical_id, body in filled(found).items():
        if (name := facts.taggable(body["Type"])) is not None:
            tags = body["Properties"].get(name, {})
            yield logical_id, tags if isinstance(tags, dict) else {item["Key"]: item["Value"] for item in tags}


def told(templates: Sequence[Template], work: Path) -> set[str]:
    """What our checks, cfn-lint, checkov and the policies' own doubts say and nobody answers for."""
    world = engines(work, "cfn-lint", "checkov", informational=True)
    findings: list[Finding] = [*checks.run(templates, world=world, today=TODAY)]
    for found in templates:
        findings += policy.check(found, policy.generate(found))
    return {f"{item.check} {item.resource} {item.message}" for item in findings if item.waiver is None}
