"""What the render job hands to the plan job: data only, checked field by field when it enters.

The render job reads the pull request's files and holds no credentials; the plan job holds credentials and reads no file
of the pull request. Between them goes this one JSON text. Whoever can write a pull request can influence its content,
so it is validated like any config: sizes, names, account ids, templates as canonical JSON with digests computed anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stackseal.errors import ConfigError
from stackseal.model import (
    Config,
    JsonPath,
    Location,
    Product,
    Report,
    SourceMap,
    Stack,
    StackId,
    StackSet,
    Template,
    Wait,
    canonical_json,
)

if TYPE_CHECKING:
    from pydantic import TypeAdapter

VERSION: Final = 2
LIMIT: Final = 400_000_000
"""Characters; a thousand new stacks of the largest product fit, each with a quarter of a million."""
_DEPTH: Final = 64


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A template with what planning needs to know of its stack."""

    body: str
    """Canonical JSON."""
    parameters: dict[str, str]
    tags: dict[str, str]
    product: str
    title: str
    section: str
    variant: str
    env: str
    stateful: tuple[str, ...]
    protected: bool
    blame: tuple[tuple[str, Location], ...]
    """JSON path of a node (as JSON text) and the config line that caused it, sorted."""
    stack_set: StackSet | None = None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One stack before and after."""

    id: StackId
    path: str
    """The config file's."""
    base: Sheet | None
    head: Sheet | None
    waits: tuple[Wait, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Which part of a review a bundle holds."""

    part: int
    """Counted from 1."""
    of: int
    stacks: tuple[StackId, ...]
    """Every stack of the whole review, sorted, so that a part that is missing is noticed."""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Everything that crosses from render to plan."""

    version: int
    report: Report
    """The review without its plans."""
    pairs: tuple[Pair, ...]
    shard: Shard | None = None
    """None where it holds the whole review."""


def sheet(template: Template | None) -> Sheet | None:
    """What the plan job needs of a template of ours, where there is one."""
    if template is None:
        return None
    stack = template.stack
    assert stack is not None  # noqa: S101 - only templates of configs are bundled
    blame = {json.dumps(list(path)): place for path, place in template.source.config.items()}
    return Sheet(
        body=template.canonical,
        parameters=dict(template.parameters),
        tags=dict(stack.tags),
        product=stack.product.name,
        title=stack.product.title,
        section=stack.product.section,
        variant=stack.variant,
        env=stack.env,
        stateful=tuple(sorted(stack.product.stateful)),
        protected=stack.protected,
        blame=tuple(sorted(blame.items())),
        stack_set=stack.stack_set,
    )


def template(found: Sheet, identity: StackId, path: str) -> Template:
    """The template of a sheet. It is planned and sealed exactly as the one that it was made from.

    Raises ConfigError when its body is not a canonical template.
    """
    body = _body(found.body, path)
    marks = {_path(text): place for text, place in found.blame}
    empty: Mapping[JsonPath, Location] = {}
    stack = Stack(
        id=identity,
        product=Product(
            name=found.product,
            title=found.title,
            section=found.section,
            root=Path(),
            template="",
            stateful=frozenset(found.stateful),
        ),
        config=Config(path=path, data={}, marks={}),
        env=found.env,
        slug="",
        scenario="",
        variant=found.variant,
        names={},
        context={},
        tags=dict(found.tags),
        protected=found.protected,
        stack_set=found.stack_set,
    )
    source = SourceMap(path=path, lines=(), rendered=empty, template=empty, config=marks)
    return Template(text="", body=body, parameters=dict(found.parameters), source=source, stack=stack)


def dumps(bundle: Bundle) -> str:
    """The bundle as JSON text with sorted keys."""
    return json.dumps(_adapter().dump_python(bundle, mode="json"), sort_keys=True, separators=(",", ":")) + "\n"


def loads(text: str) -> Bundle:
    """The bundle of a text.

    Raises ConfigError for anything that `dumps` would not have written.
    """
    from pydantic import ValidationError

    if len(text) > LIMIT:
        raise _refused(f"it is longer than {LIMIT:,} characters")
    try:
        found = _adapter().validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _refused(f"{'.'.join(str(step) for step in first['loc'])}: {first['msg']}") from error
    if found.version != VERSION:
        raise _refused(f"it is of version {found.version}")
    # Validation lets unknown keys pass and converts values; what does not come back the same was not written by us.
    if not _same(text, dumps(found)):
        raise _refused("it has unknown or missing keys, or values of another type")
    _consistent(found.pairs)
    return found


@cache
def _adapter() -> TypeAdapter[Bundle]:
    from pydantic import TypeAdapter

    return TypeAdapter(Bundle)


def _same(text: str, ours: str) -> bool:
    """Whether two texts are the same JSON, no key of which is there twice."""
    try:
        return canonical_json(json.loads(text, object_pairs_hook=_unique)) == canonical_json(json.loads(ours))
    except (ValueError, RecursionError):  # numbers of thousands of digits, and what Python nests no deeper
        return False


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _consistent(pairs: Sequence[Pair]) -> None:
    seen: set[StackId] = set()
    for pair in pairs:
        if pair.id in seen:
            raise _refused(f"the stack {pair.id} is there twice")
        seen.add(pair.id)
        if pair.base is None and pair.head is None:
            raise _refused(f"the stack {pair.id} has neither side")


def _body(text: str, path: str) -> Mapping[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(f"the template of {path} is not JSON") from error
    if not isinstance(body, dict) or not isinstance(body.get("Resources"), dict) or canonical_json(body) != text:
        raise _refused(f"the template of {path} is not canonical")
    return body


def _path(text: str) -> JsonPath:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused("a node's path is not JSON") from error
    if not isinstance(found, list) or not all(isinstance(step, str | int) for step in found) or len(found) > _DEPTH:
        raise _refused("a node's path is not one")
    return tuple(found)


def _refused(why: str) -> ConfigError:
    return ConfigError("The bundle cannot be used", why=why, remedy="run the review again")
