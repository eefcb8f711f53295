"""Check runs: only an app or a job writes them."""

from __future__ import annotations

from typing import Any

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, not_found
from fakes.github.models import CheckRun


def create(call: Call) -> Reply:
    """checks/create: a conclusion completes the run, whatever status is sent"""
    repository, body, app = call.repository, call.body, _app(call)
    sha = call.commit(body["head_sha"], status=422, message=f"No commit found for SHA: {body['head_sha']}")
    now = call.world.clock.tick()
    run = CheckRun(
        id=call.world.ids(),
        app=app,
        name=body["name"],
        sha=sha,
        status="queued",
        conclusion=None,
        started=body.get("started_at", now),
        completed=None,
        details_url=body.get("details_url"),
        external_id=body.get("external_id", ""),
        output={},
        annotations=[],
    )
    _change(call, run)
    repository.checks[run.id] = run
    return Reply(status=201, body=view(call, run))


def update(call: Call) -> Reply:
    """checks/update: annotations are added to those that are there"""
    run = _run(call)
    if _app(call) != run.app:
        raise Problem(403, "Invalid app_id `1` - check run can only be modified by the GitHub App that created it.")
    call.world.clock.tick()
    _change(call, run)
    return Reply(body=view(call, run))


def get(call: Call) -> Reply:
    """checks/get"""
    return Reply(body=view(call, _run(call)))


def list_for_ref(call: Call) -> Reply:
    """checks/list-for-ref: of each name only the latest, unless all are asked for"""
    sha = call.commit(call.values["ref"])
    found = [run for run in call.repository.checks.values() if run.sha == sha]
    if call.query.get("filter", "latest") == "latest":
        found = list({(run.app, run.name): run for run in found}.values())
    name, status = call.query.get("check_name"), call.query.get("status")
    found = [run for run in found if name in {None, run.name} and status in {None, run.status}]
    entries, headers = call.page(found)
    return Reply(body={"total_count": len(found), "check_runs": [view(call, run) for run in entries]}, headers=headers)


def list_annotations(call: Call) -> Reply:
    """checks/list-annotations"""
    run = _run(call)
    absent = {"start_column": None, "end_column": None, "title": None, "raw_details": None}
    entries, headers = call.page(run.annotations)
    blob = call.views.site(call.repository, f"/blob/{run.sha}")
    body = [absent | entry | {"blob_href": f"{blob}/{entry['path']}"} for entry in entries]
    return Reply(body=body, headers=headers)


def view(call: Call, run: CheckRun) -> dict[str, Any]:
    """A check run under GitHub's names."""
    url = call.views.api(call.repository, f"/check-runs/{run.id}")
    output = {name: run.output.get(name) for name in ("title", "summary", "text")}
    return {
        "id": run.id,
        "node_id": f"CR_{run.id}",
        "name": run.name,
        "head_sha": run.sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": call.views.site(call.repository, f"/runs/{run.id}"),
        "details_url": run.details_url,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": run.started,
        "completed_at": run.completed,
        "check_suite": {"id": 1},
        "app": call.views.app(run.app),
        "output": {
            **output,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "pull_requests": [],
    }


def _change(call: Call, run: CheckRun) -> None:
    body = call.body
    run.name = body.get("name", run.name)
    run.status = body.get("status", run.status)
    run.details_url = body.get("details_url", run.details_url)
    run.external_id = body.get("external_id", run.external_id)
    if "conclusion" in body:
        run.status, run.conclusion = "completed", body["conclusion"]
        run.completed = body.get("completed_at", call.world.clock.text)
    output = body.get("output") or {}
    run.output |= {name: output[name] for name in ("title", "summary", "text") if name in output}
    run.annotations += output.get("annotations", [])


def _run(call: Call) -> CheckRun:
    found = call.repository.checks.get(int(call.values["check_run_id"]))
    if found is None:
        raise not_found()
    return found


def _app(call: Call) -> str:
    if call.token.kind == "person":
        raise Problem(403, "You must authenticate via a GitHub App.")
    return call.login.removesuffix("[bot]")
