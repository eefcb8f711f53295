"""Whether what this run computes may be believed by later runs: a pull request's may not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_EVENTS: Final = frozenset({"push", "schedule"})
"""Events whose commit is the branch's own. A re-plan is dispatched on the branch and is about a pull request."""
_LIMIT: Final = 26_214_400


def lasting(env: Mapping[str, str]) -> bool:
    """True on a person's machine and for a run of GitHub's default branch; False wherever that is not certain."""
    if env.get("GITHUB_ACTIONS") == "true":
        branch = _default_branch(env.get("GITHUB_EVENT_PATH", ""))
        return bool(branch) and env.get("GITHUB_EVENT_NAME") in _EVENTS and env.get("GITHUB_REF") == branch
    return not (env.get("CI") or env.get("CODEBUILD_BUILD_ID"))


def _default_branch(path: str) -> str:
    """The full name of the default branch, as the event's payload tells it; empty where it does not."""
    try:
        with Path(path).open("rb") as file:
            name = json.loads(file.read(_LIMIT))["repository"]["default_branch"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f"refs/heads/{name}" if isinstance(name, str) and name else ""
