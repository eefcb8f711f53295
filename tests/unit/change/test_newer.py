"""Which stacks are left to a newer commit: never one that another stack of the same deployment waits for."""

from __future__ import annotations

import pytest

from stackseal.change.newer import left
from stackseal.change.waves import Order
from stackseal.model import Because, StackId, Wait

A, B, C = (StackId(account="111122223333", region="us-west-2", name=name) for name in "abc")


def order(*reads: tuple[StackId, StackId], because: Because = Because.READS) -> Order:
    """Three stacks; the first of each pair reads what the second one publishes."""
    waits = {
        stack: tuple(Wait(stack=two, path="/p", because=because) for one, two in reads if one == stack)
        for stack in (A, B, C)
    }
    return Order(waves=((A, B, C),), waits=waits)


@pytest.mark.parametrize(
    ("reads", "later", "expected"),
    [
        ((), {A, C}, (A, C)),
        ((), set(), ()),
        (((B, A),), {A}, ()),
        (((B, A),), {A, B}, (A, B)),
        (((B, A),), {B}, (B,)),
        (((B, A), (C, B)), {A, B}, ()),
        (((B, A), (C, B)), {A, B, C}, (A, B, C)),
    ],
)
def test_who_is_waited_for_goes(
    reads: tuple[tuple[StackId, StackId], ...], later: set[StackId], expected: tuple[StackId, ...]
) -> None:
    assert left(order(*reads), later) == expected


def test_a_stack_of_another_deployment_is_not_ours_to_leave() -> None:
    other = StackId(account="111122223333", region="us-west-2", name="other")
    assert left(order(), {other}) == ()


def test_what_goes_later_for_another_reason_gives_no_value() -> None:
    because = next(item for item in Because if item is not Because.READS)
    assert left(order((B, A), because=because), {A}) == (A,)
