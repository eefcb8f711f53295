"""A drift as an issue: what is not as it was deployed, and how to adopt or to revert it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from stackseal.model import Drift, DriftStatus, Json
from stackseal.report import marker
from stackseal.report.encode import title
from stackseal.report.markdown import LIMIT, MANY
from stackseal.report.redact import redact
from stackseal.report.words import fill

STEPS: Final = ((MANY, MANY), (MANY, 5), (200, 3), (50, 1), (20, 0), (0, 0))
"""(resources, differences of each) that are shown, until the body fits."""
_ROW: Final = 16
"""The least length of a difference's row: what cannot fit is not rendered first."""


@dataclass(frozen=True, kw_only=True)
class Issue:
    """What is written to the forge. `fingerprint` (of the drift without secrets) changes only when the drift does."""

    title: str
    body: str
    fingerprint: str


def issue(drift: Drift, *, config: str = "", origin: str = "", whole_set: bool = False, limit: int = LIMIT) -> Issue:
    """The issue of one stack's drift; the body has at most `limit` code points.

    Args:
        drift: in sync, drifted or unknown; unknown is said, never taken for in sync.
        config: path of the config file, for the sentences on how to mend it; empty where it is not known.
        origin: repository and folder whose configs are checked, for the marker; empty where nobody can tell.
        whole_set: it is about a stack set, which the marker says, too.
    """
    clean = redact(drift, salt=str(drift.stack))
    about: dict[str, Json] = {"origin": origin} if origin else {}
    if whole_set:
        about["set"] = True
    mark = marker.write("drift", id=str(drift.stack), fingerprint=clean.fingerprint, status=drift.status.value, **about)
    for resources, differences in STEPS:
        if _rows(clean, resources, differences) * _ROW > limit:
            continue
        body = _body(clean, marker=mark, config=config, resources=resources, differences=differences)
        if len(body) <= limit:
            break
    head = fill("issue_title.md.j2", drift=clean).strip()
    return Issue(title=title(head), body=body, fingerprint=clean.fingerprint)


def retired(stack: str, *, config: str = "", state: str = "", unasked: str = "") -> str:
    """The comment on an issue whose stack nobody compares any more, and why.

    Args:
        stack: account, region and name.
        config: path of the config that still describes the stack, which itself is gone; empty where none does.
        state: the status of the stack that stands without a config; empty for one that is gone.
        unasked: why nobody knows whether it stands; empty where it is known.
    """
    mark = marker.write("drift-closed", id=stack)
    return fill("issue_retired.md.j2", marker=mark, stack=stack, config=config, state=state, unasked=unasked)


def heartbeat(at: str, *, stacks: int, drifted: int) -> str:
    """What the issue says that tells when drift was last checked. `at` is an ISO time in UTC."""
    return fill("heartbeat.md.j2", at=at, stacks=stacks, drifted=drifted)


def _rows(drift: Drift, resources: int, differences: int) -> int:
    return sum(min(len(one.differences), differences) for one in drift.drifted[:resources])


def _body(drift: Drift, **context: Any) -> str:
    unchecked = tuple(one for one in drift.resources if one.status not in {"IN_SYNC", "MODIFIED", "DELETED"})
    unknown = drift.status is DriftStatus.UNKNOWN or bool(unchecked)
    return fill("issue.md.j2", drift=drift, unchecked=unchecked, unknown=unknown, **context)
