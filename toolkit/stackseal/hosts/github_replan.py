"""A pull request that is planned again: not the event says what it is, GitHub is asked.

Sources: GitHub's "Get a pull request" (`mergeable` is null while the trial merge is made, which asking starts, and
`merge_commit_sha` is that merge while the pull request is open), "Get a commit" (its parents).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from stackseal.errors import Failed, Refused
from stackseal.hosts.base import Proposal
from stackseal.hosts.github_api import Client, Rejected

_DEPENDABOT: Final = "dependabot[bot]"
_LOOKS: Final = 10
_PAUSE: Final = 3.0
"""Seconds between two looks at a merge that is still being made."""


def proposal(client: Client, repository: str, number: int) -> Proposal:
    """The open pull request with the trial merge of its last commit.

    Raises Refused for one that is closed, conflicts or is not there, Failed where GitHub makes no merge in time.
    """
    for _ in range(_LOOKS):
        found = _open(client, repository, number)
        if found["mergeable"] is False:
            raise Refused(
                f"The pull request {number} cannot be planned",
                why="it conflicts with its base",
                remedy="resolve the conflicts; the push starts a review",
            )
        if (made := _merged(client, repository, found)) is not None:
            return made
        client.sleep(_PAUSE)
    raise Failed(
        f"The pull request {number} cannot be planned yet",
        why="GitHub has not merged its last commit on trial",
        remedy="start the workflow again in a minute",
    )


def trusted(pull: Mapping[str, Any]) -> bool:
    """Whether a pull request may be planned with credentials: the same conditions as in review.yml."""
    head, base = (pull["head"].get("repo") or {}).get("id"), (pull["base"].get("repo") or {}).get("id")
    own = head is not None and head == base
    return own and not pull.get("draft") and (pull.get("user") or {}).get("login") != _DEPENDABOT


def _open(client: Client, repository: str, number: int) -> Mapping[str, Any]:
    refused = f"The pull request {number} cannot be planned"
    try:
        found: Mapping[str, Any] = client.get(f"/repos/{repository}/pulls/{number}", doing="read the pull request")
    except Rejected as error:
        if error.status != 404:
            raise
        raise Refused(refused, why="there is none with this number", remedy="check the number") from error
    if found["state"] != "open":
        raise Refused(refused, why="it is closed", remedy="open it again, or open another one")
    return found


def _merged(client: Client, repository: str, pull: Mapping[str, Any]) -> Proposal | None:
    """None while the merge is being made, or is that of an older commit."""
    merge = pull.get("merge_commit_sha")
    if pull["mergeable"] is None or not merge:
        return None
    commit = client.get(f"/repos/{repository}/commits/{merge}", doing="read the trial merge")
    parents = [str(parent["sha"]) for parent in commit["parents"]]
    head = str(pull["head"]["sha"])
    if len(parents) != 2 or parents[1] != head:
        return None
    return Proposal(number=int(pull["number"]), head=head, base=parents[0], merge=str(merge), trusted=trusted(pull))
