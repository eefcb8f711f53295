"""Anybody's CloudFormation template files as templates: YAML or JSON, every node with its place in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from stackseal import checked, yamltext
from stackseal.checked import File
from stackseal.errors import ConfigError, UsageError
from stackseal.model import Finding, JsonPath, Level, Location, SourceMap, Template

UNREADABLE: Final = "unreadable"
"""Our own finding: the file is no YAML or JSON, or not what CloudFormation takes."""


class NoTemplate(ConfigError):  # noqa: N818 - reads as a sentence where it is raised
    """Readable, but something else."""


def files(paths: Sequence[Path]) -> list[File]:
    """The files, and those in folders that look like a template. Raises `UsageError` for a path that is not there."""
    try:
        return list(checked.files(paths))
    except OSError as error:
        remedy = "name a CloudFormation template or a folder with some"
        what = f"{Path(error.filename).as_posix()} cannot be read"
        raise UsageError(what, why=str(error.strerror), remedy=remedy) from error


def text_of(file: File) -> str:
    """What a file holds. Raises `ConfigError` for what is no text."""
    return yamltext.decode(file.raw, file.path, yamltext.TEMPLATE)


def load(found: Sequence[File]) -> tuple[list[Template], list[Finding]]:
    """The templates of files, and a finding for each unreadable one.

    Such a file is not shown to the engines either: what stops our reader may crash theirs.
    """
    templates: list[Template] = []
    findings: list[Finding] = []
    for file in found:
        try:
            templates.append(parse(text_of(file), file.path))
        except ConfigError as error:
            if isinstance(error, NoTemplate) and not file.named:
                continue
            where = error.where or Location(path=file.path)
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


def moved(finding: Finding, path: str) -> Finding:
    """The same finding in another file of the same shape: names stand at the end of their lines."""
    rendered = replace(finding.rendered, path=path) if finding.rendered else None
    return replace(finding, where=replace(finding.where, path=path), rendered=rendered)


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
