"""Deployment environments and what protects them."""

from __future__ import annotations

from typing import Any

from fakes.github.call import Call
from fakes.github.exchange import Reply, not_found
from fakes.github.models import Environment


def get(call: Call) -> Reply:
    """repos/get-environment"""
    return Reply(body=view(call, _environment(call)))


def list_(call: Call) -> Reply:
    """repos/get-all-environments"""
    found = list(call.repository.environments.values())
    entries, headers = call.page(found)
    body = {"total_count": len(found), "environments": [view(call, entry) for entry in entries]}
    return Reply(body=body, headers=headers)


def branch_policies(call: Call) -> Reply:
    """repos/list-deployment-branch-policies: empty unless the environment names branches"""
    found = _environment(call).branches
    names = [] if isinstance(found, str) else list(found)
    policies = [{"id": index, "node_id": f"BP_{index}", "name": name} for index, name in enumerate(names, start=1)]
    entries, headers = call.page(policies)
    return Reply(body={"total_count": len(policies), "branch_policies": entries}, headers=headers)


def view(call: Call, environment: Environment) -> dict[str, Any]:
    """An environment under GitHub's names."""
    policy = None
    if environment.branches != "all":
        protected = environment.branches == "protected"
        policy = {"protected_branches": protected, "custom_branch_policies": not protected}
    return {
        "id": environment.id,
        "node_id": f"EN_{environment.id}",
        "name": environment.name,
        "url": call.views.api(call.repository, f"/environments/{environment.name}"),
        "html_url": call.views.site(call.repository, f"/deployments?environments_filter={environment.name}"),
        "created_at": environment.created,
        "updated_at": environment.created,
        "protection_rules": list(_rules(call, environment)),
        "deployment_branch_policy": policy,
    }


def _rules(call: Call, environment: Environment) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if environment.wait_minutes:
        found.append({"type": "wait_timer", "wait_timer": environment.wait_minutes})
    if environment.reviewers:
        reviewers = [{"type": "User", "reviewer": call.views.user(login)} for login in environment.reviewers]
        review = {"reviewers": reviewers, "prevent_self_review": environment.prevent_self_review}
        found.append({"type": "required_reviewers", **review})
    if environment.branches != "all":
        found.append({"type": "branch_policy"})
    return [
        {"id": index, "node_id": f"GA_{environment.id}_{index}", **rule} for index, rule in enumerate(found, start=1)
    ]


def _environment(call: Call) -> Environment:
    found = call.repository.environments.get(call.values["environment_name"])
    if found is None:
        raise not_found()
    return found
