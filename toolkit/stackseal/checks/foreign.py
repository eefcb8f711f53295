"""Anybody's CloudFormation template as a `Template`: YAML or JSON, every node with its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from stackseal.errors import ConfigError, UsageError
from stackseal.model import JsonPath, Location, SourceMap, Template

_BYTES: Final = 1_000_000
"""CloudFormation takes no larger template."""
_NODES: Final = 200_000
"""More than a template of that size can hold, unless aliases multiply."""
_SUFFIXES: Final = frozenset({".json", ".template", ".yaml", ".yml"})


def load_all(paths: Sequence[Path]) -> tuple[Template, ...]:
    """The templates of files, and of folders those files that look like one; see `load` for the errors."""
    return tuple(load(path) for path in _files(paths))


def load(path: Path) -> Template:
    """One template. What is no YAML or JSON has an empty body: cfn-lint says where. A file that is too large, too deep,
    not UTF-8 or not there raises `ConfigError` or `UsageError`."""
    return parse(_read(path), path.as_posix())


def parse(text: str, name: str) -> Template:
    """A template from its text; `name` is what findings call the file. Parameters have their defaults."""
    marks: dict[JsonPath, Location] = {}
    body: Any = {}
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        body = _Builder(name, marks).build(node, ()) if node is not None else {}
    except yaml.YAMLError:
        body = _json(text)
    except RecursionError as error:
        raise _refused(name, "it is nested too deeply") from error
    body = body if isinstance(body, dict) else {}
    declared = body.get("Parameters")
    parameters = {
        str(key): str(value["Default"])
        for key, value in (declared.items() if isinstance(declared, dict) else ())
        if isinstance(value, dict) and isinstance(value.get("Default"), str | int | float)
    }
    body = body if isinstance(body.get("Resources"), dict) else {**body, "Resources": {}}
    source = SourceMap(path=name, lines=_lines(text, marks), rendered=marks, template=marks, config={})
    return Template(text=text, body=body, parameters=parameters, source=source)


class _Builder:
    """Turns YAML nodes into data, noting where each stands; a mapping's entry stands where its key does."""

    def __init__(self, name: str, marks: dict[JsonPath, Location]) -> None:
        self._name, self._marks, self._count = name, marks, 0
        self._scalars = yaml.constructor.SafeConstructor()

    def build(self, node: yaml.Node, path: JsonPath) -> Any:
        self._count += 1
        if self._count > _NODES:
            raise _refused(self._name, "its aliases make it too large")
        self._mark(path, node)
        if node.tag.startswith("!"):
            return self._function(node, path)
        return self._plain(node, path)

    def _function(self, node: yaml.Node, path: JsonPath) -> Any:
        name = node.tag[1:]
        name = name if name in {"Ref", "Condition"} else f"Fn::{name}"
        value = self._plain(node, (*path, name))
        if name == "Fn::GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        self._mark((*path, name), node)
        return {name: value}

    def _plain(self, node: yaml.Node, path: JsonPath) -> Any:
        if isinstance(node, yaml.MappingNode):
            found = {}
            for key_node, value_node in node.value:
                key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
                found[key] = self.build(value_node, (*path, key))
                self._mark((*path, key), key_node)
            return found
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Any:
        """Numbers and booleans as YAML 1.1 reads them; a date stays a text, as CloudFormation takes it."""
        if node.tag.rpartition(":")[2] not in {"bool", "float", "int", "null"}:
            return node.value
        try:
            return self._scalars.construct_object(node)
        except ValueError:
            return node.value

    def _mark(self, path: JsonPath, node: yaml.Node) -> None:
        mark = node.start_mark
        self._marks[path] = Location(path=self._name, line=mark.line + 1, column=mark.column + 1)


def _json(text: str) -> Any:
    """JSON that is no YAML (indented by tabs); without places, and empty if it is no JSON either."""
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _lines(text: str, marks: dict[JsonPath, Location]) -> tuple[JsonPath, ...]:
    """For each line the deepest node that begins there, else the line's before."""
    begins: dict[int, JsonPath] = {}
    for path, place in marks.items():
        if len(path) >= len(begins.get(place.line, ())):
            begins[place.line] = path
    found: list[JsonPath] = []
    for number in range(1, text.count("\n") + 2):
        found.append(begins.get(number, found[-1] if found else ()))
    return tuple(found)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(found for found in path.rglob("*") if found.suffix in _SUFFIXES and found.is_file())
        yield from (found for found in inside if _looks_like_one(found))


def _looks_like_one(path: Path) -> bool:
    text = path.read_bytes()[:_BYTES].decode("utf-8", errors="replace")
    return "Resources" in text and ("AWSTemplateFormatVersion" in text or "AWS::" in text)


def _read(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > _BYTES:
            raise _refused(path.as_posix(), f"it has {size:,} bytes, CloudFormation takes {_BYTES:,}")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        remedy = "name a CloudFormation template or a folder with some"
        raise UsageError(f"{path.as_posix()} cannot be read", why=str(error.strerror), remedy=remedy) from error
    except UnicodeDecodeError as error:
        raise _refused(path.as_posix(), "it is not UTF-8") from error


def _refused(name: str, why: str) -> ConfigError:
    remedy = "check the template that it was made from"
    return ConfigError(f"{name} is not checked", why=why, remedy=remedy, where=Location(path=name))
