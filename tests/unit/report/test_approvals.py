"""Gates and grown plans in every format: what a reader is told, and what it makes of the verdict."""

from __future__ import annotations

import dataclasses
from functools import cache

import pytest

from stackseal.model import Report, Standing, Verdict
from stackseal.report import html, json, markdown, terminal
from unit.report import samples
from unit.report.hostile import ALL, Page, gfm, live_commands

REASON = "no ruleset asks for code owners' reviews on main"
PROPOSED = "The pull request changes `gates:` in stackseal.yaml: those of the base count until it is merged."


def comment(report: Report) -> str:
    (text,) = markdown.render_parts(report)
    return text


@pytest.mark.parametrize(
    ("standing", "assumed", "verdict", "word"),
    [
        (Standing.SATISFIED, False, Verdict.HUMAN, "**approved**"),
        (Standing.MISSING, False, Verdict.HUMAN, "**missing**"),
        (Standing.OPEN, False, Verdict.HUMAN, "**asked before the deployment**"),
        (Standing.UNDECIDABLE, False, Verdict.BLOCKED, "**cannot be decided**"),
        (Standing.UNDECIDABLE, True, Verdict.HUMAN, "**nobody has to approve**"),
        (Standing.MISSING, True, Verdict.HUMAN, "**missing**"),
    ],
)
def test_every_standing_has_its_words_and_its_verdict(
    standing: Standing, assumed: bool, verdict: Verdict, word: str
) -> None:
    report = samples.gated(standing, assumed=assumed, reason=REASON)
    assert report.verdict is verdict
    text = comment(report)
    assert word in text
    assert "a code owner's approval of `techcorp-dev-a001-us-west-2-propensity-ml-stack`, which loses data" in text
    assert REASON in text
    assert word.strip("*") in html.render(report)
    assert word.strip("*") in terminal.render(report)
    assert word in markdown.render_summary(report)
    assert json.loads(json.dumps(report)) == report


def test_what_cannot_be_decided_says_what_to_do() -> None:
    text = comment(samples.gated(Standing.UNDECIDABLE, reason=REASON))
    assert "Blocked because nobody can decide whether 1 stack has the approval that a gate asks for." in text
    assert "Require reviews from Code Owners in a ruleset of the branch" in text
    assert "1 stack waits for an approval." in comment(samples.gated(Standing.MISSING))
    assert "Whoever may merge decides" in comment(samples.gated(Standing.UNDECIDABLE, assumed=True, reason=REASON))


def test_a_grown_plan_is_told_with_its_new_lines() -> None:
    report = samples.gated(Standing.MISSING, grown=True)
    for text in (comment(report), html.render(report)):
        assert "he plan has grown" in text
        assert "Remove ArtifactsBucket (AWS::S3::Bucket)" in text
    assert "the plan has grown since the last review" in terminal.render(report)
    assert "has grown since the last" not in comment(samples.gated(Standing.MISSING))


def test_changed_rules_and_plans_without_a_gate_are_told() -> None:
    report = dataclasses.replace(samples.ready(), proposed=(PROPOSED,), ungated=("a-stack",))
    assert samples.ready().verdict is Verdict.READY
    assert report.verdict is Verdict.HUMAN
    assert "those of the base count until it is merged" in comment(report)
    assert "No gate concerns `a-stack`" in comment(report)
    assert "Somebody has to look because the rules change." in comment(report)
    assert "No gate concerns <b>a-stack</b>" in html.render(report)
    assert "### Approvals" not in comment(samples.ready())


def test_stacks_with_the_same_gate_share_a_line() -> None:
    (stack, _) = samples.gated(Standing.MISSING, reason="nobody has given it").stacks
    many = tuple(dataclasses.replace(stack, id=samples.stack_id(f"stack-{n:04}")) for n in range(40))
    report = Report(run=samples.RUN, stacks=many)
    section = comment(report).split("### Approvals")[1].split("###")[0]
    assert section.count("**missing**") == 1
    assert "and 30 more stacks" in section
    assert len(section) < 2_000
    assert "40 stacks wait for an approval." in comment(report)


def with_text(text: str) -> Report:
    found = samples._replace_texts(samples.gated(Standing.MISSING, reason="x", grown=True), lambda _: text)
    assert isinstance(found, Report)
    return dataclasses.replace(found, proposed=(text,), ungated=(text,))


@cache
def plain() -> list[str]:
    return [tag for tag in Page(gfm(comment(with_text("x_y")))).tags if tag not in {"a", "/a"}]


@pytest.mark.parametrize("text", ALL)
def test_no_text_in_any_slot_changes_the_page(text: str) -> None:
    page = Page(gfm(comment(with_text(text))))
    assert [tag for tag in page.tags if tag not in {"a", "/a"}] == plain()
    assert live_commands(terminal.render(with_text(text))) == []
    assert Page(html.render(with_text(text))).tags == Page(html.render(with_text("x_y"))).tags
