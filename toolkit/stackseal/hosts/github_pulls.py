"""Pull requests: where a commit came from, what the review decided, labels, approvals, planning again."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from stackseal.hosts.base import Approval, Pull, ReviewState
from stackseal.hosts.github_api import Client, Rejected
from stackseal.hosts.github_owners import PLACES, unowned

REVIEW: Final = """
query ($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewDecision
      reviewRequests(first: 100) { nodes { asCodeOwner } }
    }
  }
}
"""
STALE: Final = "stackseal: stale plan"
LABELS: Final[Mapping[str, str]] = {
    "stackseal: blocked": "b60205",
    "stackseal: needs a human": "fbca04",
    "stackseal: ready": "0e8a16",
    "stackseal: destructive": "d93f0b",
    STALE: "c5def5",
}
"""The labels that we set and remove, with their colours."""
NO_DECISION: Final = "GitHub tells no decision: no rule of the branch asks for approvals, or a conversation is open"
_FILES: Final = 3_000
"""GitHub lists at most so many files of a pull request; what it does not list cannot be decided."""


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pull request as far as a deployment needs it."""

    number: int
    head: str
    base: str
    """The branch that it was merged into."""
    merged: bool
    author: str
    url: str


class Pulls:
    """The pull requests of one repository."""

    def __init__(self, client: Client, repository: str) -> None:
        self._client, self._repository, self._base = client, repository, f"/repos/{repository}"

    def of_commit(self, sha: str, branch: str) -> PullRequest | None:
        """The merged pull request that a commit of a branch came from: by merge, squash, rebase or queue.

        None where there is none, or where several claim it: then nothing shows which of them was reviewed.
        """
        path = f"{self._base}/commits/{sha}/pulls"
        listed = list(self._client.pages(path, doing="find the pull request of the commit"))
        return origin(listed, sha, branch)

    def look(self, number: int) -> Pull | None:
        """What became of a pull request, and whose approval stands; None where there is none."""
        path = f"{self._base}/pulls/{number}"
        try:
            found = self._client.get(path, doing="read the pull request")
        except Rejected as error:
            if error.status != 404:
                raise
            return None
        return became(found, self._client.pages(f"{path}/reviews", doing="list the reviews"))

    def head(self, number: int) -> str:
        """The commit that a pull request has now."""
        found = self._client.get(f"{self._base}/pulls/{number}", doing="read the pull request")
        return str(found["head"]["sha"])

    def label(self, number: int, wanted: Iterable[str]) -> bool:
        """Of `LABELS` the pull request has exactly these; False where GitHub drops them without a word."""
        path, doing = f"{self._base}/issues/{number}/labels", "label the pull request"
        have = {str(item["name"]) for item in self._client.pages(path, doing=doing)}
        add, remove = labels(have, wanted)
        for name in remove:
            self._unless(404, "DELETE", f"{path}/{quote(name, safe='')}", None, doing)
        for name in add:
            made = {"name": name, "color": LABELS[name]}
            self._unless(422, "POST", f"{self._base}/labels", made, "create a label")
        if not add:
            return True
        now = self._client.write("POST", path, {"labels": list(add)}, doing=doing)
        return set(add) <= {str(item["name"]) for item in now}

    def fresh(self, number: int) -> bool:
        """The plan is new: the label that says otherwise goes, and the others stay."""
        path, doing = f"{self._base}/issues/{number}/labels", "label the pull request"
        if STALE in {str(item["name"]) for item in self._client.pages(path, doing=doing)}:
            self._unless(404, "DELETE", f"{path}/{quote(STALE, safe='')}", None, doing)
        return True

    def review(self, number: int, base: str) -> ReviewState:
        """What the review of a pull request has decided, as GitHub sees it now.

        `base` is the commit whose CODEOWNERS count: the branch's own may be the pull request's once it is merged.
        """
        path, doing = f"{self._base}/pulls/{number}", "read the pull request"
        pull = self._client.get(path, doing=doing)
        given = tuple(approvals(self._client.pages(f"{path}/reviews", doing="list the reviews")))
        try:
            found = self._decided(number, base, pull["base"]["ref"])
        except Rejected as error:
            if error.status not in {403, 404}:
                raise
            found = ReviewState(approved=None, code_owner=None, undecided=f"{error.what}: {error.why}")
        return replace(found, approvals=given, head=pull["head"]["sha"], merged=bool(pull.get("merged_at")))

    def dismiss(self, number: int, message: str, before: datetime) -> tuple[str, ...]:
        """Take back the approvals that were given before a time; returns who had given them."""
        path, doing = f"{self._base}/pulls/{number}/reviews", "dismiss the approvals"
        given = [item for item in self._client.pages(path, doing=doing) if item["state"] == "APPROVED"]
        early = [item for item in given if _given(item) < before]
        for item in early:
            body = {"message": message, "event": "DISMISS"}
            self._client.write("PUT", f"{path}/{item['id']}/dismissals", body, doing=doing)
        return tuple(sorted({str((item.get("user") or {}).get("login", "")) for item in early}))

    def plan_again(self, workflow: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Start a workflow that plans a pull request again. The job needs `actions: write`."""
        path = f"{self._base}/actions/workflows/{quote(workflow, safe='')}/dispatches"
        body = {"ref": branch, "inputs": dict(inputs)}
        self._client.write("POST", path, body, doing=f"start the workflow {workflow}")

    def _decided(self, number: int, base: str, branch: str) -> ReviewState:
        owner, _, name = self._repository.partition("/")
        asked = {"owner": owner, "name": name, "number": number}
        found = self._client.graphql(REVIEW, asked, doing="read the review's decision")["repository"]["pullRequest"]
        pending = any(node["asCodeOwner"] for node in found["reviewRequests"]["nodes"])
        why = self._undecidable(number, base, branch)
        return state(found["reviewDecision"], pending=pending, why=why)

    def _undecidable(self, number: int, base: str, branch: str) -> str:
        """Why a code owner's approval cannot be told from GitHub's decision; empty where it can."""
        rules = self._client.pages(f"{self._base}/rules/branches/{quote(branch, safe='')}", doing="read the rules")
        if not asks_code_owners(rules):
            return f"no ruleset asks for code owners' reviews on {branch}"
        text = self._codeowners(base)
        if text is None:
            return f"there is no CODEOWNERS on {branch}"
        files = list(self._client.pages(f"{self._base}/pulls/{number}/files", doing="list the files"))
        if len(files) >= _FILES:
            return "the pull request has more files than GitHub lists"
        # A file that was moved needs an owner under both its names.
        names = [item[key] for item in files for key in ("filename", "previous_filename") if item.get(key)]
        missing = unowned(text, names)
        return f"CODEOWNERS names nobody for {missing[0]}" if missing else ""

    def _codeowners(self, base: str) -> str | None:
        """The file before the pull request's changes: its own does not count."""
        for place in PLACES:
            try:
                found = self._client.get(f"{self._base}/contents/{place}", doing="read CODEOWNERS", ref=base)
                return base64.b64decode(found["content"]).decode(errors="replace")
            except Rejected as error:
                if error.status != 404:
                    raise
            except (KeyError, TypeError, binascii.Error):
                return None
        return None

    def _unless(self, status: int, method: str, path: str, body: Mapping[str, Any] | None, doing: str) -> None:
        """A write whose refusal with this status means that it is so already."""
        try:
            self._client.write(method, path, body, doing=doing)
        except Rejected as error:
            if error.status != status:
                raise


def origin(listed: Sequence[Mapping[str, Any]], sha: str, branch: str) -> PullRequest | None:
    """Of the pull requests that GitHub associates with a commit the one that brought it onto a branch."""
    merged = [item for item in listed if item.get("merged_at") and item["base"]["ref"] == branch]
    exact = [item for item in merged if item.get("merge_commit_sha") == sha]
    found = exact or merged
    if len(found) != 1:
        return None
    item = found[0]
    return PullRequest(
        number=item["number"],
        head=item["head"]["sha"],
        base=item["base"]["ref"],
        merged=True,
        author=str((item.get("user") or {}).get("login", "")),
        url=str(item.get("html_url", "")),
    )


def became(found: Mapping[str, Any], reviews: Iterable[Mapping[str, Any]]) -> Pull:
    """A pull request as GitHub tells it, with its reviews, oldest first.

    Somebody's last review that decides counts; a comment takes no approval back.
    """
    closed = found.get("closed_at")
    return Pull(
        number=found["number"],
        open=found["state"] == "open",
        merged=bool(found.get("merged_at")),
        closed=datetime.fromisoformat(closed).date() if closed else None,
        approvers=tuple(approval.by for approval in approvals(reviews)),
    )


def approvals(reviews: Iterable[Mapping[str, Any]]) -> Iterator[Approval]:
    """The approvals that stand, sorted by their givers. Somebody's last review that decides counts."""
    last: dict[str, Mapping[str, Any]] = {}
    for item in reviews:
        if item["state"] in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
            last[str((item.get("user") or {}).get("login", ""))] = item
    for name in sorted(last):
        if name and last[name]["state"] == "APPROVED":
            yield Approval(by=name, at=_given(last[name]))


def _given(review: Mapping[str, Any]) -> datetime:
    """When a review was given; one without a time is older than everything."""
    return datetime.fromisoformat(review.get("submitted_at") or "1970-01-01T00:00:00Z")


def labels(have: Iterable[str], wanted: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which of our labels to add and which to remove; other people's stay."""
    target, there = set(wanted) & set(LABELS), set(have) & set(LABELS)
    return tuple(sorted(target - there)), tuple(sorted(there - target))


def asks_code_owners(rules: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a ruleset of the branch requires code owners' reviews.

    Classic branch protection is not read: it takes `administration: read`, which GITHUB_TOKEN cannot have.
    """
    return any(
        rule.get("type") == "pull_request" and (rule.get("parameters") or {}).get("require_code_owner_review")
        for rule in rules
    )


def state(decision: str | None, *, pending: bool, why: str) -> ReviewState:
    """GitHub's decision as ours; no decision is not an approval.

    It is missing where the branch asks for none, and was seen to go missing when a conversation is reopened.
    """
    if decision is None:
        return ReviewState(approved=None, code_owner=None, why=why, undecided=NO_DECISION)
    approved = decision == "APPROVED"
    return ReviewState(approved=approved, code_owner=None if why else approved and not pending, why=why)
