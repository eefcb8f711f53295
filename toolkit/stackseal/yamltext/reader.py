"""From the parser's events to plain data with a mark for every node, without recursion."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

from stackseal.errors import ConfigError
from stackseal.model import Json, JsonPath, Location
from stackseal.yamltext.limits import CONFIG, Limits

Tags: TypeAlias = Mapping[str, Callable[[Any], Any]]
"""What `!Tag node` becomes, by tag without the exclamation mark."""
_INT: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")
_FLOAT: Final = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_WORDS: Final[Mapping[str, Json]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A parsed text: the data and where each of its nodes was written."""

    data: Json
    marks: Mapping[JsonPath, Location]


def parse(text: str, path: str, *, limits: Limits = CONFIG, tags: Tags | None = None) -> Document:
    """The one document of a text as plain data with marks.

    Mappings become dicts whose keys are the text as written, sequences lists. A plain scalar becomes null, a boolean,
    an integer or a decimal number only in the form that every YAML reader agrees on; all else stays the text that was
    written (`NO`, `012345670123`, `2012-10-17`, `22:22`, `1e3`). Quoted scalars are text.

    Raises ConfigError with the place for anything else: duplicate keys, tags that are not in `tags`, aliases unless
    the limits allow them, several documents, too deep, too many nodes, not YAML at all.
    """
    reader = _Reader(path=path, limits=limits, tags=tags or {})
    try:
        for event in yaml.parse(text, Loader=LOADER):
            reader.take(event)
    except ConfigError:
        raise
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(path, error) from error
    except Exception as error:  # the parser raises ValueError, AttributeError and more on hostile input
        raise ConfigError(
            "The file is not valid YAML",
            why=f"the parser gave up ({type(error).__name__})",
            remedy="check it with an editor that knows YAML",
            where=Location(path=path),
        ) from error
    return reader.document()


def _not_yaml(path: str, error: yaml.MarkedYAMLError) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    where = Location(path=path, line=mark.line + 1, column=mark.column + 1) if mark else Location(path=path)
    why = " ".join(part for part in (error.problem, error.context) if part) or "it cannot be parsed"
    return ConfigError("The file is not valid YAML", why=why, remedy="mend this line or the one above", where=where)


def _scalar(event: yaml.ScalarEvent) -> Json:
    text = str(event.value)
    if event.tag or not event.implicit[0]:  # tagged as text, quoted, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


@dataclass(kw_only=True)
class _Frame:
    """An open mapping or sequence."""

    container: dict[str, Any] | list[Any]
    path: JsonPath
    tag: str | None
    anchor: str | None
    key: str | None = None


@dataclass(kw_only=True)
class _Reader:
    """Builds data from events, one at a time, without recursion."""

    path: str
    limits: Limits
    tags: Tags
    frames: list[_Frame] = field(default_factory=list)
    marks: dict[JsonPath, Location] = field(default_factory=dict)
    anchors: dict[str, Any] = field(default_factory=dict)
    root: Any = None
    documents: int = 0
    nodes: int = 0

    def document(self) -> Document:
        if self.documents == 0:
            raise ConfigError(
                "The file is empty",
                why="it holds no YAML document",
                remedy="start from one of the examples",
                where=Location(path=self.path),
            )
        return Document(data=self.root, marks=self.marks)

    def take(self, event: yaml.Event) -> None:
        where = self._where(event)
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise self._refuse("The file holds several documents", "one file is one stack", "split it", where)
            case yaml.ScalarEvent():
                self._scalar(event, where)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event, where)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close(where)
            case yaml.AliasEvent():
                self._alias(event, where)
            case _:
                pass

    def _scalar(self, event: yaml.ScalarEvent, where: Location) -> None:
        frame = self.frames[-1] if self.frames else None
        tag = self._tag(event, where)
        if frame and isinstance(frame.container, dict) and frame.key is None:
            self._key(frame, str(event.value), where)
            return
        value: Any = _scalar(event)
        if tag is not None:
            value = self.tags[tag](str(event.value))
        self._anchor(event, value, where)
        self._add(value, where, mark=where)

    def _key(self, frame: _Frame, key: str, where: Location) -> None:
        assert isinstance(frame.container, dict)  # noqa: S101 - the caller looked
        if key in frame.container:
            first = self.marks[(*frame.path, key)]
            raise self._refuse(
                f"The key {key!r} is there twice", f"the first one is on line {first.line}", "remove one of them", where
            )
        frame.key = key
        self.marks[(*frame.path, key)] = where

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, where: Location) -> None:
        if len(self.frames) >= self.limits.depth:
            raise self._refuse(
                "The file is nested too deeply", f"more than {self.limits.depth} levels", "flatten it", where
            )
        frame = self.frames[-1] if self.frames else None
        if frame and isinstance(frame.container, dict) and frame.key is None:
            raise self._refuse("A key is not text", "it is a list or a mapping", "write it as a plain word", where)
        path = self._next_path()
        self.marks.setdefault(path, where)
        container: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._count(where)
        self.frames.append(
            _Frame(container=container, path=path, tag=self._tag(event, where), anchor=self._name(event, where))
        )

    def _close(self, where: Location) -> None:
        frame = self.frames.pop()
        value: Any = frame.container
        if frame.tag is not None:
            value = self.tags[frame.tag](value)
        if frame.anchor:
            self.anchors[frame.anchor] = value
        self._add(value, where, mark=None)

    def _alias(self, event: yaml.AliasEvent, where: Location) -> None:
        if not self.limits.aliases:
            raise self._refuse("The file uses a YAML alias", "aliases are not supported here", "write it out", where)
        if event.anchor not in self.anchors:
            raise self._refuse(f"The alias *{event.anchor} is unknown", "no anchor has its name", "define it", where)
        value = self.anchors[event.anchor]
        for _ in _walk(value):
            self._count(where)
        self._add(value, where, mark=where)

    def _add(self, value: Any, where: Location, *, mark: Location | None) -> None:
        path = self._next_path()
        if mark is not None:
            self._count(where)
            self.marks[path] = mark
        if not self.frames:
            self.root = value
            return
        frame = self.frames[-1]
        if isinstance(frame.container, list):
            frame.container.append(value)
        elif frame.key is not None:
            frame.container[frame.key] = value
            frame.key = None

    def _next_path(self) -> JsonPath:
        if not self.frames:
            return ()
        frame = self.frames[-1]
        step = len(frame.container) if isinstance(frame.container, list) else frame.key
        return frame.path if step is None else (*frame.path, step)

    def _tag(self, event: Any, where: Location) -> str | None:
        tag = event.tag
        if tag is None or tag == "!" or str(tag).startswith("tag:yaml.org,2002:str"):
            return None
        name = str(tag).removeprefix("!")
        if name not in self.tags:
            raise self._refuse(f"The YAML tag {tag!r} is not supported", "values are plain here", "remove it", where)
        return name

    def _name(self, event: Any, where: Location) -> str | None:
        if event.anchor and not self.limits.aliases:
            raise self._refuse("The file uses a YAML anchor", "anchors are not supported here", "remove it", where)
        return str(event.anchor) if event.anchor else None

    def _anchor(self, event: yaml.ScalarEvent, value: Any, where: Location) -> None:
        if name := self._name(event, where):
            self.anchors[name] = value

    def _count(self, where: Location) -> None:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise self._refuse("The file is too large", f"more than {self.limits.nodes:,} values", "split it", where)

    def _where(self, event: yaml.Event) -> Location:
        mark = event.start_mark
        assert mark is not None  # noqa: S101 - every event of a parsed stream has one
        return Location(path=self.path, line=mark.line + 1, column=mark.column + 1)

    def _refuse(self, what: str, why: str, remedy: str, where: Location) -> ConfigError:
        return ConfigError(what, why=why, remedy=remedy, where=where)


def _walk(value: Any) -> Iterator[Any]:
    stack = [value]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, dict):
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
