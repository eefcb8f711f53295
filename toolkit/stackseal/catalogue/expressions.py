"""The expressions of a `product.yaml`, evaluated for one config in the sandbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from stackseal.catalogue.product import ProductFile, ProductWaiver
from stackseal.errors import ConfigError
from stackseal.model import Json
from stackseal.sandbox import Evaluated, Sandbox

IDENTITY: Final = (("account", "client.account_id"), ("region", "environment.region"), ("env", "environment.env"))
WAIVER: Final = "waiver"


def evaluate(product: ProductFile, context: Mapping[str, Json], suffix: str, sandbox: Sandbox) -> Evaluated:
    """The value of every expression by its key.

    Raises ConfigError at the line of an organisation's `product.yaml` that is wrong.
    """
    rows = list(_rows(product))
    seen = {**context, "suffix": suffix, "test": bool(suffix)}
    places = {key: product.at(*place) for key, _, place in rows} if product.marks else {}
    return sandbox.evaluate([(key, expression) for key, expression, _ in rows], seen, where=product.at(), places=places)


def holding(
    product: ProductFile, context: Mapping[str, Json], suffix: str, sandbox: Sandbox
) -> Iterator[ProductWaiver]:
    """The waivers that hold; one that cannot be evaluated, for a config that needs a newer product, does not."""
    seen = {**context, "suffix": suffix, "test": bool(suffix)}
    for rule in product.waivers:
        wanted = [*IDENTITY, *product.variables.items(), (f"{WAIVER}:", rule.when)]
        try:
            values = sandbox.evaluate(wanted, seen, where=product.at()).values
        except ConfigError:
            continue
        if values[f"{WAIVER}:"]:
            yield rule


def _rows(product: ProductFile) -> Iterator[tuple[str, str, tuple[str | int, ...]]]:
    """Key, expression and its node in `product.yaml`, in the order in which they see each other."""
    yield from ((key, expression, ()) for key, expression in IDENTITY)
    yield from ((key, value, ("variables", key)) for key, value in product.variables.items())
    for key, expression in (("slug", product.slug), ("name", product.stack), ("scenario", product.scenario)):
        yield f"stack:{key}", expression, ("stack" if key == "name" else key,)
    yield "stack:variant", product.variant, ("variant",)
    yield "stack:protected", product.protected, ("protected",)
    for key, rule in product.names.items():
        yield f"names:{key}", _if(rule.name, rule.when), ("names", key)
    yield from ((f"tags:{key}", value, ("tags", key)) for key, value in product.tags.items())
    for index, token in enumerate(product.file_name):
        yield f"file:{token.token}", token.value, ("file_name", index)
    for kind, node, conditions in (
        ("count", "resources", [rule.when for rule in product.resources]),
        (WAIVER, "waivers", [rule.when for rule in product.waivers]),
        ("addition", "additions", [rule.when for rule in product.additions]),
        ("advice", "advice", [rule.when for rule in product.advice]),
        ("afterwards", "afterwards", [_if(f"'{n}'", rule.when) for n, rule in enumerate(product.afterwards)]),
        ("publishes", "publishes", [_if(rule.path, rule.when) for rule in product.publishes]),
        ("consumes", "consumes", [_if(rule.path, rule.when) for rule in product.consumes]),
    ):
        yield from ((f"{kind}:{index}", text, (node, index)) for index, text in enumerate(conditions))


def _if(expression: str, when: str) -> str:
    """The expression's value where `when` holds, None otherwise."""
    return f"({expression}) if ({when}) else none"
