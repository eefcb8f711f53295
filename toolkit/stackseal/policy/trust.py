"""Trust policies of the roles: who may become the execution, plan, deploy and drift role.

Sources: CloudFormation Guide, "Cross-service confused deputy prevention"; GitHub Docs, "OpenID Connect reference" (the
`sub` of repositories created or renamed from 2026-07-15 carries the ids of owner and repository); IAM Guide, condition
keys of `token.actions.githubusercontent.com`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from stackseal.errors import UsageError
from stackseal.model import Role, StackId
from stackseal.policy.physical import partition

_ISSUER: Final = "token.actions.githubusercontent.com"

_COMPARED: Final = ("aud", "repository_id", "sub", "job_workflow_ref")
"""Claims without which a token of another repository, event or workflow could pass."""
_WORKFLOWS: Final = {Role.PLAN: "review", Role.DEPLOY: "deploy", Role.DRIFT: "drift"}


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository on GitHub, by name and by the ids that outlive a rename."""

    owner: str
    name: str
    owner_id: str
    id: str
    branch: str = "main"
    workflows: str
    """The repository that holds the reusable workflows, `owner/name`; a token of any other workflow is refused."""


def execution(stack: StackId) -> dict[str, Any]:
    """CloudFormation, on behalf of this stack only."""
    arn = f"arn:{partition(stack.region)}:cloudformation:{stack.region}:{stack.account}:stack/{stack.name}/*"
    condition = {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": arn}}
    return _document({"Service": "cloudformation.amazonaws.com"}, "sts:AssumeRole", condition)


def github(role: Role, account: str, repository: Repository, *, environment: str | None = None) -> dict[str, Any]:
    """GitHub Actions: plan from pull requests and the branch, drift from the branch, deploy from an environment.

    A job with an environment has no branch in its `sub`. Raises UsageError for a role that no workflow assumes, and
    for deploy without an environment.
    """
    subjects = _subjects(role, repository, environment)
    return _document(
        {"Federated": f"arn:aws:iam::{account}:oidc-provider/{_ISSUER}"},
        "sts:AssumeRoleWithWebIdentity",
        {
            "StringEquals": {
                f"{_ISSUER}:aud": "sts.amazonaws.com",
                f"{_ISSUER}:repository_id": repository.id,
                f"{_ISSUER}:sub": subjects,
            },
            "StringLike": {
                f"{_ISSUER}:job_workflow_ref": f"{repository.workflows}/.github/workflows/{_WORKFLOWS[role]}.yml@*"
            },
        },
    )


def too_wide(document: Mapping[str, Any]) -> str:
    """Why a role's trust policy could take more than the jobs that it names; empty where it cannot.

    Every allowing statement must name GitHub's provider alone and compare, letter for letter, the audience, the
    repository's id, the subject and the called workflow.
    """
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if statement.get("Effect") == "Allow" and (why := _too_wide(statement)):
            return why
    return ""


def _too_wide(statement: Mapping[str, Any]) -> str:
    principal, condition = statement.get("Principal"), statement.get("Condition") or {}
    if not isinstance(principal, dict) or set(principal) != {"Federated"}:
        return "its trust names somebody else than GitHub's provider"
    providers = principal["Federated"] if isinstance(principal["Federated"], list) else [principal["Federated"]]
    if any(not str(provider).endswith(f":oidc-provider/{_ISSUER}") for provider in providers):
        return "its trust names another provider than GitHub's"
    if statement.get("Action") not in ("sts:AssumeRoleWithWebIdentity", ["sts:AssumeRoleWithWebIdentity"]):
        return "its trust allows another action than sts:AssumeRoleWithWebIdentity"
    compared = {str(key).lower() for key in condition.get("StringEquals") or {}}
    absent = [key for key in _COMPARED if f"{_ISSUER}:{key}" not in compared]
    return f"its trust does not compare {', '.join(absent)} letter for letter" if absent else ""


def _subjects(role: Role, repository: Repository, environment: str | None) -> list[str]:
    branch = f"ref:refs/heads/{repository.branch}"
    claims = {Role.PLAN: ["pull_request", branch], Role.DRIFT: [branch]}
    if role is Role.DEPLOY and environment:
        claims[Role.DEPLOY] = [f"environment:{environment}"]
    if role not in claims:
        raise UsageError(
            f"no workflow can assume the {role.value} role",
            why="deploy needs an environment, and only plan, deploy and drift are assumed by workflows",
            remedy="name the environment, or use the trust of the execution role",
        )
    plain = f"repo:{repository.owner}/{repository.name}"
    immutable = f"repo:{repository.owner}@{repository.owner_id}/{repository.name}@{repository.id}"
    return [f"{form}:{claim}" for form in (plain, immutable) for claim in claims[role]]


def _document(principal: dict[str, str], action: str, condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}],
    }
