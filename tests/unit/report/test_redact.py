"""Secrets are hidden wherever they stand; references and everything else stay."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackseal.hiding import Hidden, is_secret_key
from stackseal.model import KNOWN_AFTER_APPLY, Action, Change, Difference, PropertyChange, Report, StackReport
from stackseal.report import FORMATS, issue, markdown, terminal
from stackseal.report.redact import redact
from unit.report import samples

CANARIES = ("canary-before-81", "canary-after-82", "canary-config-83", "canary-drift-84")


def change(path: str, before: str | None, after: str | None) -> PropertyChange:
    return redact(PropertyChange(path=path, before=before, after=after), salt="o/r")


@pytest.mark.parametrize(
    "key",
    [
        "Password",
        "MasterUserPassword",
        "DB_PASSWD",
        "passphrase",
        "SecretString",
        "OAuthToken",
        "api_key",
        "ApiKey",
        "PrivateKey",
        "SecretAccessKey",
        "connection-string",
        "Credentials",
    ],
)
def test_secret_keys(key: str) -> None:
    assert is_secret_key(key)
    assert change(f"/Properties/X/{key}", '"hunter2-canary"', '"hunter3-canary"').before != '"hunter2-canary"'


@pytest.mark.parametrize(
    "key",
    ["SecretArn", "TokenType", "MinimumPasswordLength", "KmsKeyId", "BucketName", "SecretName", "Key", "PublicKeyId"],
)
def test_keys_that_only_look_secret(key: str) -> None:
    assert not is_secret_key(key)


def test_two_values_can_be_told_apart_and_not_found() -> None:
    found = change("/Properties/Password", '"one-value"', '"other-value"')
    assert found.before != found.after
    assert "one-value" not in f"{found}"
    assert found.before is not None
    assert found.before.startswith('"(hidden ')
    assert found == change("/Properties/Password", '"one-value"', '"other-value"')


def test_another_repository_has_another_mark() -> None:
    plain = PropertyChange(path="Password", before='"one-value"', after=None)
    assert redact(plain, salt="a") != redact(plain, salt="b")


@pytest.mark.parametrize(
    "text",
    [
        '"{{resolve:secretsmanager:db:SecretString:password}}"',
        '"arn:aws:secretsmanager:us-west-2:123456789012:secret:db"',
        '{"Ref": "DbSecret"}',
        '{"Fn::GetAtt": ["DbSecret", "Arn"]}',
        f'"{KNOWN_AFTER_APPLY}"',
        "true",
        "null",
        '""',
    ],
)
def test_references_stay_readable(text: str) -> None:
    assert change("/Properties/Password", None, text).after == text


def test_a_literal_in_a_function_is_a_value() -> None:
    assert "hunter2" not in str(change("Password", None, '{"Fn::Sub": "hunter2-${AWS::Region}"}').after)


def test_a_named_pair_is_judged_by_its_name() -> None:
    found = change("Environment", None, '[{"Name":"DB_PASSWORD","Value":"hunter2-x"},{"Name":"STAGE","Value":"prod"}]')
    assert found.after is not None
    assert "hunter2-x" not in found.after
    assert '"prod"' in found.after


def test_text_that_is_no_json_is_a_string() -> None:
    assert "hunter2" not in str(change("Password", "hunter2 {", None).before)


def test_what_is_no_secret_is_not_touched() -> None:
    kept = change("/Properties/Tags", '[{"Key":"a","Value":"b"}]', '{"x": [1, 2.5, null, true]}')
    assert (kept.before, kept.after) == ('[{"Key":"a","Value":"b"}]', '{"x": [1, 2.5, null, true]}')


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2" * 9,
        "xoxb-1234567890-abcdef",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_def",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_known_forms_are_hidden_in_any_sentence(secret: str) -> None:
    finding = dataclasses.replace(samples.findings("s")[0], message=f"bad value {secret} here")
    assert secret not in redact(finding).message
    assert redact(finding).message.startswith("bad value (hidden ")


def test_a_password_in_an_address_is_hidden() -> None:
    finding = dataclasses.replace(samples.findings("s")[0], message="https://bot:hunter2@host/x is not reachable")
    assert "hunter2" not in redact(finding).message


def test_redacting_twice_changes_nothing() -> None:
    once = redact(samples.full(), salt="x")
    assert redact(once, salt="x") == once
    assert once != samples.full()


@given(st.text(max_size=40))
def test_any_secret_is_hidden_and_stays_hidden(secret: str) -> None:
    value = PropertyChange(path="/Properties/Password", before=None, after=samples.canonical(f"~{secret}~"))
    once = redact(value)
    assert once.after is not None
    assert once.after.startswith('"(hidden ')
    assert redact(once) == once


def _leaks(report: Report) -> list[str]:
    texts = [one.render(report) for one in FORMATS.values()]
    texts += [*markdown.render_parts(report), markdown.render_summary(report), terminal.render(report)]
    texts += [issue.issue(samples.drift()).body, issue.issue(samples.drift()).title]
    return [canary for canary in CANARIES for text in texts if canary in text]


def test_no_canary_reaches_any_format() -> None:
    raw = str(samples.full()) + str(samples.drift())
    assert all(canary in raw for canary in CANARIES)
    assert _leaks(samples.full()) == []


def test_a_parameter_with_a_secret_name_is_hidden() -> None:
    stack: StackReport = samples.updated()
    assert stack.plan is not None
    plan = dataclasses.replace(stack.plan, parameters={"DbPassword": "canary-before-81x", "Stage": "prod"})
    found = redact(dataclasses.replace(stack, plan=plan)).plan
    assert found is not None
    assert found.parameters["Stage"] == "prod"
    assert found.parameters["DbPassword"].startswith("(hidden ")


def modified(kind: str, *properties: PropertyChange, **how: object) -> Change:
    done = Change(action=Action.MODIFY, logical_id="R", type=kind, properties=properties)
    return redact(done, **how)  # type: ignore[arg-type]


def test_a_write_only_property_is_hidden_at_any_depth() -> None:
    def write_only(kind: str) -> tuple[str, ...]:
        return ("Password", "Rules/*/Body") if kind == "A::B::C" else ()

    found = modified(
        "A::B::C",
        samples.prop("/Properties/Rules/0/Body", '"canary-1"', '{"deep": ["canary-2"]}'),
        samples.prop("/Properties/Rules", None, '[{"Body": "canary-3", "Name": "kept"}]'),
        samples.prop("Rules.1.Body.X", '"canary-4"', '{"Ref": "Parameter"}'),
        samples.prop("/Properties/Rules/0/Name", '"kept-too"', "5"),
        write_only=write_only,
    )
    assert "canary" not in str(found)
    assert "kept-too" in str(found)
    assert '"Name": "kept"' in str(found.properties[1].after)
    assert found.properties[2].after == '{"Ref": "Parameter"}'
    assert "canary" in str(modified("Another::Type::X", samples.prop("/Properties/Rules/0/Body", None, '"canary-1"')))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"{{resolve:secretsmanager:db:SecretString:password}}"', '"what it led to"'),
        ('"what it led to"', '"{{resolve:ssm-secure:/db/password:3}}"'),
        ('{"A": [{"B": "{{resolve:secretsmanager:db}}"}]}', '{"A": [{"B": "what it led to"}]}'),
    ],
)
def test_what_a_reference_to_a_secret_became_is_hidden(before: str, after: str) -> None:
    found = change("/Properties/Endpoint", before, after)
    assert "what it led to" not in f"{found}"
    assert "{{resolve:" in f"{found}"
    drifted = redact(Difference(path="/Endpoint", expected=before, actual=after))
    assert "what it led to" not in f"{drifted}"


def test_what_is_known_or_matched_is_hidden_everywhere() -> None:
    hidden = Hidden(known=("canary-known",), patterns=(re.compile(r"INTERNAL-\d+"),))
    stack = dataclasses.replace(
        samples.updated(),
        notes=("a canary-known note",),
        names=(),
        config_values={"x.INTERNAL-77": '"canary-known"'},
        config="configs/INTERNAL-78.yaml",
    )
    assert "canary-known" in str(stack)
    found = str(redact(stack, hidden=hidden))
    assert "canary-known" not in found
    assert "INTERNAL-" not in found
    assert redact(redact(stack, hidden=hidden), hidden=hidden) == redact(stack, hidden=hidden)
