"""Who goes when: the waves of a change, and every way in which it has none."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from stackseal.change import waves
from stackseal.change.waves import Member
from stackseal.model import Because, Config, Location, Product, Stack, StackId
from unit.checks.samples import stack as sample

ACCOUNT, REGION = "111122223333", "us-west-2"


def stack(name: str, *, publishes: Sequence[str] = (), consumes: Sequence[str] = (), region: str = REGION) -> Stack:
    """A stack whose config names what it reads, one path per line from the second on."""
    data = {"demo": {f"path{index}": path for index, path in enumerate(consumes)}}
    path = f"configs/{name}.yaml"
    marks = {("demo", f"path{index}"): Location(path=path, line=index + 2) for index in range(len(consumes))}
    product: Product = sample().product
    return sample(
        id=StackId(account=ACCOUNT, region=region, name=name),
        product=product,
        config=Config(path=path, data=data, marks={("demo",): Location(path=path, line=1), **marks}),
        publishes=tuple(publishes),
        consumes=tuple(consumes),
    )


def new(*stacks: Stack) -> list[Member]:
    return [Member(base=None, head=item) for item in stacks]


def gone(*stacks: Stack) -> list[Member]:
    return [Member(base=item, head=None) for item in stacks]


def names(order: waves.Order) -> list[list[str]]:
    return [[identity.name for identity in wave] for wave in order.waves]


VPC = stack("vpc", publishes=["/vpc/id"])
GROUPS = stack("sg", publishes=["/sg/app"], consumes=["/vpc/id"])
ML = stack("ml", publishes=["/ml/arn"], consumes=["/vpc/id", "/sg/app"])
OTHER = stack("other")


def test_new_stacks_go_after_those_whose_parameters_they_read() -> None:
    order = waves.order(new(ML, OTHER, GROUPS, VPC))
    assert names(order) == [["other", "vpc"], ["sg"], ["ml"]]
    assert [(wait.stack.name, wait.path) for wait in order.waits[ML.id]] == [("sg", "/sg/app"), ("vpc", "/vpc/id")]
    assert (order.wave(VPC.id), order.wave(ML.id)) == (1, 3)
    assert waves.problems(new(ML, OTHER, GROUPS, VPC), [ML, OTHER, GROUPS, VPC]) == ()


def test_removed_stacks_go_last_and_in_reverse() -> None:
    order = waves.order([*gone(VPC, GROUPS, ML), *new(OTHER)])
    assert names(order) == [["other"], ["ml"], ["sg"], ["vpc"]]
    assert {wait.because for wait in order.waits[VPC.id]} == {Because.RELEASES}
    assert waves.problems(gone(VPC, GROUPS, ML), []) == ()


def test_what_is_not_in_the_change_is_not_waited_for() -> None:
    order = waves.order(new(ML))
    assert (names(order), order.waits[ML.id]) == ([["ml"]], ())


def test_another_region_is_another_parameter() -> None:
    elsewhere = stack("vpc", publishes=["/vpc/id"], region="eu-west-1")
    assert len(waves.order(new(elsewhere, GROUPS)).waves) == 1
    assert waves.problems(new(elsewhere), [elsewhere, VPC]) == ()


def test_a_stack_that_stops_publishing_waits_until_nobody_reads() -> None:
    free = Member(base=ML, head=stack("ml", consumes=["/vpc/id"]))
    shrunk = Member(base=GROUPS, head=stack("sg", consumes=["/vpc/id"]))
    order = waves.order([shrunk, free])
    assert names(order) == [["ml"], ["sg"]]
    assert waves.problems([shrunk, free], [VPC, free.either, shrunk.either]) == ()


def test_two_stacks_that_publish_one_path_are_named_with_their_lines() -> None:
    twin = stack("twin", publishes=["/vpc/id"])
    (failure,) = waves.problems(new(twin), [VPC, twin])
    assert failure.message == ("2 stacks publish /vpc/id: twin (configs/twin.yaml:1:1), vpc (configs/vpc.yaml:1:1)")
    assert waves.problems(new(OTHER), [VPC, twin, OTHER]) == ()


def test_a_path_does_not_pass_from_one_stack_to_another() -> None:
    heir = stack("heir", publishes=["/vpc/id"])
    (failure,) = waves.problems([*gone(VPC), *new(heir)], [heir])
    assert failure.message.startswith("/vpc/id passes from the stack vpc to heir: AWS keeps one parameter of a name")
    assert "in a pull request of its own first" in failure.remedy


@pytest.mark.parametrize("leaving", [gone(VPC), [Member(base=VPC, head=stack("vpc"))]])
def test_what_is_still_read_does_not_go_and_the_order_is_spelled_out(leaving: list[Member]) -> None:
    (failure,) = waves.problems(leaving, [GROUPS, *(member.head for member in leaving if member.head)])
    assert failure.message == ("The stack vpc stops publishing /vpc/id, and sg still reads it (configs/sg.yaml:2:1)")
    assert failure.where == Location(path="configs/sg.yaml", line=2)
    assert failure.remedy == (
        "change it in this order: first configs/sg.yaml, so that it no longer reads it, then configs/vpc.yaml"
    )


def test_what_a_deleted_stack_reads_goes_in_a_later_pull_request() -> None:
    members = [Member(base=VPC, head=stack("vpc")), *gone(GROUPS)]
    (failure,) = waves.problems(members, [stack("vpc")])
    assert "before sg, which reads it, is deleted, because deletions come last" in failure.message
    assert "first a pull request that removes configs/sg.yaml, then one that changes configs/vpc.yaml" in failure.remedy


def test_stacks_that_wait_for_each_other_are_told_once_with_the_lines() -> None:
    one = stack("one", publishes=["/one"], consumes=["/three"])
    two = stack("two", publishes=["/two"], consumes=["/one"])
    three = stack("three", publishes=["/three"], consumes=["/x", "/two"])
    (failure,) = waves.problems(new(two), [one, two, three])
    assert failure.message == (
        "3 stacks wait for each other: configs/two.yaml:2:1 reads /one, published by one; configs/one.yaml:2:1 reads "
        "/three, published by three; configs/three.yaml:3:1 reads /two, published by two"
    )
    assert failure.remedy == "take one of these references out, because none of the stacks can be the first"
    assert len(waves.problems(new(one, two, three), [one, two, three])) == 1
    assert names(waves.order(new(one, two, three))) == [["one", "three", "two"]]


def test_a_stack_cannot_read_what_it_publishes() -> None:
    own = stack("own", publishes=["/own"], consumes=["/own"])
    (failure,) = waves.problems(new(own), [own])
    assert failure.message == "The stack own reads /own, which it publishes itself"


def test_a_hundred_stacks_in_any_order_never_go_before_what_they_read() -> None:
    random = Random(7)  # noqa: S311 - the same shuffle every time
    stacks = [
        stack(f"s{n:03}", publishes=[f"/{n}"], consumes=[f"/{m}" for m in random.sample(range(n), min(n, 3))])
        for n in range(100)
    ]
    random.shuffle(stacks)
    order = waves.order(new(*stacks))
    assert sorted(identity.name for wave in order.waves for identity in wave) == [f"s{n:03}" for n in range(100)]
    assert all(order.wave(wait.stack) < order.wave(one) for one, waits in order.waits.items() for wait in waits)
    assert len(order.waves) < 30
    assert waves.problems(new(*stacks), stacks) == ()
