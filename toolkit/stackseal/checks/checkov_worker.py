"""checkov as a worker: run by the interpreter of its own environment, so nothing of ours is imported here.

    python -s -P checkov_worker.py IN:OUT

It says its version, then answers every question `{"name": …, "text": …}` with `{"name": …, "report": …}`, the part of
checkov's own JSON that we read, or with `{"error": …}`. `Runner` is no promised API: who asks compares the version with
the locked one, and a test compares the answers with the command line's. Garbage collection is off while modules load,
and never looks at what they loaded.
"""

from __future__ import annotations

import gc

gc.disable()

import itertools  # noqa: E402 - after the switch, as everything here
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, TextIO  # noqa: E402

KEYS = ("check_id", "check_name", "check_result", "file_path", "file_line_range", "resource", "guideline")
QUESTION = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"
"""Scanned once before the first question: checkov loads its graph checks with the first scan."""


_NUMBERS = itertools.count()


def offline(event: str, _: Any) -> None:
    """An audit hook: whatever would talk to somebody fails."""
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        raise PermissionError(f"{event}: a worker has no network")


def main() -> None:
    """Load, say so, answer until the questions end."""
    question, _, answer = sys.argv[1].partition(":")
    sys.argv[1:] = []  # checkov must not take it for an option
    sys.addaudithook(offline)
    os.environ["CHECKOV_PARALLELIZATION_TYPE"] = "none"
    from checkov.common.bridgecrew.platform_integration import bc_integration
    from checkov.version import version

    bc_integration.skip_download = True
    scan("ready.yaml", QUESTION)
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 1_000)
    with os.fdopen(int(question), encoding="utf-8") as questions, os.fdopen(int(answer), "w") as answers:
        say(answers, {"version": version})
        for line in questions:
            asked = json.loads(line)
            say(answers, answered(asked["name"], asked["text"]))


def answered(name: str, text: str) -> dict[str, Any]:
    """The report of a text with the name under which it was scanned, or what went wrong with it.

    No name comes twice: checkov keeps policies by file name and policy name for as long as it runs, and would judge a
    text by another one's policy (`BaseCloudsplainingIAMCheck.policy_document_cache` of 3.3.30).
    """
    unique = f"{next(_NUMBERS)}-{name}"
    try:
        return {"name": unique, "report": scan(unique, text)}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the asker tries it another way, and says so
        return {"error": f"{type(error).__name__}: {error}"}


def scan(name: str, text: str) -> dict[str, Any]:
    """What `checkov --directory … --output json` says of a folder that holds one file, as far as we read it."""
    from checkov.cloudformation.runner import Runner
    from checkov.runner_filter import RunnerFilter

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(text, encoding="utf-8")
        filter_ = RunnerFilter(framework=["cloudformation"], show_progress_bar=False)
        report = Runner().run(root_folder=folder, runner_filter=filter_)
    if isinstance(report, list):
        raise TypeError("several reports of one file")
    return {
        "results": {
            "failed_checks": [record(each) for each in report.failed_checks],
            "skipped_checks": [record(each) for each in report.skipped_checks],
            "passed_checks": [{"file_path": each.file_path} for each in report.passed_checks],
            "parsing_errors": list(report.parsing_errors),
        },
        "summary": {"resource_count": len(report.resources)},
    }


def record(found: Any) -> dict[str, Any]:
    """The fields of one result that we read."""
    row: dict[str, Any] = {key: getattr(found, key, None) for key in KEYS}
    outcome = row["check_result"]
    kept = {key: outcome[key] for key in ("result", "evaluated_keys", "suppress_comment") if key in outcome}
    return {**row, "check_result": kept}


def say(answers: TextIO, answer: dict[str, Any]) -> None:
    """One line."""
    answers.write(json.dumps(answer, default=str) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
