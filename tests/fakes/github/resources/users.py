"""Accounts and the rate limit."""

from __future__ import annotations

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, not_found


def get(call: Call) -> Reply:
    """users/get-by-username"""
    login = call.values["username"]
    if login.lower() not in call.world.users:
        raise not_found()
    return Reply(body=call.views.user(login))


def get_authenticated(call: Call) -> Reply:
    """users/get-authenticated: a person's only; no permission gives it to a job"""
    if call.token.kind != "person":
        raise Problem(403, "Resource not accessible by integration")
    return Reply(body=call.views.user(call.login))


def rate_limit(call: Call) -> Reply:
    """rate-limit/get: does not count itself"""
    limit, used = call.world.limit_of(call.token), call.world.used(call.token)
    core = {"limit": limit, "used": used, "remaining": max(0, limit - used), "reset": call.world.reset_time()}
    idle = {"limit": 30, "used": 0, "remaining": 30, "reset": call.world.reset_time()}
    return Reply(body={"rate": core, "resources": {"core": core, "graphql": core, "search": idle}})
