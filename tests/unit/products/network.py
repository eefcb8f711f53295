"""Configs of the network products, and their templates as CloudFormation would read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stackseal import assets, policy
from stackseal.catalogue import Resolved
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.model import Role, Template
from unit.policy.judge import denied
from unit.products.cases import ACCOUNT, PSEUDO, REGION, fill, rendered, resolved

VPC_EXAMPLES = tuple(sorted((assets.PRODUCTS / "vpc" / "examples").glob("*.yaml")))
SG_EXAMPLES = tuple(sorted((assets.PRODUCTS / "sg" / "examples").glob("*.yaml")))


def config(env: str = "prod", **section: Any) -> dict[str, Any]:
    """A config with one section besides the common ones."""
    return {
        "client": {"company_name": "Acme", "company_prefix": "acme", "account_id": ACCOUNT, "tenant_id": "a001"},
        "environment": {"env": env, "region": REGION},
        **section,
        "tags": {"owner": "ml-platform-team"},
    }


def vpc(suffix: str = "", **keys: Any) -> Resolved:
    """A VPC; 10.0.0.0/16 in the zones a and b unless the keys say otherwise."""
    return resolved(config(vpc={"cidr": "10.0.0.0/16", **keys}), suffix=suffix)


def groups(scenario: str, suffix: str = "", **keys: Any) -> Resolved:
    """Security groups in a VPC whose id is read from Parameter Store."""
    section = {"scenario": scenario, "vpc_source": "ssm", "vpc_parameter_store_path": "/vpc/main/VPCId", **keys}
    return resolved(config(sg=section), suffix=suffix)


def template(found: Resolved) -> Template:
    return rendered(found)


def filled(found: Resolved) -> dict[str, Any]:
    """The resources with the parameters' values; a reference to a resource is `<Id>` or `<Id.Attribute>`."""
    made = rendered(found)
    resources: dict[str, Any] = fill(made.resources, {**PSEUDO, **made.parameters})
    return resources


def of_type(resources: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Logical id and properties of every resource of a type of EC2."""
    return {name: body["Properties"] for name, body in resources.items() if body["Type"] == f"AWS::EC2::{kind}"}


def refused(found: Resolved, copy: Resolved) -> list[str]:
    """What the embedded AWS's table asks for and a generated policy refuses; the operator's with a test copy too."""
    made = rendered(found)
    policies = {item.role: item for item in policy.generate(made)}
    writers, readers = (Role.OPERATOR, Role.EXECUTION), (Role.OPERATOR, Role.PLAN, Role.DEPLOY, Role.DRIFT)
    operator = (Role.OPERATOR,)
    return denied(made, policies, writers, readers) + denied(rendered(copy), policies, operator, operator)


def problems(resolve: Callable[[], Resolved]) -> str:
    """What the author of an invalid config is told."""
    with pytest.raises((ConfigError, ConfigErrors)) as caught:
        resolve()
    errors = caught.value.errors if isinstance(caught.value, ConfigErrors) else (caught.value,)
    return "\n".join(str(error) for error in errors)
