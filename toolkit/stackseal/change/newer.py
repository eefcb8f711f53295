"""Stacks of a deployment that a newer commit of the branch changes again: they are left to that commit's own run.

Otherwise a run that starts late, or is started again, would put an older state over a newer one. Joins the repository,
the stacks of a change and their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from stackseal import naming
from stackseal.catalogue import Catalogue
from stackseal.change import subjects
from stackseal.change.subjects import Change
from stackseal.change.waves import Order
from stackseal.hosts.git import Repository
from stackseal.model import Because, StackId
from stackseal.sandbox import Sandbox


def tip_of(repository: Repository, asked: str | None, branch: str) -> str | None:
    """The newest commit of the branch: the revision that was asked for, or the remote branch as it was fetched.

    None where CI names no branch, and where that branch was not fetched. Raises UsageError for an asked revision that
    is not there.
    """
    if asked is not None:
        return repository.commit(asked)
    return repository.found(f"refs/remotes/origin/{branch}") if branch else None


def superseded(
    repository: Repository, change: Change, order: Order, tip: str | None, products: Catalogue, sandbox: Sandbox
) -> Mapping[StackId, str]:
    """Stack → the newer commit that changes it, too, sorted by stack; none where the branch was rewritten since."""
    if tip is None or tip == change.head or not repository.contains(tip, change.head):
        return {}
    since = subjects.between(repository, change.head, tip, products, sandbox)
    paths = {subject.id: subject.path for subject in since.subjects}
    paths |= {naming.roles_stack(stack): path for stack, path in paths.items()}  # a role goes with its stack
    return {stack: repository.last(change.head, tip, paths[stack]) or tip for stack in left(order, paths.keys())}


def left(order: Order, later: Collection[StackId]) -> tuple[StackId, ...]:
    """The stacks of a deployment that are not its own any more, sorted; `later` are those that change again.

    One that another stack of the deployment waits for goes all the same: what follows it has no later run.
    """
    found = {stack for wave in order.waves for stack in wave if stack in later}
    while needed := found & _read(order, order.waits.keys() - found):
        found -= needed
    return tuple(sorted(found))


def _read(order: Order, stacks: Iterable[StackId]) -> set[StackId]:
    """The stacks of this deployment that publish what these read, or hold their roles."""
    needed = {Because.READS, Because.GRANTS}
    return {wait.stack for stack in stacks for wait in order.waits[stack] if wait.because in needed}
