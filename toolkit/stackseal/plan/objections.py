"""What CloudFormation's own validations say of a change set, on the config line that it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stackseal.aws.errors import AwsFailed
from stackseal.aws.shapes import Objection
from stackseal.model import JsonPath, Location, Template

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation


@dataclass(frozen=True, kw_only=True)
class Objections:
    """All of them, as values and as sentences."""

    all: tuple[Objection, ...] = ()
    sentences: tuple[str, ...] = ()

    @property
    def stopping(self) -> tuple[Objection, ...]:
        """Those that made the change set fail."""
        return tuple(item for item in self.all if item.status == "FAILED" and item.mode != "WARN")


def found(cfn: CloudFormation, change_set: str) -> Objections:
    """The objections to a change set. That they cannot be read is said, and hides no other result."""
    try:
        items = cfn.objections(change_set)
    except AwsFailed as error:
        return Objections(sentences=(f"CloudFormation's own validations could not be read ({error.why}).",))
    return Objections(all=items, sentences=tuple(dict.fromkeys(_sentence(item) for item in items)))


def blame(items: tuple[Objection, ...], template: Template) -> Location | None:
    """The config line of the first objection that names a place; None where none does."""
    for item in items:
        path = _path(item)
        if path[1] in template.resources:
            return template.source.blame(path)
    return None


def _path(item: Objection) -> JsonPath:
    """`/Resources/Bucket/Properties/Tags/0` as steps; without a path the resource itself."""
    if not item.path.startswith("/Resources/"):
        return ("Resources", item.logical_id)
    return tuple(int(step) if step.isdigit() else step for step in item.path.strip("/").split("/"))


def _sentence(item: Objection) -> str:
    where = item.path or item.logical_id
    reason = (item.reason or "no reason given").rstrip(".")
    if item.status == "SKIPPED":
        return f"{item.validation} was skipped for {where}: {reason}."
    return f"{item.validation} {'warns' if item.mode == 'WARN' else 'fails'} at {where}: {reason}."
