"""How a repository is set up, read through real PyGithub from the fake that GitHub's description judges."""

from __future__ import annotations

from typing import Any

import pytest

from fakes.github.fake import GitHubFake
from fakes.github.repository import Repository
from stackseal.commands.init import callers
from stackseal.hosts import github_forge
from stackseal.hosts.repository_setup import PROTECTED, RepositorySetup, Rules, Subject, Unseen
from stackseal.report import marker

SHA = "0123456789abcdef0123456789abcdef01234567"
CHECK = {"context": "review / verdict"}
RULES: list[dict[str, Any]] = [
    {
        "type": "required_status_checks",
        "parameters": {"required_status_checks": [CHECK], "strict_required_status_checks_policy": False},
    },
    {
        "type": "pull_request",
        "parameters": {
            "dismiss_stale_reviews_on_push": True,
            "require_code_owner_review": True,
            "require_last_push_approval": False,
            "required_approving_review_count": 1,
            "required_review_thread_resolution": False,
        },
    },
]
PROTECTION: dict[str, Any] = {
    "required_status_checks": {
        "strict": False,
        "contexts": ["lint"],
        "checks": [{"context": "review / verdict", "app_id": None}],
    },
    "required_pull_request_reviews": {"dismiss_stale_reviews": True, "require_code_owner_reviews": True},
}
EVERYTHING = {"contents": "read", "actions": "read", "administration": "read"}


@pytest.fixture
def repository(github: GitHubFake) -> Repository:
    found = github.repository("acme/infra")
    files = {path.as_posix(): text for path, text in callers(f"my-org/stackseal@{SHA}").items()}
    found.push("main", {**files, "stackseal.yaml": "version: 1\n", "CODEOWNERS": "* @acme\n", "x/other.yml": "a: b\n"})
    return found


def read(github: GitHubFake, token: str) -> RepositorySetup:
    env = {"GITHUB_TOKEN": token, "GITHUB_REPOSITORY": "acme/infra", "GITHUB_API_URL": github.url}
    now = lambda: github.clock.time  # noqa: E731 - one line is enough
    forge = github_forge.connect(env, agent="test", marks=marker, now=now, sleep=lambda _: None)
    try:
        return forge.setup()
    finally:
        forge.close()


def admin(github: GitHubFake) -> RepositorySetup:
    return read(github, github.token(permissions=EVERYTHING))


def test_an_administrator_sees_everything(github: GitHubFake, repository: Repository) -> None:
    repository.rules = RULES
    repository.environment("production", reviewers=("acme",), branches=("main", "hotfix/*"))
    repository.environment("dev")
    repository.environment("staging", branches="protected")
    found = admin(github)
    assert (found.name, found.branch, found.granted) == ("acme/infra", "main", "read")
    assert found.rules == Rules(checks=frozenset({"review / verdict"}), owners=True)
    assert found.subject == Subject(default=True)
    assert not isinstance(found.environments, Unseen)
    shown = {name: (item.branches, item.reviewers) for name, item in found.environments.items()}
    assert shown == {
        "production": (("hotfix/*", "main"), True),
        "dev": (None, False),
        "staging": ((PROTECTED,), False),
    }
    assert not isinstance(found.files, Unseen)
    assert sorted(found.files) == sorted(
        [
            *(f".github/workflows/stackseal-{verb}.yml" for verb in ("cleanup", "deploy", "drift", "review")),
            ".github/dependabot.yml",
            "CODEOWNERS",
            "stackseal.yaml",
        ]
    )


def test_classic_protection_counts_as_rulesets_do(github: GitHubFake, repository: Repository) -> None:
    repository.protection = PROTECTION
    assert admin(github).rules == Rules(checks=frozenset({"review / verdict", "lint"}), owners=True)


def test_nothing_is_told_from_not_to_be_seen(github: GitHubFake, repository: Repository) -> None:
    assert admin(github).rules == Rules()
    repository.workflow_permissions, repository.subject_claims = "write", ("repo", "context")
    found = admin(github)
    assert found.granted == "write"
    assert found.subject == Subject(default=False, claims=("repo", "context"))

    job = read(github, github.token(permissions={"contents": "read"}))
    assert isinstance(job.rules, Rules)
    assert "administration: read" in job.rules.hidden
    unseen = {"environments": "actions: read", "granted": "administration: read", "subject": "actions: read"}
    for field, needed in unseen.items():
        value = getattr(job, field)
        assert isinstance(value, Unseen), field
        assert needed in value.why
    assert not isinstance(job.files, Unseen)

    nothing = read(github, github.token(permissions={}))
    assert isinstance(nothing.files, Unseen)


def test_somebody_without_a_part_in_it_hears_not_found_and_that_is_no_absence(
    github: GitHubFake, repository: Repository
) -> None:
    assert repository.permission("mallory") == "read"
    found = read(github, github.token("mallory"))
    assert isinstance(found.rules, Rules)
    assert found.rules.hidden
    assert isinstance(found.granted, Unseen)


def test_a_repository_without_files_has_none(github: GitHubFake) -> None:
    github.repository("acme/infra").push("main", {"README.md": "x"})
    assert admin(github).files == {}


def test_long_lists_are_read_to_the_end(github: GitHubFake, repository: Repository) -> None:
    for index in range(130):
        repository.environment(f"e{index}")
    found = admin(github).environments
    assert not isinstance(found, Unseen)
    assert len(found) == 130
