"""Stage 2, Config → Stack: which product a config chooses, whether it may, and what must exist because of it.

A product is a folder with a `product.yaml` (see `product.py`): data, no code, so that an organisation's own products
cannot run any. Schema first, then the product's expressions (in the sandbox), then the file's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, cast

from stackseal import assets, naming
from stackseal.catalogue import expressions, schema
from stackseal.catalogue.file_name import mismatch
from stackseal.catalogue.product import ProductFile, read_product
from stackseal.catalogue.stack_set import stack_set
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.model import Config, Json, JsonPath, Location, Name, Stack, StackId, Waiver
from stackseal.sandbox import Evaluated, Sandbox

_STACK_NAME_LIMIT: Final = 128
_STEM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
"""What may stand in the name of a file; no folder can."""
_STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A stack, what its config's author should know besides, and where each value that the template sees comes from."""

    stack: Stack
    warnings: tuple[str, ...]
    origins: Mapping[str, JsonPath]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The products by the config section that chooses them."""

    products: Mapping[str, ProductFile]

    def with_own(self, own: Iterable[ProductFile]) -> Catalogue:
        """The catalogue with an organisation's products besides; they differ from it (`organisation.load`)."""
        return Catalogue(products={**self.products, **{product.section: product for product in own}})

    @classmethod
    def load(cls, roots: Sequence[Path] = (assets.PRODUCTS,)) -> Catalogue:
        """Every `product.yaml` one folder below the roots; two products with one section are an error."""
        found: dict[str, ProductFile] = {}
        for path in sorted(path for root in roots for path in root.glob("*/product.yaml")):
            product = read_product(path)
            if other := found.get(product.section):
                raise ConfigError(
                    f"Two products claim the section {product.section!r}",
                    why=f"{other.name} and {product.name} have the same",
                    remedy="give one of them a section of its own",
                    where=Location(path=path.as_posix()),
                )
            found[product.section] = product
        return cls(products=found)

    def product_of(self, config: Config) -> ProductFile:
        """The product that the config's sections choose.

        Raises ConfigError when there is none, or more than one.
        """
        chosen = [section for section in config.data if section in self.products]
        if len(chosen) == 1:
            return self.products[chosen[0]]
        known = ", ".join(sorted(self.products))
        if not chosen:
            raise ConfigError(
                "The config chooses no product",
                why=f"it has none of the sections {known}",
                remedy="add the section of the product that you want",
                where=config.at(),
            )
        raise ConfigError(
            "The config chooses several products",
            why=f"it has the sections {' and '.join(chosen)}",
            remedy="write one file for each of them",
            where=config.at(chosen[1]),
        )

    def resolve(self, config: Config, sandbox: Sandbox, *, suffix: str = "", edition: str | None = None) -> Resolved:
        """The stack that must exist because of a config.

        `suffix` (`-test-xxxxxx`) makes it an isolated test copy. `edition` is the only tier that this installation
        serves, if it is one of the tier editions.

        Raises ConfigError or ConfigErrors with the line of the config for everything that is wrong with it.
        """
        product = self.product_of(config)
        config = _aliased(config, product)
        schema.validate(config, product, sandbox)
        _edition(config, product, edition)
        context = schema.with_defaults(config, product)
        evaluated = expressions.evaluate(product, context, suffix, sandbox)
        waivers = _waivers(config, product, evaluated, suffix, sandbox)
        stack = _stack(config, product, context, evaluated, suffix, waivers)
        warnings = () if suffix else (*mismatch(config, evaluated.values), *_advice(product, evaluated.values))
        return Resolved(stack=stack, warnings=warnings, origins=evaluated.origins)


def resolve_all(
    configs: Sequence[Config], products: Catalogue, sandbox: Sandbox, *, suffix: str = "", edition: str | None = None
) -> tuple[Resolved, ...]:
    """The stacks of several configs.

    Raises ConfigErrors with the errors of all of them, so that a person mends them in one go.
    """
    found: list[Resolved] = []
    errors: list[ConfigError] = []
    for each in configs:
        try:
            found.append(products.resolve(each, sandbox, suffix=suffix, edition=edition))
        except ConfigErrors as several:
            errors += several.errors
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise ConfigErrors(errors)
    return tuple(found)


def unique(resolved: Sequence[Resolved]) -> None:
    """Two configs must not be the same stack.

    Raises ConfigErrors that name both files.
    """
    seen: dict[StackId, Stack] = {}
    errors: list[ConfigError] = []
    for item in resolved:
        stack = item.stack
        if other := seen.get(stack.id):
            errors.append(
                ConfigError(
                    "Two configs describe one stack",
                    why=f"{other.config.path} and {stack.config.path} both are {stack.id}",
                    remedy="remove one of them, or give it a use case, tenant or workload of its own",
                    where=stack.config.at(),
                )
            )
        seen.setdefault(stack.id, stack)
    if errors:
        raise ConfigErrors(errors)


def _aliased(config: Config, product: ProductFile) -> Config:
    """The config with top-level aliases moved into the section (spec §0.7: the documents show both places)."""
    data: dict[str, Json] = dict(config.data)
    marks = dict(config.marks)
    for alias, key in product.aliases.items():
        if alias not in data:
            continue
        section = data.get(product.section)
        if not isinstance(section, dict):
            continue
        if key in section:
            raise ConfigError(
                f"{alias} is given twice",
                why=f"it stands at the top level and in {product.section}",
                remedy="remove one of the two",
                where=config.at(alias),
            )
        data[product.section] = {**section, key: data.pop(alias)}
        marks |= {
            (product.section, key, *path[1:]): mark for path, mark in config.marks.items() if path[:1] == (alias,)
        }
    return replace(config, data=data, marks=marks)


def _edition(config: Config, product: ProductFile, edition: str | None) -> None:
    section = cast("Mapping[str, Json]", config.data[product.section])
    tier = section.get("tier")
    if edition is not None and tier is not None and tier != edition:
        raise ConfigError(
            f"The config asks for the tier {tier!r} but this is the {edition} edition",
            why="each edition serves its own tier only",
            remedy="Verify tier in config matches your purchased image tag, or unset STACKSEAL_EDITION",
            where=config.at(product.section, "tier"),
        )


def _waivers(
    config: Config, product: ProductFile, evaluated: Evaluated, suffix: str, sandbox: Sandbox
) -> tuple[Waiver, ...]:
    """The product's waivers that hold for a config; of a product that a pull request changes, those of before count."""
    mine = tuple(
        rule.model() for index, rule in enumerate(product.waivers) if evaluated.values[f"{expressions.WAIVER}:{index}"]
    )
    if not product.changed:
        return mine
    counted: tuple[Waiver, ...] = ()
    if (before := product.before) is not None:
        context = schema.with_defaults(config, before)
        held = expressions.holding(before, context, suffix, sandbox)
        counted = tuple(rule.model() for rule in held)
    return (*counted, *(replace(waiver, proposed=True) for waiver in mine if waiver not in counted))


def _stack(
    config: Config,
    product: ProductFile,
    context: Mapping[str, Json],
    evaluated: Evaluated,
    suffix: str,
    waivers: Sequence[Waiver],
) -> Stack:
    values = evaluated.values
    names = {
        key: _name(key, str(values[f"names:{key}"]), rule.limit, suffix)
        for key, rule in product.names.items()
        if values[f"names:{key}"] is not None
    }
    own_tags = cast("Mapping[str, str]", context.get("tags") or {})
    tags = dict(sorted({**own_tags, **{key: str(values[f"tags:{key}"]) for key in product.tags}}.items()))
    variables = {key: values[key] for key in product.variables}
    stack_name = _stack_name(product, str(values["stack:name"]))
    template_context: dict[str, Json] = {
        **context,
        **variables,
        "names": {key: name.value for key, name in names.items()},
        "tags": tags,
        "suffix": suffix,
        "test": bool(suffix),
        "stack_name": stack_name,
    }
    return Stack(
        id=StackId(
            account=str(values["account"]),
            region=str(values["region"]),
            name=naming.shorten(stack_name, _STACK_NAME_LIMIT),
        ),
        product=product.model(waivers),
        config=config,
        env=str(values["env"]),
        slug=_usable("slug", str(values["stack:slug"]), _STEM, product),
        scenario=_usable("scenario", str(values["stack:scenario"] or ""), _STEM, product, empty=True),
        variant=str(values["stack:variant"]),
        names=names,
        context=template_context,
        tags=tags,
        expected_resources=_expected(product, values),
        publishes=_given("publishes", values),
        consumes=_given("consumes", values),
        afterwards=tuple(product.afterwards[int(index)].text for index in _given("afterwards", values)),
        test=bool(suffix),
        protected=bool(values["stack:protected"]) and not suffix,
        stack_set=stack_set(config, product, context, test=bool(suffix)),
    )


def _stack_name(product: ProductFile, wanted: str) -> str:
    """The name of the stack. Raises ConfigError where CloudFormation does not take it, or where it is not theirs."""
    name = _usable("stack", wanted, _STACK_NAME, product)
    if product.sources is not None and name.lower().startswith(naming.OURS):
        raise ConfigError(
            f"The product {product.name} gives no usable stack",
            why=f"names that begin with {naming.OURS} are those of the account's own stacks",
            remedy="mend the expression `stack`",
            where=product.at("stack"),
        )
    return name


def _usable(key: str, value: str, allowed: re.Pattern[str], product: ProductFile, *, empty: bool = False) -> str:
    """A text that becomes part of names and paths. Raises ConfigError where it is none that can."""
    if allowed.fullmatch(value) or (empty and not value):
        return value
    raise ConfigError(
        f"The product {product.name} gives no usable {key}",
        why=f"{value[:80]!r} does not match {allowed.pattern}",
        remedy=f"mend the expression `{key}`",
        where=product.at(key),
    )


def _name(key: str, wanted: str, limit: int, suffix: str) -> Name:
    return Name(key=key, value=naming.suffixed(wanted, suffix, limit), wanted=wanted + suffix, limit=limit)


def _expected(product: ProductFile, values: Mapping[str, Json]) -> int | None:
    """The first count that holds and every addition that does; None for a product that promises no count."""
    base = next((rule.count for index, rule in enumerate(product.resources) if values[f"count:{index}"]), None)
    added = sum(rule.count for index, rule in enumerate(product.additions) if values[f"addition:{index}"])
    return None if base is None else base + added


def _advice(product: ProductFile, values: Mapping[str, Json]) -> tuple[str, ...]:
    return tuple(rule.text for index, rule in enumerate(product.advice) if values[f"advice:{index}"])


def _given(kind: str, values: Mapping[str, Json]) -> tuple[str, ...]:
    return tuple(str(value) for key, value in values.items() if key.startswith(f"{kind}:") and value is not None)
