"""A fake with one repository, and clients of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from github import Github
from github.Repository import Repository as Client

from fakes.github import BOT, GitHubFake, Repository

EVERYTHING = {
    "actions": "write",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "pull-requests": "write",
    "security-events": "write",
    "statuses": "write",
}

Connect = Callable[..., Github]


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[GitHubFake]:
    """Leaving it fails the test when a reply is not as GitHub describes it."""
    with GitHubFake(tmp_path / "github") as running:
        yield running


@pytest.fixture
def repository(fake: GitHubFake) -> Repository:
    return fake.repository("acme/infra")


@pytest.fixture
def connect(fake: GitHubFake) -> Connect:
    """PyGithub as a login with permissions (a job that may do everything, unless told otherwise)."""

    def make(
        login: str = BOT, permissions: Mapping[str, str] | None = None, *, version: str | None = "2022-11-28"
    ) -> Github:
        given = EVERYTHING if permissions is None else permissions
        return fake.client(fake.token(login, given), version=version)

    return make


@pytest.fixture
def job(repository: Repository, connect: Connect) -> Client:
    """The repository as a job with every permission sees it."""
    return connect().get_repo(repository.full_name)
