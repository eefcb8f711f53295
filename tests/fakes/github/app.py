"""From a request to a reply: fault, token, validity, permission, handler, shape, validity again, entity tag."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from fakes.github import graphql, tokens
from fakes.github.call import Call, Handler
from fakes.github.description import VERSIONS, Description, Route, description
from fakes.github.exchange import Problem, Record, Reply, Request, not_found
from fakes.github.faults import Faults
from fakes.github.resources import HANDLERS
from fakes.github.shape import shaped
from fakes.github.tokens import Token
from fakes.github.validate import Validator
from fakes.github.views import Views
from fakes.github.world import World

GRAPHQL: Final = "graphql"
_FREE: Final = frozenset({"rate-limit/get"})
_ENTRANCES: Final = {"/graphql", "/api/graphql"}


class Dropped(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The connection is to be reset instead of a reply."""


@dataclass(kw_only=True)
class App:
    """The API; `violations` are the clients' mistakes, `defects` the fake's own."""

    world: World
    faults: Faults = field(default_factory=Faults)
    calls: list[Record] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    """Set when the server stops, so that nobody waits for a slow answer."""

    def answer(self, request: Request) -> Reply:
        """The reply to a request. Raises Dropped when the connection is to be reset."""
        version = request.headers.get("x-github-api-version", VERSIONS[0])
        known = description(version if version in VERSIONS else VERSIONS[0])
        found = None if request.path in _ENTRANCES else known.match(request.method, request.path)
        operation = GRAPHQL if request.path in _ENTRANCES else found[0].operation if found else ""
        fault = self.faults.take(operation, request.method)
        if fault and fault.delay:
            self.closing.wait(fault.delay)
        if fault and fault.drop == "before":
            raise Dropped
        if fault and fault.reply:
            with self.world.lock:
                reply = self._faulty(request, operation, version, fault.reply)
        else:
            with self.world.lock:
                reply = self._carry_out(request, known, found, operation, version)
        if fault and fault.drop == "after":
            raise Dropped
        return reply

    def _carry_out(
        self,
        request: Request,
        known: Description,
        found: tuple[Route, dict[str, str]] | None,
        operation: str,
        version: str,
    ) -> Reply:
        token: Token | None = None
        headers: dict[str, str] = {}
        try:
            token = self._token(request, version)
            headers = self._count(token, operation)
            if operation == GRAPHQL:
                reply = graphql.answer(self.world, token, request, self.violations)
            elif found is None:
                self.violations.append(f"{request.method} {request.path}: there is no such route")
                reply = not_found().reply
            else:
                reply = self._operate(request, known, found, token)
        except Problem as problem:
            reply = problem.reply
        if found:
            self._prove(known, found[0], reply)
        headers |= {"X-GitHub-Api-Version-Selected": version, **reply.headers}
        reply = _tagged(request, replace(reply, headers=headers))
        if token and reply.status == 304:
            self.world.count(token, -1)
        self._record(request, operation, reply, token.login if token else "")
        return reply

    def _faulty(self, request: Request, operation: str, version: str, reply: Reply) -> Reply:
        """A scripted reply; limits of rate carry the counters of the primary limit, too, as GitHub's do."""
        if reply.status in {403, 429}:
            try:
                counted = self._count(self._token(request, version), operation)
            except Problem as problem:
                return problem.reply
            reply = replace(reply, headers={**counted, **reply.headers})
        self._record(request, operation, reply, "")
        return reply

    def _operate(
        self, request: Request, known: Description, found: tuple[Route, dict[str, str]], token: Token
    ) -> Reply:
        route, values = found
        body, problems = _parsed(request)
        problems += _validator(known.version).request(route, values, request.query, body)
        self.violations += [f"{route.operation}: {problem}" for problem in problems]
        call = Call(
            world=self.world,
            request=request,
            token=token,
            values=values,
            body=body,
            version=known.version,
            views=Views(self.world, request.base),
        )
        tokens.allow(token, route.operation, on_issue=_on_issue(call))
        if request.method != "GET" and route.operation not in tokens.OPEN and not call.may_push:
            raise Problem(403, "Must have admin rights to Repository.")
        if problems:
            raise Problem(422, "Invalid request.\n\n" + "\n".join(problems), errors=_errors(known, route, problems))
        handler: Handler = HANDLERS[route.operation]
        reply = handler(call)
        if reply.body is None or isinstance(reply.body, bytes):
            return reply
        return replace(reply, body=shaped(known, known.reply_schema(route, reply.status), reply.body))

    def _prove(self, known: Description, route: Route, reply: Reply) -> None:
        if isinstance(reply.body, bytes):
            return
        problems = _validator(known.version).reply(route, reply.status, reply.body)
        self.defects += [f"{route.operation} {reply.status}: {problem}" for problem in problems]

    def _token(self, request: Request, version: str) -> Token:
        if version not in VERSIONS:
            raise Problem(400, f"Unsupported API version: {version}")
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if not value:
            raise Problem(401, "Requires authentication")
        token = self.world.tokens.get(value) if scheme.lower() in {"token", "bearer"} else None
        if token is None or (token.expires and token.expires <= self.world.clock.time):
            raise Problem(401, "Bad credentials")
        return token.used_by(request.user_agent)

    def _count(self, token: Token, operation: str) -> dict[str, str]:
        """Count the call, and say so as GitHub does. Raises 403 when the hour's calls are used up."""
        limit = self.world.limit_of(token)
        cost = 0 if operation in _FREE else 1
        used = self.world.used(token) + cost
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - used)),
            "X-RateLimit-Used": str(min(used, limit)),
            "X-RateLimit-Reset": str(self.world.reset_time()),
            "X-RateLimit-Resource": "graphql" if operation == GRAPHQL else "core",
        }
        if used > limit:
            raise Problem(
                403, f"API rate limit exceeded for user ID {self.world.user(token.login).id}.", headers=headers
            )
        self.world.count(token, cost)
        return headers

    def _record(self, request: Request, operation: str, reply: Reply, login: str) -> None:
        self.calls.append(
            Record(
                method=request.method,
                path=request.path,
                operation=operation,
                status=reply.status,
                user_agent=request.user_agent,
                login=login,
                body=_parsed(request)[0],
            )
        )


_VALIDATORS: Final[dict[str, Validator]] = {}


def _validator(version: str) -> Validator:
    """The validator of a version, with its compiled schemas, once in a process."""
    if version not in _VALIDATORS:
        _VALIDATORS[version] = Validator(description(version))
    return _VALIDATORS[version]


def _parsed(request: Request) -> tuple[Any, list[str]]:
    if not request.raw:
        return None, []
    try:
        return json.loads(request.raw), []
    except ValueError:
        return None, ["body: Problems parsing JSON"]


def _errors(known: Description, route: Route, problems: list[str]) -> list[Any]:
    """The problems in the form that the operation's 422 has: objects, or plain sentences (reviews)."""
    documented = str(422) in route.definition["responses"]
    schema = known.follow(known.reply_schema(route, 422)) if documented else None
    items = ((schema or {}).get("properties") or {}).get("errors", {}).get("items", {})
    if items.get("type") == "string":
        return list(problems)
    return [{"resource": route.operation, "code": "invalid", "message": problem} for problem in problems]


def _on_issue(call: Call) -> bool:
    """Whether the call is about an issue that is no pull request."""
    repository = call.world.repositories.get(f"{call.values.get('owner')}/{call.values.get('repo')}".lower())
    if repository is None:
        return False
    number = call.values.get("issue_number", "")
    if identity := call.values.get("comment_id", ""):
        comment = repository.comments.get(int(identity) if identity.isdigit() else 0)
        number = str(comment.number) if comment else ""
    return number.isdigit() and int(number) in repository.issues and int(number) not in repository.pulls


def _tagged(request: Request, reply: Reply) -> Reply:
    """The reply with its entity tag, or 304 where the client has it already; a 304 costs no call."""
    if request.method != "GET" or reply.status != 200:
        return reply
    content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    tag = f'W/"{hashlib.sha256(content).hexdigest()}"'
    headers: Mapping[str, str] = {**reply.headers, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Reply(status=304, headers=headers)
    return replace(reply, headers=headers)
