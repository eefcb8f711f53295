"""Waves: what is independent really goes at the same time, and what goes wrong stops what has not begun."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from stackseal.deployment import rollout
from stackseal.errors import Failed
from stackseal.model import Deployment, Outcome, StackId


def stack(name: str) -> StackId:
    return StackId(account="111122223333", region="us-west-2", name=name)


@dataclass
class Turn:
    """A turn that does something and ends in an outcome."""

    name: str
    outcome: Outcome = Outcome.CREATED
    work: Callable[[], object] = field(default=lambda: None)

    def take(self) -> Deployment:
        self.work()
        return Deployment(stack=stack(self.name), outcome=self.outcome, status="")


def run(waves: list[list[str]], *turns: Turn, at_once: int = 8) -> tuple[list[str], list[str]]:
    """The stacks that were begun, and what was said."""
    said: list[str] = []
    by_stack = {stack(turn.name): turn for turn in turns}
    done = rollout.run([[stack(name) for name in wave] for wave in waves], by_stack, said.append, at_once=at_once)
    return [deployment.stack.name for deployment in done], said


def test_the_stacks_of_a_wave_are_under_way_at_the_same_time() -> None:
    together = threading.Barrier(8, timeout=10)
    turns = [Turn(f"s{n}", work=together.wait) for n in range(8)]
    done, said = run([[turn.name for turn in turns]], *turns)
    assert (done, said) == ([turn.name for turn in turns], [])


def test_no_more_than_so_many_are_under_way() -> None:
    lock, here, most = threading.Lock(), [0], [0]

    def work() -> None:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        threading.Event().wait(0.01)
        with lock:
            here[0] -= 1

    turns = [Turn(f"s{n:02}", work=work) for n in range(20)]
    done, _ = run([[turn.name for turn in turns]], *turns, at_once=3)
    assert (len(done), most[0]) == (20, 3)


def test_a_wave_begins_when_the_one_before_has_ended() -> None:
    ended: list[str] = []
    turns = [Turn(name, work=lambda name=name: ended.append(name)) for name in ("c", "a", "b")]
    done, said = run([["a"], ["b", "c"]], *turns)
    assert (done, ended[0]) == (["a", "b", "c"], "a")
    assert said == ["Wave 1 of 2: a", "Wave 2 of 2: b, c"]


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if not outcome.good])
def test_a_bad_end_stops_the_later_waves_and_who_is_under_way_ends(outcome: Outcome) -> None:
    begun, failed = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        assert failed.wait(10)

    def bad() -> None:
        assert begun.wait(10)
        failed.set()

    turns = [Turn("bad", outcome, bad), Turn("slow", work=slow), Turn("later")]
    assert run([["bad", "slow"], ["later"]], *turns)[0] == ["bad", "slow"]


def test_after_a_bad_end_nobody_of_the_wave_begins() -> None:
    turns = [Turn("bad", Outcome.FAILED), Turn("waiting")]
    assert run([["bad", "waiting"]], *turns, at_once=1)[0] == ["bad"]


def test_what_was_attempted_is_told_in_its_order_with_its_errors() -> None:
    def work(number: int) -> int:
        if number == 2:
            raise Failed("two")
        return number * 10

    one, two, three = rollout.attempted(work, [1, 2, 3])
    assert (one, str(two), three) == (10, "two", 30)


def test_a_mistake_of_ours_is_not_taken_for_an_outcome() -> None:
    with pytest.raises(ZeroDivisionError):
        rollout.attempted(lambda number: 1 // number, [1, 0])
