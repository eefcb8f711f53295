"""What a check for drift looks at: the stacks of the configs, and the stacks that hold their roles.

Joins the settings, the stacks of roles and AWS. A role that somebody widened by hand is the drift that matters most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stackseal import naming
from stackseal.errors import StacksealError
from stackseal.model import Stack, StackId
from stackseal.review import granting
from stackseal.settings import Settings
from stackseal.world import World


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One stack that is compared."""

    stack: Stack
    role_of: str = ""
    """Name of the stack whose execution role it holds; empty for a config's own stack."""


def watched(world: World, stacks: Iterable[Stack], ours: Settings) -> Iterator[Watched]:
    """The stacks, each followed by the one that holds its role where there is, or has to be, one."""
    for stack in stacks:
        yield Watched(stack=stack)
        alone = stack.stack_set is not None  # its roles lie in other accounts
        if not alone and ours.account(stack.id.account).has_own_role(stack.id) and _has_role(world, stack.id):
            yield Watched(stack=granting.holder(stack), role_of=stack.id.name)


def _has_role(world: World, owner: StackId) -> bool:
    """Whether the stack of roles is there, or is missing.

    A stack that was deployed before its account managed roles has none until its next change. Where nobody can tell,
    the comparison says why.
    """
    try:
        cfn = world.cloudformation(owner)
        held, live = cfn.stack(naming.roles_stack(owner).name), cfn.stack(owner.name)
    except StacksealError:
        return True
    made = held is not None and not held.empty
    return made or (live is not None and live.role_arn == naming.role_arn(owner))
