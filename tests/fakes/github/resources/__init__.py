"""Every operation that the fake answers: one module a group, one line here an operation.

Add one: its name in scripts/github_openapi.py (run it), its function in a module, its line in `HANDLERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fakes.github.call import Handler
from fakes.github.resources import comments, issues, labels, pulls, repos, reviews, users

HANDLERS: Final[Mapping[str, Handler]] = {
    "issues/add-labels": labels.add,
    "issues/create": issues.create,
    "issues/create-comment": comments.create,
    "issues/create-label": labels.create,
    "issues/delete-comment": comments.delete,
    "issues/get": issues.get,
    "issues/get-comment": comments.get,
    "issues/get-label": labels.get,
    "issues/list-comments": comments.list_,
    "issues/list-comments-for-repo": comments.list_for_repository,
    "issues/list-for-repo": issues.list_,
    "issues/list-labels-for-repo": labels.list_for_repository,
    "issues/list-labels-on-issue": labels.list_on_issue,
    "issues/remove-label": labels.remove,
    "issues/set-labels": labels.replace,
    "issues/update": issues.update,
    "issues/update-comment": comments.update,
    "issues/update-label": labels.update,
    "pulls/check-if-merged": pulls.check_if_merged,
    "pulls/create": pulls.create,
    "pulls/create-review": reviews.create,
    "pulls/dismiss-review": reviews.dismiss,
    "pulls/get": pulls.get,
    "pulls/list": pulls.list_,
    "pulls/list-commits": pulls.list_commits,
    "pulls/list-files": pulls.list_files,
    "pulls/list-reviews": reviews.list_,
    "pulls/merge": pulls.merge,
    "pulls/update": pulls.update,
    "rate-limit/get": users.rate_limit,
    "repos/get": repos.get,
    "repos/get-branch": repos.branch,
    "repos/get-branch-protection": repos.branch_protection,
    "repos/get-branch-rules": repos.branch_rules,
    "repos/get-collaborator-permission-level": repos.collaborator_permission,
    "repos/list-pull-requests-associated-with-commit": pulls.list_for_commit,
    "users/get-authenticated": users.get_authenticated,
    "users/get-by-username": users.get,
}
