"""Every payload that GitHub's webhooks are documented with, as the event that started a workflow of ours."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from stackseal import cli
from stackseal.errors import UsageError
from stackseal.hosts.event import Mode, parse
from stackseal.hosts.github import GitHubRunner
from stackseal.model import Report
from stackseal.report import json as report_json
from trust.corpora import read
from trust.figures import Count
from unit.report import samples

PAYLOADS: Final[list[dict[str, Any]]] = read("webhooks")
REVIEWED: Final = {"opened", "synchronize", "reopened", "ready_for_review", "labeled", "edited"}
COMMANDS: Final = {
    "review": ("review", "--base", "main", "--head", "main"),
    "publish": ("publish", "report.json"),
    "deploy": ("deploy", "--base", "main", "--head", "main"),
    "cleanup": ("cleanup", "--pull-request", "2"),
}


def wanted(name: str, payload: Mapping[str, Any]) -> Mode:
    """The mode by the words of `Mode`, told anew: pull requests, pushes to branches, the queue, people."""
    action = payload.get("action")
    if name == "pull_request":
        return Mode.CLEANUP if action == "closed" else Mode.REVIEW if action in REVIEWED else Mode.NONE
    if name == "push":
        return Mode.NONE if payload["deleted"] else Mode.DEPLOY
    if name == "merge_group":
        return Mode.QUEUE if action == "checks_requested" else Mode.NONE
    return Mode.MANUAL if name == "workflow_dispatch" else Mode.NONE


def environment(folder: Path, name: str, payload: Mapping[str, Any]) -> dict[str, str]:
    path = folder / "event.json"
    path.write_text(json.dumps(payload), encoding="utf-8")
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": path.as_posix(),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SHA": "4f2a9c1d7be03586aa17c4e9d20b6f8853914c7e",
        "GITHUB_RUN_ID": "7",
        "HOME": folder.as_posix(),
        "PATH": "/usr/bin:/bin",
        "STACKSEAL_CHECKOV": "off",
    }


def queued(payload: Mapping[str, Any]) -> int | None:
    """The number that a merge queue writes into the name of its branch."""
    found = re.search(r"/pr-([0-9]+)-[0-9a-f]{40}$", payload["merge_group"]["head_ref"])
    return int(found[1]) if found and payload["action"] == "checks_requested" else None


def misread(folder: Path, name: str, payload: Mapping[str, Any]) -> str:
    """What went wrong with one payload; empty where it was read as it should be, by its name or by any other."""
    found = parse(name, payload)
    if found.mode is not wanted(name, payload):
        return f"{name} {payload.get('action')}: {found.mode}"
    run = GitHubRunner(environment(folder, name, payload)).run()
    pull = payload.get("pull_request") if name == "pull_request" else None
    number = pull["number"] if pull else queued(payload) if name == "merge_group" else None
    if run.pull_request != number or (pull and run.commit != pull["head"]["sha"]):
        return f"{name}: {run}"
    return ""


def test_every_payload_has_the_right_mode(tmp_path: Path) -> None:
    assert len(PAYLOADS) == 329
    assert [wrong for one in PAYLOADS if (wrong := misread(tmp_path, one["event"], one["payload"]))] == []


def test_a_payload_under_another_name_is_one_sentence_or_nothing() -> None:
    """Names are GitHub's and not the payload's; one that does not fit must not be believed by half."""
    for one in PAYLOADS:
        for name in ("pull_request", "push", "merge_group", "schedule", "workflow_dispatch", "", "PULL_REQUEST"):
            with contextlib.suppress(UsageError):
                found = parse(name, one["payload"])
                assert found.mode is not Mode.REVIEW or name == "pull_request"
                assert found.mode is not Mode.DEPLOY or name == "push"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository without configs, and a report that another job made."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], cwd=tmp_path, check=True)
    (tmp_path / "stackseal.yaml").write_text("version: 1\nconfigs: configs\n", encoding="utf-8")
    (tmp_path / "report.json").write_text(report_json.dumps(Report(run=samples.RUN, stacks=(samples.unchanged(),))))
    subprocess.run([*git, "add", "stackseal.yaml"], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "m"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(folder: Path, capsys: pytest.CaptureFixture[str], payloads: list[dict[str, Any]]) -> dict[str, list[int]]:
    """The exit codes of every command; asserts that each failure is a sentence."""
    found: dict[str, list[int]] = {name: [] for name in COMMANDS}
    for one in payloads:
        env = environment(folder, one["event"], one["payload"])
        for name, argv in COMMANDS.items():
            code = cli.main(argv, env)
            said = capsys.readouterr()
            text = said.out + said.err
            assert "itself failed" not in text, (one["event"], name, text)
            assert "Traceback" not in text, (one["event"], name, text)
            assert code == 0 or "error: " in said.err, (one["event"], name, code, text)
            found[name].append(code)
    return found


def test_the_commands_read_a_sample(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pulls = [one for one in PAYLOADS if one["event"] in {"pull_request", "push", "merge_group"}][::9]
    found = codes(folder, capsys, pulls)
    assert set(found["publish"]) == set(found["review"]) == {0}


@pytest.mark.trust
def test_the_commands_read_every_payload(folder: Path, capsys: pytest.CaptureFixture[str], count: Count) -> None:
    found = codes(folder, capsys, PAYLOADS)
    wrong = [one for one in PAYLOADS if misread(folder, one["event"], one["payload"])]
    count(
        "webhook payloads of GitHub",
        inputs=len(PAYLOADS),
        breaks=len(wrong),
        detail=f"the mode of each, and {', '.join(f'{name} {sorted(set(seen))}' for name, seen in found.items())}",
    )
    assert wrong == []
