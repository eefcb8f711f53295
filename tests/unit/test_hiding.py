"""What the environment knows to be secret is written nowhere; what merely sounds like it stays."""

from __future__ import annotations

import io
import json

import pytest

from stackseal.errors import ConfigError
from stackseal.hiding import Hidden, of_environment
from stackseal.output import Output
from stackseal.settings import parse

ENV = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG",
    "GITHUB_TOKEN": "token-canary-0001",
    "AWS_ACCESS_KEY_ID": "111122223333",
    "DB_PASSWORD": "short",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/token",
    "HOME": "/home-of-somebody",
    "AWS_REGION": "us-west-2-and-more",
}


def test_only_secrets_of_some_length_are_taken_from_the_environment() -> None:
    assert of_environment(ENV).known == ("token-canary-0001", "wJalrXUtnFEMI/K7MDENG")


def test_nothing_hidden_is_printed() -> None:
    out, err = io.StringIO(), io.StringIO()
    output = Output(stdout=out, stderr=err, level="debug", hidden=of_environment(ENV))
    text = "AccessDenied for token-canary-0001 with wJalrXUtnFEMI/K7MDENG and ghp_" + "a1B2" * 9
    output.data(text)
    output.say(text, "debug")
    output.command(f"::notice::{text}")
    output.redraw(text, 0)
    output.json({"why": [text], text: 1, "count": 3})
    written = out.getvalue() + err.getvalue()
    assert written.count("(hidden)") == 18
    assert not any(secret in written for secret in ("token-canary", "wJalr", "ghp_"))
    shown = json.loads(out.getvalue()[out.getvalue().index("{") :])
    assert shown["count"] == 3


def test_the_longest_goes_first_and_a_pattern_that_meets_nothing_hides_nothing() -> None:
    assert Hidden(known=("abcdefabcdef", "abcdefabcdefghi")).text("x abcdefabcdefghi") == "x (hidden)"
    assert Hidden().text("https://user:pass@host") == "https://(hidden)@host"


@pytest.mark.parametrize(
    ("pattern", "why"), [("(", "no regular expression"), ("x*", "matches nothing at all"), ("", "at least 1 character")]
)
def test_a_pattern_that_cannot_work_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        parse(f"redact: ['{pattern}']\n".encode())


def test_patterns_are_read() -> None:
    assert parse(b"redact:\n  - 'TICKET-[0-9]+'\n").redact == ("TICKET-[0-9]+",)
