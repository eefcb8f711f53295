import json
from pathlib import Path

import pytest

from stackseal.hosts import trust


def github(tmp_path: Path, event: str, ref: str, payload: object = None) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"repository": {"default_branch": "main"}} if payload is None else payload))
    return {
        "GITHUB_ACTIONS": "true",
        "CI": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REF": ref,
        "GITHUB_EVENT_PATH": str(path),
    }


@pytest.mark.parametrize("event", ["push", "schedule"])
def test_the_default_branch_is_believed(event: str, tmp_path: Path) -> None:
    assert trust.lasting(github(tmp_path, event, "refs/heads/main"))


@pytest.mark.parametrize(
    ("event", "ref"),
    [
        ("pull_request", "refs/pull/3/merge"),
        ("pull_request_target", "refs/heads/main"),
        ("workflow_dispatch", "refs/heads/main"),
        ("merge_group", "refs/heads/main"),
        ("workflow_run", "refs/heads/main"),
        ("push", "refs/heads/feature"),
        ("push", "refs/tags/main"),
        ("push", ""),
    ],
)
def test_nothing_else_on_github_is(event: str, ref: str, tmp_path: Path) -> None:
    assert not trust.lasting(github(tmp_path, event, ref))


@pytest.mark.parametrize("payload", [[], {}, {"repository": None}, {"repository": {"default_branch": ""}}, 3])
def test_a_payload_that_does_not_tell_the_branch_is_no_proof(payload: object, tmp_path: Path) -> None:
    assert not trust.lasting(github(tmp_path, "push", "refs/heads/", payload))
    missing = {**github(tmp_path, "push", "refs/heads/main"), "GITHUB_EVENT_PATH": str(tmp_path / "none")}
    assert not trust.lasting(missing)


def test_a_person_is_believed_and_a_ci_that_is_not_known_is_not() -> None:
    assert trust.lasting({})
    assert not trust.lasting({"CI": "true"})
    assert not trust.lasting({"CODEBUILD_BUILD_ID": "project:1"})
