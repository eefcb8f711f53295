"""Findings for code scanning, where the repository has it."""

from __future__ import annotations

import base64
import gzip
from typing import Final

from stackseal.errors import Failed, Unknown
from stackseal.hosts.base import Upload
from stackseal.hosts.github_api import Client, Rejected
from stackseal.model import Run

LIMIT: Final = 10_000_000
"""Bytes of the compressed file that GitHub takes ("SARIF support for code scanning": 10 MB)."""


def place(run: Run, ref: str, sha: str) -> tuple[str, str]:
    """The commit and the ref that the findings of a run belong to, given the ref and the commit of the job.

    A pull request's findings are those of its merge commit, which is what was rendered; a job that was started for
    something else (a plan that is made again) knows the head at most. GitHub takes `refs/pull/N/merge` and
    `refs/pull/N/head` ("Uploading a SARIF file to GitHub"). The ref is empty where there is no such place.
    """
    if run.pull_request is None:
        return sha or run.commit, ref
    if ref == f"refs/pull/{run.pull_request}/merge":
        return sha, ref
    known = bool(run.commit) and run.commit != sha  # the job's own commit is not the pull request's
    return run.commit, f"refs/pull/{run.pull_request}/head" if known else ""


def pack(sarif: str) -> str:
    """The file as the API takes it: gzip without a time, in base64."""
    return base64.b64encode(gzip.compress(sarif.encode(), mtime=0)).decode()


def upload(client: Client, repository: str, *, commit: str, ref: str, sarif: str) -> Upload:
    """Send the findings of a commit. They are a display: what is in the way is an answer and no failure.

    Args:
        commit: 40 hexadecimal digits.
        ref: `refs/heads/NAME` or `refs/pull/N/merge`.
    """
    if not ref.startswith("refs/"):
        return Upload(accepted=False, off=True, why="the run belongs to no branch and no pull request")
    packed = pack(sarif)
    if len(packed) * 3 // 4 > LIMIT:
        return Upload(accepted=False, why="the findings are larger than code scanning takes")
    body = {"commit_sha": commit, "ref": ref, "sarif": packed, "tool_name": "stackseal"}
    path = f"/repos/{repository}/code-scanning/sarifs"
    try:
        client.write("POST", path, body, doing="send the findings to code scanning")
    except (Failed, Unknown) as error:
        off = isinstance(error, Rejected) and error.status in {403, 404} and not error.unpermitted
        return Upload(accepted=False, off=off, why=str(error))
    return Upload(accepted=True)
