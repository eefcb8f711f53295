"""A build of CodeBuild: what started it, for which pull request, and where it publishes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fakes.github import GitHubFake
from stackseal import hosts
from stackseal.errors import UsageError
from stackseal.hosts.codebuild import CodeBuildRunner, on_github
from stackseal.hosts.event import Mode
from stackseal.report import marker

SHA, BEFORE = "a" * 40, "b" * 40
BUILD = {
    "CODEBUILD_BUILD_ID": "stackseal-render:0f8e",
    "CODEBUILD_BUILD_ARN": "arn:aws:codebuild:us-west-2:111122223333:build/stackseal-render:0f8e",
    "CODEBUILD_BUILD_NUMBER": "7",
    "CODEBUILD_SOURCE_REPO_URL": "https://github.com/acme/infra.git",
    "CODEBUILD_RESOLVED_SOURCE_VERSION": SHA,
    "CODEBUILD_INITIATOR": "GitHub-Hookshot/abc123",
}
PULL = {"CODEBUILD_SOURCE_VERSION": "pr/7", "CODEBUILD_WEBHOOK_TRIGGER": "pr/7"}
PUSH = {
    "CODEBUILD_SOURCE_VERSION": SHA,
    "CODEBUILD_WEBHOOK_EVENT": "PUSH",
    "CODEBUILD_WEBHOOK_TRIGGER": "branch/main",
    "CODEBUILD_WEBHOOK_HEAD_REF": "refs/heads/main",
    "CODEBUILD_WEBHOOK_PREV_COMMIT": BEFORE,
}


def build(**more: str) -> CodeBuildRunner:
    return CodeBuildRunner({**BUILD, **more})


def test_a_build_is_codebuilds_whatever_it_was_handed_on() -> None:
    """aws-codebuild-run-build passes every GITHUB_* variable, GITHUB_ACTIONS included."""
    passed = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "evil/repo", "GITHUB_EVENT_PATH": "/nowhere"}
    found = hosts.runner({**BUILD, **passed, **PULL})
    assert isinstance(found, CodeBuildRunner)
    assert found.run().repository == "acme/infra"
    assert (found.annotates, found.identifies) == (False, False)
    assert not isinstance(hosts.runner(passed), CodeBuildRunner)
    assert not isinstance(hosts.runner({}), CodeBuildRunner)


@pytest.mark.parametrize(
    ("event", "mode"),
    [
        ("PULL_REQUEST_CREATED", Mode.REVIEW),
        ("PULL_REQUEST_UPDATED", Mode.REVIEW),
        ("PULL_REQUEST_REOPENED", Mode.REVIEW),
        ("PULL_REQUEST_CLOSED", Mode.CLEANUP),
        ("PULL_REQUEST_MERGED", Mode.CLEANUP),
        ("RELEASED", Mode.NONE),
    ],
)
def test_what_a_webhook_is_for(event: str, mode: Mode) -> None:
    found = build(**PULL, CODEBUILD_WEBHOOK_EVENT=event).event
    assert found.mode is mode
    assert found.merged is (event == "PULL_REQUEST_MERGED")
    if mode is not Mode.NONE:
        assert (found.pull_request, found.head) == (7, SHA)


def test_a_push_to_a_branch_is_deployed_and_a_tag_is_not() -> None:
    found = build(**PUSH)
    assert (found.branch, found.event.mode, found.event.head, found.event.base) == ("main", Mode.DEPLOY, SHA, BEFORE)
    first = build(**{**PUSH, "CODEBUILD_WEBHOOK_PREV_COMMIT": "0" * 40})
    assert first.event.base is None
    tag = build(**{**PUSH, "CODEBUILD_WEBHOOK_HEAD_REF": "refs/tags/v1", "CODEBUILD_WEBHOOK_TRIGGER": "tag/v1"})
    assert (tag.branch, tag.event.mode) == ("", Mode.NONE)


def test_the_clock_and_a_person() -> None:
    assert build(CODEBUILD_INITIATOR="rule/stackseal-drift").event.mode is Mode.DRIFT
    by_hand = build(CODEBUILD_INITIATOR="somebody", CODEBUILD_SOURCE_VERSION="pr/12").event
    assert (by_hand.mode, by_hand.pull_request) == (Mode.MANUAL, 12)


@pytest.mark.parametrize(
    ("version", "number"),
    [
        ("pr/7", 7),
        (f"refs/pull/7/head^{{{SHA}}}", 7),
        ("refs/pull/7/head", 7),
        ("pr/0", None),
        ("pr/7; rm -rf /", None),
        ("pr/7\n", None),
        ("refs/heads/pr/7", None),
        (SHA, None),
        ("", None),
    ],
)
def test_the_number_of_a_pull_request(version: str, number: int | None) -> None:
    assert build(CODEBUILD_SOURCE_VERSION=version).run().pull_request == number


def test_a_run_says_where_it_can_be_seen() -> None:
    run = build(**PULL, CODEBUILD_WEBHOOK_EVENT="PULL_REQUEST_CREATED").run()
    assert (run.host, run.commit, run.pull_request, run.actor) == ("codebuild", SHA, 7, "GitHub-Hookshot/abc123")
    assert run.url == (
        "https://us-west-2.console.aws.amazon.com/codesuite/codebuild/111122223333/projects/stackseal-render"
        "/build/stackseal-render%3A0f8e/?region=us-west-2"
    )
    assert build(CODEBUILD_PUBLIC_BUILD_URL="https://x/").run().url == "https://x/"
    assert build(CODEBUILD_BUILD_ARN="arn:aws:s3:::x").run().url == ""
    assert build(CODEBUILD_RESOLVED_SOURCE_VERSION="version-of-an-object").run().commit == ""


@pytest.mark.parametrize(
    ("url", "repository", "api"),
    [
        ("https://github.com/acme/infra.git", "acme/infra", None),
        ("https://github.com/acme/infra", "acme/infra", None),
        ("https://x-token:secret@github.com/acme/infra.git", "acme/infra", None),
        ("https://ghe.acme.com/acme/infra.git", "acme/infra", "https://ghe.acme.com/api/v3"),
    ],
)
def test_the_repository_is_the_sources(url: str, repository: str, api: str | None) -> None:
    found = on_github({**BUILD, "CODEBUILD_SOURCE_REPO_URL": url, "GITHUB_REPOSITORY": "evil/repo"})
    assert (found["GITHUB_REPOSITORY"], found.get("GITHUB_API_URL")) == (repository, api)


@pytest.mark.parametrize("url", ["", "http://github.com/acme/infra", "git@github.com:acme/infra", "https://host/x"])
def test_a_source_without_a_repository_is_a_sentence(url: str) -> None:
    with pytest.raises(UsageError, match="repository on GitHub is not known"):
        on_github({**BUILD, "CODEBUILD_SOURCE_REPO_URL": url})
    assert build(CODEBUILD_SOURCE_REPO_URL=url, GITHUB_TOKEN="t").forge == "local"


def test_it_publishes_to_github_with_a_token_only(tmp_path: Path) -> None:
    assert build().forge == "local"
    env = {**BUILD, "GITHUB_TOKEN": "t"}
    runner = hosts.runner(env)
    assert runner.forge == "github"
    with GitHubFake(tmp_path / "github") as github:
        repository = github.repository("acme/infra")
        repository.push("main", {"a": "1"})
        repository.push("change", {"a": "2"})
        number = repository.open_pull("change").number
        token = github.token(permissions={"pull-requests": "write"}, repository="acme/infra")
        link: Any = hosts.Link(
            env={**env, "GITHUB_TOKEN": token, "GITHUB_API_URL": github.url},
            root=tmp_path,
            agent="stackseal/0 (publish)",
            marks=marker,
            now=github_clock,
            sleep=lambda _: None,
        )
        text = f"{marker.write('review', key='review')}\nHello"
        hosts.forge(link, runner).upsert_comment(number, "review", [text])
        (comment,) = repository.comments_of(number)
        assert "Hello" in comment.body
        assert github.violations == []


def github_clock() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def test_the_identity_of_a_build_is_its_service_role() -> None:
    badge = build().badge(lambda _: None)
    assert badge is not None
    assert badge.token is None
    assert badge.run == "build7"
