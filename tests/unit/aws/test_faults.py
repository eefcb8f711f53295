"""Every call under every fault of the network and of AWS: always one of our errors, never a traceback or a success."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import botocore.exceptions as botocore_errors
import pytest
from botocore.awsrequest import AWSResponse

from stackseal.aws.cloudformation import BODY_LIMIT, CloudFormation
from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import Aws
from stackseal.aws.shapes import NewChangeSet, Store
from stackseal.aws.ssm import Parameters
from stackseal.errors import StacksealError, Unknown
from stackseal.model import StackId

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_REGION": "us-west-2"}
STACK = StackId(account="123456789012", region="us-west-2", name="churn")


class Body:
    """What urllib3 would hand over."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self._content

    def read(self, *_: Any, **__: Any) -> bytes:
        return self._content


def answer(status: int, content: str) -> Callable[[], AWSResponse]:
    return lambda: AWSResponse("https://aws", status, {}, Body(content.encode()))


def error(status: int, code: str) -> Callable[[], AWSResponse]:
    xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>said AWS</Message></Error></ErrorResponse>"
    return answer(status, xml)


def failing(exception: Exception) -> Callable[[], AWSResponse]:
    def fail() -> AWSResponse:
        raise exception

    return fail


FAULTS: dict[str, Callable[[], AWSResponse]] = {
    "throttled": error(400, "Throttling"),
    "internal error": error(500, "InternalFailure"),
    "unavailable": error(503, "ServiceUnavailable"),
    "denied": error(403, "AccessDenied"),
    "expired": error(403, "ExpiredToken"),
    "unknown token": error(403, "InvalidClientTokenId"),
    "brand new": error(400, "BrandNewException"),
    "brand new on their side": error(500, "BrandNewServerException"),
    "cut off": answer(200, "<DescribeStacksResponse><DescribeSt"),
    "not XML": answer(200, "<html><body>captive portal</body>"),
    "gateway": answer(502, "<html>Bad Gateway</html>"),
    "no connection": failing(botocore_errors.EndpointConnectionError(endpoint_url="https://aws")),
    "connect timeout": failing(botocore_errors.ConnectTimeoutError(endpoint_url="https://aws")),
    "read timeout": failing(botocore_errors.ReadTimeoutError(endpoint_url="https://aws")),
    "reset": failing(botocore_errors.ConnectionClosedError(endpoint_url="https://aws")),
    "proxy": failing(botocore_errors.ProxyConnectionError(proxy_url="https://proxy")),
    "TLS": failing(botocore_errors.SSLError(endpoint_url="https://aws", error="bad certificate")),
}
NEW = NewChangeSet(stack="churn", name="seal", kind="UPDATE", body="{}", parameters={}, tags={})
LARGE = "x" * (BODY_LIMIT + 1)
CHANGES: dict[str, Callable[[CloudFormation], object]] = {
    "execute": lambda cfn: cfn.execute("arn", token="t"),
    "delete_stack": lambda cfn: cfn.delete_stack("churn"),
    "continue_rollback": lambda cfn: cfn.continue_rollback("churn"),
}
CALLS: dict[str, Callable[[CloudFormation], object]] = {
    **CHANGES,
    "stack": lambda cfn: cfn.stack("churn"),
    "resources": lambda cfn: cfn.resources("churn"),
    "events": lambda cfn: cfn.events("churn"),
    "set_termination_protection": lambda cfn: cfn.set_termination_protection("churn", on=True),
    "validate": lambda cfn: cfn.validate("{}"),
    "template": lambda cfn: cfn.template(stack="churn"),
    "create_change_set": lambda cfn: cfn.create_change_set(NEW),
    "change_set_status": lambda cfn: cfn.change_set_status("arn"),
    "change_set": lambda cfn: cfn.change_set("arn"),
    "objections": lambda cfn: cfn.objections("arn"),
    "list_change_sets": lambda cfn: cfn.list_change_sets("churn"),
    "delete_change_set": lambda cfn: cfn.delete_change_set("arn"),
    "detect_drift": lambda cfn: cfn.detect_drift(STACK, sleep=lambda _: None, clock=lambda: 0.0),
    "upload": lambda cfn: cfn.validate(LARGE, store=Store(bucket="artifacts")),
    "account": lambda cfn: cfn.account,
}


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Aws, list[Callable[[], AWSResponse]]]]:
    """One way to AWS whose every request meets the fault in the list; no repeats, so that nothing waits."""
    aws = Aws(KEYS, attempts=0)
    fault: list[Callable[[], AWSResponse]] = []
    for service in ("cloudformation", "s3", "ssm", "sts"):
        aws.client(service).meta.events.register("before-send", lambda **_: fault[0]())
    yield aws, fault
    aws.close()


@pytest.mark.parametrize(("call", "fault"), list(product(CALLS, FAULTS)))
def test_a_fault_is_one_of_our_errors(
    world: tuple[Aws, list[Callable[[], AWSResponse]]], call: str, fault: str
) -> None:
    aws, slot = world
    slot[:] = [FAULTS[fault]]
    with pytest.raises(StacksealError) as raised:
        CALLS[call](CloudFormation(aws))
    assert "\n" not in str(raised.value)
    lost = fault not in {"throttled", "denied", "expired", "unknown token", "brand new"}
    assert isinstance(raised.value, Unknown if lost and call in CHANGES else AwsFailed)


@pytest.mark.parametrize("fault", FAULTS)
def test_parameters_fail_the_same_way(world: tuple[Aws, list[Callable[[], AWSResponse]]], fault: str) -> None:
    aws, slot = world
    slot[:] = [FAULTS[fault]]
    for call in (lambda: Parameters(aws).get("/a"), lambda: Parameters(aws).below("/a")):
        with pytest.raises(AwsFailed):
            call()
