"""The summary of a deployment and of a check for drift: a row for each stack, and no text in it does anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stackseal.drift import Move
from stackseal.model import Deployment, Drift, DriftStatus, Outcome, ResourceEvent, StackId
from stackseal.report import markdown
from stackseal.report.done import deployed, page, watched
from unit.report import samples
from unit.report.hostile import ALL, Page, gfm


def stack(text: str = "churn") -> StackId:
    return StackId(account=text, region=text, name=text)


def ended(text: str = "churn", outcome: Outcome = Outcome.ROLLED_BACK) -> Deployment:
    event = ResourceEvent(logical_id=text, type=text, status=text, reason=text)
    return Deployment(stack=stack(text), outcome=outcome, status=text, first_failure=event, resume=text)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_row_in_words(outcome: Outcome) -> None:
    text = deployed([ended(outcome=outcome)])
    rows = [line for line in text.splitlines() if line.startswith("| `churn`")]
    assert len(rows) == 1
    known = "nobody knows" if outcome is Outcome.UNKNOWN else outcome.value
    assert known in rows[0]


def test_what_was_not_begun_and_what_nobody_reviewed_stand_below() -> None:
    text = deployed([ended()], waiting=["b"], left=["c"])
    assert [line.split("|")[1].strip() for line in text.splitlines()[4:]] == ["`churn`", "`b`", "`c`"]
    assert "Nothing to deploy." in deployed([])


@pytest.mark.parametrize("move", Move)
def test_every_move_has_a_row_in_words(move: Move) -> None:
    text = watched([(samples.drift(), move.value, 7)])
    assert "🟡 not as deployed" in text
    assert text.rstrip().endswith("#7 |")
    assert "3 of 4" in text


def test_unknown_is_not_in_sync() -> None:
    unknown = Drift(stack=stack(), status=DriftStatus.UNKNOWN, resources=(), reason="throttled")
    assert "unknown, which is not in sync" in watched([(unknown, "none", None)])
    assert "nothing to compare" in watched([])


@pytest.mark.parametrize("text", ALL)
def test_no_text_changes_the_page(text: str) -> None:
    def pages(word: str) -> list[list[str]]:
        drift = Drift(stack=stack(word), status=DriftStatus.DRIFTED, resources=())
        made = (deployed([ended(word)], waiting=[word], left=[word]), watched([(drift, "opened", 1)]))
        return [[tag for tag in Page(gfm(page)).tags if tag not in {"code", "/code"}] for page in made]

    assert pages(text) == pages("x_y")


def test_a_page_is_cut_at_a_line() -> None:
    text = deployed([ended(f"stack-{number}") for number in range(100)])
    kept = markdown.cut(text, 2_000)
    assert len(kept.encode()) <= 2_000
    assert text.startswith(kept)
    assert kept.endswith("|\n")
    assert (markdown.cut(text, 10**6), markdown.cut(text, -5)) == (text, "")


def whole(text: str, outcome: Outcome = Outcome.ROLLED_BACK) -> str:
    one = replace(ended(text, outcome), message=text, outputs={text: text}, retained=(text,), resources=3)
    return page(one, removed=[text], afterwards=[text])


@pytest.mark.spec("A69")
@pytest.mark.parametrize("outcome", Outcome)
def test_a_deployment_is_an_offline_page(outcome: Outcome) -> None:
    text = whole("churn", outcome)
    title = Page(text)
    assert "default-src 'none'" in text
    assert not {"script", "link", "img", "iframe"} & {tag.strip("/") for tag in title.tags}
    assert title.links == []
    word = {Outcome.UNKNOWN: "Nobody knows", Outcome.REFUSED: "Refused, nothing was changed"}
    assert f"<h1>{word.get(outcome, outcome.value.capitalize())}" in text


@pytest.mark.parametrize("text", ALL)
def test_no_text_changes_the_page_of_a_deployment(text: str) -> None:
    changed, plain = Page(whole(text)), Page(whole("x_y"))
    assert [tag for tag in changed.tags if tag.strip("/") != "code"] == [
        tag for tag in plain.tags if tag.strip("/") != "code"
    ]
    assert changed.links == plain.links


@pytest.mark.parametrize("text", ALL)
def test_no_text_breaks_out_of_the_list_of_closed_issues(text: str) -> None:
    changed, plain = (Page(gfm(watched([], [(each, 7), ("b", 8)]))) for each in (text, "x_y"))
    assert [tag for tag in changed.tags if tag.strip("/") != "code"] == [
        tag for tag in plain.tags if tag.strip("/") != "code"
    ]
    assert changed.tags.count("li") == 2
