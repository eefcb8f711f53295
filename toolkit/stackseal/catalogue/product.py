"""What a `product.yaml` may say. Expressions are Jinja expressions, evaluated in the sandbox.

They see the config's sections with their defaults (`client`, `environment`, the product's own section, `tags`),
`suffix` and `test` of a test stack, and the variables above them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from stackseal import yamltext
from stackseal.errors import ConfigError
from stackseal.model import JsonPath, Location, Product, Waiver, nearest

_Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Limits = yamltext.Limits(size=262_144, nodes=20_000)
_OURS: Final = ("root", "folder", "sources", "digest", "marks", "changed", "before")
"""Fields that a `product.yaml` cannot set."""


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

    def model(self) -> Waiver:
        """The waiver as later stages see it."""
        return Waiver(**self.model_dump(exclude={"when"}))


class ProductFile(_Strict):
    """A `product.yaml`, validated."""

    root: Path
    folder: str
    """The folder as messages name it."""
    sources: Mapping[str, str] | None = None
    """An organisation's template files by name; None for a shipped product."""
    digest: str = ""
    marks: Mapping[JsonPath, Location] = {}
    changed: bool = False
    """A pull request has changed it, so its own waivers do not count."""
    before: ProductFile | None = None
    """What it was before the change, whose waivers do."""
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    title: str
    section: _Identifier
    scope: Literal["account", "organization"] = "account"
    """`organization`: a stack set with stacks in many accounts, whose configs have the section `stack_set`."""
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

    @property
    def everywhere(self) -> bool:
        """Whether it is a product for an organisation."""
        return self.scope == "organization"

    @field_validator("consumes")
    @classmethod
    def _alone(cls, found: tuple[SsmPath, ...], info: ValidationInfo) -> tuple[SsmPath, ...]:
        """No order of ours reaches the accounts of an organisation, so nothing there waits for a parameter."""
        if found and info.data.get("scope") == "organization":
            raise ValueError("a product with scope organization consumes no parameters")
        return found

    def at(self, *path: str | int) -> Location:
        """Where a node of `product.yaml` stands, as messages name it."""
        return nearest(self.marks, path) or Location(path=f"{self.folder}/product.yaml")

    def model(self, waivers: Sequence[Waiver]) -> Product:
        """The part that later stages need, with the waivers that hold for a config."""
        return Product(
            name=self.name,
            title=self.title,
            section=self.section,
            root=self.root,
            template=self.template,
            stateful=frozenset(self.stateful),
            waivers=tuple(waivers),
            folder=self.folder,
            sources=self.sources,
            digest=self.digest,
        )


def read_product(path: Path) -> ProductFile:
    """The shipped product of a `product.yaml`.

    Raises ConfigError at the line of the first thing that is wrong with it.
    """
    root = path.parent
    return parse_product(path.read_bytes(), path.as_posix(), {"root": root, "folder": f"products/{root.name}"})


def parse_product(raw: bytes, shown: str, ours: Mapping[str, Any], *, keep: bool = False) -> ProductFile:
    """The product of a file's content; `ours` are the fields that the file cannot set, `keep` its lines, too.

    Raises ConfigError at the line of the first thing that is wrong with it.
    """
    document = yamltext.parse(yamltext.decode(raw, shown, _Limits), shown, limits=_Limits)
    if not isinstance(document.data, dict):
        raise ConfigError("The product is not a mapping", remedy="see CONTRIBUTING", where=Location(path=shown))
    for key in _OURS:
        if key in document.data:
            raise invalid((key,), "Extra inputs are not permitted", document.marks, shown)
    marks = {"marks": document.marks} if keep else {}
    try:
        return ProductFile.model_validate({**document.data, **ours, **marks})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise invalid(tuple(first["loc"]), str(first["msg"]), document.marks, shown) from error


def invalid(place: JsonPath, why: str, marks: Mapping[JsonPath, Location], shown: str) -> ConfigError:
    """What is wrong with a node of a `product.yaml`, at its line."""
    return ConfigError(
        f"The product is invalid at {'.'.join(str(step) for step in place)}",
        why=why,
        remedy="see CONTRIBUTING, recipe 'Add a product'",
        where=nearest(marks, place) or Location(path=shown),
    )
