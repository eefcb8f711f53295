"""Deployments and their statuses."""

from __future__ import annotations

from typing import Any

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, not_found
from fakes.github.models import Deployment, DeploymentStatus
from fakes.github.resources import statuses


def create(call: Call) -> Reply:
    """repos/create-deployment

    Without `required_contexts` every status of the commit has to be a success, else 409; without `auto_merge: false` a
    branch that is behind the default branch is merged first, and nothing is deployed (202).
    """
    repository, body = call.repository, call.body
    sha = call.commit(body["ref"], status=422, message=f"No ref found for: {body['ref']}")
    if body.get("auto_merge", True) and (merged := _auto_merged(call, sha)):
        return merged
    _refuse_unready(call, sha)
    environment = body.get("environment", "production")
    deployment = Deployment(
        id=call.world.ids(),
        author=call.login,
        ref=body["ref"],
        sha=sha,
        task=body.get("task", "deploy"),
        environment=environment,
        description=body.get("description"),
        payload=body.get("payload", {}),
        transient=body.get("transient_environment", False),
        production=body.get("production_environment", environment == "production"),
        created=call.world.clock.tick(),
    )
    repository.deployments[deployment.id] = deployment
    if environment not in repository.environments:
        repository.environment(environment)
    return Reply(status=201, body=view(call, deployment))


def get(call: Call) -> Reply:
    """repos/get-deployment"""
    return Reply(body=view(call, _deployment(call)))


def list_(call: Call) -> Reply:
    """repos/list-deployments: newest first"""
    found = [entry for entry in reversed(call.repository.deployments.values()) if _wanted(call, entry)]
    entries, headers = call.page(found)
    return Reply(body=[view(call, entry) for entry in entries], headers=headers)


def create_status(call: Call) -> Reply:
    """repos/create-deployment-status: a success makes older ones of the environment inactive, unless told not to"""
    deployment, body = _deployment(call), call.body
    if len(body.get("description") or "") > 140:
        raise Problem(422, "Validation Failed", errors=["description is too long (maximum is 140 characters)"])
    status = _status(call, body["state"], body)
    deployment.environment = body.get("environment", deployment.environment)
    if status.state == "success" and body.get("auto_inactive", True):
        for other in call.repository.deployments.values():
            older = other.id < deployment.id and other.environment == deployment.environment
            if older and not other.transient and not other.production and other.statuses:
                other.statuses.append(_status(call, "inactive", {}))
    deployment.statuses.append(status)
    return Reply(status=201, body=status_view(call, deployment, status))


def get_status(call: Call) -> Reply:
    """repos/get-deployment-status"""
    deployment = _deployment(call)
    for status in deployment.statuses:
        if status.id == int(call.values["status_id"]):
            return Reply(body=status_view(call, deployment, status))
    raise not_found()


def list_statuses(call: Call) -> Reply:
    """repos/list-deployment-statuses: newest first"""
    deployment = _deployment(call)
    entries, headers = call.page(list(reversed(deployment.statuses)))
    return Reply(body=[status_view(call, deployment, entry) for entry in entries], headers=headers)


def view(call: Call, deployment: Deployment) -> dict[str, Any]:
    """A deployment under GitHub's names."""
    url = call.views.api(call.repository, f"/deployments/{deployment.id}")
    return {
        "id": deployment.id,
        "node_id": f"DE_{deployment.id}",
        "ref": deployment.ref,
        "sha": deployment.sha,
        "task": deployment.task,
        "environment": deployment.environment,
        "original_environment": deployment.environment,
        "description": deployment.description,
        "payload": deployment.payload,
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
        "creator": call.views.user(deployment.author),
        "created_at": deployment.created,
        "updated_at": deployment.statuses[-1].created if deployment.statuses else deployment.created,
        "url": url,
        "statuses_url": f"{url}/statuses",
        "repository_url": call.views.api(call.repository),
    }


def status_view(call: Call, deployment: Deployment, status: DeploymentStatus) -> dict[str, Any]:
    """A status under GitHub's names; `target_url` is the old name of `log_url`."""
    url = call.views.api(call.repository, f"/deployments/{deployment.id}")
    return {
        "id": status.id,
        "node_id": f"DES_{status.id}",
        "state": status.state,
        "description": status.description,
        "environment": deployment.environment,
        "environment_url": status.environment_url,
        "log_url": status.log_url,
        "target_url": status.log_url,
        "creator": call.views.user(status.author),
        "created_at": status.created,
        "updated_at": status.created,
        "url": f"{url}/statuses/{status.id}",
        "deployment_url": url,
        "repository_url": call.views.api(call.repository),
    }


def _status(call: Call, state: str, body: dict[str, Any]) -> DeploymentStatus:
    return DeploymentStatus(
        id=call.world.ids(),
        author=call.login,
        state=state,
        description=body.get("description", ""),
        log_url=body.get("log_url") or body.get("target_url", ""),
        environment_url=body.get("environment_url", ""),
        created=call.world.clock.tick(),
    )


def _auto_merged(call: Call, sha: str) -> Reply | None:
    repository, branch = call.repository, call.body["ref"]
    git, default = repository.git, repository.default_branch
    if branch == default or git.resolve(f"refs/heads/{branch}") is None:
        return None
    tip = call.commit(default)
    if git.is_ancestor(tip, sha):
        return None
    tree = git.merge_tree(sha, tip)
    if tree is None:
        raise Problem(409, f"Conflict merging {default} into {branch}.")
    merged = git.commit_tree(tree, (sha, tip), message=f"Merge {default} into {branch}", author=call.login)
    repository.force(branch, merged)
    return Reply(status=202, body={"message": f"Auto-merged {default} into {branch} on deployment."})


def _refuse_unready(call: Call, sha: str) -> None:
    current = statuses.current(call, sha)
    required = call.body.get("required_contexts")
    names = list(current) if required is None else required
    unready = [name for name in names if name not in current or current[name].state != "success"]
    if unready:
        contexts = [{"context": name, "state": current[name].state if name in current else "pending"} for name in names]
        error = {"contexts": contexts, "resource": "Deployment", "field": "required_contexts", "code": "invalid"}
        raise Problem(409, f"Conflict: Commit status checks failed for {call.body['ref']}.", errors=[error])


def _wanted(call: Call, deployment: Deployment) -> bool:
    return all(
        call.query.get(name, "none") in {"none", getattr(deployment, name)}
        for name in ("sha", "ref", "task", "environment")
    )


def _deployment(call: Call) -> Deployment:
    found = call.repository.deployments.get(int(call.values["deployment_id"]))
    if found is None:
        raise not_found()
    return found
