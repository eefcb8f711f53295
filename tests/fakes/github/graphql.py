"""The GraphQL API: what REST does not tell (review decision) or do (minimise a comment).

`schema.graphql` is the part of GitHub's schema that the fake answers; asking for more is an error and a violation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from fakes.github.description import FOLDER
from fakes.github.exchange import Problem, Reply, Request
from fakes.github.models import Comment, Pull, Review
from fakes.github.repository import Repository
from fakes.github.tokens import ORDER, Token
from fakes.github.world import World


def answer(world: World, token: Token, request: Request, violations: list[str]) -> Reply:
    """The reply to a query; errors of GraphQL come with status 200, as GitHub sends them."""
    from graphql import graphql_sync, parse, validate

    try:
        asked = json.loads(request.raw)
        document = parse(asked["query"])
    except (ValueError, KeyError, TypeError) as error:
        raise Problem(400, "A query attribute must be specified and must be a string.") from error
    except Exception as error:  # noqa: BLE001 - graphql-core's syntax error, imported only here
        violations.append(f"graphql: {error}")
        return Reply(body={"errors": [{"message": str(error)}]})
    problems = validate(_schema(), document)
    if problems:
        violations += [f"graphql: {problem.message}" for problem in problems]
        return Reply(body={"errors": [{"message": problem.message} for problem in problems]})
    root = _Root(world, token)
    result = graphql_sync(
        _schema(), asked["query"], root_value=root, variable_values=asked.get("variables"), type_resolver=_kind
    )
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_error(error) for error in result.errors]
    return Reply(body=body)


@cache
def _schema() -> Any:
    from graphql import build_schema

    return build_schema((FOLDER / "schema.graphql").read_text(encoding="utf-8"))


def _kind(value: Any, _info: Any, _type: Any) -> Any:
    return value["__typename"]


def _error(error: Any) -> dict[str, Any]:
    kind = getattr(error.original_error, "kind", None)
    return {"message": error.message, "path": error.path} | ({"type": kind} if kind else {})


class _Refused(Exception):  # noqa: N818 - reads as a sentence where it is raised
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class _Root:
    """Resolvers of Query and Mutation."""

    id = "Q_root"

    def __init__(self, world: World, token: Token) -> None:
        self._world = world
        self._token = token

    def viewer(self, _info: Any) -> Mapping[str, Any]:
        # An app's viewer has its suffix (github-actions[bot]); as the author of something it has not.
        return {**_actor(self._world, self._token.login), "__typename": "User", "login": self._token.login}

    def repository(self, _info: Any, *, owner: str, name: str) -> Mapping[str, Any]:
        found = self._world.repositories.get(f"{owner}/{name}".lower())
        if found is None or (self._token.kind == "person" and found.permission(self._token.login) == "none"):
            raise _Refused("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")

        def pull(_info: Any, *, number: int) -> Mapping[str, Any]:
            if number not in found.pulls:
                raise _Refused("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
            self._need("read", "pull_requests")
            found.follow(found.pulls[number]) if found.issues[number].state == "open" else None
            return _pull(self._world, found, found.pulls[number])

        return {"id": f"R_{found.id}", "nameWithOwner": found.full_name, "pullRequest": pull}

    def node(self, _info: Any, *, id: str) -> Mapping[str, Any] | None:  # noqa: A002 - the argument's name
        found = self._comment(id)
        return _comment(self._world, found) if found else None

    def minimizeComment(self, _info: Any, *, input: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: A002 - as above
        return self._minimize(input, input["classifier"].lower().replace("_", "-"), "minimizedComment")

    def unminimizeComment(self, _info: Any, *, input: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: A002 - as above
        return self._minimize(input, None, "unminimizedComment")

    def _minimize(self, given: Mapping[str, Any], reason: str | None, name: str) -> Mapping[str, Any]:
        self._need("write", "pull_requests", "issues")
        found = self._comment(given["subjectId"])
        if found is None:
            raise _Refused("NOT_FOUND", f"Could not resolve to a node with the global id of '{given['subjectId']}'.")
        found.minimized = reason
        return {name: _comment(self._world, found), "clientMutationId": given.get("clientMutationId")}

    def _comment(self, node: str) -> Comment | None:
        number = node.removeprefix("IC_")
        for repository in self._world.repositories.values():
            if number.isdigit() and int(number) in repository.comments:
                return repository.comments[int(number)]
        return None

    def _need(self, level: str, *permissions: str) -> None:
        """Refuse a job that has none of the permissions at this level."""
        held = [self._token.level(permission) for permission in permissions]
        if self._token.permissions is not None and not any(ORDER.index(h) >= ORDER.index(level) for h in held):
            raise _Refused("FORBIDDEN", "Resource not accessible by integration")


def _pull(world: World, repository: Repository, pull: Pull) -> dict[str, Any]:
    opinions = repository.opinions(pull)
    latest = {review.author: review for review in pull.reviews if opinions.get(review.author) == review.state}
    return {
        "__typename": "PullRequest",
        "id": f"PR_{pull.id}",
        "number": pull.number,
        "state": "MERGED" if pull.merged else pull.issue.state.upper(),
        "merged": pull.merged is not None,
        "isDraft": pull.draft,
        "author": _actor(world, pull.issue.author),
        "baseRefOid": pull.base_sha,
        "headRefOid": pull.head_sha,
        "reviewDecision": repository.decision(pull),
        "latestOpinionatedReviews": _connection([_review(world, repository, entry) for entry in latest.values()]),
        "reviewRequests": _connection([_request(world, repository, login) for login in pull.requested]),
    }


def _connection(entries: Sequence[Mapping[str, Any]]) -> Any:
    """A resolver of a connection; cursors are the entries' positions."""

    def resolve(_info: Any, *, first: int | None = None, after: str | None = None, **_other: Any) -> dict[str, Any]:
        if first is None:
            raise _Refused("MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value.")
        start = int(after or 0)
        end = min(start + first, len(entries))
        information = {"hasNextPage": end < len(entries), "endCursor": str(end)}
        return {"nodes": entries[start:end], "totalCount": len(entries), "pageInfo": information}

    return resolve


def _actor(world: World, login: str) -> dict[str, Any]:
    user = world.user(login)
    # GraphQL names an app's account without the suffix that REST gives it.
    name = login.removesuffix("[bot]")
    return {"__typename": "Bot" if user.kind == "Bot" else "User", "id": f"U_{user.id}", "login": name}


def _review(world: World, repository: Repository, review: Review) -> dict[str, Any]:
    return {
        "__typename": "PullRequestReview",
        "id": f"PRR_{review.id}",
        "databaseId": review.id,
        "author": _actor(world, review.author),
        "authorCanPushToRepository": repository.can_push(review.author),
        "commit": {"__typename": "Commit", "id": f"C_{review.commit}", "oid": review.commit},
        "state": review.state,
        "submittedAt": review.submitted,
        "isMinimized": False,
        "minimizedReason": None,
    }


def _request(world: World, repository: Repository, login: str) -> dict[str, Any]:
    return {
        "id": f"RR_{login}",
        "asCodeOwner": login in repository.code_owners,
        "requestedReviewer": _actor(world, login),
    }


def _comment(world: World, comment: Comment) -> dict[str, Any]:
    return {
        "__typename": "IssueComment",
        "id": f"IC_{comment.id}",
        "databaseId": comment.id,
        "author": _actor(world, comment.author),
        "body": comment.body,
        "isMinimized": comment.minimized is not None,
        "minimizedReason": comment.minimized,
    }
