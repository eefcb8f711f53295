"""`list-products` (spec A12): the catalogue, without a call to AWS."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from stackseal.commands.base import emit, table
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.catalogue.product import ProductFile

SUMMARY: Final = "the catalogue: products, their variants and how many resources each has"
HELP: Final = """\
List the products that a config can choose, with the number of resources of each of their variants.
Reads the catalogue only; no AWS call, no config.

    stackseal list-products
    stackseal list-products --format json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """It has no arguments of its own."""
    del parser


def run(args: argparse.Namespace, world: World) -> int:  # noqa: ARG001
    """Print the catalogue."""
    from stackseal.change.preparation import catalogue_of

    found = [
        (product, variant, counts)
        for product in catalogue_of(world).products.values()
        for variant, counts in _counts(product).items()
        if world.edition in {None, variant}
    ]
    facts = [
        {"product": product.name, "section": product.section, "variant": variant, "resources": counts}
        for product, variant, counts in found
    ]
    rows = [
        (product.name, product.section, variant, " or ".join(str(count) for count in counts))
        for product, variant, counts in found
    ]
    emit(world, {"products": facts}, table(rows, ("PRODUCT", "SECTION", "VARIANT", "RESOURCES")))
    world.out.say(
        "stackseal is free software, Apache-2.0: no subscription is asked for; stackseal --license shows the text"
    )
    return 0


def _counts(product: ProductFile) -> dict[str, list[int]]:
    """The numbers of resources that each variant can have, largest first."""
    rules = [(rule.variant, rule.count) for rule in product.resources]
    return {
        variant: sorted({count for name, count in rules if name == variant}, reverse=True)
        for variant in product.variants
    }
