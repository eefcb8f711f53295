"""Environments, as far as a deployment asks for them.

A job that names an environment has a deployment on GitHub without our doing, with its state and its log. A second one
by us would stand beside it, and one for each stack would make an environment of each stack's name.
"""

from __future__ import annotations

from urllib.parse import quote

from stackseal.hosts.github_api import Client, Rejected


class Environments:
    """The environments of one repository."""

    def __init__(self, client: Client, repository: str) -> None:
        self._client, self._base = client, f"/repos/{repository}"

    def reviewers(self, environment: str) -> bool:
        """Whether somebody has to approve before a job enters the environment; False where there is no such one."""
        path = f"{self._base}/environments/{quote(environment, safe='')}"
        try:
            found = self._client.get(path, doing="read the environment's rules")
        except Rejected as error:
            if error.status == 404:
                return False
            raise
        rules = found.get("protection_rules") or ()
        return any(rule.get("type") == "required_reviewers" and rule.get("reviewers") for rule in rules)
