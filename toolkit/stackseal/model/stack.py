"""Stage 2, Config → Stack: products, names, identities, what waits for what."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stackseal.model.base import Json
from stackseal.model.config import Config
from stackseal.model.stack_set import StackSet


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A finding that somebody answers for: who, why, until when."""

    check: str
    reason: str
    owner: str
    until: str | None = None
    """ISO date, the last day on which it counts; only a product's own may have none: it ends with its release."""
    stack: str = "*"
    resource: str = "*"
    proposed: bool = False
    """Written in the pull request only: shown, but it does not count."""


@dataclass(frozen=True, kw_only=True)
class Product:
    """A folder of the catalogue, as far as later stages need it."""

    name: str
    title: str
    section: str
    """The config's key that chooses this product."""
    root: Path
    template: str
    """File name of the template inside `root`."""
    stateful: frozenset[str] = frozenset()
    """Resource types whose loss is data loss."""
    waivers: tuple[Waiver, ...] = ()
    folder: str = ""
    """The folder as messages name it; empty for `products/` and the root's name."""
    sources: Mapping[str, str] | None = None
    """The template files of an organisation's product by name; None for a shipped one, whose files lie below `root`."""
    digest: str = ""
    """SHA-256 of an organisation's product and its templates; a shipped one changes with the toolkit only."""


@dataclass(frozen=True, kw_only=True)
class Name:
    """A physical name: what it wanted to be, what AWS allows, what it is."""

    key: str
    value: str
    wanted: str
    limit: int

    @property
    def shortened(self) -> bool:
        return self.value != self.wanted


@dataclass(frozen=True, kw_only=True, order=True)
class StackId:
    """What makes two configs the same stack."""

    account: str
    region: str
    name: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}/{self.name}"


def partition_of(region: str) -> str:
    """The AWS partition of a region."""
    for prefix, partition in (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov")):
        if region.startswith(prefix):
            return partition
    return "aws"


@dataclass(frozen=True, kw_only=True)
class Stack:
    """What must exist because of a config."""

    id: StackId
    product: Product
    config: Config
    env: str
    slug: str
    """The stem of every artefact's file name, e.g. `{ml_name}`."""
    scenario: str
    """What tells the configs of one slug apart, e.g. `codecommit-standalone-ssm`."""
    variant: str
    """The kind of product in words a person uses, e.g. `enterprise`."""
    names: Mapping[str, Name]
    context: Mapping[str, Json]
    """What the template sees: the config's sections with their defaults, and the product's variables."""
    tags: Mapping[str, str]
    expected_resources: int | None = None
    publishes: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    """SSM parameter paths; another stack may publish what this one consumes."""
    afterwards: tuple[str, ...] = ()
    """What somebody has to do once the stack is deployed, in sentences."""
    test: bool = False
    """An isolated copy: suffixed names, nothing retained."""
    protected: bool = False
    """Termination protection; production only."""
    stack_set: StackSet | None = None
    """Of an organisation's product: it is no stack of its own, but a stack set with stacks in many accounts."""

    @property
    def partition(self) -> str:
        """The AWS partition of the region."""
        return partition_of(self.id.region)


class Because(enum.Enum):
    """Why one stack waits for another."""

    READS = "reads"
    """It reads a parameter that the other publishes."""
    RELEASES = "releases"
    """It stops publishing a parameter, and the other has to stop reading it before."""
    GRANTS = "grants"
    """CloudFormation builds it with a role that the other makes, or lets do what it now needs."""
    USES = "uses"
    """It removes a role with which the other is deleted before."""


@dataclass(frozen=True, kw_only=True, order=True)
class Wait:
    """What a stack waits for in a change of several."""

    stack: StackId
    """The other one, which comes first."""
    path: str
    """The SSM parameter between the two; the role's ARN where it is about a role."""
    because: Because = field(default=Because.READS, compare=False)
    changes: bool = field(default=False, compare=False)
    """The change may give the parameter another value, or its first one: only the deployment tells which."""
