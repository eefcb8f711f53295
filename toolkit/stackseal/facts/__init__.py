"""What AWS publishes about resource types and IAM actions: dated, compact, read lazily, without boto3 or cfn-lint.

`scripts/facts.py` writes the files (sources, versions and licences: `manifest.json` and `NOTICE`). Property paths are
names joined by `/` from the resource's properties, `*` for the items of a list: `BucketName`, `VpcConfig/SubnetIds`,
`Tags/*/Key`. A type that AWS does not publish has no facts: the accessors by type then answer empty, `types()` tells.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

MAX_AGE_DAYS: Final = 60
"""AWS publishes schemas every week; after two months a generated policy misses what is new."""
_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class TypeFacts:
    """One CloudFormation resource type."""

    name: str
    properties: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    create_only: tuple[str, ...] = ()
    conditional_create_only: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    write_only: tuple[str, ...] = ()
    primary_identifier: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    """What `Ref` returns where that is not the primary identifier."""
    words: frozenset[str] = frozenset()
    """Names of all properties at every depth."""
    roles: tuple[str, ...] = ()
    """Paths of properties that hold an IAM role's ARN."""
    tag_property: str | None = None
    tag_permissions: tuple[str, ...] = ()
    no_system_tags: bool = False
    """CloudFormation does not put its own `aws:cloudformation:…` tags on it; unknown counts as no."""
    arn: str = ""
    """Template such as `arn:${Partition}:s3:::${BucketName}`; empty where AWS publishes none."""
    handlers: Mapping[str, tuple[str, ...]] | None = None
    """Operation (create, read, update, delete) → permissions as published; None where AWS publishes none."""


@dataclass(frozen=True, kw_only=True)
class ActionFacts:
    """One IAM action of the Service Authorization Reference."""

    name: str
    """As IAM writes it, e.g. `s3:PutObject`."""
    levels: frozenset[str]
    """Of r(ead), l(ist), w(rite), t(agging), p(ermissions management)."""
    resources: Mapping[str, tuple[str, ...]]
    """Resource type of the service → condition keys that count only with it; empty: the action cannot be scoped."""
    keys: frozenset[str]
    """Condition keys of the action itself and of its resource types; the global keys are not repeated."""
    required: tuple[str, ...]
    """Resource types that the action always needs."""

    @property
    def reads(self) -> bool:
        """It changes nothing."""
        return self.levels <= {"r", "l"}


@dataclass(frozen=True, kw_only=True)
class ServiceFacts:
    """One IAM service prefix."""

    prefix: str
    actions: Mapping[str, ActionFacts]
    """Action name in lower case, without prefix → action."""
    arns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Resource type → ARN patterns."""


def types() -> frozenset[str]:
    """Every resource type that AWS publishes."""
    return frozenset(_types())


@cache
def of_type(name: str) -> TypeFacts | None:
    """All that is known of a type; None for an unknown one."""
    if (line := _types().get(name)) is None:
        return None
    raw: dict[str, Any] = json.loads(line)
    handlers: dict[str, list[str]] | None = raw.get("handlers")

    def get(key: str) -> tuple[str, ...]:
        return tuple(raw.get(key, ()))

    return TypeFacts(
        name=name,
        properties=get("properties"),
        required=get("required"),
        create_only=get("createOnly"),
        conditional_create_only=get("conditionalCreateOnly"),
        read_only=get("readOnly"),
        write_only=get("writeOnly"),
        primary_identifier=get("primaryIdentifier"),
        reference=get("ref"),
        words=frozenset((*get("properties"), *get("words"))),
        roles=get("roles"),
        tag_property=raw.get("tagProperty"),
        tag_permissions=get("tagPermissions"),
        no_system_tags=raw.get("noSystemTags", False),
        arn=raw.get("arn", ""),
        handlers=None if handlers is None else {key: tuple(value) for key, value in handlers.items()},
    )


def properties(name: str) -> tuple[str, ...]:
    """Top-level property names, sorted."""
    return _known(name).properties


def create_only(name: str) -> tuple[str, ...]:
    """Paths whose change always replaces the resource."""
    return _known(name).create_only


def conditional_create_only(name: str) -> tuple[str, ...]:
    """Paths whose change may replace the resource."""
    return _known(name).conditional_create_only


def read_only(name: str) -> tuple[str, ...]:
    """Paths that only `GetAtt` knows; a template cannot set them."""
    return _known(name).read_only


def write_only(name: str) -> tuple[str, ...]:
    """Paths that cannot be read back, so drift detection is blind to them."""
    return _known(name).write_only


def primary_identifier(name: str) -> tuple[str, ...]:
    """The paths that together identify a resource."""
    return _known(name).primary_identifier


def taggable(name: str) -> str | None:
    """Name of the property that holds the tags; None where the type takes none."""
    return _known(name).tag_property


@cache
def service(prefix: str) -> ServiceFacts | None:
    """One IAM service, e.g. `s3`; None for an unknown prefix."""
    if (line := _services().get(prefix)) is None:
        return None
    raw: dict[str, Any] = json.loads(line)
    resources: dict[str, tuple[list[str], list[str]]] = raw["resources"]
    own = {key: frozenset(keys) for key, (_, keys) in resources.items()}
    actions: dict[str, ActionFacts] = {}
    for name, (levels, types_, keys, required) in raw["actions"].items():
        actions[name.lower()] = ActionFacts(
            name=f"{prefix}:{name}",
            levels=frozenset(levels),
            resources={key: tuple(value) for key, value in types_.items()},
            keys=frozenset(keys).union(*types_.values(), *(own.get(key, frozenset()) for key in types_)),
            required=tuple(required),
        )
    return ServiceFacts(prefix=prefix, actions=actions, arns={key: tuple(arns) for key, (arns, _) in resources.items()})


def action(name: str) -> ActionFacts | None:
    """One action in whatever case it is written, e.g. `s3:putobject`; None when IAM has no such action."""
    prefix, _, verb = name.partition(":")
    found = service(prefix.lower())
    return found.actions.get(verb.lower()) if found else None


@cache
def manifest() -> Mapping[str, Any]:
    """Date, sources and counts of the files."""
    found: dict[str, Any] = json.loads((_HERE / "manifest.json").read_text(encoding="utf-8"))
    return found


def published() -> date:
    """The day of the oldest source."""
    return date.fromisoformat(manifest()["date"])


def stale(today: date) -> str | None:
    """A sentence when the facts are older than `MAX_AGE_DAYS` on that day, else None."""
    age = (today - published()).days
    if age <= MAX_AGE_DAYS:
        return None
    return (
        f"The facts about AWS are {age} days old ({published()}): policies may miss new permissions; upgrade stackseal"
    )


_EMPTY: Final = TypeFacts(name="")


def _known(name: str) -> TypeFacts:
    return of_type(name) or _EMPTY


@cache
def _types() -> Mapping[str, bytes]:
    return _read("types.jsonl.gz")


@cache
def _services() -> Mapping[str, bytes]:
    return _read("services.jsonl.gz")


def _read(name: str) -> dict[str, bytes]:
    """Name → JSON text of its entry, still unparsed: a run needs a dozen of two thousand."""
    found: dict[str, bytes] = {}
    for line in gzip.decompress((_HERE / name).read_bytes()).splitlines():
        key, _, text = line.partition(b" ")
        found[key.decode()] = text
    return found
