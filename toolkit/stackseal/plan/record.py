"""The seal record: what was reviewed, as a file that a deployment can be held against."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from stackseal import artifacts, naming
from stackseal.errors import Refused, UsageError
from stackseal.model import Growth, Plan, StackId, Template, canonical_json, sha256
from stackseal.plan.seal import Line, awaited, lines_of, of_plan, rough, subset

_SHA: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_MAYBE: Final = {"type": ["string", "null"]}
_MAP: Final = {"type": "object", "additionalProperties": _TEXT}


def _exactly(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": sorted(properties),
        "properties": properties,
    }


_LINE: Final = _exactly(
    nested=_TEXTS,
    logical_id=_TEXT,
    path=_TEXT,
    action=_TEXT,
    type=_TEXT,
    replacement={"enum": ["True", "False", "Conditional"]},
    policy_action=_TEXT,
    value={"type": "string", "pattern": r"^([0-9a-f]{64}|\*)?$"},
)
SCHEMA: Final = _exactly(
    version={"const": 1},
    stack=_exactly(account=_TEXT, region=_TEXT, name=_TEXT),
    pull_request={"type": ["integer", "null"], "minimum": 1},
    head={"type": "string", "pattern": "^[0-9a-f]{7,64}$"},
    base=_MAYBE,
    created=_TEXT,
    operation={"enum": ["create", "update", "delete", "no changes"]},
    input_digest=_SHA,
    seal=_SHA,
    template_sha256=_SHA,
    parameters={"type": "object", "additionalProperties": _SHA},
    tags=_MAP,
    capabilities=_TEXTS,
    execution_role=_MAYBE,
    change_set=_MAYBE,
    change_set_name=_MAYBE,
    lines={"type": "array", "items": _LINE},
    drift=_MAP,
    resolved={"type": "object", "additionalProperties": _SHA},
    blocked={"type": "boolean"},
    unsealed={"type": "boolean"},
    awaited=_MAP,
    since=_TEXT,
    grown={"type": "boolean"},
    checksum=_SHA,
)


LAST: Final = "last"
"""Beside the records of a pull request: a copy of the newest, which is read without a list."""


@dataclass(frozen=True, kw_only=True)
class SealRecord:
    """One reviewed plan of one stack at one commit."""

    stack: StackId
    pull_request: int | None
    head: str
    """The commit that was reviewed, in full."""
    base: str | None
    created: str
    """ISO 8601 time, from the caller's clock; the newest record counts."""
    operation: str
    input_digest: str
    seal: str
    template_sha256: str
    parameters: Mapping[str, str]
    """Name → SHA-256 of the value."""
    tags: Mapping[str, str]
    capabilities: tuple[str, ...]
    execution_role: str | None
    change_set: str | None
    change_set_name: str | None
    lines: tuple[Line, ...]
    drift: Mapping[str, str] = field(default_factory=dict)
    """Logical id → drift status, for the resources that change."""
    resolved: Mapping[str, str] = field(default_factory=dict)
    """SSM parameter that the template reads → SHA-256 of its value at review."""
    blocked: bool = False
    """The review that made it was blocked: the plan is on record, and nobody may execute it."""
    unsealed: bool = False
    """It plans what was pushed without a review: only a person who lets a job into an environment may execute it."""
    awaited: Mapping[str, str] = field(default_factory=dict)
    """SSM path → name of the stack that publishes its value first. Then there is no change set yet, and `lines` are
    predicted."""
    since: str = ""
    """ISO 8601 time of the review since which the plan has not grown (`model.Growth`)."""
    grown: bool = False


def record(
    plan: Plan,
    template: Template,
    *,
    pull_request: int | None,
    head: str,
    base: str | None,
    created: str,
    drift: Mapping[str, str] | None = None,
    resolved: Mapping[str, str] | None = None,
) -> SealRecord:
    """The record of a sealed plan. `resolved` are plain values; only their hashes are kept."""
    if plan.seal is None:
        raise UsageError("a plan without a seal cannot be recorded", remedy="record change sets, not predictions")
    return SealRecord(
        stack=plan.stack,
        pull_request=pull_request,
        head=head,
        base=base,
        created=created,
        operation=plan.operation.value,
        input_digest=of_plan(plan, template).digest,
        seal=plan.seal,
        template_sha256=template.sha256,
        parameters=hashed(plan.parameters),
        tags=dict(plan.tags),
        capabilities=tuple(sorted(plan.capabilities)),
        execution_role=plan.execution_role,
        change_set=plan.change_set,
        change_set_name=plan.change_set_name,
        lines=lines_of(plan),
        drift=dict(sorted((drift or {}).items())),
        resolved=hashed(resolved or {}),
        awaited=awaited(plan),
        since=plan.growth.since if plan.growth else created,
        grown=plan.growth is not None and plan.growth.grown,
    )


def growth(plan: Plan, previous: SealRecord | None, *, head: str, now: str) -> Growth:
    """How a plan stands to the last one that the same pull request has sealed for the stack."""
    if previous is None:
        return Growth(since=now, head=head)
    lines, before = lines_of(plan), previous.lines
    if plan.awaits or previous.awaited:
        lines, before = rough(lines), rough(before)
    extra = subset(lines, before)
    if not extra:
        return Growth(since=previous.since, grown=previous.grown, head=head)
    return Growth(since=now, grown=True, lines=tuple(dict.fromkeys(str(line) for line in extra)), head=head)


def hashed(values: Mapping[str, str]) -> dict[str, str]:
    """Name → SHA-256 of each value, sorted by name."""
    return {name: sha256(values[name]) for name in sorted(values)}


def dump(found: SealRecord) -> str:
    """The record as JSON text, with a checksum over the rest."""
    data = _plain(found)
    return json.dumps({**data, "checksum": sha256(canonical_json(data))}, indent=2, sort_keys=True) + "\n"


def load(text: str, *, source: str) -> SealRecord:
    """A record from its JSON text. Refused when it is not one of ours, was edited, or contradicts itself."""
    import jsonschema

    try:
        data = json.loads(text)
        jsonschema.validate(data, SCHEMA)
    except (ValueError, RecursionError, jsonschema.ValidationError) as error:
        raise _refused(source, getattr(error, "message", str(error)).splitlines()[0][:200]) from error
    checksum = data.pop("checksum")
    if checksum != sha256(canonical_json(data)):
        raise _refused(source, "its checksum does not match its content")
    data.pop("version")
    lines = tuple(Line(**{**line, "nested": tuple(line["nested"])}) for line in data.pop("lines"))
    found = SealRecord(
        **{**data, "stack": StackId(**data["stack"]), "capabilities": tuple(data["capabilities"])}, lines=lines
    )
    name = found.change_set_name
    if name and name.startswith(naming.SEALED) and not name.endswith(found.input_digest[:12]):
        raise _refused(source, "the change set's name does not carry its digest")
    return found


class Records(Protocol):
    """Where records live: `seals/{account}/{region}/{stack}/{pull request}/{head}.json`.

    Those of what was pushed without a review lie apart, so that nobody takes one for a review's.
    """

    def put(self, found: SealRecord) -> str:
        """Store a record and say where."""
        ...

    def of(self, stack: StackId, pull_request: int | None, *, unsealed: bool = False) -> tuple[SealRecord, ...]:
        """Every record of a pull request on a stack, newest first; or those of pushes without a review."""
        ...

    def last(self, stack: StackId, pull_request: int | None) -> SealRecord | None:
        """The record that was stored last for a pull request on a stack, Refused when it is not what it should be."""
        ...


class LocalRecords:
    """Records below a directory: the demo's and a single machine's store."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, found: SealRecord) -> str:
        path = self._root / key(found.stack, found.pull_request, found.head, unsealed=found.unsealed)
        for place in (path, path.with_name(LAST)):
            artifacts.unlinked(place, below=self._root)
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=place.parent, delete=False, encoding="utf-8") as file:
                file.write(dump(found))
            Path(file.name).replace(place)  # a reader sees the whole record or none
        return str(path)

    def last(self, stack: StackId, pull_request: int | None) -> SealRecord | None:
        path = (self._root / key(stack, pull_request, "0" * 40)).with_name(LAST)
        if not path.is_file():
            return None
        found = self._read(path)
        return belonging(found, stack, pull_request, found.head)

    def of(self, stack: StackId, pull_request: int | None, *, unsealed: bool = False) -> tuple[SealRecord, ...]:
        folder = (self._root / key(stack, pull_request, "0" * 40, unsealed=unsealed)).parent
        found = [
            belonging(self._read(path), stack, pull_request, path.stem, unsealed=unsealed)
            for path in sorted(folder.glob("*.json"))
        ]
        return newest_first(found)

    def _read(self, path: Path) -> SealRecord:
        if (link := artifacts.linked(path, below=self._root)) is not None:
            raise _refused(str(path), f"{link} is a symbolic link")
        return load(path.read_text(encoding="utf-8"), source=str(path))


def belonging(
    found: SealRecord, stack: StackId, pull_request: int | None, head: str, *, unsealed: bool = False
) -> SealRecord:
    """The record, Refused when it lies where another one should."""
    if (found.stack, found.pull_request, found.head, found.unsealed) != (stack, pull_request, head, unsealed):
        where = key(stack, pull_request, head, unsealed=unsealed)
        raise _refused(where, "it is the record of another stack, pull request or commit")
    return found


def newest_first(found: list[SealRecord]) -> tuple[SealRecord, ...]:
    """Sorted by the time of the review, newest first; equal times by commit."""
    return tuple(sorted(found, key=lambda item: (item.created, item.head), reverse=True))


def key(stack: StackId, pull_request: int | None, head: str, *, unsealed: bool = False) -> str:
    """Where a record lives. The parts come from outside, so each is checked before it becomes a path."""
    parts = (
        (stack.account, r"[0-9]{12}"),
        (stack.region, r"[a-z0-9-]{1,32}"),
        (stack.name, r"[A-Za-z][-A-Za-z0-9]{0,127}"),
        (head, r"[0-9a-f]{7,64}"),
    )
    for text, pattern in parts:
        if not re.fullmatch(pattern, text):
            raise UsageError(f"{text!r} cannot be part of a record's name", why=f"it does not match {pattern}")
    pull = "unsealed" if unsealed else "local" if pull_request is None else str(int(pull_request))
    return f"seals/{stack.account}/{stack.region}/{stack.name}/{pull}/{head}.json"


def _plain(found: SealRecord) -> dict[str, Any]:
    data = asdict(found)
    data["version"] = 1
    data["capabilities"] = list(found.capabilities)
    data["lines"] = [{**line, "nested": list(line["nested"])} for line in data["lines"]]
    return data


def _refused(source: str, why: str) -> Refused:
    return Refused(f"the seal record {source} is not valid", why=why, remedy="review the pull request again")
