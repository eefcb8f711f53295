"""Findings for code scanning, where the repository has it."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from typing import Final

from stackseal.hosts.github_api import Client, Rejected

LIMIT: Final = 10_000_000
"""Bytes of the compressed file that GitHub takes ("SARIF support for code scanning": 10 MB)."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What became of an upload; `why` says what is in the way."""

    accepted: bool
    why: str = ""


def pack(sarif: str) -> str:
    """The file as the API takes it: gzip without a time, in base64."""
    return base64.b64encode(gzip.compress(sarif.encode(), mtime=0)).decode()


def upload(client: Client, repository: str, *, commit: str, ref: str, sarif: str) -> Upload:
    """Send the findings of a commit. Code scanning that is off, or a fork's token, is an answer and no failure.

    Args:
        commit: 40 hexadecimal digits.
        ref: `refs/heads/NAME` or `refs/pull/N/merge`.
    """
    packed = pack(sarif)
    if len(packed) * 3 // 4 > LIMIT:
        return Upload(accepted=False, why="the findings are larger than code scanning takes")
    body = {"commit_sha": commit, "ref": ref, "sarif": packed, "tool_name": "stackseal"}
    path = f"/repos/{repository}/code-scanning/sarifs"
    try:
        client.write("POST", path, body, doing="send the findings to code scanning")
    except Rejected as error:
        if error.status in {403, 404}:
            return Upload(accepted=False, why=error.why if error.unpermitted else "code scanning is off here")
        raise
    return Upload(accepted=True)
