"""What the fake tells of a repository's settings, and to whom."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from fakes.github import GitHubFake, Repository

OPERATIONS = {
    "/repos/acme/infra/actions/permissions/workflow": {"administration": "read"},
    "/repos/acme/infra/actions/oidc/customization/sub": {"actions": "read"},
    "/repos/acme/infra/branches/main/protection": {"administration": "read"},
}
PROTECTION: dict[str, Any] = {
    "required_status_checks": {"strict": True, "contexts": ["a"], "checks": [{"context": "a", "app_id": None}]}
}


def get(fake: GitHubFake, path: str, token: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"))
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


@pytest.mark.parametrize("path", OPERATIONS)
def test_a_job_needs_the_permission_and_never_has_administration(
    fake: GitHubFake, repository: Repository, path: str
) -> None:
    repository.protection = PROTECTION
    held = {"contents": "write", "actions": "read", "checks": "read"}
    status, _ = get(fake, path, fake.token(permissions=held))
    assert status == (200 if OPERATIONS[path] == {"actions": "read"} else 403)
    assert get(fake, path, fake.token(permissions=OPERATIONS[path]))[0] == 200


def test_a_person_has_to_be_an_administrator(fake: GitHubFake, repository: Repository) -> None:
    repository.protection = PROTECTION
    for path in (path for path, held in OPERATIONS.items() if "administration" in held):
        assert get(fake, path, fake.token("somebody"))[0] == 404
        assert get(fake, path, fake.token("acme"))[0] == 200


def test_what_a_test_sets_is_told(fake: GitHubFake, repository: Repository) -> None:
    permissions, subject, protection = OPERATIONS
    token = fake.token("acme")
    assert get(fake, subject, token)[1] == {"use_default": True}
    assert get(fake, protection, token) == (404, {**get(fake, protection, token)[1], "message": "Branch not protected"})
    repository.workflow_permissions, repository.subject_claims = "write", ("repo",)
    repository.protection = PROTECTION
    assert get(fake, permissions, token)[1]["default_workflow_permissions"] == "write"
    assert get(fake, subject, token)[1] == {"use_default": False, "include_claim_keys": ["repo"]}
    assert get(fake, protection, token)[1]["required_status_checks"]["contexts"] == ["a"]
