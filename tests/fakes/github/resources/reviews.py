"""Reviews of pull requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, not_found

_STATES: Final[Mapping[str | None, str]] = {
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
    None: "PENDING",
}


def create(call: Call) -> Reply:
    """pulls/create-review; nobody approves or refuses his own"""
    pull, event = call.pull, (call.body or {}).get("event")
    if event in {"APPROVE", "REQUEST_CHANGES"} and pull.issue.author == call.login:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise Problem(422, "Unprocessable Entity", errors=[f"Review Can not {verb} your own pull request"])
    body = call.body or {}
    if event in {"REQUEST_CHANGES", "COMMENT"} and not body.get("body") and not body.get("comments"):
        raise Problem(422, "Unprocessable Entity", errors=["Review Body can't be blank"])
    review = call.repository.review(
        pull.number, _STATES[event], author=call.login, body=body.get("body") or "", commit=body.get("commit_id")
    )
    return Reply(body=call.views.review(call.repository, pull, review))


def list_(call: Call) -> Reply:
    """pulls/list-reviews: oldest first; a pending one is its author's only"""
    pull = call.pull
    entries, headers = call.page([r for r in pull.reviews if r.state != "PENDING" or r.author == call.login])
    return Reply(body=[call.views.review(call.repository, pull, entry) for entry in entries], headers=headers)


def dismiss(call: Call) -> Reply:
    """pulls/dismiss-review"""
    pull = call.pull
    for review in pull.reviews:
        if review.id == int(call.values["review_id"]):
            if review.state not in {"APPROVED", "CHANGES_REQUESTED"}:
                raise Problem(422, "Unprocessable Entity", errors=["Can not dismiss a commented pull request review"])
            review.state = "DISMISSED"
            return Reply(body=call.views.review(call.repository, pull, review))
    raise not_found()
