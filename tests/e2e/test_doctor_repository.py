"""`doctor --repository`: the command, with an administrator's token, with a job's, and without any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.harness import Bench, Result
from fakes.github.fake import GitHubFake
from fakes.github.repository import Repository
from stackseal.commands.init import callers
from unit.hosts.github.test_setup import EVERYTHING, RULES, SHA

pytestmark = pytest.mark.e2e


@pytest.fixture
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubFake]:
    with GitHubFake(Path(tmp_path_factory.mktemp("github"))) as fake:
        yield fake
        assert fake.violations == []


@pytest.fixture
def repository(github: GitHubFake) -> Repository:
    """A repository as docs/how-to/github.md leaves it."""
    found = github.repository("acme/infra")
    files = {path.as_posix(): text for path, text in callers(f"my-org/stackseal@{SHA}").items()}
    found.push("main", {**files, "stackseal.yaml": "version: 1\n", ".github/CODEOWNERS": "* @acme\n"})
    found.rules = RULES
    found.environment("production", branches=("main",))
    return found


def doctor(bench: Bench, github: GitHubFake, *argv: str, token: str) -> Result:
    env = {**bench.world.env, "GITHUB_TOKEN": token, "GITHUB_API_URL": github.url}
    before, bench.world = bench.world, replace(bench.world, env=env)
    try:
        done = bench.run("doctor", "--repository", *argv)
    finally:
        bench.world = before
    assert not token or token not in done.stdout + done.stderr
    return done


def test_a_repository_that_was_set_up_is_ok_to_who_may_see_it(
    bench: Bench, github: GitHubFake, repository: Repository
) -> None:
    done = doctor(bench, github, "acme/infra", token=github.token(permissions=EVERYTHING))
    assert done.code == 0, done.stdout
    assert "required check review / verdict" in done.stdout
    repository.rules = []
    repository.environment("production")
    done = doctor(bench, github, "acme/infra", "--format", "json", token=github.token(permissions=EVERYTHING))
    assert done.code == 1
    found = {row["what"]: row["status"] for row in done.facts["checks"]}
    missing = {what for what, status in found.items() if status.startswith("missing")}
    assert missing == {"required check review / verdict", "review by code owners", "environment production"}


def test_what_a_jobs_token_may_not_read_is_unknown(bench: Bench, github: GitHubFake, repository: Repository) -> None:
    assert repository.rules
    done = doctor(bench, github, "acme/infra", token=github.token(permissions={"contents": "read"}))
    assert done.code == 5, done.stdout
    assert done.stdout.count("unknown: ") == 3
    assert "administration: read" in done.stdout


def test_without_a_token_or_a_name_it_says_so(bench: Bench, github: GitHubFake) -> None:
    assert "GITHUB_TOKEN is not set" in doctor(bench, github, "acme/infra", token="").stderr
    nameless = doctor(bench, github, token=github.token(permissions=EVERYTHING))
    assert nameless.code == 2
    assert "set GITHUB_REPOSITORY" in nameless.stderr
    bench.write("x: y\n", "my.yaml")
    swallowed = doctor(bench, github, "configs/my.yaml", token=github.token(permissions=EVERYTHING))
    assert swallowed.code == 2
    assert "is a file and no repository" in swallowed.stderr
    absent = doctor(bench, github, "acme/other", token=github.token(permissions=EVERYTHING))
    assert absent.code == 3
    assert "GitHub refused to read the repository: it was not found" in absent.stderr
