"""Every way in which a call fails becomes one sentence with cause and remedy."""

from __future__ import annotations

import botocore.exceptions as botocore_errors
import pytest
from botocore.exceptions import ClientError

from stackseal.aws.errors import CAUSES, AwsFailed, code_of, message_of, translate, translated
from stackseal.errors import Unknown


def client_error(code: str, message: str = "the text of AWS") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


@pytest.mark.parametrize("code", sorted(CAUSES))
def test_every_known_code_has_cause_and_remedy(code: str) -> None:
    error = translate(client_error(code), "could not read the stack X")
    assert isinstance(error, AwsFailed)
    assert error.code == code
    assert error.exit_code == 3
    assert str(error).startswith("could not read the stack X: ")
    assert error.remedy


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (botocore_errors.NoCredentialsError(), "no AWS credentials"),
        (botocore_errors.PartialCredentialsError(provider="env", cred_var="secret"), "incomplete"),
        (botocore_errors.ProfileNotFound(profile="nobody"), "profile does not exist"),
        (botocore_errors.NoRegionError(), "no region"),
        (botocore_errors.EndpointConnectionError(endpoint_url="https://x"), "did not answer"),
        (botocore_errors.ConnectTimeoutError(endpoint_url="https://x"), "did not answer"),
        (botocore_errors.ReadTimeoutError(endpoint_url="https://x"), "did not answer"),
        (botocore_errors.ParamValidationError(report="Invalid length"), "not what the AWS API accepts"),
        (botocore_errors.SSOTokenLoadError(error_msg="expired"), "SSO session"),
    ],
)
def test_no_answer_has_a_cause_too(error: Exception, word: str) -> None:
    found = translate(error, "could not read the stack X")
    assert isinstance(found, AwsFailed)
    assert found.code == ""
    assert word in str(found)
    assert found.remedy


def test_an_opt_in_region_is_named_as_the_cause() -> None:
    error = translate(
        client_error("InvalidClientTokenId", "The security token included in the request is invalid"), "x"
    )
    assert "opt-in region" in str(error)


def test_a_code_nobody_knows_shows_the_text_of_aws() -> None:
    error = translate(client_error("BrandNewException", "Line one\nline  two"), "could not do it")
    assert str(error) == "could not do it: Line one line two"


@pytest.mark.parametrize(
    "error",
    [
        botocore_errors.ReadTimeoutError(endpoint_url="https://x"),
        botocore_errors.ConnectionClosedError(endpoint_url="https://x"),
        client_error("InternalFailure"),
        client_error("503"),
    ],
)
def test_a_lost_answer_to_a_change_is_unknown(error: Exception) -> None:
    found = translate(error, "could not execute", changes="run `stackseal recover`")
    assert isinstance(found, Unknown)
    assert found.exit_code == 5
    assert str(found).endswith("; run `stackseal recover`")


@pytest.mark.parametrize("error", [client_error("AccessDenied"), botocore_errors.NoCredentialsError()])
def test_a_refused_change_is_a_failure(error: Exception) -> None:
    assert isinstance(translate(error, "could not execute", changes="recover"), AwsFailed)


def test_braces_in_the_text_of_aws_do_no_harm() -> None:
    assert "{0} {x}" in str(translate(client_error("AccessDenied", "{0} {x}"), "could not"))


def test_other_exceptions_pass_through() -> None:
    with pytest.raises(KeyError), translated("could not"):
        raise KeyError("x")
    with pytest.raises(AwsFailed, match="could not: "), translated("could not"):
        raise client_error("AccessDenied")


def test_answers_of_no_known_shape_have_no_code() -> None:
    assert code_of(ValueError("x")) == ""
    assert message_of(ValueError("a\nb")) == "a b"
    assert code_of(ClientError({}, "DescribeStacks")) == ""
