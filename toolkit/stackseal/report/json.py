"""A report as JSON that crosses from a job without trust to one that can write: data only, checked on the way in."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NoReturn

from stackseal.errors import ConfigError
from stackseal.model import Report, canonical_json
from stackseal.report.encode import one_line
from stackseal.report.redact import redact

if TYPE_CHECKING:
    from pydantic import TypeAdapter

LIMIT: Final = 300_000_000
"""Bytes of a report that is read; a thousand new stacks of the largest product fit, each with 200,000."""
VERSION: Final = 1
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def render(report: Report) -> str:
    """The report as indented JSON with sorted keys; secrets are hidden as in every format."""
    return dumps(report)


def dumps(report: Report) -> str:
    """The redacted report as JSON text; `loads` gives back exactly that."""
    data = _adapter().dump_python(redact(report, salt=report.run.repository), mode="json")
    return json.dumps(data, sort_keys=True, indent=1, ensure_ascii=True) + "\n"


def loads(text: str) -> Report:
    """The report of a text that `dumps` wrote.

    Raises:
        ConfigError: the text is too long, no JSON, or holds anything that a report does not: a missing, unknown or
            double key, a value of another type, another version.
    """
    if len(text) > LIMIT or len(text.encode(errors="replace")) > LIMIT:
        _refuse(f"it is longer than {LIMIT:,} bytes")
    data = _parse(text)
    if not isinstance(data, dict) or data.get("version") != VERSION:
        _refuse(f"it is not of version {VERSION}")
    report = _validate(data)
    # Validation lets unknown keys pass and turns "1" into 1; what does not come back the same was not ours.
    if canonical_json(_adapter().dump_python(report, mode="json")) != canonical_json(data):
        _refuse("it has unknown or missing keys or values of another type")
    return report


def _parse(text: str) -> Any:
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        _refuse(one_line(str(error)) or type(error).__name__)
    if _SURROGATE.search(json.dumps(data, ensure_ascii=False)):
        _refuse("it holds half a surrogate pair")
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse("it has a key twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    _refuse(f"it holds {name}")


def _validate(data: Any) -> Report:
    from pydantic import ValidationError

    try:
        return _adapter().validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        _refuse(one_line(f"{place or 'the root'}: {first['msg']}")[:300])
    except RecursionError:
        _refuse("it is nested too deep")


def _refuse(why: str) -> NoReturn:
    raise ConfigError("report.json is not a report of stackseal", why=why, remedy="run the review again")


@cache
def _adapter() -> TypeAdapter[Report]:
    from pydantic import TypeAdapter

    return TypeAdapter(Report)
