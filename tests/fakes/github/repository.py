"""A repository: what handlers do to it through the API, and tests directly, as other people would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fakes.github import merging
from fakes.github.git import BOT, Git
from fakes.github.models import (
    CheckRun,
    Comment,
    Deployment,
    Dispatch,
    Environment,
    Issue,
    Label,
    Pull,
    Review,
    Run,
    Sarif,
    Status,
)

if TYPE_CHECKING:
    from fakes.github.world import World


class Repository:
    """One repository; the attributes below the blank line are switches that a test may turn."""

    def __init__(self, world: World, full_name: str) -> None:
        self.world = world
        self.full_name = full_name
        self.owner, _, self.name = full_name.partition("/")
        self.id = world.ids()
        self.created = world.clock.text
        self.git = Git(world.folder / self.owner / f"{self.name}.git")
        self.parent: Repository | None = None
        self.issues: dict[int, Issue] = {}
        self.pulls: dict[int, Pull] = {}
        self.comments: dict[int, Comment] = {}
        self.labels: dict[str, Label] = {}
        self.checks: dict[int, CheckRun] = {}
        self.statuses: list[Status] = []
        self.deployments: dict[int, Deployment] = {}
        self.environments: dict[str, Environment] = {}
        self.sarifs: dict[str, Sarif] = {}
        self.runs: dict[int, Run] = {}
        self.artifacts: list[dict[str, Any]] = []
        self.dispatches: list[Dispatch] = []

        self.default_branch = "main"
        self.private = False
        self.has_issues = True
        self.code_scanning = True
        self.drop_labels = False
        """Labels and assignees of new and changed issues are dropped in silence, as without push access."""
        self.list_lag = 0.0
        """Seconds of the fake's time for which lists do not show a new issue or comment yet, as replicas lag."""
        self.merging = 0
        """How many more looks at an open pull request find its trial merge still being made."""
        self.silent_body_limit = True
        """An issue body of over 262,144 bytes in an update is answered with 200 and the old body, as GitHub was seen to
        do; False is a refusal (422)."""
        self.collaborators: dict[str, str] = {self.owner: "admin"}
        """Login → admin, maintain, write, triage, read; everybody else has read, in a private repository none."""
        self.required_approvals = 0
        self.code_owners: tuple[str, ...] = ()
        """With owners, one of them has to approve, and each is asked as code owner."""
        self.dismiss_stale_reviews = False
        self.protection: dict[str, Any] | None = None
        """Classic protection of the default branch: `required_status_checks`, `required_pull_request_reviews`."""
        self.workflow_permissions = "read"
        self.subject_claims: tuple[str, ...] | None = None
        """What `sub` of the jobs' identity is made of; None is GitHub's own form."""
        self.rules: list[dict[str, Any]] = []
        """What `rules/branches/{branch}` answers, each with `type` and `parameters`."""

    # --- people

    def permission(self, login: str) -> str:
        """admin, write, read or none, the four that GitHub reports."""
        role = self.collaborators.get(login, "none" if self.private else "read")
        return {"maintain": "write", "triage": "read"}.get(role, role)

    def can_push(self, login: str) -> bool:
        """Whether a person may push."""
        return self.permission(login) in {"admin", "write"}

    def fork(self, owner: str) -> Repository:
        """A copy under another owner, from which pull requests can come."""
        found = Repository(self.world, f"{owner}/{self.name}")
        found.git.folder.parent.mkdir(parents=True, exist_ok=True)
        found.git.clone_of(self.git)
        found.parent = self
        self.world.repositories[found.full_name.lower()] = found
        return found

    # --- commits

    def push(
        self,
        branch: str,
        files: Mapping[str, str | bytes | None],
        *,
        message: str = "Change",
        author: str = "somebody",
        start: str | None = None,
    ) -> str:
        """A commit on a branch (None removes a file), which starts at `start` or the default branch when it is new.

        Returns its hash; pull requests that it concerns follow.
        """
        tip = self.git.resolve(f"refs/heads/{branch}")
        parent = tip or self.git.resolve(start or self.default_branch)
        sha = self.git.write(branch, files, message=message, author=author, parent=parent)
        self.world.clock.tick()
        self.sync()
        return sha

    def force(self, branch: str, sha: str) -> None:
        """Let a branch name another commit, as a forced push does."""
        self.git.point(f"refs/heads/{branch}", sha)
        self.sync()

    def sync(self) -> None:
        """Let every open pull request know what was pushed, also by plain Git."""
        for repository in self.world.repositories.values():
            for pull in repository.pulls.values():
                if pull.issue.state == "open":
                    repository.follow(pull)

    def follow(self, pull: Pull) -> None:
        """Bring an open pull request to what its branches are."""
        source = self.world.repositories.get(pull.head_repository.lower())
        head = source.git.resolve(f"refs/heads/{pull.head_ref}") if source else None
        base = self.git.resolve(f"refs/heads/{pull.base_ref}")
        if head and head != pull.head_sha:
            self._moved(pull, head, base or pull.base_sha)
        if base and (pull.merge_sha is None or self.git.commit(pull.merge_sha).parents != (base, pull.head_sha)):
            self._test_merge(pull, base)

    def _moved(self, pull: Pull, head: str, base: str) -> None:
        source = self.world.repositories[pull.head_repository.lower()]
        if source is not self:
            self.git.fetch(source.git, head)
        pull.head_sha, pull.base_sha, pull.merge_sha = head, base, None
        pull.issue.updated = self.world.clock.text
        self.git.point(f"refs/pull/{pull.number}/head", head)
        if self.dismiss_stale_reviews:
            for review in pull.reviews:
                review.state = "DISMISSED" if review.state == "APPROVED" else review.state

    def _test_merge(self, pull: Pull, base: str) -> None:
        tree = self.git.merge_tree(base, pull.head_sha)
        ref = f"refs/pull/{pull.number}/merge"
        if tree is None:
            pull.merge_sha = None
            if self.git.resolve(ref):
                self.git.drop(ref)
            return
        text = f"Merge {pull.head_sha} into {base}"
        pull.merge_sha = self.git.commit_tree(tree, (base, pull.head_sha), message=text, author=BOT)
        self.git.point(ref, pull.merge_sha)

    # --- issues

    def number(self) -> int:
        """The next number, which issues and pull requests share."""
        return len(self.issues) + 1

    def label(self, name: str) -> Label:
        """The label of a name (letters' case does not matter), made in grey when it is new."""
        return self.labels.setdefault(name.lower(), Label(id=self.world.ids(), name=name))

    def open_issue(
        self, title: str, body: str | None = None, *, author: str = "somebody", labels: tuple[str, ...] = ()
    ) -> Issue:
        """A new issue."""
        now = self.world.clock.tick()
        issue = Issue(
            id=self.world.ids(),
            number=self.number(),
            author=self.world.user(author).login,
            title=title,
            body=body,
            created=now,
            updated=now,
            app=app(author),
            labels=[self.label(name).name for name in labels],
        )
        self.issues[issue.number] = issue
        return issue

    def close_issue(self, number: int, *, reason: str = "completed", by: str = "somebody") -> None:
        """Close an issue (`reason` as `state_reason` says it) or, unmerged, a pull request."""
        issue = self.issues[number]
        issue.state, issue.reason, issue.closed, issue.closed_by = "closed", reason, self.world.clock.tick(), by
        issue.updated = issue.closed
        if number in self.pulls:
            issue.reason = None

    def reopen_issue(self, number: int) -> None:
        """Open it again."""
        issue = self.issues[number]
        issue.state, issue.closed, issue.closed_by = "open", None, None
        issue.reason = None if number in self.pulls else "reopened"
        issue.updated = self.world.clock.tick()
        if number in self.pulls:
            self.follow(self.pulls[number])

    def comment(self, number: int, body: str, *, author: str = "somebody") -> Comment:
        """A new comment on an issue or a pull request."""
        now = self.world.clock.tick()
        comment = Comment(
            id=self.world.ids(),
            number=number,
            author=self.world.user(author).login,
            body=body,
            created=now,
            updated=now,
            app=app(author),
        )
        self.issues[number].updated = now
        self.comments[comment.id] = comment
        return comment

    def listed(self, created: str) -> bool:
        """Whether lists show what was made then."""
        return created <= self.world.clock.before(self.list_lag)

    def comments_of(self, number: int) -> list[Comment]:
        """The comments of an issue or pull request, oldest first."""
        return [comment for comment in self.comments.values() if comment.number == number]

    # --- pull requests

    def open_pull(
        self,
        head: str,
        *,
        base: str | None = None,
        title: str = "Change",
        body: str | None = None,
        author: str = "somebody",
        draft: bool = False,
        source: Repository | None = None,
    ) -> Pull:
        """A pull request from a branch that exists, here or in a fork (`source`)."""
        source, base = source or self, base or self.default_branch
        head_sha, base_sha = source.git.resolve(f"refs/heads/{head}"), self.git.resolve(f"refs/heads/{base}")
        if head_sha is None or base_sha is None:
            raise LookupError(f"no branch {head if head_sha is None else base}")
        if source is not self:
            self.git.fetch(source.git, head_sha)
        pull = Pull(
            id=self.world.ids(),
            issue=self.open_issue(title, body, author=author),
            head_repository=source.full_name,
            head_ref=head,
            base_ref=base,
            head_sha=head_sha,
            base_sha=base_sha,
            draft=draft,
            requested=list(self.code_owners),
        )
        self.pulls[pull.number] = pull
        self.git.point(f"refs/pull/{pull.number}/head", head_sha)
        self._test_merge(pull, base_sha)
        return pull

    def review(self, number: int, state: str, *, author: str, body: str = "", commit: str | None = None) -> Review:
        """A review: APPROVED, CHANGES_REQUESTED, COMMENTED or PENDING."""
        pull = self.pulls[number]
        review = Review(
            id=self.world.ids(),
            author=self.world.user(author).login,
            state=state,
            body=body,
            commit=commit or pull.head_sha,
            submitted=self.world.clock.tick(),
        )
        pull.reviews.append(review)
        pull.requested = [login for login in pull.requested if login != author]
        return review

    def merge(
        self, number: int, method: merging.Method = "merge", *, by: str = "somebody", title: str = "", message: str = ""
    ) -> str:
        """Merge a pull request with Git; returns the commit that the base then has.

        Raises GitError when it conflicts.
        """
        pull = self.pulls[number]
        self.follow(pull)
        base = self.git.resolve(f"refs/heads/{pull.base_ref}") or pull.base_sha
        text = f"{title or merging.title(pull, method)}\n\n{message or pull.issue.title}"
        landed = merging.land(self.git, pull, method, base, text, by)
        self.git.point(f"refs/heads/{pull.base_ref}", landed[-1])
        self.close_issue(number, by=by)
        pull.merged, pull.merged_by = pull.issue.closed, self.world.user(by).login
        pull.merge_sha, pull.landed = landed[-1], landed
        self.sync()
        return landed[-1]

    def queue(self, number: int) -> tuple[str, str, str]:
        """Put a pull request into the merge queue: full ref, head and base of its merge group.

        Raises GitError when it conflicts.
        """
        pull = self.pulls[number]
        self.follow(pull)
        return merging.group(self.git, pull)

    def decision(self, pull: Pull) -> str | None:
        """GitHub's `reviewDecision`: None where no review is required."""
        if not self.required_approvals and not self.code_owners:
            return None
        latest = self.opinions(pull)
        if "CHANGES_REQUESTED" in latest.values():
            return "CHANGES_REQUESTED"
        approvals = {login for login, state in latest.items() if state == "APPROVED"}
        owned = not self.code_owners or bool(approvals & set(self.code_owners))
        return "APPROVED" if owned and len(approvals) >= max(1, self.required_approvals) else "REVIEW_REQUIRED"

    def opinions(self, pull: Pull) -> dict[str, str]:
        """The last word of everybody who may push: APPROVED or CHANGES_REQUESTED."""
        found = {}
        for review in pull.reviews:
            if review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"} and self.can_push(review.author):
                found[review.author] = review.state
        return {login: state for login, state in found.items() if state != "DISMISSED"}

    # --- deployments

    def environment(self, name: str, **protection: Any) -> Environment:
        """An environment with the fields of `Environment` as its protection."""
        found = Environment(id=self.world.ids(), name=name, created=self.world.clock.text, **protection)
        self.environments[name] = found
        return found


def app(login: str) -> str | None:
    """The slug of the app behind a login, None for a person."""
    return login.removesuffix("[bot]") if login.endswith("[bot]") else None
