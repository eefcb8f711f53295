"""What checkov's output says: JSON in, results out; whatever is missing from it is said, too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from stackseal.checks.base import Job, Raw
from stackseal.errors import Failed
from stackseal.model import JsonPath, Level

UNREAD: Final = "checkov-unread"
"""Our own finding: checkov did not read a template."""
NOTHING: Final = "checkov-nothing"
"""Our own finding: checkov read a template and checked none of its resources."""
REWRITTEN: Final = ".new.yaml"
"""How the name ends of a file whose lines are not the template's own."""


class Crashed(Failed):
    """checkov ended early or said what nobody understands: one of its templates may be the cause."""


def parse(output: str) -> list[Mapping[str, Any]]:
    """The reports: none where checkov found no resource, else one, or a list where it ran several frameworks."""
    try:
        data = json.loads(output)
    except ValueError as error:
        raise broken(f"checkov's output is not JSON: {last_line(output) or 'it is empty'}") from error
    reports = data if isinstance(data, list) else [data]
    if not all(isinstance(report, dict) for report in reports):
        raise broken("checkov's output is JSON of an unknown shape")
    return [report for report in reports if "results" in report]


def results(
    reports: Sequence[Mapping[str, Any]], names: Mapping[str, str], jobs: Mapping[str, Job]
) -> dict[str, tuple[Raw, ...]]:
    """What the reports say of every job; `names` leads from a file's name to its job. Raises `Crashed` in doubt."""
    found: dict[str, list[Raw]] = {key: [] for key in jobs}
    heard: set[str] = set()
    unread: set[str] = set()
    counted = 0
    try:
        for report in reports:
            said = report["results"]
            counted += report["summary"]["resource_count"]
            unread |= {names[Path(path).name] for path in said["parsing_errors"]}
            heard |= {names[Path(record["file_path"]).name] for record in said["passed_checks"]}
            for record in [*said["failed_checks"], *said["skipped_checks"]]:
                found[names[Path(record["file_path"]).name]].append(_raw(record))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise broken(f"checkov's output is JSON of an unknown shape ({type(error).__name__} {error})") from error
    silent = {key for key, raws in found.items() if not raws and jobs[key].resources} - heard - unread
    complete = counted == sum(job.resources for key, job in jobs.items() if key not in unread)
    for key in sorted(unread | silent):
        found[key].append(_silence(jobs[key], read=complete and key in silent))
    return {key: tuple(sorted(raws, key=lambda raw: (raw.line, raw.check, raw.path))) for key, raws in found.items()}


def _silence(job: Job, *, read: bool) -> Raw:
    """Nothing was said about a template: because there is nothing to check, or because it was not read."""
    if read:
        message = (
            f"checkov says nothing about the {job.resources} resources: it has no check for them, "
            f"or their conditions are false by default."
        )
        return Raw(check=NOTHING, level=Level.NOTE, message=message)
    message = "checkov could not read this template, so it was not scanned; correct what cfn-lint says about its shape."
    return Raw(check=UNREAD, level=Level.ERROR, message=message)


def crash(error: Crashed) -> Raw:
    """The result of the one template that makes checkov crash."""
    return Raw(
        check=UNREAD, level=Level.ERROR, message=f"checkov stops at this template, so it was not scanned: {error.why}."
    )


def _raw(record: Mapping[str, Any]) -> Raw:
    outcome = record["check_result"]
    skipped = outcome["result"] == "SKIPPED"
    logical_id = record["resource"].rpartition(".")[2]
    return Raw(
        check=record["check_id"],
        level=Level.ERROR,
        message=record["check_name"],
        path=("Resources", logical_id, *_property(outcome.get("evaluated_keys") or [])),
        line=0 if record["file_path"].endswith(REWRITTEN) else max(record["file_line_range"][0], 1),
        help_url=record.get("guideline") or "",
        suppressed=str(outcome.get("suppress_comment") or "") if skipped else None,
    )


def _property(evaluated: Sequence[str]) -> JsonPath:
    """The first property that the check looked at, `Properties/A/[0]/B`; it need not exist."""
    return tuple(_steps(evaluated[0])) if evaluated and str(evaluated[0]).startswith("Properties/") else ()


def _steps(path: str) -> Iterator[str | int]:
    for step in path.split("/"):
        number = step.strip("[]")
        yield int(number) if number.isdecimal() else step


def last_line(output: str) -> str:
    """Where programs say what went wrong; at most 300 characters."""
    lines = output.strip().splitlines()
    return lines[-1][:300] if lines else ""


def broken(why: str) -> Crashed:
    """The failure, for raising."""
    return Crashed("The security scan did not work", why=why, remedy="run it again; if it stays, install checkov anew")
