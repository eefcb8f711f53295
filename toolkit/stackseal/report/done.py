"""What a deployment or a check for drift did, stack by stack: for the job's summary page, or as a page of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stackseal.model import Deployment, Drift
from stackseal.report.redact import redact
from stackseal.report.words import fill


def deployed(
    deployments: Sequence[Deployment],
    *,
    waiting: Sequence[str] = (),
    left: Sequence[str] = (),
    passed: Mapping[str, str] | None = None,
) -> str:
    """A row for each stack.

    `waiting` were not begun, `left` are those that no review has sealed, `passed` those that a newer commit changes.
    """
    shown = redact(tuple(deployments))
    return fill("deployed.md.j2", deployments=shown, waiting=waiting, left=left, passed=passed or {})


def watched(rows: Sequence[tuple[Drift, str, int | None]], retired: Sequence[tuple[str, int]] = ()) -> str:
    """A row for each stack: its drift, what happened to its issue (`opened`, `held back`, …), its number.

    `retired` are stacks that no config makes any more, with the numbers of their issues.
    """
    return fill("watched.md.j2", rows=redact(tuple(rows)), retired=redact(tuple(retired)))


def page(deployment: Deployment, *, removed: Sequence[str] = (), afterwards: Sequence[str] = ()) -> str:
    """One deployment as an HTML file that needs nothing else.

    `removed` went after the stack, `afterwards` is what a person has to do now.
    """
    shown, gone, todo = redact((deployment, tuple(removed), tuple(afterwards)))
    return fill("deployment.html.j2", one=shown, removed=gone, afterwards=todo)
