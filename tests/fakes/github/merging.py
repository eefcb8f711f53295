"""What merging a pull request does to its base, with Git."""

from __future__ import annotations

from typing import Literal

from fakes.github.git import Git, GitError
from fakes.github.models import Pull

Method = Literal["merge", "squash", "rebase"]


def land(git: Git, pull: Pull, method: Method, base: str, text: str, by: str) -> tuple[str, ...]:
    """The commits that merging adds to the base, the new tip last; no ref is moved.

    Raises GitError when the pull request conflicts.
    """
    own = git.between(base, pull.head_sha)
    if method == "rebase":
        copies = git.replay(own, base)
        if copies is None:
            raise GitError(f"#{pull.number} cannot be rebased")
        return copies
    tree = _merged(git, pull, base)
    if method == "squash":
        return (git.commit_tree(tree, (base,), message=text, author=pull.issue.author),)
    return (*own, git.commit_tree(tree, (base, pull.head_sha), message=text, author=by))


def group(git: Git, pull: Pull) -> tuple[str, str, str]:
    """The merge group of a pull request that is alone in the queue: full ref (made here), head and base."""
    base = git.resolve(f"refs/heads/{pull.base_ref}") or pull.base_sha
    tree = _merged(git, pull, base)
    text, author = title(pull, "merge"), pull.issue.author
    head = git.commit_tree(tree, (base, pull.head_sha), message=text, author=author)
    ref = f"refs/heads/gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{base}"
    git.point(ref, head)
    return ref, head, base


def title(pull: Pull, method: Method) -> str:
    """The first line of the commit, as GitHub proposes it."""
    if method == "squash":
        return f"{pull.issue.title} (#{pull.number})"
    return f"Merge pull request #{pull.number} from {pull.head_repository.partition('/')[0]}/{pull.head_ref}"


def _merged(git: Git, pull: Pull, base: str) -> str:
    tree = git.merge_tree(base, pull.head_sha)
    if tree is None:
        raise GitError(f"#{pull.number} conflicts")
    return tree
