"""A report survives the way between two jobs, and nothing else does."""

from __future__ import annotations

import json as standard
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackseal.errors import ConfigError
from stackseal.model import Report
from stackseal.report import json
from stackseal.report.redact import redact
from unit.report import samples
from unit.report.hostile import ALL


def clean(report: Report) -> Report:
    return redact(report, salt=report.run.repository)


@pytest.mark.parametrize(
    "report", [samples.full(), samples.ready(), samples.human(), Report(run=samples.RUN, stacks=())]
)
def test_nothing_is_lost_on_the_way(report: Report) -> None:
    text = json.dumps(report)
    assert json.loads(text) == clean(report)
    assert json.dumps(json.loads(text)) == text
    assert json.loads(text).verdict is report.verdict


@pytest.mark.parametrize("text", [*ALL, "half a pair \ud800"])
def test_any_text_survives(text: str) -> None:
    report = samples.with_text(text)
    assert json.loads(json.dumps(report)) == clean(report)


def test_the_text_is_ascii_and_sorted() -> None:
    text = json.render(samples.with_text("語\u202e"))
    assert text.isascii()
    assert list(standard.loads(text)) == ["failures", "proposed", "run", "stacks", "ungated", "version"]


def edit(change: Callable[[dict[str, Any]], object]) -> str:
    data = standard.loads(json.dumps(samples.full()))
    change(data)
    return standard.dumps(data)


FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "an unknown key": lambda data: data.update(extra=1),
    "an unknown key deep inside": lambda data: data["stacks"][0]["plan"]["changes"][0].update(hook="rm"),
    "a missing key": lambda data: data["run"].pop("commit"),
    "a missing key with a default": lambda data: data["run"].pop("url"),
    "a word that is no action": lambda data: data["stacks"][0]["plan"]["changes"][0].update(action="Explode"),
    "a number as text": lambda data: data["stacks"][0]["resources"][0]["where"].update(line="7"),
    "text as a number": lambda data: data["run"].update(actor=7),
    "a flag as a number": lambda data: data["stacks"][2]["plan"]["consequences"][0].update(data_loss=1),
    "a list as text": lambda data: data["stacks"][0].update(notes="x"),
    "nothing where something is": lambda data: data["run"].update(commit=None),
    "another version": lambda data: data.update(version=2),
    "no version": lambda data: data.pop("version"),
    "a version as a flag": lambda data: data.update(version=True),
    "a forged verdict": lambda data: data.update(verdict="ready"),
    "a fraction for a line": lambda data: data["stacks"][0]["resources"][0]["where"].update(line=1.0),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_report_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        json.loads(edit(FORGED[name]))
    assert str(caught.value).startswith("report.json is not a report of stackseal: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "7",
        "{",
        '{"version": 1}',
        '{"version": 1, "version": 1}',
        '{"version": NaN}',
        '{"version": 1, "run": "\\ud800"}',
        "[" * 100_000,
        '{"a":' * 50_000,
        "\ufeff{}",
        "\x00",
    ],
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"report\.json is not a report of stackseal"):
        json.loads(text)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ConfigError, match="surrogate"):
        json.loads(edit(lambda data: data["run"].update(actor="\ud800")))


def test_a_double_key_is_refused_even_when_both_are_equal() -> None:
    text = json.dumps(samples.ready()).replace('"version": 1', '"version": 1, "version": 1')
    with pytest.raises(ConfigError, match="twice"):
        json.loads(text)


def test_a_giant_is_refused_before_it_is_read() -> None:
    with pytest.raises(ConfigError, match="longer than"):
        json.loads(" " * (json.LIMIT + 1))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_other_json_is_refused(value: object) -> None:
    with pytest.raises(ConfigError):
        json.loads(standard.dumps(value))
