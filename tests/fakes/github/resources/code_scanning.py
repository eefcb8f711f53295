"""SARIF uploads: JSON, gzipped, in base64."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib

from fakes.github.call import Call
from fakes.github.exchange import Problem, Reply, not_found
from fakes.github.models import Sarif

LIMIT = 10_485_760
"""Bytes of a packed upload. Source: GitHub's "Uploading a SARIF file": 10 MB."""


def upload(call: Call) -> Reply:
    """code-scanning/upload-sarif"""
    repository, body = call.repository, call.body
    _refuse_off(call)
    call.commit(body["commit_sha"], status=400, message=f"commit not found {body['commit_sha']}")
    if len(body["sarif"]) > LIMIT:
        raise Problem(413, "Payload too large")
    try:
        document = json.loads(gzip.decompress(base64.b64decode(body["sarif"], validate=True)))
    except (binascii.Error, OSError, EOFError, zlib.error, ValueError) as error:
        raise Problem(400, f"Invalid SARIF. {error}") from error
    if not isinstance(document, dict) or document.get("version") != "2.1.0" or "runs" not in document:
        raise Problem(400, "Invalid SARIF. The document is no SARIF 2.1.0")
    name = f"00000000-0000-4000-8000-{len(repository.sarifs) + 1:012d}"
    repository.sarifs[name] = Sarif(id=name, ref=body["ref"], commit=body["commit_sha"], document=document)
    url = call.views.api(repository, f"/code-scanning/sarifs/{name}")
    return Reply(status=202, body={"id": name, "url": url})


def get(call: Call) -> Reply:
    """code-scanning/get-sarif: processed at once"""
    _refuse_off(call)
    if call.values["sarif_id"] not in call.repository.sarifs:
        raise not_found()
    url = call.views.api(call.repository, f"/code-scanning/analyses?sarif_id={call.values['sarif_id']}")
    return Reply(body={"processing_status": "complete", "analyses_url": url, "errors": None})


def _refuse_off(call: Call) -> None:
    if not call.repository.code_scanning:
        raise Problem(403, "Advanced Security must be enabled for this repository to use code scanning.")
