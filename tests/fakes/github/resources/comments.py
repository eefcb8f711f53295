"""Comments on issues and pull requests.

Sizes: over 65,536 characters is refused when a comment is made; over 262,144 bytes is refused always (measured by
others: objectstack#18793, orca#7707).
"""

from __future__ import annotations

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, invalid, not_found
from fakes.github.models import Comment

CHARACTERS = 65_536
BYTES = 262_144


def create(call: Call) -> Reply:
    """issues/create-comment"""
    issue, repository = call.issue, call.repository
    _refuse_empty(call.body["body"])
    if len(call.body["body"]) > CHARACTERS:
        raise invalid("IssueComment", "body", "custom", f"body is too long (maximum is {CHARACTERS} characters)")
    made = repository.comment(issue.number, call.body["body"], author=call.login)
    view = call.views.comment(repository, made)
    return Reply(status=201, body=view, headers={"Location": view["url"]})


def get(call: Call) -> Reply:
    """issues/get-comment"""
    return Reply(body=call.views.comment(call.repository, _comment(call)))


def update(call: Call) -> Reply:
    """issues/update-comment"""
    comment = _comment(call)
    _refuse_others(call, comment)
    _refuse_empty(call.body["body"])
    if len(call.body["body"].encode()) > BYTES:
        raise invalid("IssueComment", "body", "custom", f"body is too long (maximum is {CHARACTERS} characters)")
    comment.body, comment.updated = call.body["body"], call.world.clock.tick()
    return Reply(body=call.views.comment(call.repository, comment))


def delete(call: Call) -> Reply:
    """issues/delete-comment"""
    comment = _comment(call)
    _refuse_others(call, comment)
    del call.repository.comments[comment.id]
    return Reply(status=204)


def list_(call: Call) -> Reply:
    """issues/list-comments: oldest first"""
    since = call.query.get("since", "")
    found = [comment for comment in call.repository.comments_of(call.issue.number) if comment.updated >= since]
    return _page(call, found)


def list_for_repository(call: Call) -> Reply:
    """issues/list-comments-for-repo: oldest first, unless asked otherwise"""
    since, order = call.query.get("since", ""), call.query.get("sort", "created")
    found = [comment for comment in call.repository.comments.values() if comment.updated >= since]
    if order == "updated":
        found.sort(key=lambda comment: (comment.updated, comment.id))
    if call.query.get("direction") == "desc":
        found.reverse()
    return _page(call, found)


def _page(call: Call, comments: list[Comment]) -> Reply:
    entries, headers = call.page([comment for comment in comments if call.repository.listed(comment.created)])
    return Reply(body=[call.views.comment(call.repository, entry) for entry in entries], headers=headers)


def _comment(call: Call) -> Comment:
    found = call.repository.comments.get(int(call.values["comment_id"]))
    if found is None:
        raise not_found()
    return found


def _refuse_others(call: Call, comment: Comment) -> None:
    """A person without push access may only touch what is his; every job and app may edit everything."""
    if not call.may_push and comment.author != call.login:
        raise Problem(403, "Must have admin rights to Repository.")


def _refuse_empty(body: str) -> None:
    if not body.strip():
        raise Problem(422, "Validation Failed", errors=[{"resource": "IssueComment", "code": "unprocessable"}])
