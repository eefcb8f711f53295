"""What a resource type of CloudFormation is to the embedded AWS: how it is made, changed, removed and read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stackseal.local.clients import Clients
from stackseal.local.messages import Place

Props = Mapping[str, Any]
Attributes = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Context:
    """The resource that a handler works on, and the way to the services."""

    place: Place
    stack_name: str
    stack_id: str
    logical_id: str
    clients: Clients
    generation: str = ""
    """Differs between a resource and its replacement, so that generated names differ too."""
    siblings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The stack's resources as deployed, by logical id: `ResourceType`, `PhysicalResourceId`, `Properties`."""

    def client(self, service: str) -> Any:
        return self.clients.get(service, self.place)

    def name(self, given: Any, *, limit: int = 128, lowercase: bool = False) -> str:
        """The given name, or one that CloudFormation generates: stack, logical id and a suffix of twelve.

        Where that is too long the stack's part is cut first, so that the logical id can be told.
        """
        if given:
            return str(given)
        seed = "\0".join((self.stack_id, self.logical_id, self.generation))
        suffix = hashlib.sha256(seed.encode()).hexdigest()[:12]
        room = max(limit - len(self.logical_id) - 14, 0)
        stem = f"{self.stack_name[:room]}-{self.logical_id}".lstrip("-")[: limit - 13]
        found = f"{stem}-{suffix if lowercase else suffix.upper()}"
        return found.lower() if lowercase else found

    def siblings_of(self, type_: str) -> list[Mapping[str, Any]]:
        """The stack's other resources of a type: what they do to this one is no drift."""
        return [row for row in self.siblings.values() if row.get("ResourceType") == type_]

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        region = self.place.region if regional else ""
        return f"arn:{self.place.partition}:{service}:{region}:{self.place.account}:{resource}"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One resource type. A handler that is None is ministack's own; a handler raises what the service answered."""

    read: Callable[[Context, str, Props], Props | None]
    """Physical id and the template's properties -> the current properties in the template's shape; None: it is gone."""
    create: Callable[[Context, Props], tuple[str, Attributes]] | None = None
    """Properties -> physical id (what `Ref` gives) and what `GetAtt` gives."""
    update: Callable[[Context, str, Props, Props], Attributes] | None = None
    """Physical id, old and new properties -> attributes."""
    delete: Callable[[Context, str, Props], None] | None = None
    physical: Callable[[Context, Props], str] | None = None
    """The physical id that a custom name will have, `` without one: a name that is taken is refused."""
    name: str = ""
    """The property with the custom name; CloudFormation refuses to replace under an unchanged one."""
    tags: str = ""
    """The property that takes the stack's tags."""
    tag_shape: str = "list"
    """`list` of Key and Value, or `map`."""
    name_limit: int = 128
    lowercase: bool = False
    """What a generated name may look like."""
    unread: frozenset[str] = frozenset()
    """Properties that no service here keeps: drift detection leaves them out, and the gaps say so."""
    attributes: Callable[[str, Props], Attributes] | None = None
    """Physical id and properties -> what `GetAtt` gives on AWS and ministack leaves out."""
    guard: Callable[[Context, Props], None] | None = None
    """Raises what the service refuses at creation and ministack does not."""
    in_use: Callable[[Context, str], None] | None = None
    """Raises what the service refuses at deletion and ministack does not."""


def tag_map(tags: Any) -> dict[str, str]:
    """Tags of any of AWS's shapes as a map."""
    if isinstance(tags, Mapping):
        return {str(key): str(value) for key, value in tags.items()}
    found = {}
    for tag in tags or []:
        key = tag.get("Key", tag.get("key", tag.get("TagKey")))
        found[str(key)] = str(tag.get("Value", tag.get("value", tag.get("TagValue", ""))))
    return found


def tag_list(tags: Any, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags of any shape as a list, sorted by key."""
    return [{key: name, value: text} for name, text in sorted(tag_map(tags).items())]


def untagged(old: Any, new: Any) -> list[str]:
    """Keys of tags that are no longer wanted."""
    return sorted(tag_map(old).keys() - tag_map(new).keys())


def camel(value: Any, verbatim: Iterable[str] = ()) -> Any:
    """CloudFormation's PascalCase keys as an API's camelCase, at every depth but below the `verbatim` keys."""
    kept = frozenset(verbatim)
    if isinstance(value, Mapping):
        return {
            key[:1].lower() + key[1:]: (inner if key in kept else camel(inner, kept)) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [camel(item, kept) for item in value]
    return value


def pascal(value: Any, verbatim: Iterable[str] = ()) -> Any:
    """The reverse of `camel`; `verbatim` names keys as the API writes them."""
    kept = frozenset(verbatim)
    if isinstance(value, Mapping):
        return {
            key[:1].upper() + key[1:]: (inner if key in kept else pascal(inner, kept)) for key, inner in value.items()
        }
    if isinstance(value, list):
        return [pascal(item, kept) for item in value]
    return value


def document(value: Any) -> str:
    """A policy document as the text that APIs take."""
    return value if isinstance(value, str) else json.dumps(value)


def missing(error: Exception, *codes: str) -> bool:
    """Whether an API error says that the thing is not there."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", "")) in codes
