"""The only package that touches ministack: how it is started, called, hooked and read.

ministack 1.5.33 has no public extension points; what we use is named in `SYMBOLS` and guarded by a contract test, and
the pin in pyproject.toml is exact. Everything else in `local/` goes through the functions here.
"""

from __future__ import annotations

from stackseal.local.ministack.clock import CLOCK
from stackseal.local.ministack.engine import generation, install, originals, register
from stackseal.local.ministack.iam import Principal, authorize, principal, role_arn, roles, trusts, trusts_principal
from stackseal.local.ministack.inside import SYMBOLS, account_of, at, here, module
from stackseal.local.ministack.loop import Loop
from stackseal.local.ministack.records import (
    add_event,
    change_sets,
    conditions,
    expect,
    forget,
    move_events,
    ordered,
    parsed,
    partial_drift,
    references,
    resolve,
    settle,
    stack,
    stack_record,
    takes_stack_tags,
)

__all__ = [
    "CLOCK",
    "SYMBOLS",
    "Loop",
    "Principal",
    "account_of",
    "add_event",
    "at",
    "authorize",
    "change_sets",
    "conditions",
    "expect",
    "forget",
    "generation",
    "here",
    "install",
    "module",
    "move_events",
    "ordered",
    "originals",
    "parsed",
    "partial_drift",
    "principal",
    "references",
    "register",
    "resolve",
    "role_arn",
    "roles",
    "settle",
    "stack",
    "stack_record",
    "takes_stack_tags",
    "trusts",
    "trusts_principal",
]
