"""Templates for the tests of this part: a dict becomes a Template whose source map points at invented lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stackseal.model import (
    Config,
    JsonPath,
    Location,
    Product,
    SourceMap,
    Stack,
    StackId,
    Template,
    canonical_json,
)

STACK = StackId(account="123456789012", region="us-west-2", name="techcorp-churn-ml-stack")


def template(
    resources: Mapping[str, Any],
    *,
    parameters: Mapping[str, str] | None = None,
    lines: Mapping[JsonPath, int] | None = None,
    tags: Mapping[str, str] | None = None,
    stateful: frozenset[str] = frozenset(),
    **sections: Any,
) -> Template:
    """A template of one stack; `lines` says on which line of `configs/churn.yaml` a node was caused."""
    values = dict(parameters or {})
    declared = {name: {"Type": "String"} for name in values} | sections.pop("Parameters", {})
    body: dict[str, Any] = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": dict(resources), **sections}
    if declared:
        body["Parameters"] = declared
    config = {path: Location(path="configs/churn.yaml", line=line) for path, line in (lines or {}).items()}
    source = SourceMap(path="templates/churn.yaml", lines=(), rendered={}, template={}, config=config)
    return Template(
        text=canonical_json(body), body=body, parameters=values, source=source, stack=stack(tags or {}, stateful)
    )


def stack(tags: Mapping[str, str], stateful: frozenset[str]) -> Stack:
    """A stack of a product that exists for these tests only."""
    return Stack(
        id=STACK,
        product=Product(
            name="ml", title="ML", section="ml_product", root=Path(), template="t.yaml.j2", stateful=stateful
        ),
        config=Config(path="configs/churn.yaml", data={}, marks={}),
        env="prod",
        slug="techcorp-churn-ml",
        scenario="codecommit",
        variant="starter",
        names={},
        context={},
        tags=tags,
    )
