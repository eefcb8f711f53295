"""Stage 3, Stack → Template, with the map back to the lines that people wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stackseal.model.base import JsonPath, Location, canonical_json, sha256
from stackseal.model.config import nearest
from stackseal.model.stack import Stack


@dataclass(frozen=True, kw_only=True)
class SourceMap:
    """From the rendered file back to the lines that people wrote."""

    path: str
    """The rendered file as findings name it."""
    lines: tuple[JsonPath, ...]
    """For each line of the rendered text (index 0 is line 1) the path of the node that stands there."""
    rendered: Mapping[JsonPath, Location]
    template: Mapping[JsonPath, Location]
    config: Mapping[JsonPath, Location]

    def node_at(self, line: int) -> JsonPath:
        """The path of the node on a line of the rendered text."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ()

    def blame(self, path: JsonPath) -> Location:
        """The config line that caused a node; the template's own line where no config value did."""
        found = nearest(self.config, path) or nearest(self.template, path)
        return found or self.rendered.get(path) or Location(path=self.path)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A CloudFormation template: ours with its stack, or anybody's without one."""

    text: str
    """The file as it is written: header comments and YAML with the config's values as Defaults."""
    body: Mapping[str, Any]
    """The same as data, intrinsic functions in their long form."""
    parameters: Mapping[str, str]
    """The value of every CloudFormation parameter; for an SSM type the path."""
    source: SourceMap
    stack: Stack | None = None

    @cached_property
    def canonical(self) -> str:
        """What is sent to CloudFormation and what is sealed: sorted compact JSON."""
        return canonical_json(self.body)

    @cached_property
    def sha256(self) -> str:
        return sha256(self.canonical)

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.body.get("Resources") or {}
        return found
