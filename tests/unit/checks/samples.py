"""Templates and stacks for the tests of the checks."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from stackseal.checks import checkov_env, foreign
from stackseal.checks.base import Engines
from stackseal.model import Config, JsonPath, Location, Name, Product, Stack, StackId, Template

FIXTURES = Path(__file__).parent / "fixtures"
STACK = "123456789012/us-west-2/demo-stack"
TAGS = {"owner": "ml-platform", "project": "churn"}


def stack(**changes: Any) -> Stack:
    """A stack of two resources that publishes one path, keeps buckets and has one computed name."""
    product = Product(
        name="demo",
        title="Demo",
        section="demo",
        root=Path("templates/products/demo"),
        template="template.yaml.j2",
        stateful=frozenset({"AWS::S3::Bucket"}),
        waivers=changes.pop("product_waivers", ()),
    )
    values: dict[str, Any] = {
        "id": StackId(account="123456789012", region="us-west-2", name="demo-stack"),
        "product": product,
        "config": Config(path="configs/demo.yaml", data={"demo": {"name": "churn"}}, marks={}),
        "env": "prod",
        "slug": "demo",
        "scenario": "",
        "variant": "starter",
        "names": {"bucket": Name(key="bucket", value="demo-artifacts", wanted="demo-artifacts", limit=63)},
        "context": {},
        "tags": TAGS,
        "expected_resources": 2,
        "publishes": ("/ml/demo/BucketName",),
    }
    return Stack(**{**values, **changes})


def template(text: str, owner: Stack | None = None, path: str = "template.yaml") -> Template:
    """A template as its file says it, of a stack or of nobody."""
    return replace(foreign.parse(text, path), stack=owner)


def blamed(found: Template, config: dict[JsonPath, int]) -> Template:
    """The same with nodes that a line of the config caused."""
    lines = {path: Location(path="configs/demo.yaml", line=line) for path, line in config.items()}
    return replace(found, source=replace(found.source, config=lines))


def world(work: Path, *names: str, **changes: Any) -> Engines:
    """The engines by name, with the installed checkov if it is asked for."""
    checkov = checkov_env.find(os.environ) if "checkov" in names else None
    return Engines(**{"checkov": checkov, "work": work, "names": names, **changes})
