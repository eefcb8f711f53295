"""Every operation once, in both versions: what the fake answers is as GitHub describes it, whatever it is asked."""

from __future__ import annotations

import http.client
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest

from fakes.github import GitHubFake, Repository
from fakes.github.description import VERSIONS, Route, description
from fakes.github.models import Reaction
from unit.fakes.conftest import EVERYTHING

BODIES: Final[dict[str, Any]] = {
    "actions/create-workflow-dispatch": {"ref": "main"},
    "checks/create": {"name": "x", "head_sha": "main", "conclusion": "success"},
    "checks/update": {"conclusion": "failure"},
    "code-scanning/upload-sarif": {"commit_sha": "f" * 40, "ref": "refs/heads/main", "sarif": "e30="},
    "git/create-ref": {"ref": "refs/heads/new", "sha": "f" * 40},
    "git/update-ref": {"sha": "f" * 40},
    "issues/add-labels": ["a"],
    "issues/create": {"title": "x", "labels": ["a"], "body": "x"},
    "issues/create-comment": {"body": "x"},
    "issues/create-label": {"name": "new"},
    "issues/set-labels": {"labels": ["a", "b"]},
    "issues/update": {"state": "closed", "state_reason": "completed", "body": None},
    "issues/update-comment": {"body": "x"},
    "issues/update-label": {"color": "000000"},
    "pulls/create": {"head": "other", "base": "main", "title": "x"},
    "pulls/create-review": {"event": "COMMENT", "body": "x"},
    "pulls/dismiss-review": {"message": "x"},
    "pulls/merge": {"merge_method": "squash"},
    "pulls/update": {"title": "x"},
    "reactions/create-for-issue-comment": {"content": "eyes"},
    "repos/create-commit-status": {"state": "success"},
    "repos/create-deployment": {"ref": "main", "required_contexts": []},
    "repos/create-deployment-status": {"state": "success"},
}
ODD: Final = ("0", "-1", "9" * 30, "main", "..", "%00", "x%0ay", "%2e%2e%2f", "%F0%9F%98%80", "%ff", "--all", "f" * 40)
ODD_BODIES: Final[tuple[Any, ...]] = (
    None,
    {},
    [],
    "x",
    {"body": None},
    {"ref": "--all"},
    {"sha": "x"},
    {"state": "open"},
    {"labels": [1]},
)


class Asker:
    """Plain HTTP as a job that may do everything; statuses and what was asked of the failures."""

    def __init__(self, fake: GitHubFake) -> None:
        self._connection = http.client.HTTPConnection(fake.url.removeprefix("http://"))
        self._token = fake.token(permissions=EVERYTHING)
        fake.world.rate_limit = 1_000_000
        self.statuses: Counter[int] = Counter()
        self.failures: list[str] = []

    def ask(self, method: str, path: str, body: Any, version: str) -> int:
        headers = {"Authorization": f"Bearer {self._token}", "X-GitHub-Api-Version": version}
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = self._connection.getresponse()
        text = reply.read()
        self.statuses[reply.status] += 1
        if reply.status >= 500:
            self.failures.append(f"{method} {path} {body}: {text!r}")
        return reply.status

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def asker(fake: GitHubFake) -> Iterator[Asker]:
    made = Asker(fake)
    yield made
    made.close()


def values(repository: Repository) -> dict[str, str]:
    """Something that is there for each parameter of a path."""
    number = next(iter(repository.pulls))
    comment = next(iter(repository.comments.values()))
    return {
        "owner": "acme",
        "repo": "infra",
        "issue_number": str(number),
        "pull_number": str(number),
        "review_id": str(repository.pulls[number].reviews[0].id),
        "comment_id": str(comment.id),
        "reaction_id": str(next((one.id for one in comment.reactions), 1)),
        "check_run_id": "1",
        "deployment_id": "1",
        "status_id": "1",
        "run_id": "1",
        "workflow_id": "plain.yml",
        "sarif_id": "x",
        "environment_name": "dev",
        "username": "acme",
        "name": "a",
        "branch": "main",
        "ref": "main",
        "sha": "main",
        "commit_sha": "feature",
        "basehead": "main...feature",
        "path": "README.md",
    }


def commented(repository: Repository) -> None:
    """A comment to the pull request, with a reaction to it."""
    comment = repository.comment(next(iter(repository.pulls)), "x")
    comment.reactions.append(Reaction(id=1, author="acme", content="heart", created=comment.created))


def path(route: Route, given: dict[str, str]) -> str:
    found = re.sub(r"\{(\w+)\}", lambda match: given[match[1]], route.template)
    return found.replace("/git/ref/main", "/git/ref/heads/main").replace("/git/refs/main", "/git/refs/heads/feature")


@pytest.fixture
def furnished(repository: Repository) -> Repository:
    repository.push("main", {".github/workflows/plain.yml": "on: workflow_dispatch\n"})
    for branch in ("feature", "other"):
        repository.push(branch, {f"{branch}.txt": "1\n"})
    number = repository.open_pull("feature").number
    repository.issues[number].labels.append(repository.label("a").name)
    repository.review(number, "APPROVED", author="acme")
    commented(repository)
    repository.environment("dev", reviewers=("acme",), branches=("main",))
    return repository


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_answers_as_described(
    fake: GitHubFake, furnished: Repository, asker: Asker, version: str
) -> None:
    for route in sorted(description(version).routes, key=lambda route: (route.method != "GET", route.operation)):
        body = BODIES.get(route.operation)
        asker.ask(route.method, path(route, values(furnished)), body, version)
        if not furnished.comments:
            commented(furnished)
    assert asker.failures == []
    assert asker.statuses[200] > 40
    assert fake.violations == []
    assert fake.defects == []


def test_odd_requests_never_break_the_fake(fake: GitHubFake, furnished: Repository, asker: Asker) -> None:
    chance = random.Random(7)  # noqa: S311 - the same requests every time
    routes = description(VERSIONS[0]).routes
    for _ in range(500):
        route = chance.choice(routes)
        given = values(furnished)
        if route.template.count("{") > 2:
            odd = chance.choice(re.findall(r"\{(\w+)\}", route.template)[2:])
            given[odd] = chance.choice(ODD)
        body = None if route.method in {"GET", "DELETE"} else chance.choice((*ODD_BODIES, BODIES.get(route.operation)))
        query = chance.choice(("", "", "?per_page=0", "?page=-1", "?per_page=x", "?page=99999999999", "?ref=%0a"))
        asker.ask(route.method, path(route, given) + query, body, chance.choice(VERSIONS))
        if not furnished.comments:
            commented(furnished)
    assert asker.failures == []
    assert len(asker.statuses) >= 4
    assert fake.defects == []
