"""Reads how a repository on GitHub is set up. A refusal becomes `Unseen`; an absence is one only where GitHub says so.

Sources: GitHub's REST reference, "Get rules for a branch", "Get branch protection", "List environments", "List
deployment branch policies", "Get default workflow permissions for a repository", "Get the customization template for an
OIDC subject claim for a repository", "Get repository content". Some need `administration: read`, which no job's token
has.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote

from stackseal.errors import StacksealError
from stackseal.hosts.github_api import Client, Rejected
from stackseal.hosts.github_owners import PLACES
from stackseal.hosts.repository_setup import PROTECTED, Environment, RepositorySetup, Rules, Subject, Unseen

T = TypeVar("T")
WORKFLOWS: Final = ".github/workflows"
DEPENDABOT: Final = (".github/dependabot.yml", ".github/dependabot.yaml")
SETTINGS: Final = "stackseal.yaml"
_MOST: Final = 200
"""Workflow files that are read."""
_GONE: Final = "Branch not protected"


class Setup:
    """The set-up of one repository."""

    def __init__(self, client: Client, repository: str) -> None:
        self._client, self._name, self._base = client, repository, f"/repos/{repository}"

    def read(self) -> RepositorySetup:
        """Everything that the token may see.

        Raises Rejected where not even the repository is there to see.
        """
        branch = str(self._client.get(self._base, doing="read the repository")["default_branch"])
        return RepositorySetup(
            name=self._name,
            branch=branch,
            rules=_seen(lambda: self._rules(branch)),
            environments=_seen(lambda: {found.name: found for found in self._environments()}),
            granted=_seen(self._granted),
            subject=_seen(self._subject),
            files=_seen(lambda: dict(self._files(branch))),
        )

    def _rules(self, branch: str) -> Rules:
        """The rules of rulesets and of classic branch protection together."""
        name = quote(branch, safe="")
        path = f"{self._base}/rules/branches/{name}"
        rulesets = [_of_ruleset(rule) for rule in self._client.pages(path, doing="read the branch's rules")]
        try:
            classic = self._client.get(f"{self._base}/branches/{name}/protection", doing="read the branch protection")
            rulesets.append(_of_protection(classic))
            hidden = ""
        except Rejected as error:
            hidden = "" if error.status == 404 and error.message == _GONE else error.why
        return Rules(
            checks=frozenset(check for rule in rulesets for check in rule.checks),
            owners=any(rule.owners for rule in rulesets),
            hidden=hidden,
        )

    def _environments(self) -> Iterator[Environment]:
        for found in self._listed(f"{self._base}/environments", "environments"):
            policy, name = found.get("deployment_branch_policy"), str(found["name"])
            branches: tuple[str, ...] | None = None
            if policy and policy["protected_branches"]:
                branches = (PROTECTED,)
            elif policy:
                path = f"{self._base}/environments/{quote(name, safe='')}/deployment-branch-policies"
                branches = tuple(sorted(str(item["name"]) for item in self._listed(path, "branch_policies")))
            rules = found.get("protection_rules") or ()
            reviewers = any(rule.get("type") == "required_reviewers" and rule.get("reviewers") for rule in rules)
            yield Environment(name=name, branches=branches, reviewers=reviewers)

    def _granted(self) -> str:
        path = f"{self._base}/actions/permissions/workflow"
        return str(self._client.get(path, doing="read the workflows' permissions")["default_workflow_permissions"])

    def _subject(self) -> Subject:
        path = f"{self._base}/actions/oidc/customization/sub"
        found = self._client.get(path, doing="read the form of the jobs' identity")
        return Subject(default=bool(found["use_default"]), claims=tuple(found.get("include_claim_keys") or ()))

    def _files(self, branch: str) -> Iterator[tuple[str, str]]:
        entries = self._content(WORKFLOWS, branch)
        names = [str(item["path"]) for item in entries if item["type"] == "file"] if isinstance(entries, list) else []
        workflows = [name for name in names if name.endswith((".yml", ".yaml"))][:_MOST]
        for path in (*workflows, *PLACES, *DEPENDABOT, SETTINGS):
            found = self._content(path, branch)
            if isinstance(found, Mapping) and (text := _decoded(found)) is not None:
                yield path, text

    def _content(self, path: str, branch: str) -> Any:
        """What lies at a path; None where nothing does."""
        try:
            return self._client.get(f"{self._base}/contents/{quote(path)}", doing=f"read {path}", ref=branch)
        except Rejected as error:
            if error.status == 404:
                return None
            raise

    def _listed(self, path: str, key: str) -> Iterator[Mapping[str, Any]]:
        """Every item of a list that GitHub wraps with its total."""
        seen, page = 0, 1
        while True:
            found = self._client.get(path, doing=f"list {key.replace('_', ' ')}", per_page=100, page=page)
            yield from found[key]
            seen, page = seen + len(found[key]), page + 1
            if not found[key] or seen >= found["total_count"]:
                return


def _seen(step: Callable[[], T]) -> T | Unseen:
    try:
        return step()
    except StacksealError as error:
        return Unseen(why=error.why or error.what)


def _of_ruleset(rule: Mapping[str, Any]) -> Rules:
    given: Mapping[str, Any] = rule.get("parameters") or {}
    match rule["type"]:
        case "required_status_checks":
            return Rules(checks=frozenset(str(item["context"]) for item in given.get("required_status_checks", ())))
        case "pull_request":
            return Rules(owners=bool(given.get("require_code_owner_review")))
    return Rules()


def _of_protection(found: Mapping[str, Any]) -> Rules:
    checks: Mapping[str, Any] = found.get("required_status_checks") or {}
    reviews: Mapping[str, Any] = found.get("required_pull_request_reviews") or {}
    names = {str(item["context"]) for item in checks.get("checks") or ()} | set(map(str, checks.get("contexts") or ()))
    return Rules(checks=frozenset(names), owners=bool(reviews.get("require_code_owner_reviews")))


def _decoded(found: Mapping[str, Any]) -> str | None:
    """A file's text; None for what is no file, or none of text."""
    if found.get("encoding") != "base64":
        return None
    try:
        return base64.b64decode(found["content"]).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
