"""Reaches into ministack: what we use of it by name, how it is imported, and in whose name it works."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

from stackseal.local.messages import Place

CFN: Final = "ministack.services.cloudformation"
SYMBOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "ministack.app": ("app", "AUTH", "_reset_all_state"),
    "ministack.core.responses": ("get_account_id", "get_region", "request_scope", "_account_from_sts_session"),
    "ministack.core.iam_evaluator": (
        "EvalContext",
        "_gather_role_policies",
        "_permissions_boundary",
        "_resolve_condition_key",
        "AuthError",
        "enforce",
        "evaluate",
        "evaluate_trust_policy",
        "find_iam_access_key_account",
        "is_root_access_key",
        "resolve_principal",
        "time",
    ),
    "ministack.core.iam_actions": ("extract_resource_arn", "request_tag_context"),
    "ministack.services.iam": ("_error", "_oidc_providers", "_roles", "time"),
    "ministack.services.sts": ("_web_identity_trust_denied", "time"),
    "ministack.services.ec2": (
        "_ACTION_MAP",
        "_modify_vpc_endpoint",
        "_parse_member_list",
        "_vpc_endpoints",
        "_vpce_fields_xml",
    ),
    CFN: ("_stacks", "_stack_events", "_change_sets"),
    f"{CFN}.engine": (
        "_NO_VALUE",
        "_evaluate_conditions",
        "_resolve_refs",
        "_intrinsic_references",
        "_topological_sort",
    ),
    f"{CFN}.drift": ("detect_resource_drift", "supports_drift"),
    f"{CFN}.helpers": ("_resolve_document",),
    f"{CFN}.provisioners": (
        "_RESOURCE_HANDLERS",
        "_STACK_TAG_PROPERTY",
        "_CUSTOM_NAME_REPLACEMENT",
        "_NAME_SEED",
        "_property_recreation",
        "_provision_resource",
        "_update_resource",
        "_delete_resource",
        "s3_bucket_name_conflict",
    ),
    f"{CFN}.stacks": (
        "_add_event",
        "_property_recreation",
        "_provision_resource",
        "_update_resource",
        "_delete_resource",
        "_runs_on_worker_thread",
    ),
}
"""Module -> the names in it that we read, call or replace."""

_ENVIRONMENT: Final[Mapping[str, str]] = {
    "AUTH": "true",
    "LOG_LEVEL": "CRITICAL",
    "PERSIST_STATE": "0",
    "S3_PERSIST": "0",
    "SFTP_ENABLED": "0",
    "IOT_MTLS_ENABLED": "0",
    "MINISTACK_HOST": "127.0.0.1",
}
_REAPER: Final = "dynamodb-ttl-reaper"
import_guard = threading.RLock()


class _Thread(threading.Thread):
    """Refuses to start the thread that importing ministack's DynamoDB leaves behind for good."""

    def start(self) -> None:
        if self.name != _REAPER:
            super().start()


def module(name: str) -> Any:
    """One of ministack's modules; imported once, without leaving our settings, its log handlers or a thread behind."""
    if name in sys.modules:
        return sys.modules[name]
    root = logging.getLogger()
    with import_guard, _environment(_ENVIRONMENT), without_docker(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        level, handlers, thread = root.level, list(root.handlers), threading.Thread
        setattr(threading, "Thread", _Thread)  # noqa: B010 - mypy forbids to assign to a class of the library
        try:
            return importlib.import_module(name)
        finally:
            setattr(threading, "Thread", thread)  # noqa: B010
            root.setLevel(level)
            root.handlers[:] = handlers
            silence()


def silence() -> None:
    """Keeps ministack's loggers, which have names such as `s3`, off stderr."""
    for name, found in list(sys.modules.items()):
        if name.startswith("ministack."):
            for logger in (getattr(found, "logger", None), getattr(found, "_log", None)):
                if isinstance(logger, logging.Logger):
                    logger.setLevel(logging.CRITICAL + 1)


@contextlib.contextmanager
def without_docker() -> Iterator[None]:
    """ministack looks for a Docker daemon and leaves the socket open; without the library it does not look."""
    absent = object()
    before: Any = sys.modules.get("docker", absent)
    sys.modules["docker"] = None  # type: ignore[assignment]  # Python's way to say "not importable"
    try:
        yield
    finally:
        if before is absent:
            del sys.modules["docker"]
        else:
            sys.modules["docker"] = before


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def account_of(access_key: str, default: str) -> str:
    """The account that a key works in: the key itself where it is one, its session's, its user's, or the default."""
    if len(access_key) == 12 and access_key.isdigit():
        return access_key
    session = module("ministack.core.responses")._account_from_sts_session(access_key)
    user = module("ministack.core.iam_evaluator").find_iam_access_key_account(access_key)
    return str(session or user or default)


def here() -> Place:
    """The place in whose name ministack is working on this thread."""
    responses = module("ministack.core.responses")
    return Place(account=str(responses.get_account_id()), region=str(responses.get_region()))


def at(place: Place) -> contextlib.AbstractContextManager[None]:
    """Works in a place: the stores below then show its content."""
    found: contextlib.AbstractContextManager[None] = module("ministack.core.responses").request_scope(
        place.account, place.region
    )
    return found
