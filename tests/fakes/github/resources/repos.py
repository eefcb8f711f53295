"""The repository itself, its collaborators, branches and the rules of these."""

from __future__ import annotations

from typing import Any

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, not_found


def get(call: Call) -> Reply:
    """repos/get"""
    view = call.views.repository(call.repository)
    if call.token.kind == "person":
        role = call.repository.permission(call.login)
        order = ("none", "read", "write", "admin")
        held = {"pull": "read", "push": "write", "admin": "admin"}
        view["permissions"] = {name: order.index(role) >= order.index(level) for name, level in held.items()}
    return Reply(body=view)


def collaborator_permission(call: Call) -> Reply:
    """repos/get-collaborator-permission-level: maintain is told as write, triage as read"""
    login, repository = call.values["username"], call.repository
    if login.lower() not in call.world.users and login not in repository.collaborators:
        raise not_found()
    role = repository.collaborators.get(login, repository.permission(login))
    body = {"permission": repository.permission(login), "role_name": role, "user": call.views.user(login)}
    return Reply(body=body)


def branch(call: Call) -> Reply:
    """repos/get-branch"""
    repository, name = call.repository, call.values["branch"]
    sha = repository.git.resolve(f"refs/heads/{name}")
    if sha is None:
        raise Problem(404, "Branch not found")
    url = call.views.api(repository, f"/branches/{name}")
    body = {
        "name": name,
        "commit": call.views.commit(repository, repository.git.commit(sha)),
        "protected": bool(repository.rules or repository.required_approvals),
        "protection": {"enabled": False},
        "protection_url": f"{url}/protection",
        "_links": {"self": url, "html": call.views.site(repository, f"/tree/{name}")},
    }
    return Reply(body=body)


def branch_protection(call: Call) -> Reply:
    """repos/get-branch-protection: for administrators only; a job's token has no such permission"""
    if call.token.kind == "person" and call.repository.permission(call.login) != "admin":
        raise not_found()
    if call.repository.protection is None or call.values["branch"] != call.repository.default_branch:
        raise Problem(404, "Branch not protected")
    url = call.views.api(call.repository, f"/branches/{call.values['branch']}/protection")
    return Reply(body={"url": url, **call.repository.protection})


def branch_rules(call: Call) -> Reply:
    """repos/get-branch-rules: the active rules of rulesets; empty for a branch without"""
    source = {"ruleset_source_type": "Repository", "ruleset_source": call.repository.full_name, "ruleset_id": 1}
    rules: list[dict[str, Any]] = [source | rule for rule in call.repository.rules]
    entries, headers = call.page(rules)
    return Reply(body=entries, headers=headers)
