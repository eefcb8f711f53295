"""What a `product.yaml` may say. Expressions are Jinja expressions, evaluated in the sandbox.

They see the config's sections with their defaults (`client`, `environment`, the product's own section, `tags`),
`suffix` and `test` of a test stack, and the variables above them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stackseal import yamltext
from stackseal.errors import ConfigError
from stackseal.model import Location, Product, Waiver, nearest

_Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Limits = yamltext.Limits(size=262_144, nodes=20_000)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NameRule(_Strict):
    """A physical name: an expression, the length that AWS allows, and when the product has it at all."""

    name: str
    limit: int = Field(gt=20, le=2048)
    when: str = "true"


class Token(_Strict):
    """A part of the file's name; an empty value leaves it out."""

    token: str
    value: str


class Count(_Strict):
    """How many resources the template has where `when` holds; the first that holds counts."""

    when: str
    count: int = Field(ge=0, le=500)
    variant: str
    """The variant of `variants` that this is the count of."""


class Addition(_Strict):
    """How many resources the template has besides, where `when` holds: what a config switches on."""

    when: str
    count: int = Field(ge=1, le=500)


class SsmPath(_Strict):
    """A parameter that the stack publishes or consumes where `when` holds."""

    path: str
    when: str = "true"


class Advice(_Strict):
    """A sentence that a config's author hears where `when` holds."""

    when: str
    text: str


class ProductWaiver(_Strict):
    """A finding that the product's authors answer for where `when` holds."""

    check: str
    when: str = "true"
    resource: str = "*"
    reason: str = Field(min_length=10)
    owner: str = "stackseal"
    until: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")


class ProductFile(_Strict):
    """A `product.yaml`, validated."""

    root: Path
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    title: str
    section: _Identifier
    variants: tuple[str, ...]
    """What `list-products` shows, e.g. the tiers."""
    aliases: Mapping[str, str] = {}
    section_schema: Mapping[str, Any] = Field(alias="schema")
    variables: Mapping[_Identifier, str] = {}
    slug: str
    stack: str
    scenario: str
    variant: str
    protected: str = "false"
    file_name: tuple[Token, ...] = ()
    names: Mapping[str, NameRule] = {}
    tags: Mapping[str, str] = {}
    resources: tuple[Count, ...] = ()
    additions: tuple[Addition, ...] = ()
    publishes: tuple[SsmPath, ...] = ()
    consumes: tuple[SsmPath, ...] = ()
    advice: tuple[Advice, ...] = ()
    afterwards: tuple[Advice, ...] = ()
    """What somebody has to do once the stack is deployed."""
    stateful: tuple[str, ...] = ()
    waivers: tuple[ProductWaiver, ...] = ()
    template: str = "template.yaml.j2"

    def model(self, waivers: Sequence[ProductWaiver]) -> Product:
        """The part that later stages need, with the waivers that hold for a config."""
        return Product(
            name=self.name,
            title=self.title,
            section=self.section,
            root=self.root,
            template=self.template,
            stateful=frozenset(self.stateful),
            waivers=tuple(Waiver(**waiver.model_dump(exclude={"when"})) for waiver in waivers),
        )


def read_product(path: Path) -> ProductFile:
    """The product of a `product.yaml`.

    Raises ConfigError at the line of the first thing that is wrong with it.
    """
    shown = path.as_posix()
    document = yamltext.parse(yamltext.decode(path.read_bytes(), shown, _Limits), shown, limits=_Limits)
    if not isinstance(document.data, dict):
        raise ConfigError("The product is not a mapping", remedy="see CONTRIBUTING", where=Location(path=shown))
    try:
        return ProductFile.model_validate({**document.data, "root": path.parent})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = tuple(first["loc"])
        raise ConfigError(
            f"The product is invalid at {'.'.join(str(step) for step in place)}",
            why=str(first["msg"]),
            remedy="see CONTRIBUTING, recipe 'Add a product'",
            where=nearest(document.marks, place) or Location(path=shown),
        ) from error
