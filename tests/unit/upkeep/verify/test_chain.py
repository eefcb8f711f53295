"""Matching what runs with what was sealed, and pages that foreign text cannot break."""

from __future__ import annotations

import html
from dataclasses import replace
from typing import Any

import pytest

from stackseal.aws.shapes import StackState
from stackseal.model import StackId, canonical_json, sha256
from stackseal.plan.record import SealRecord, hashed
from stackseal.upkeep import verify
from stackseal.upkeep.verify import Chain, Link, Live, State

STACK = StackId(account="111122223333", region="us-west-2", name="churn-stack")
BODY = canonical_json({"Resources": {"P": {"Type": "AWS::SSM::Parameter"}}})
PARAMETERS = {"Name": "churn", "Path": "/vpc/main/VPCId"}
TAGS = {"owner": "ml-platform-team"}


def live(**changes: Any) -> Live:
    state = StackState(name=STACK.name, arn="arn", status="UPDATE_COMPLETE", parameters=PARAMETERS, tags=TAGS)
    return Live(state=replace(state, **changes), template=BODY)


def record(**changes: Any) -> SealRecord:
    found = SealRecord(
        stack=STACK,
        pull_request=7,
        head="a" * 40,
        base=None,
        created="2026-11-20T00:00:00+00:00",
        operation="update",
        input_digest="0" * 64,
        seal="1" * 64,
        template_sha256=sha256(BODY),
        parameters=hashed(PARAMETERS),
        tags=TAGS,
        capabilities=(),
        execution_role=None,
        change_set=None,
        change_set_name=None,
        lines=(),
    )
    return replace(found, **changes)


def test_what_was_sealed_is_found() -> None:
    assert verify.differences(live(), record()) == ()
    assert verify.match(live(), [record(template_sha256="2" * 64), record(), record(head="b" * 40)]) == record()
    assert verify.match(live(), []) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"template_sha256": "2" * 64}, ("the template",)),
        ({"parameters": hashed({**PARAMETERS, "Name": "other"})}, ("the parameters",)),
        ({"parameters": hashed({"Name": "churn"})}, ("the parameters",)),
        ({"parameters": hashed({**PARAMETERS, "More": "x"})}, ("the parameters",)),
        ({"tags": {}}, ("the tags",)),
        ({"tags": {**TAGS, "more": "x"}}, ("the tags",)),
        ({"operation": "delete"}, ("it is the record of a deletion",)),
        ({"blocked": True}, ("it is the record of a blocked review",)),
        ({"template_sha256": "2" * 64, "tags": {}}, ("the template", "the tags")),
    ],
)
def test_anything_else_is_another_stack(changes: dict[str, Any], words: tuple[str, ...]) -> None:
    assert verify.differences(live(), record(**changes)) == words


def test_a_hidden_parameter_cannot_be_compared_and_is_no_difference() -> None:
    hidden = live(parameters={**PARAMETERS, "Secret": "****"})
    assert verify.differences(hidden, record(parameters=hashed({**PARAMETERS, "Secret": "s3cret"}))) == ()
    assert verify.differences(hidden, record()) == ("the parameters",), "nobody sealed a parameter of this name"


def links(*states: State) -> tuple[Link, ...]:
    return tuple(Link(name=f"n{index}", state=state, value="v", why="w") for index, state in enumerate(states))


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ((State.PROVEN, State.PROVEN), True),
        ((State.PROVEN, State.UNKNOWN), True),
        ((State.PROVEN, State.MISSING), False),
        ((State.MISSING, State.UNKNOWN), False),
    ],
)
def test_one_missing_link_breaks_the_chain(states: tuple[State, ...], whole: bool) -> None:
    found = Chain(stack=STACK, links=links(*states))
    assert found.whole is whole
    assert ("broken at" in verify.sentence(found)) is not whole
    assert verify.facts(found)["whole"] is whole


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</table><h1>", '"><img src=x>', "&lt;b&gt;", "{0}{rows}"]
)
def test_foreign_text_stays_text_on_the_page(text: str) -> None:
    link = Link(name=text, state=State.PROVEN, value=text, why=text)
    page = verify.page(Chain(stack=replace(STACK, name=text), links=(link,)))
    assert page.count(html.escape(text)) >= 5
    assert "<script>" not in page
    assert "<img" not in page
    assert page.count("<h1>") == 1
