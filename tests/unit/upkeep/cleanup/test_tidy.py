"""An empty stack goes only when it is still the same one, still empty, and the role may do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from stackseal.aws.errors import AwsFailed
from stackseal.aws.shapes import ChangeSetRef, StackResource, StackState
from stackseal.model import StackId
from stackseal.upkeep import cleanup
from stackseal.upkeep.cleanup import Removal

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation

STACK = StackId(account="111122223333", region="us-west-2", name="churn-stack")
DIGEST = "0123456789ab" + "0" * 52
MINE = ChangeSetRef(
    name=f"seal-pr7-abcdef0-{DIGEST[:12]}",
    arn="arn:mine",
    status="CREATE_COMPLETE",
    execution_status="AVAILABLE",
    description=f"stackseal {DIGEST}",
)
OTHER = ChangeSetRef(name="by-hand", arn="arn:other", status="CREATE_COMPLETE", execution_status="AVAILABLE")


@dataclass(kw_only=True)
class Stacks:
    """One stack whose answers change while it is being tidied, and everything that was asked to go."""

    states: list[StackState | None]
    """What reading the stack answers, one after the other; the last one stays."""
    sets: list[ChangeSetRef] = field(default_factory=list)
    late: Sequence[ChangeSetRef] = ()
    """Change sets that somebody makes while ours go."""
    resources_: Sequence[StackResource] = ()
    denied: str = ""
    gone: list[str] = field(default_factory=list)

    def stack(self, name: str) -> StackState | None:
        del name
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def list_change_sets(self, stack: str) -> tuple[ChangeSetRef, ...]:
        del stack
        return tuple(self.sets)

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        del stack
        return tuple(self.resources_)

    def delete_change_set(self, arn: str) -> None:
        self.gone.append(arn)
        self.sets = [ref for ref in self.sets if ref.arn != arn] + list(self.late)

    def delete_stack(self, name: str) -> None:
        if self.denied:
            raise AwsFailed("could not delete the stack", why="no", remedy="", code=self.denied)
        self.gone.append(name)


def state(status: str = "REVIEW_IN_PROGRESS", arn: str = "arn:stack") -> StackState:
    return StackState(name=STACK.name, arn=arn, status=status)


def tidied(stacks: Stacks, *, dry_run: bool = False) -> Removal:
    return cleanup.tidy(cast("CloudFormation", stacks), STACK, cleanup.of_pull(7), dry_run=dry_run)


RESOURCE = StackResource(logical_id="A", physical_id="a", type="AWS::S3::Bucket", status="CREATE_COMPLETE")


@pytest.mark.parametrize(
    "stacks",
    [
        Stacks(states=[state(), state("CREATE_IN_PROGRESS")], sets=[MINE]),
        Stacks(states=[state(), state("CREATE_COMPLETE")], sets=[MINE]),
        Stacks(states=[state(), None], sets=[MINE]),
        Stacks(states=[state(), state(arn="arn:another-of-the-same-name")], sets=[MINE]),
        Stacks(states=[state()], sets=[MINE], late=[OTHER]),
        Stacks(states=[state()], sets=[MINE, OTHER]),
        Stacks(states=[state()], sets=[MINE], resources_=[RESOURCE]),
        Stacks(states=[state("UPDATE_COMPLETE")], sets=[MINE]),
        Stacks(states=[state("ROLLBACK_COMPLETE")], sets=[MINE]),
    ],
)
def test_what_is_no_empty_shell_any_more_stays(stacks: Stacks) -> None:
    assert tidied(stacks) == Removal(stack=STACK, change_sets=(MINE.name,))
    assert stacks.gone == ["arn:mine"]


def test_an_empty_shell_goes_by_its_arn() -> None:
    stacks = Stacks(states=[state()], sets=[MINE])
    assert tidied(stacks) == Removal(stack=STACK, change_sets=(MINE.name,), whole=True)
    assert stacks.gone == ["arn:mine", "arn:stack"]


def test_a_dry_run_says_the_same_and_does_nothing() -> None:
    stacks = Stacks(states=[state()], sets=[MINE])
    assert tidied(stacks, dry_run=True) == Removal(stack=STACK, change_sets=(MINE.name,), whole=True)
    assert stacks.gone == []
    assert not tidied(Stacks(states=[state()], sets=[MINE, OTHER]), dry_run=True).whole
    assert not tidied(Stacks(states=[state()], sets=[MINE], resources_=[RESOURCE]), dry_run=True).whole


def test_a_role_that_may_not_delete_stacks_leaves_it_to_the_sweep() -> None:
    found = tidied(Stacks(states=[state()], sets=[MINE], denied="AccessDenied"))
    assert (found.whole, found.change_sets) == (False, (MINE.name,))
    assert "until the sweep" in found.note
    with pytest.raises(AwsFailed):
        tidied(Stacks(states=[state()], sets=[MINE], denied="Throttling"))


def test_a_stack_that_is_not_there_is_nothing() -> None:
    assert tidied(Stacks(states=[None])).nothing
