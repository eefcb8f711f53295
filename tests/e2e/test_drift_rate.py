"""Drift of 200 stacks under an AWS that takes 5 requests a second: none fails, and nothing is called in sync unseen.

The embedded AWS answers about twenty times as fast as AWS, so the limit's clock runs twenty times as fast as ours.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import pytest
from botocore.awsrequest import AWSResponse

from e2e.harness import ACCOUNT, REGION, Bench
from e2e.test_hundred import Body
from stackseal import pipeline
from stackseal.aws.session import Aws
from stackseal.model import DriftStatus, StackId, canonical_json
from stackseal.settings import Settings
from unit.checks.samples import stack

pytestmark = pytest.mark.e2e
COUNT: Final = 200
RATE: Final = 5.0
FASTER: Final = 20.0
TEMPLATE: Final = {"Resources": {"P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "1"}}}}


@dataclass(kw_only=True)
class Limit:
    """A bucket of `RATE` requests that fills again by `RATE` a second; what finds it empty is refused."""

    refused: int = 0
    taken: int = 0
    _left: float = 0.0
    """Empty at first, so that on the slowest machine the limit is met, too."""
    _last: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, **_: Any) -> AWSResponse | None:
        with self._lock:
            now = time.monotonic()
            self._left = min(RATE, self._left + (now - self._last) * FASTER * RATE)
            self._last = now
            if self._left >= 1:
                self._left -= 1
                self.taken += 1
                return None
            self.refused += 1
        text = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        return AWSResponse("https://aws", 400, {}, Body(text.encode()))


class Limited(Aws):
    """A way to AWS whose every CloudFormation client meets the limit."""

    limit: Limit

    def client(self, service: Any, region: str | None = None) -> Any:
        found = super().client(service, region)
        if service == "cloudformation":
            found.meta.events.register("before-send", self.limit.ask, unique_id="limit")
        return found


def test_no_stack_fails_by_being_throttled(bench: Bench) -> None:
    limit = Limit()
    client = bench.client("cloudformation")
    names = [f"stack-{number:03}" for number in range(COUNT)]
    for name in names:
        client.create_stack(StackName=name, TemplateBody=canonical_json(TEMPLATE))
    parameter = client.describe_stack_resource(StackName=names[7], LogicalResourceId="P")
    changed = parameter["StackResourceDetail"]["PhysicalResourceId"]
    bench.client("ssm").put_parameter(Name=changed, Type="String", Value="2", Overwrite=True)

    @cache
    def connect(account: str, region: str) -> Aws:
        way = Limited({**bench.aws.environ(), "AWS_ACCESS_KEY_ID": account}, region=region)
        way.limit = limit
        return way

    world = replace(bench.world, aws=connect)
    stacks = [stack(id=StackId(account=ACCOUNT, region=REGION, name=name)) for name in names]
    found = pipeline.drift(world, stacks, Settings())
    statuses = {drift.stack.name: (drift.status, drift.reason) for drift, _ in found}
    assert statuses.pop(names[7])[0] is DriftStatus.DRIFTED
    assert {status for status, _ in statuses.values()} == {DriftStatus.IN_SYNC}
    assert len(statuses) == COUNT - 1
    assert limit.refused > 0, "the limit was never met"
    assert limit.taken >= 3 * COUNT
