"""Workflows: started by hand, their runs and artifacts. Nothing is run here; act does that in other tests."""

from __future__ import annotations

from typing import Any

import yaml

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, not_found
from fakes.github.models import Dispatch, Run

FOLDER = ".github/workflows"


def workflow_permissions(call: Call) -> Reply:
    """actions/get-github-actions-default-workflow-permissions-repository: for administrators only"""
    if call.token.kind == "person" and call.repository.permission(call.login) != "admin":
        raise not_found()
    held = call.repository.workflow_permissions
    return Reply(body={"default_workflow_permissions": held, "can_approve_pull_request_reviews": False})


def subject(call: Call) -> Reply:
    """actions/get-custom-oidc-sub-claim-for-repo"""
    claims = call.repository.subject_claims
    return Reply(body={"use_default": claims is None, **({} if claims is None else {"include_claim_keys": [*claims]})})


def dispatch(call: Call) -> Reply:
    """actions/create-workflow-dispatch

    The workflow of the default branch has to exist, the one of the ref has to have the trigger and declare the inputs.
    Version 2022-11-28 answers 204 (200 when `return_run_details` is set), version 2026-03-10 always 200.
    """
    repository, body = call.repository, call.body
    name = call.values["workflow_id"].rpartition("/")[2]
    if _workflow(call, name, repository.default_branch) is None:
        raise not_found()
    sha = call.commit(body["ref"], status=422, message=f"No ref found for: {body['ref']}")
    _refuse_undeclared(_workflow(call, name, sha), body.get("inputs") or {})
    run = Run(
        id=call.world.ids(),
        workflow=name,
        event="workflow_dispatch",
        branch=body["ref"].removeprefix("refs/heads/"),
        sha=sha,
        status="queued",
        conclusion=None,
        actor=call.login,
        number=len(repository.runs) + 1,
        created=call.world.clock.tick(),
    )
    repository.runs[run.id] = run
    repository.dispatches.append(
        Dispatch(workflow=name, ref=body["ref"], inputs=body.get("inputs") or {}, author=call.login, run=run.id)
    )
    if call.version < "2026-03-10" and not body.get("return_run_details"):
        return Reply(status=204)
    url = call.views.api(repository, f"/actions/runs/{run.id}")
    html = call.views.site(repository, f"/actions/runs/{run.id}")
    return Reply(body={"workflow_run_id": run.id, "run_url": url, "html_url": html})


def get_workflow(call: Call) -> Reply:
    """actions/get-workflow: by the name of its file"""
    name = call.values["workflow_id"]
    text = _workflow(call, name, call.repository.default_branch)
    if text is None:
        raise not_found()
    body = {
        "id": 1,
        "node_id": f"W_{name}",
        "name": text.get("name", name),
        "path": f"{FOLDER}/{name}",
        "state": "active",
        "created_at": call.repository.created,
        "updated_at": call.repository.created,
        "url": call.views.api(call.repository, f"/actions/workflows/{name}"),
        "html_url": call.views.site(call.repository, f"/blob/main/{FOLDER}/{name}"),
        "badge_url": call.views.site(call.repository, f"/workflows/{name}/badge.svg"),
    }
    return Reply(body=body)


def list_runs(call: Call) -> Reply:
    """actions/list-workflow-runs and actions/list-workflow-runs-for-repo: newest first"""
    found = [run for run in reversed(call.repository.runs.values()) if _wanted(call, run)]
    entries, headers = call.page(found)
    body = {"total_count": len(found), "workflow_runs": [_view(call, run) for run in entries]}
    return Reply(body=body, headers=headers)


def get_run(call: Call) -> Reply:
    """actions/get-workflow-run"""
    found = call.repository.runs.get(int(call.values["run_id"]))
    if found is None:
        raise not_found()
    return Reply(body=_view(call, found))


def list_artifacts(call: Call) -> Reply:
    """actions/list-artifacts-for-repo and actions/list-workflow-run-artifacts: what the test put into `artifacts`"""
    run, name = call.values.get("run_id"), call.query.get("name")
    found = [
        entry
        for entry in call.repository.artifacts
        if name in {None, entry["name"]} and run in {None, str(entry.get("workflow_run", {}).get("id"))}
    ]
    entries, headers = call.page(found)
    return Reply(body={"total_count": len(found), "artifacts": entries}, headers=headers)


def _workflow(call: Call, name: str, ref: str) -> dict[Any, Any] | None:
    found = call.repository.git.read(f"{ref}:{FOLDER}/{name}")
    if found is None:
        return None
    text = yaml.safe_load(found[2])
    return text if isinstance(text, dict) else {}


def _refuse_undeclared(workflow: dict[Any, Any] | None, given: dict[str, Any]) -> None:
    triggers = (workflow or {}).get("on", (workflow or {}).get(True))  # YAML 1.1 reads `on` as true
    named = triggers if isinstance(triggers, dict | list) else [triggers]
    if "workflow_dispatch" not in named:
        raise Problem(422, "Workflow does not have 'workflow_dispatch' trigger")
    declared = ((triggers.get("workflow_dispatch") if isinstance(triggers, dict) else None) or {}).get("inputs") or {}
    if unknown := sorted(given.keys() - declared.keys()):
        raise Problem(422, f"Unexpected inputs provided: {unknown}")
    for name, entry in declared.items():
        if (entry or {}).get("required") and name not in given and "default" not in entry:
            raise Problem(422, f"Required input '{name}' not provided")


def _wanted(call: Call, run: Run) -> bool:
    query = call.query
    return (
        call.values.get("workflow_id", run.workflow) == run.workflow
        and query.get("branch", run.branch) == run.branch
        and query.get("event", run.event) == run.event
        and query.get("head_sha", run.sha) == run.sha
        and query.get("actor", run.actor) == run.actor
        and query.get("status", run.status) in {run.status, run.conclusion}
    )


def _view(call: Call, run: Run) -> dict[str, Any]:
    repository, git = call.repository, call.repository.git
    commit = git.commit(run.sha)
    url = call.views.api(repository, f"/actions/runs/{run.id}")
    return {
        "id": run.id,
        "node_id": f"WR_{run.id}",
        "name": run.workflow,
        "path": f"{FOLDER}/{run.workflow}",
        "event": run.event,
        "head_branch": run.branch,
        "head_sha": run.sha,
        "run_number": run.number,
        "run_attempt": run.attempt,
        "status": run.status,
        "conclusion": run.conclusion,
        "workflow_id": 1,
        "actor": call.views.user(run.actor),
        "triggering_actor": call.views.user(run.actor),
        "created_at": run.created,
        "updated_at": run.created,
        "run_started_at": run.created,
        "url": url,
        "html_url": call.views.site(repository, f"/actions/runs/{run.id}"),
        "artifacts_url": f"{url}/artifacts",
        "display_title": commit.message.partition("\n")[0],
        "repository": call.views.repository(repository),
        "head_repository": call.views.repository(repository),
        "pull_requests": [],
        "head_commit": {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": commit.committer[2],
            "author": {"name": commit.author[0], "email": commit.author[1]},
            "committer": {"name": commit.committer[0], "email": commit.committer[1]},
        },
    }
