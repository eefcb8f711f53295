"""Labels of a repository and of its issues. Names differ by more than the case of their letters."""

from __future__ import annotations

from typing import Any

from fakes.github.call import Call
from fakes.github.exchange import Reply, invalid, not_found
from fakes.github.models import Issue, Label


def create(call: Call) -> Reply:
    """issues/create-label"""
    repository, body = call.repository, call.body
    if body["name"].lower() in repository.labels:
        raise invalid("Label", "name", "already_exists")
    _check(body)
    label = repository.label(body["name"])
    label.color, label.description = body.get("color", "ededed"), body.get("description")
    return Reply(status=201, body=call.views.label(repository, label))


def get(call: Call) -> Reply:
    """issues/get-label"""
    return Reply(body=call.views.label(call.repository, _label(call)))


def update(call: Call) -> Reply:
    """issues/update-label"""
    repository, label = call.repository, _label(call)
    _check(call.body)
    new = call.body.get("new_name", label.name)
    if new.lower() != label.name.lower() and new.lower() in repository.labels:
        raise invalid("Label", "name", "already_exists")
    for issue in repository.issues.values():
        issue.labels = [new if name == label.name else name for name in issue.labels]
    del repository.labels[label.name.lower()]
    repository.labels[new.lower()] = label
    label.name = new
    label.color = call.body.get("color", label.color)
    label.description = call.body.get("description", label.description)
    return Reply(body=call.views.label(repository, label))


def list_for_repository(call: Call) -> Reply:
    """issues/list-labels-for-repo: by name"""
    entries, headers = call.page(sorted(call.repository.labels.values(), key=lambda label: label.name.lower()))
    return Reply(body=[call.views.label(call.repository, entry) for entry in entries], headers=headers)


def list_on_issue(call: Call) -> Reply:
    """issues/list-labels-on-issue"""
    entries, headers = call.page(call.views.labels(call.repository, call.issue))
    return Reply(body=entries, headers=headers)


def add(call: Call) -> Reply:
    """issues/add-labels: an array of names or the object form"""
    return _set(call, [*call.issue.labels, *names(call.body)])


def replace(call: Call) -> Reply:
    """issues/set-labels"""
    return _set(call, names(call.body))


def remove(call: Call) -> Reply:
    """issues/remove-label: 404 when the issue does not have it"""
    issue = call.issue
    kept = [name for name in issue.labels if name.lower() != call.values["name"].lower()]
    if len(kept) == len(issue.labels):
        raise not_found()
    issue.labels = kept
    return Reply(body=call.views.labels(call.repository, issue))


def names(given: Any) -> list[str]:
    """The names in any of the forms that GitHub takes."""
    entries = given.get("labels", []) if isinstance(given, dict) else given or []
    return [entry if isinstance(entry, str) else entry["name"] for entry in entries]


def attach(call: Call, issue: Issue, wanted: list[str]) -> None:
    """Give an issue these labels, making those that are new; nothing happens where labels are dropped in silence."""
    if call.repository.drop_labels or not call.may_push:
        return
    for name in wanted:
        _check({"name": name})
    labels = {name.lower(): call.repository.label(name).name for name in wanted}
    issue.labels = list(labels.values())


def _set(call: Call, wanted: list[str]) -> Reply:
    attach(call, call.issue, wanted)
    call.issue.updated = call.world.clock.tick()
    return Reply(body=call.views.labels(call.repository, call.issue))


def _label(call: Call) -> Label:
    found = call.repository.labels.get(call.values["name"].lower())
    if found is None:
        raise not_found()
    return found


def _check(body: dict[str, Any]) -> None:
    """GitHub's limits: 50 characters of name, 100 of description, six hexadecimal digits of colour."""
    if len(body.get("name", "")) > 50:
        raise invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)")
    if len(body.get("description") or "") > 100:
        raise invalid("Label", "description", "custom", "description is too long (maximum is 100 characters)")
    color = body.get("color", "ededed")
    if len(color) not in {3, 6} or not set(color.lower()) <= set("0123456789abcdef"):
        raise invalid("Label", "color", "invalid")
