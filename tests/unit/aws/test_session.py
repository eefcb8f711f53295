"""Clients come from the environment that is passed in, once each, with retries and limits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber

from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS, Aws, Credentials
from stackseal.errors import UsageError

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example"}


@pytest.fixture
def aws() -> Iterator[Aws]:
    found = Aws({**KEYS, "AWS_REGION": "eu-west-1"})
    yield found
    found.close()


def test_a_client_is_made_once_per_service_and_region(aws: Aws) -> None:
    assert aws.client("cloudformation") is aws.client("cloudformation", "eu-west-1")
    assert aws.client("cloudformation") is not aws.client("cloudformation", "us-west-2")


def test_clients_repeat_and_give_up(aws: Aws) -> None:
    config: Any = aws.client("cloudformation").meta.config
    assert config.retries["mode"] == "standard"
    assert config.retries["total_max_attempts"] == ATTEMPTS + 1
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_SECONDS, READ_SECONDS)


def test_sts_is_the_regions_own(aws: Aws) -> None:
    assert aws.client("sts").meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"
    assert aws.client("sts", "cn-north-1").meta.endpoint_url == "https://sts.cn-north-1.amazonaws.com.cn"


def test_endpoints_come_from_the_environment() -> None:
    environ = {
        **KEYS,
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:2",
    }
    found = Aws(environ)
    assert found.client("sts").meta.endpoint_url == "http://127.0.0.1:1"
    assert found.client("s3").meta.endpoint_url == "http://127.0.0.1:2"
    found.close()


def test_the_region_is_the_first_that_is_known() -> None:
    assert Aws({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}).region == "a"
    assert Aws({"AWS_DEFAULT_REGION": "b"}).region == "b"
    assert Aws({"AWS_REGION": "a"}, region="c").region == "c"
    with pytest.raises(UsageError, match="no AWS region is set"):
        _ = Aws({}).region


def test_the_account_is_asked_once(aws: Aws) -> None:
    with Stubber(aws.client("sts")) as stub:
        stub.add_response("get_caller_identity", {"Account": "123456789012"}, {})
        assert aws.account() == "123456789012"
        assert aws.account("eu-west-1") == "123456789012"
        stub.assert_no_pending_responses()


def test_a_known_account_is_not_asked() -> None:
    assert Aws({}, account="999999999999").account("eu-west-1") == "999999999999"


def test_an_account_that_cannot_be_told_is_an_error(aws: Aws) -> None:
    with Stubber(aws.client("sts")) as stub:
        stub.add_client_error("get_caller_identity", "ExpiredToken", "expired")
        with pytest.raises(AwsFailed, match="credentials have expired; renew them"):
            aws.account()


ROLE = "arn:aws:iam::123456789012:role/plan"


def keys(name: str, expires: datetime) -> dict[str, Any]:
    return {
        "Credentials": {
            "AccessKeyId": f"ASIAEXAMPLE00{name}",
            "SecretAccessKey": "other",
            "SessionToken": "token",
            "Expiration": expires,
        }
    }


def key_of(aws: Aws) -> str:
    """The key that a request of this session is signed with."""
    sent: list[str] = []

    def record(request: Any, **_: Any) -> None:
        sent.append(request.headers["Authorization"].decode())
        raise ConnectTimeoutError(endpoint_url="https://aws")

    client = aws.client("ssm")
    client.meta.events.register("before-send", record)
    with pytest.raises(ConnectTimeoutError):
        client.get_parameter(Name="/a")
    client.meta.events.unregister("before-send", record)
    return sent[0].partition("Credential=")[2].partition("/")[0]


FAR = datetime(2999, 1, 1, tzinfo=UTC)
PAST = datetime(2020, 1, 1, tzinfo=UTC)


def test_another_role_is_another_way_to_aws(aws: Aws) -> None:
    with Stubber(aws.client("sts")) as stub:
        expected = {"RoleArn": ROLE, "RoleSessionName": "review"}
        stub.add_response("assume_role", keys("ROLE1", FAR), expected)
        stub.add_response(
            "assume_role_with_web_identity", keys("ROLE2", FAR), {**expected, "WebIdentityToken": "jwt.jwt"}
        )
        first = aws.assumed(ROLE, session_name="review")
        second = aws.assumed(ROLE, session_name="review", token=lambda: "jwt.jwt")
        stub.assert_no_pending_responses()
    assert (first.region, second.region) == ("eu-west-1", "eu-west-1")
    first.close()
    second.close()


def test_credentials_renew_themselves_with_a_new_token() -> None:
    aws = Aws(KEYS, region="eu-west-1", attempts=0)
    tokens = iter(("first", "second"))
    with Stubber(aws.client("sts")) as stub:
        for token, answer in (("first", keys("OLD", PAST)), ("second", keys("NEW", FAR))):
            expected = {"RoleArn": ROLE, "RoleSessionName": "deploy", "WebIdentityToken": token}
            stub.add_response("assume_role_with_web_identity", answer, expected)
        found = aws.assumed(ROLE, session_name="deploy", token=lambda: next(tokens))
        assert key_of(found) == "ASIAEXAMPLE00NEW"
        assert key_of(found) == "ASIAEXAMPLE00NEW"
        stub.assert_no_pending_responses()
    found.close()
    aws.close()


def test_a_role_that_cannot_be_taken_is_an_error_at_once(aws: Aws) -> None:
    with Stubber(aws.client("sts")) as stub:
        stub.add_client_error("assume_role", "AccessDenied", "Not authorized to perform sts:AssumeRole")
        with pytest.raises(AwsFailed, match=r"could not take the role .*Not authorized"):
            aws.assumed(ROLE, session_name="review")


def test_keys_are_never_shown() -> None:
    assert "secret" not in repr(Credentials(key="key", secret="secret"))


def test_importing_loads_no_boto3() -> None:
    code = (
        "import sys, stackseal.aws.cloudformation, stackseal.plan.change_set;"
        "print(sorted({'boto3', 'botocore', 'jsonschema'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(("keys", "found"), [(KEYS, True), ({}, False), ({"AWS_ACCESS_KEY_ID": "A"}, False)])
def test_whether_there_are_credentials(keys: dict[str, str], found: bool) -> None:
    """The instance is not asked where the environment says so; the connection guard would fail this test."""
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "eu-west-1"}
    assert Aws({**keys, **nowhere}).has_credentials is found


def test_an_unsigned_way_looks_for_no_credentials() -> None:
    anonymous = Aws({"AWS_REGION": "eu-west-1"}).anonymous()
    client = anonymous.client("sts")
    assert client.meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"
    with Stubber(client) as stub:
        expected = {"RoleArn": ROLE, "RoleSessionName": "review", "WebIdentityToken": "jwt.jwt"}
        stub.add_response("assume_role_with_web_identity", keys("ROLE", FAR), expected)
        anonymous.assumed(ROLE, session_name="review", token=lambda: "jwt.jwt").close()
        stub.assert_no_pending_responses()
    anonymous.close()
