"""Anybody's CloudFormation template files as templates: YAML or JSON, every node with its place in the file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from stackseal import yamltext
from stackseal.errors import ConfigError, UsageError
from stackseal.model import Finding, JsonPath, Level, Location, SourceMap, Template

UNREADABLE: Final = "unreadable"
"""Our own finding: the file is no YAML or JSON, or not what CloudFormation takes."""
_SUFFIXES: Final = frozenset({".json", ".template", ".yaml", ".yml"})


class NoTemplate(ConfigError):  # noqa: N818 - reads as a sentence where it is raised
    """Readable, but something else."""


def load(paths: Sequence[Path]) -> tuple[list[Template], list[Finding]]:
    """The templates of files, and of folders the files that look like one; and a finding for each unreadable one.

    Such a file is not shown to the engines either: what stops our reader may crash theirs. Raises `UsageError` for a
    path that is not there.
    """
    templates: list[Template] = []
    findings: list[Finding] = []
    for path, named in _files(paths):
        try:
            templates.append(parse(yamltext.decode(_read(path), path.as_posix(), yamltext.TEMPLATE), path.as_posix()))
        except ConfigError as error:
            if isinstance(error, NoTemplate) and not named:
                continue
            where = error.where or Location(path=path.as_posix())
            message = f"{error}."
            finding = Finding(check=UNREADABLE, engine="stackseal", level=Level.ERROR, message=message, where=where)
            findings.append(finding)
    return templates, findings


def parse(text: str, path: str) -> Template:
    """A template from its text; parameters have their defaults. Raises `ConfigError` where it is none."""
    # Tabs between JSON's tokens are no YAML; a space in the place of each keeps the columns.
    readable = text.replace("\t", " ") if text.lstrip().startswith("{") else text
    document = yamltext.parse(readable, path, limits=yamltext.TEMPLATE, tags=yamltext.CLOUDFORMATION_TAGS)
    body = document.data
    if not isinstance(body, dict) or not isinstance(body.get("Resources"), dict):
        why, remedy = "it has no Resources mapping", "give the path of a template in YAML or JSON"
        raise NoTemplate("This is no CloudFormation template", why=why, remedy=remedy, where=Location(path=path))
    marks = document.marks
    source = SourceMap(path=path, lines=_lines(text, marks), rendered=marks, template=marks, config={})
    return Template(text=text, body=body, parameters=_defaults(body), source=source)


def suppression(template: Template, resource: str | None, check: str) -> str | None:
    """The reason that a resource's Metadata gives for not minding one of our own checks; None where it does not.

    It is written as for checkov: `Metadata: {stackseal: {skip: [{id: tags, comment: why}]}}`.
    """
    node: Any = template.resources.get(resource or "")
    for key in ("Metadata", "stackseal", "skip"):
        node = node.get(key) if isinstance(node, Mapping) else None
    for row in node if isinstance(node, list) else ():
        if isinstance(row, Mapping) and row.get("id") == check:
            return str(row.get("comment") or "")
    return None


def _defaults(body: Mapping[str, Any]) -> dict[str, str]:
    declared = body.get("Parameters")
    return {
        name: str(parameter["Default"])
        for name, parameter in (declared.items() if isinstance(declared, Mapping) else ())
        if isinstance(parameter, Mapping) and isinstance(parameter.get("Default"), str | int | float)
    }


def _lines(text: str, marks: Mapping[JsonPath, Location]) -> tuple[JsonPath, ...]:
    """For each line the first node that begins there; a line without one belongs to the node above."""
    begins: dict[int, JsonPath] = {}
    for path, _ in sorted(marks.items(), key=lambda item: (item[1].line, item[1].column, len(item[0]))):
        if path:
            begins.setdefault(marks[path].line, path)
    found: list[JsonPath] = []
    for number in range(1, text.count("\n") + 2):
        found.append(begins.get(number, found[-1] if found else ()))
    return tuple(found)


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Each file, and whether it was named itself; what a folder holds besides templates is passed over."""
    for path in paths:
        if not path.is_dir():
            yield path, True
            continue
        inside = sorted(found for found in path.rglob("*") if found.suffix in _SUFFIXES and found.is_file())
        yield from ((found, False) for found in inside if _looks_like_one(found))


def _looks_like_one(path: Path) -> bool:
    raw = _read(path)
    return b"Resources" in raw and (b"AWSTemplateFormatVersion" in raw or b"AWS::" in raw)


def _read(path: Path) -> bytes:
    """At most one byte more than the limit, so that a huge file is refused without being read; no pipe blocks."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return file.read(yamltext.TEMPLATE.size + 1)
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from error
    raise _unreadable(path, "it is a pipe or a device, not a file")


def _unreadable(path: Path, why: str) -> UsageError:
    remedy = "name a CloudFormation template or a folder with some"
    return UsageError(f"{path.as_posix()} cannot be read", why=why, remedy=remedy)
