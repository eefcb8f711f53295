"""Findings for code scanning, where the repository has it."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from typing import Final

from stackseal.errors import Failed, Unknown
from stackseal.hosts.github_api import Client, Rejected

LIMIT: Final = 10_000_000
"""Bytes of the compressed file that GitHub takes ("SARIF support for code scanning": 10 MB)."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """What became of an upload. `off`: code scanning is not used here, which is nobody's mistake and worth no word."""

    accepted: bool
    off: bool = False
    why: str = ""


def pack(sarif: str) -> str:
    """The file as the API takes it: gzip without a time, in base64."""
    return base64.b64encode(gzip.compress(sarif.encode(), mtime=0)).decode()


def upload(client: Client, repository: str, *, commit: str, ref: str, sarif: str) -> Upload:
    """Send the findings of a commit. They are a display: what is in the way is an answer and no failure.

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
    except (Failed, Unknown) as error:
        off = isinstance(error, Rejected) and error.status in {403, 404} and not error.unpermitted
        return Upload(accepted=False, off=off, why=str(error))
    return Upload(accepted=True)
