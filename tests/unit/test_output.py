"""What foreign text cannot do to the runner that records our output, and what a person sees of it."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackseal.inert import inert
from stackseal.output import Output

CRAFTED = (
    "::add-mask::e",
    "::stop-commands::x",
    "::set-output name=verdict::pass",
    "::error file=a.yaml,line=1::forged",
    "  ::error::indented",
    "\t::warning::tab",
    "\u00a0::warning::no-break space",
    "\u3000\u2003::warning::wide spaces",
    "a\n::error::second line",
    "a\r::error::carriage return",
    "a\r\n::error::windows",
    "a\v::error::vertical tab",
    "a\f::error::form feed",
    "a\u2028::error::line separator",
    "a\x85::error::next line",
    "Stack failed: ##[set-output name=verdict]pass",
    "##[error]forged",
    "x ##[add-mask]e y",
    "####[command]a",
    "##[##[group]]",
    ":::error::three",
    "::::error::four",
    "\n\n  \n ::debug::after empty lines",
    "\ufeff::error::mark",
    "ok ::error::not at the beginning",
)


def live(text: str) -> list[str]:
    """The lines that a runner would obey, by actions/runner's two grammars (ActionCommand.cs), read generously.

    The newer form is a line that begins with `::` after any white space; the older is `##[` anywhere in a line. Lines
    end where .NET's ReadLine ends them: `\\n`, `\\r`, `\\r\\n`.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


@pytest.mark.parametrize("text", CRAFTED, ids=repr)
def test_no_crafted_text_commands_the_runner(text: str) -> None:
    assert len(CRAFTED) >= 20
    assert live(inert(text)) == []
    assert inert(inert(text)) == inert(text)


@pytest.mark.parametrize("text", CRAFTED[:-2])
def test_the_crafted_texts_are_dangerous_before(text: str) -> None:
    dangerous = live(text.replace("\v", "\n").replace("\f", "\n").replace("\u2028", "\n").replace("\x85", "\n"))
    assert dangerous


PIECES = st.sampled_from(["::", ":", "#", "##", "[", "##[", "]", " ", "\t", "\n", "\r", "\v", "\x85", "error", "a"])


@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
@settings(derandomize=True, deadline=None, max_examples=500)
def test_no_text_at_all_commands_the_runner(text: str) -> None:
    assert live(inert(text)) == []
    out, err = io.StringIO(), io.StringIO()
    output = Output(stdout=out, stderr=err)
    output.data(text)
    output.say(text)
    output.redraw(text, 0)
    assert live(out.getvalue()) == []
    assert live(err.getvalue()) == []


@pytest.mark.parametrize("text", ["AWS::S3::Bucket", "a: b", "# [x]", "#[x]", "## x", "x ::y", "arn:aws:iam::1:role"])
def test_harmless_text_is_left_alone(text: str) -> None:
    assert inert(text) == text


def test_results_go_to_stdout_and_talk_to_stderr() -> None:
    out, err = io.StringIO(), io.StringIO()
    output = Output(stdout=out, stderr=err, level="warning")
    output.data("result")
    output.data("lines\n")
    output.say("quiet", "info")
    output.say("loud", "error")
    output.command("::group::ours")
    output.redraw("again", 2)
    assert out.getvalue() == "result\nlines\n::group::ours\n"
    assert err.getvalue() == "loud\n\x1b[2F\x1b[Jagain\n"


def test_json_keeps_its_value_and_still_commands_nothing() -> None:
    value = {"reason": "a ##[set-output name=x]y\n::error::z", "list": ["::stop-commands::t", "##[group]"]}
    out = Output(stdout=(written := io.StringIO()), stderr=io.StringIO())
    out.json(value)
    text = written.getvalue()
    assert json.loads(text) == value
    assert inert(text) == text
