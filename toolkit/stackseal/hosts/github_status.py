"""The verdict as the status of a commit, which a branch rule can require."""

from __future__ import annotations

from typing import Final

from stackseal.hosts.base import Mark
from stackseal.hosts.github_api import Client

LIMIT: Final = 140
"""Characters of a description that GitHub takes (it answers 422 to a longer one)."""
_HTTP: Final = ("https://", "http://")


def put(client: Client, repository: str, commit: str, mark: Mark) -> None:
    """The commit has this status under the mark's context; of several the newest counts, so a repetition is harmless.

    Raises Rejected where the token may not, or GitHub does not know the commit.
    """
    text = mark.text if len(mark.text) <= LIMIT else f"{mark.text[: LIMIT - 1]}…"
    body = {"state": mark.state.value, "context": f"stackseal/{mark.key}", "description": text}
    if mark.url.startswith(_HTTP):
        body["target_url"] = mark.url
    path = f"/repos/{repository}/statuses/{commit}"
    client.send("POST", path, body=body, doing="set the status of the commit", repeatable=True)
