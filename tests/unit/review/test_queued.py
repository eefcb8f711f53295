"""A merge queue's commit against what the comment shows: every way to differ, or not to know, stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stackseal.errors import Refused
from stackseal.hosts.base import Shown
from stackseal.hosts.event import Mode, parse
from stackseal.model import SourceMap, StackId, Template, word
from stackseal.plan import seal
from stackseal.review import queued
from stackseal.review.planning import Pair
from stackseal.settings import Account, Settings

HEAD = "a" * 40
NOTHING = Settings()
ONE, TWO = (StackId(account="111122223333", region="us-west-2", name=name) for name in ("one", "two"))


def template(stack: StackId, **body: object) -> Template:
    nowhere = SourceMap(path="t", lines=(), rendered={}, template={}, config={})
    return Template(text="", body={"Resources": {}, **body}, parameters={}, source=nowhere)


def pair(stack: StackId = ONE, **body: object) -> Pair:
    return Pair(id=stack, path="configs/a.yaml", base=None, head=template(stack, **body))


def sealed(*pairs: Pair, role: str | None = None) -> Shown:
    words = {
        word(item.id, seal.inputs(item.head, stack=item.id, execution_role=role).digest if item.head else None)
        for item in pairs
    }
    return Shown(commit=HEAD, head=HEAD, words=frozenset(words))


def against(pairs: list[Pair], shown: Shown | None, number: int | None = 7, ours: Settings = NOTHING) -> str:
    with pytest.raises(Refused) as raised:
        queued.hold(pairs, ours, shown, number)
    assert raised.value.exit_code == 4
    return str(raised.value)


def test_what_was_sealed_goes_on_and_less_of_it_too() -> None:
    removal = replace(pair(TWO), base=template(TWO), head=None)
    shown = sealed(pair(), removal)
    queued.hold([pair(), removal], Settings(), shown, 7)
    queued.hold([pair()], Settings(), shown, 7)
    queued.hold([], Settings(), None, None)


def test_another_template_settings_or_stack_stops() -> None:
    shown = sealed(pair())
    assert "The stack one is not the sealed one." in against([pair(Description="another")], shown)
    assert "The stack two is not the sealed one." in against([pair(), pair(TWO)], shown)
    assert "The stack one is not the sealed one." in against([replace(pair(), base=pair().head, head=None)], shown)
    role = "arn:aws:iam::111122223333:role/other"
    ours = Settings(accounts={"111122223333": Account(execution_role=role)})
    assert "The stack one is not the sealed one." in against([pair()], shown, ours=ours)
    queued.hold([pair()], ours, sealed(pair(), role=role), 7)


def test_who_does_not_know_stops() -> None:
    assert "does not name the pull request" in against([pair()], sealed(pair()), None)
    assert "has no comment of a review" in against([pair()], None)
    assert "has sealed nothing" in against([pair()], Shown(commit=HEAD, head=HEAD, words=None))
    moved = replace(sealed(pair()), head="b" * 40)
    assert "The review is of aaaaaaaaaaaa, and pull request 7 is at bbbbbbbbbbbb." in against([pair()], moved)


@pytest.mark.parametrize(
    ("ref", "number"),
    [
        (f"refs/heads/gh-readonly-queue/main/pr-104-{HEAD}", 104),
        (f"refs/heads/gh-readonly-queue/release/2026/pr-7-{HEAD}", 7),
        (f"refs/heads/gh-readonly-queue/pr-9-{HEAD}/pr-7-{HEAD}", 7),
        (f"refs/heads/gh-readonly-queue/main/pr-0-{HEAD}", None),
        (f"refs/heads/main/pr-7-{HEAD}", None),
        (f"refs/heads/gh-readonly-queue/main/pr-7-{HEAD}\n", None),
        ("", None),
    ],
)
def test_the_queues_branch_names_the_pull_request(ref: str, number: int | None) -> None:
    group = {"head_sha": HEAD, "base_sha": "b" * 40, "head_ref": ref}
    found = parse("merge_group", {"action": "checks_requested", "merge_group": group})
    assert (found.mode, found.pull_request, found.head) == (Mode.QUEUE, number, HEAD)
