"""Pull requests: what they change comes from Git."""

from __future__ import annotations

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, invalid, not_found
from fakes.github.git import GitError
from fakes.github.models import Pull
from fakes.github.resources.comments import CHARACTERS


def get(call: Call) -> Reply:
    """pulls/get: while the trial merge is being made `mergeable` is null, and its commit is an older one's or none"""
    body = call.views.pull(call.repository, call.pull)
    if call.repository.merging > 0 and call.pull.issue.state == "open":
        call.repository.merging -= 1
        body |= {"mergeable": None, "rebaseable": None, "mergeable_state": "unknown", "merge_commit_sha": None}
    return Reply(body=body)


def list_(call: Call) -> Reply:
    """pulls/list: open ones, newest first, unless asked otherwise"""
    call.repository.sync()
    found = [pull for pull in call.repository.pulls.values() if _wanted(call, pull)]
    sort, direction = call.query.get("sort", "created"), call.query.get("direction")
    found.sort(key=lambda pull: (pull.issue.updated if sort == "updated" else pull.issue.created, pull.number))
    if direction == "desc" or (direction is None and sort == "created"):
        found.reverse()
    entries, headers = call.page(found)
    return Reply(body=[call.views.pull(call.repository, entry) for entry in entries], headers=headers)


def list_for_commit(call: Call) -> Reply:
    """repos/list-pull-requests-associated-with-commit: those that brought it to the base, or else hold it

    A pull request brings its own commits with a merge commit, the squashed commit, or the rebased copies.
    """
    repository = call.repository
    repository.sync()
    sha = call.commit(
        call.values["commit_sha"], status=422, message=f"No commit found for SHA: {call.values['commit_sha']}"
    )
    pulls = [pull for pull in repository.pulls.values() if sha in pull.landed]
    if not pulls:
        pulls = [
            pull
            for pull in repository.pulls.values()
            if sha in repository.git.between(pull.base_sha, pull.head_sha) or sha == pull.head_sha
        ]
    entries, headers = call.page(pulls)
    return Reply(body=[call.views.pull(repository, entry) for entry in entries], headers=headers)


def list_files(call: Call) -> Reply:
    """pulls/list-files: at most 3,000"""
    pull = call.pull
    entries, headers = call.page(call.views.changes(call.repository, pull)[:3000])
    body = [call.views.file(call.repository, entry, pull.head_sha) for entry in entries]
    return Reply(body=body, headers=headers)


def list_commits(call: Call) -> Reply:
    """pulls/list-commits: oldest first, at most 250"""
    pull, git = call.pull, call.repository.git
    entries, headers = call.page(git.between(pull.base_sha, pull.head_sha)[:250])
    return Reply(body=[call.views.commit(call.repository, git.commit(sha)) for sha in entries], headers=headers)


def create(call: Call) -> Reply:
    """pulls/create; a head of `owner:branch` is a fork's"""
    body, repository = call.body, call.repository
    owner, _, branch = body["head"].rpartition(":")
    source = call.world.repositories.get(f"{owner or repository.owner}/{repository.name}".lower())
    head = source.git.resolve(f"refs/heads/{branch}") if source else None
    base = repository.git.resolve(f"refs/heads/{body['base']}")
    if source is None or head is None or base is None:
        raise invalid("PullRequest", "head" if head is None else "base", "invalid")
    _check_new(call, source.full_name, branch)
    if source is repository and not repository.git.between(base, head):
        raise _unprocessable(f"No commits between {body['base']} and {branch}")
    pull = repository.open_pull(
        branch,
        base=body["base"],
        title=body.get("title", ""),
        body=body.get("body"),
        author=call.login,
        draft=body.get("draft", False),
        source=source,
    )
    view = call.views.pull(repository, pull)
    return Reply(status=201, body=view, headers={"Location": view["url"]})


def _check_new(call: Call, source: str, branch: str) -> None:
    if len(call.body.get("body") or "") > CHARACTERS:
        raise invalid("PullRequest", "body", "custom", f"body is too long (maximum is {CHARACTERS} characters)")
    for pull in call.repository.pulls.values():
        same = (pull.head_repository, pull.head_ref, pull.base_ref) == (source, branch, call.body["base"])
        if same and pull.issue.state == "open":
            raise _unprocessable(f"A pull request already exists for {source.partition('/')[0]}:{branch}.")


def update(call: Call) -> Reply:
    """pulls/update"""
    pull, body, repository = call.pull, call.body, call.repository
    if len(body.get("body") or "") > CHARACTERS:
        raise invalid("PullRequest", "body", "custom", f"body is too long (maximum is {CHARACTERS} characters)")
    pull.issue.title = body.get("title", pull.issue.title)
    pull.issue.body = body.get("body", pull.issue.body)
    if body.get("state") == "closed" and pull.issue.state == "open":
        repository.close_issue(pull.number, by=call.login)
    elif body.get("state") == "open" and pull.issue.state == "closed":
        if pull.merged:
            raise invalid("PullRequest", "state", "invalid")
        repository.reopen_issue(pull.number)
    pull.issue.updated = call.world.clock.tick()
    return Reply(body=call.views.pull(repository, pull))


def merge(call: Call) -> Reply:
    """pulls/merge; `sha` must be the head"""
    pull, body = call.pull, call.body or {}
    if not call.may_push:
        raise Problem(403, "Must have push access to merge")
    if body.get("sha", pull.head_sha) != pull.head_sha:
        raise Problem(409, "Head branch was modified. Review and try the merge again.")
    if pull.issue.state == "closed" or pull.draft:
        raise Problem(405, "Pull Request is not mergeable")
    try:
        sha = call.repository.merge(
            pull.number,
            body.get("merge_method", "merge"),
            by=call.login,
            title=body.get("commit_title", ""),
            message=body.get("commit_message", ""),
        )
    except GitError as error:
        raise Problem(405, "Pull Request is not mergeable") from error
    return Reply(body={"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


def check_if_merged(call: Call) -> Reply:
    """pulls/check-if-merged"""
    if not call.pull.merged:
        raise not_found()
    return Reply(status=204)


def _wanted(call: Call, pull: Pull) -> bool:
    query = call.query
    owner = pull.head_repository.partition("/")[0]
    return (
        query.get("state", "open") in {"all", pull.issue.state}
        and query.get("base", pull.base_ref) == pull.base_ref
        and query.get("head", f"{owner}:{pull.head_ref}") == f"{owner}:{pull.head_ref}"
    )


def _unprocessable(message: str) -> Problem:
    error = {"resource": "PullRequest", "code": "custom", "message": message}
    return Problem(422, "Validation Failed", errors=[error])
