"""What the fake knows, under GitHub's names. Every view holds more than one shape needs; shape.py takes its part."""

from __future__ import annotations

from typing import Any, Final

from fakes.github.git import Changed, Commit, email
from fakes.github.models import Comment, Issue, Label, Pull, Review
from fakes.github.repository import Repository
from fakes.github.world import World

SITE: Final = "https://github.com"
"""Where `html_url`s lead; no client may follow them."""


class Views:
    """Views for one client: `base` is the URL by which it calls the API, so that URLs in replies come back to us."""

    def __init__(self, world: World, base: str) -> None:
        self.world = world
        self.base = base

    def api(self, repository: Repository, path: str = "") -> str:
        return f"{self.base}/repos/{repository.full_name}{path}"

    def site(self, repository: Repository, path: str = "") -> str:
        return f"{SITE}/{repository.full_name}{path}"

    def user(self, login: str) -> dict[str, Any]:
        user = self.world.user(login)
        url = f"{self.base}/users/{login}"
        return {
            "login": user.login,
            "id": user.id,
            "node_id": f"U_{user.id}",
            "type": user.kind,
            "site_admin": False,
            "gravatar_id": "",
            "url": url,
            "html_url": f"{SITE}/{login}",
            "user_view_type": "public",
        }

    def app(self, slug: str) -> dict[str, Any]:
        return {"id": 15368, "slug": slug, "name": slug, "node_id": f"A_{slug}", "html_url": f"{SITE}/apps/{slug}"}

    def repository(self, repository: Repository) -> dict[str, Any]:
        return {
            "id": repository.id,
            "node_id": f"R_{repository.id}",
            "name": repository.name,
            "full_name": repository.full_name,
            "owner": self.user(repository.owner),
            "private": repository.private,
            "visibility": "private" if repository.private else "public",
            "fork": repository.parent is not None,
            "default_branch": repository.default_branch,
            "has_issues": repository.has_issues,
            "archived": False,
            "disabled": False,
            "description": None,
            "is_template": False,
            "topics": [],
            "has_downloads": True,
            "web_commit_signoff_required": False,
            "custom_properties": {},
            "created_at": repository.created,
            "updated_at": repository.created,
            "pushed_at": repository.created,
            "url": self.api(repository),
            "html_url": self.site(repository),
            "clone_url": f"{self.site(repository)}.git",
            "open_issues_count": sum(issue.state == "open" for issue in repository.issues.values()),
        } | ({"parent": self.repository(repository.parent)} if repository.parent else {})

    def label(self, repository: Repository, label: Label) -> dict[str, Any]:
        return {
            "id": label.id,
            "node_id": f"LA_{label.id}",
            "name": label.name,
            "color": label.color,
            "description": label.description,
            "default": False,
            "url": self.api(repository, f"/labels/{label.name}"),
        }

    def labels(self, repository: Repository, issue: Issue) -> list[dict[str, Any]]:
        return [self.label(repository, repository.label(name)) for name in issue.labels]

    def comment(self, repository: Repository, comment: Comment) -> dict[str, Any]:
        kind = "pull" if comment.number in repository.pulls else "issues"
        return {
            "id": comment.id,
            "node_id": f"IC_{comment.id}",
            "body": comment.body,
            "user": self.user(comment.author),
            "author_association": association(repository, comment.author),
            "created_at": comment.created,
            "updated_at": comment.updated,
            "url": self.api(repository, f"/issues/comments/{comment.id}"),
            "issue_url": self.api(repository, f"/issues/{comment.number}"),
            "html_url": self.site(repository, f"/{kind}/{comment.number}#issuecomment-{comment.id}"),
            "performed_via_github_app": self.app(comment.app) if comment.app else None,
        }

    def issue(self, repository: Repository, issue: Issue) -> dict[str, Any]:
        number, is_pull = issue.number, issue.number in repository.pulls
        url = self.api(repository, f"/issues/{number}")
        found = {
            "id": issue.id,
            "node_id": f"I_{issue.id}",
            "number": number,
            "title": issue.title,
            "body": issue.body,
            "user": self.user(issue.author),
            "author_association": association(repository, issue.author),
            "state": issue.state,
            "state_reason": issue.reason,
            "labels": self.labels(repository, issue),
            "assignees": [self.user(login) for login in issue.assignees],
            "assignee": self.user(issue.assignees[0]) if issue.assignees else None,
            "comments": len(repository.comments_of(number)),
            "created_at": issue.created,
            "updated_at": issue.updated,
            "closed_at": issue.closed,
            "closed_by": self.user(issue.closed_by) if issue.closed_by else None,
            "milestone": None,
            "locked": False,
            "active_lock_reason": None,
            "url": url,
            "comments_url": f"{url}/comments",
            "events_url": f"{url}/events",
            "labels_url": f"{url}/labels{{/name}}",
            "repository_url": self.api(repository),
            "html_url": self.site(repository, f"/{'pull' if is_pull else 'issues'}/{number}"),
            "performed_via_github_app": self.app(issue.app) if issue.app else None,
        }
        if is_pull:
            found["pull_request"] = self._pull_links(repository, repository.pulls[number])
        return found

    def _pull_links(self, repository: Repository, pull: Pull) -> dict[str, Any]:
        html = self.site(repository, f"/pull/{pull.number}")
        return {
            "url": self.api(repository, f"/pulls/{pull.number}"),
            "html_url": html,
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "merged_at": pull.merged,
        }

    def pull(self, repository: Repository, pull: Pull) -> dict[str, Any]:
        changes = self.changes(repository, pull)
        open_ = pull.issue.state == "open"
        source = self.world.repositories[pull.head_repository.lower()]
        commits = len(repository.git.between(pull.base_sha, pull.head_sha))
        links = self._pull_links(repository, pull)
        return {
            **{key: value for key, value in self.issue(repository, pull.issue).items() if key != "pull_request"},
            **links,
            "id": pull.id,
            "node_id": f"PR_{pull.id}",
            "issue_url": self.api(repository, f"/issues/{pull.number}"),
            "commits_url": f"{links['url']}/commits",
            "review_comments_url": f"{links['url']}/comments",
            "review_comment_url": self.api(repository, "/pulls/comments{/number}"),
            "statuses_url": self.api(repository, f"/statuses/{pull.head_sha}"),
            "head": self._side(source, pull.head_ref, pull.head_sha),
            "base": self._side(repository, pull.base_ref, pull.base_sha),
            "draft": pull.draft,
            "merged": pull.merged is not None,
            "merged_by": self.user(pull.merged_by) if pull.merged_by else None,
            "merge_commit_sha": pull.merge_sha,
            "mergeable": (pull.merge_sha is not None) if open_ else None,
            "rebaseable": (pull.merge_sha is not None) if open_ else None,
            "mergeable_state": ("clean" if pull.merge_sha else "dirty") if open_ else "unknown",
            "requested_reviewers": [self.user(login) for login in pull.requested],
            "requested_teams": [],
            "auto_merge": None,
            "additions": sum(change.additions for change in changes),
            "deletions": sum(change.deletions for change in changes),
            "changed_files": len(changes),
            "commits": commits,
            "review_comments": 0,
            "maintainer_can_modify": False,
            "_links": {
                "self": {"href": links["url"]},
                "html": {"href": links["html_url"]},
                "issue": {"href": self.api(repository, f"/issues/{pull.number}")},
                "comments": {"href": self.api(repository, f"/issues/{pull.number}/comments")},
                "review_comments": {"href": f"{links['url']}/comments"},
                "review_comment": {"href": self.api(repository, "/pulls/comments{/number}")},
                "commits": {"href": f"{links['url']}/commits"},
                "statuses": {"href": self.api(repository, f"/statuses/{pull.head_sha}")},
            },
        }

    def changes(self, repository: Repository, pull: Pull) -> tuple[Changed, ...]:
        """The files of a pull request: from where it left its base to its head."""
        start = repository.git.merge_base(pull.base_sha, pull.head_sha)
        return repository.git.changes(start or pull.base_sha, pull.head_sha)

    def _side(self, repository: Repository, ref: str, sha: str) -> dict[str, Any]:
        return {
            "label": f"{repository.owner}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": self.user(repository.owner),
            "repo": self.repository(repository),
        }

    def file(self, repository: Repository, change: Changed, ref: str) -> dict[str, Any]:
        found = {
            "sha": change.sha,
            "filename": change.path,
            "status": change.status,
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": self.site(repository, f"/blob/{ref}/{change.path}"),
            "raw_url": self.site(repository, f"/raw/{ref}/{change.path}"),
            "contents_url": self.api(repository, f"/contents/{change.path}?ref={ref}"),
        }
        if change.previous:
            found["previous_filename"] = change.previous
        return found | ({"patch": change.patch} if change.patch is not None else {})

    def commit(self, repository: Repository, commit: Commit) -> dict[str, Any]:
        url = self.api(repository, f"/commits/{commit.sha}")
        return {
            "sha": commit.sha,
            "node_id": f"C_{commit.sha}",
            "url": url,
            "html_url": self.site(repository, f"/commit/{commit.sha}"),
            "comments_url": f"{url}/comments",
            "author": self._known(commit.author),
            "committer": self._known(commit.committer),
            "commit": {
                "url": self.api(repository, f"/git/commits/{commit.sha}"),
                "message": commit.message,
                "author": self._person(commit.author),
                "committer": self._person(commit.committer),
                "comment_count": 0,
                "tree": {"sha": commit.tree, "url": self.api(repository, f"/git/trees/{commit.tree}")},
                "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None},
            },
            "parents": [
                {
                    "sha": parent,
                    "url": self.api(repository, f"/commits/{parent}"),
                    "html_url": self.site(repository, f"/commit/{parent}"),
                }
                for parent in commit.parents
            ],
        }

    def _person(self, who: tuple[str, str, str]) -> dict[str, str]:
        return {"name": who[0], "email": who[1], "date": who[2]}

    def _known(self, who: tuple[str, str, str]) -> dict[str, Any]:
        """The account that an author's address belongs to; GitHub answers an empty object here when there is none."""
        return self.user(who[0]) if who[1] == email(who[0]) else {}

    def review(self, repository: Repository, pull: Pull, review: Review) -> dict[str, Any]:
        html = self.site(repository, f"/pull/{pull.number}#pullrequestreview-{review.id}")
        url = self.api(repository, f"/pulls/{pull.number}")
        return {
            "id": review.id,
            "node_id": f"PRR_{review.id}",
            "user": self.user(review.author),
            "body": review.body,
            "state": review.state,
            "commit_id": review.commit,
            "submitted_at": review.submitted,
            "author_association": association(repository, review.author),
            "html_url": html,
            "pull_request_url": url,
            "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        }


def association(repository: Repository, login: str) -> str:
    """How an author belongs to a repository."""
    if login == repository.owner:
        return "OWNER"
    return "COLLABORATOR" if login in repository.collaborators else "NONE"
