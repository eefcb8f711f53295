"""Commit statuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply
from fakes.github.models import Status


def create(call: Call) -> Reply:
    """repos/create-commit-status"""
    body, message = call.body, f"No commit found for SHA: {call.values['sha']}"
    sha = call.commit(call.values["sha"], status=422, message=message)
    if len(body.get("description") or "") > 140:
        raise Problem(422, "Validation Failed", errors=["description is too long (maximum is 140 characters)"])
    status = Status(
        id=call.world.ids(),
        sha=sha,
        author=call.login,
        state=body["state"],
        context=body.get("context", "default"),
        description=body.get("description"),
        target_url=body.get("target_url"),
        created=call.world.clock.tick(),
    )
    call.repository.statuses.append(status)
    return Reply(status=201, body=view(call, status))


def combined(call: Call) -> Reply:
    """repos/get-combined-status-for-ref: of each context the latest; pending without any"""
    sha = call.commit(call.values["ref"])
    latest = list(current(call, sha).values())
    entries, headers = call.page(latest)
    url = call.views.api(call.repository, f"/commits/{sha}")
    body = {
        "state": state(latest),
        "sha": sha,
        "total_count": len(latest),
        "statuses": [view(call, entry) for entry in entries],
        "repository": call.views.repository(call.repository),
        "commit_url": url,
        "url": f"{url}/status",
    }
    return Reply(body=body, headers=headers)


def list_(call: Call) -> Reply:
    """repos/list-commit-statuses-for-ref: newest first"""
    sha = call.commit(call.values["ref"])
    found = [status for status in reversed(call.repository.statuses) if status.sha == sha]
    entries, headers = call.page(found)
    return Reply(body=[view(call, entry) for entry in entries], headers=headers)


def current(call: Call, sha: str) -> dict[str, Status]:
    """The latest status of each context of a commit."""
    return {status.context: status for status in call.repository.statuses if status.sha == sha}


def state(statuses: Sequence[Status]) -> str:
    """What statuses come to together: failure, pending or success."""
    states = {status.state for status in statuses}
    if states & {"failure", "error"}:
        return "failure"
    return "pending" if not states or "pending" in states else "success"


def view(call: Call, status: Status) -> dict[str, Any]:
    """A status under GitHub's names."""
    return {
        "id": status.id,
        "node_id": f"SC_{status.id}",
        "state": status.state,
        "context": status.context,
        "description": status.description,
        "target_url": status.target_url,
        "creator": call.views.user(status.author),
        "created_at": status.created,
        "updated_at": status.created,
        "url": call.views.api(call.repository, f"/statuses/{status.sha}"),
        "avatar_url": None,
    }
