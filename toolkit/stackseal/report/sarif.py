"""The findings as SARIF 2.1.0 for code scanning (OASIS standard; GitHub's page "SARIF support for code scanning").

GitHub reads `primaryLocationLineHash` alone of the fingerprints, shows 5,000 results of a run and takes 25,000.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote

from stackseal import __version__
from stackseal.model import Failure, Finding, Level, Location, Report, canonical_json, sha256
from stackseal.report.encode import block, is_url
from stackseal.report.view import View, view

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
LIMIT: Final = 25_000
"""Results that GitHub accepts in one run; the most serious come first."""
INVALID: Final = "invalid-config"
"""The rule of a config that never became a template."""
_LEVELS: Final = (Level.ERROR, Level.WARNING, Level.NOTE)


def render(report: Report, limit: int = LIMIT, key: str = "") -> str:
    """One run with a result per finding and per config that failed; the worst `limit` where there are more.

    `key` tells several reviews of one commit apart: code scanning keeps the last upload of each category.
    """
    found = view(report)
    findings = _findings(found)
    results = [*(_failure(item) for item in found.report.failures), *(_finding(item) for item in findings)][:limit]
    used = {result["ruleId"] for result in results}
    run = {
        "tool": {"driver": _driver(rule for rule in _rules(findings) if rule["id"] in used)},
        "automationDetails": {"id": f"stackseal/{uri(key)}/" if key else "stackseal/"},
        "columnKind": "unicodeCodePoints",
        "results": _fingerprinted(results),
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=True) + "\n"


def _findings(found: View) -> list[Finding]:
    every = [finding for stack in found.stacks for finding in stack.findings]
    return sorted(every, key=lambda item: (not item.blocks, _LEVELS.index(item.level)))


def _driver(rules: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"name": "stackseal", "semanticVersion": __version__, "rules": list(rules)}


def _rules(findings: Iterable[Finding]) -> Iterator[dict[str, Any]]:
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.check, finding)
    yield {
        "id": INVALID,
        "shortDescription": {"text": "The file could not be reviewed"},
        "properties": {"tags": ["stackseal"]},
    }
    for check, finding in sorted(first.items()):
        rule: dict[str, Any] = {
            "id": check,
            "shortDescription": {"text": f"{check} ({finding.engine})"},
            "defaultConfiguration": {"level": finding.level.value},
            "properties": {"tags": [finding.engine]},
        }
        if is_url(finding.help_url):
            rule["helpUri"] = finding.help_url
        yield rule


def _finding(finding: Finding) -> dict[str, Any]:
    about = f"{finding.resource}: " if finding.resource else ""
    result = _result(finding.check, finding.level.value, f"{about}{finding.message}", finding.where)
    result["partialFingerprints"] = {"about": [finding.check, finding.where.path, finding.stack, finding.resource]}
    if finding.rendered is not None:
        result["relatedLocations"] = [{**_location(finding.rendered), "message": {"text": "The rendered template"}}]
    if finding.waiver is not None:
        status = "underReview" if finding.waiver.proposed else "accepted"
        reason = block(f"{finding.waiver.reason} ({finding.waiver.owner})")
        result["suppressions"] = [{"kind": "external", "status": status, "justification": reason}]
    return result


def _failure(failure: Failure) -> dict[str, Any]:
    text = f"{failure.message}; {failure.remedy}" if failure.remedy else failure.message
    result = _result(INVALID, "error", text, failure.where)
    result["partialFingerprints"] = {"about": [INVALID, failure.where.path, failure.message]}
    return result


def _result(rule: str, level: str, text: str, where: Location) -> dict[str, Any]:
    return {"ruleId": rule, "level": level, "message": {"text": block(text) or rule}, "locations": [_location(where)]}


def _location(where: Location) -> dict[str, Any]:
    region = {"startLine": max(1, where.line), "startColumn": max(1, where.column)}
    artifact = {"uri": uri(where.path), "uriBaseId": "%SRCROOT%"}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def uri(path: str) -> str:
    """A path as a relative reference below the repository's root: no scheme, no `..`, no leading slash."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    return quote("/".join(parts).encode("utf-8", "replace"), safe="/") or "unknown"


def _fingerprinted(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each result with a fingerprint that moves with its subject, not with its line; equal ones are counted."""
    seen: Counter[str] = Counter()
    done = []
    for result in results:
        digest = sha256(canonical_json(result["partialFingerprints"]["about"]))[:16]
        seen[digest] += 1
        done.append({**result, "partialFingerprints": {"primaryLocationLineHash": f"{digest}:{seen[digest]}"}})
    return done
