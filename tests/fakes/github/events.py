"""What GITHUB_EVENT_PATH holds, for the events that start our workflows.

The objects in a payload have the shapes of the REST API; envelopes are as the payloads of @octokit/webhooks-examples
show them. `schedule` is no webhook: its file holds the cron line and the repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fakes.github.description import VERSIONS, description
from fakes.github.git import ZEROS, Commit
from fakes.github.models import Pull
from fakes.github.repository import Repository
from fakes.github.shape import shaped
from fakes.github.views import SITE, Views
from fakes.github.world import World


class Events:
    """Payloads, as plain data for json.dumps."""

    def __init__(self, world: World, base: str) -> None:
        self._views = Views(world, base)

    def pull_request(
        self, repository: Repository, number: int, action: str = "opened", *, before: str = ZEROS, sender: str = ""
    ) -> dict[str, Any]:
        """opened, synchronize (`before`: the head until then), reopened, closed, ready_for_review, labeled, …"""
        pull = repository.pulls[number]
        if pull.issue.state == "open":
            repository.follow(pull)
        found = {
            "action": action,
            "number": number,
            "pull_request": self._pull(repository, pull),
            **self._around(repository, sender or pull.issue.author),
        }
        return found | ({"before": before, "after": pull.head_sha} if action == "synchronize" else {})

    def push(
        self, repository: Repository, after: str, *, before: str = ZEROS, branch: str = "main", sender: str = "somebody"
    ) -> dict[str, Any]:
        """A push that brought a branch from one commit to another; a `before` of zeros made the branch."""
        git = repository.git
        created = before == ZEROS
        shas = (after,) if created else git.between(before, after)
        return {
            "ref": f"refs/heads/{branch}",
            "before": before,
            "after": after,
            "base_ref": None,
            "created": created,
            "deleted": False,
            "forced": not created and not git.is_ancestor(before, after),
            "compare": f"{SITE}/{repository.full_name}/compare/{before[:12]}...{after[:12]}",
            "commits": [self._commit(repository, git.commit(sha)) for sha in shas],
            "head_commit": self._commit(repository, git.commit(after)),
            "pusher": {"name": sender, "email": git.commit(after).committer[1]},
            **self._around(repository, sender),
        }

    def schedule(self, repository: Repository, cron: str = "17 6 * * *") -> dict[str, Any]:
        """The clock."""
        around = self._around(repository, repository.owner)
        return {"schedule": cron, "workflow": ".github/workflows/drift.yml", "repository": around["repository"]}

    def workflow_dispatch(
        self,
        repository: Repository,
        inputs: Mapping[str, str] | None = None,
        *,
        workflow: str = "review.yml",
        ref: str = "refs/heads/main",
        sender: str = "somebody",
    ) -> dict[str, Any]:
        """A person, or a token, that started a workflow; inputs are texts."""
        return {
            "inputs": dict(inputs) if inputs else None,
            "ref": ref,
            "workflow": f".github/workflows/{workflow}",
            **self._around(repository, sender),
        }

    def merge_group(self, repository: Repository, number: int) -> dict[str, Any]:
        """The merge queue asks for checks of a pull request, which is put into it."""
        ref, head, base = repository.queue(number)
        return {
            "action": "checks_requested",
            "merge_group": {
                "head_sha": head,
                "head_ref": ref,
                "base_sha": base,
                "base_ref": f"refs/heads/{repository.pulls[number].base_ref}",
                "head_commit": self._commit(repository, repository.git.commit(head)),
            },
            **self._around(repository, repository.pulls[number].issue.author),
        }

    def _pull(self, repository: Repository, pull: Pull) -> Any:
        return self._shaped("pull-request", self._views.pull(repository, pull))

    def _around(self, repository: Repository, sender: str) -> dict[str, Any]:
        return {
            "repository": self._shaped("full-repository", self._views.repository(repository)),
            "sender": self._shaped("simple-user", self._views.user(sender)),
        }

    def _shaped(self, name: str, value: Mapping[str, Any]) -> Any:
        return shaped(description(VERSIONS[0]), {"$ref": f"#/components/schemas/{name}"}, value)

    def _commit(self, repository: Repository, commit: Commit) -> dict[str, Any]:
        git = repository.git
        changes = git.changes(commit.parents[0], commit.sha) if commit.parents else ()
        return {
            "id": commit.sha,
            "tree_id": commit.tree,
            "distinct": True,
            "message": commit.message,
            "timestamp": commit.committer[2],
            "url": f"{SITE}/{repository.full_name}/commit/{commit.sha}",
            "author": {"name": commit.author[0], "email": commit.author[1], "username": commit.author[0]},
            "committer": {"name": commit.committer[0], "email": commit.committer[1], "username": commit.committer[0]},
            "added": [change.path for change in changes if change.status == "added"],
            "removed": [change.path for change in changes if change.status == "removed"],
            "modified": [change.path for change in changes if change.status == "modified"],
        }
