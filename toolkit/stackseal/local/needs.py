"""How the table of requests is written, and how a row becomes requests of one resource."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stackseal.local.messages import Place
from stackseal.local.resources.kind import tag_map

Props = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What IAM is asked: may this principal do this action on this resource, in this context?"""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What CloudFormation does with one resource."""

    place: Place
    old: Props
    """Properties before; empty at a creation."""
    new: Props
    """Properties after; empty at a deletion."""
    physical_id: str
    """`*` where only the creation will tell."""
    attributes: Mapping[str, Any]
    role_arn: Callable[[str], str]
    """ARN of a role by its name."""

    def changed(self, name: str) -> bool:
        return self.old.get(name) != self.new.get(name)

    def either(self, name: str) -> Any:
        """The property as it will be, or as it was."""
        return self.new.get(name, self.old.get(name))


@dataclass(frozen=True, kw_only=True)
class Need:
    """One request that an operation causes.

    `on` is an ARN template: `{partition}`, `{region}`, `{account}`, `{id}` (physical id), any attribute or any
    property that is a text; `{arn}` is the type's own ARN, `{item}` each item of `over`. `when` names properties: at
    a creation or deletion one of them must be set, at an update one of them must change; empty is always.
    `context` maps condition keys to such templates. `tags` adds the resource's tags as `aws:RequestTag/…`.
    """

    action: str
    on: str = "{arn}"
    when: tuple[str, ...] = ()
    over: str = ""
    context: Mapping[str, str] = field(default_factory=dict)
    tags: bool = False


@dataclass(frozen=True, kw_only=True)
class Pass:
    """A role, or what else is passed on: `path` leads to its ARN (`*` for items), `service` is who will use it."""

    path: tuple[str, ...]
    service: str
    action: str = "iam:PassRole"
    key: str = "iam:PassedToService"


@dataclass(frozen=True, kw_only=True)
class Row:
    """Everything that IAM is asked for one resource type."""

    arn: str
    """The type's own ARN, a template."""
    sources: tuple[str, ...]
    """Where the requests are documented or were observed."""
    create: tuple[Need, ...]
    delete: tuple[Need, ...]
    update: tuple[Need, ...] = ()
    read: tuple[Need, ...] = ()
    """Asked once it is made, and when drift is detected."""
    compare: tuple[Need, ...] = ()
    """Asked besides when drift is detected: the calls of the service's API that alone tell a property."""
    passes: tuple[Pass, ...] = ()
    tag_property: str = "Tags"


def requests(row: Row, needs: tuple[Need, ...], work: Work) -> Iterator[Request]:
    """The requests of one operation, in the table's order; PassRole for roles that are new."""
    for need in needs:
        if need.when and not _applies(need, work):
            continue
        for item in _items(need, work):
            context: dict[str, str | list[str]] = {
                key: found for key, text in need.context.items() if (found := _fill(text, row, work, item))
            }
            if need.tags:
                context.update(_tags(work.new.get(row.tag_property)))
            yield Request(action=need.action, resource=_fill(need.on, row, work, item), context=context)


def passed(row: Row, work: Work) -> Iterator[Request]:
    """Passing on, once for every role or connection that a resource is given."""
    seen = set()
    for path in row.passes:
        for arn in _reach(work.new, path.path):
            if isinstance(arn, str) and (arn, path.service) not in seen:
                seen.add((arn, path.service))
                yield Request(action=path.action, resource=arn, context={path.key: path.service})


def _applies(need: Need, work: Work) -> bool:
    if work.old and work.new:
        return any(work.changed(name) for name in need.when)
    props = work.new or work.old
    return any(props.get(name) not in (None, "", [], {}) for name in need.when)


def _items(need: Need, work: Work) -> list[str]:
    """The items a request is made for: at an update only those that come or go."""
    if not need.over:
        return [""]
    before = [str(item) for item in work.old.get(need.over) or []]
    after = [str(item) for item in work.new.get(need.over) or []]
    if before and after:
        leaving = any(word in need.action for word in ("Detach", "Delete", "Revoke"))
        return sorted(set(before) - set(after)) if leaving else sorted(set(after) - set(before))
    return after or before


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "*"


def _fill(template: str, row: Row, work: Work, item: str) -> str:
    names = _Names({key: value for key, value in work.old.items() if isinstance(value, str)})
    names.update({key: value for key, value in work.new.items() if isinstance(value, str)})
    names.update({key: value for key, value in work.attributes.items() if isinstance(value, str)})
    names.update(
        partition=work.place.partition,
        region=work.place.region,
        account=work.place.account,
        id=work.physical_id,
        item=item,
        role=work.role_arn(item) if item else "",
        path=str(work.either("Path") or "/"),
        bus=_bus(work.either("EventBusName")),
        bare=str(work.either("Name") or work.physical_id).removeprefix("/"),
    )
    if "{boundary}" in template:
        names["boundary"] = str(work.either("PermissionsBoundary") or "")
    names["arn"] = string.Formatter().vformat(row.arn, (), names)
    return string.Formatter().vformat(template, (), names)


def _bus(value: Any) -> str:
    name = str(value or "default").rpartition("/")[2]
    return "" if name == "default" else f"{name}/"


def _tags(tags: Any) -> dict[str, str | list[str]]:
    found = tag_map(tags)
    return {**{f"aws:RequestTag/{key}": value for key, value in found.items()}, "aws:TagKeys": sorted(found)}


def _reach(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    if not path:
        yield value
    elif path[0] == "*":
        for item in value if isinstance(value, list) else []:
            yield from _reach(item, path[1:])
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _reach(value[path[0]], path[1:])
