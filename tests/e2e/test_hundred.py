"""A hundred configs of an organisation's own product under a throttling AWS: in waves, at the same time, in order.

Everything goes the whole way: configs in Git, the product of the repository, the review of a pull request, its merge.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import pytest
from botocore.awsrequest import AWSResponse

from e2e.harness import ACCOUNT, Bench
from stackseal.aws.session import Aws
from stackseal.deployment import rollout
from stackseal.model import Outcome, PlanKind, Report

pytestmark = pytest.mark.e2e
COUNT = 100
SHARE = 0.06
"""How many requests are throttled."""
PRODUCT: Final = """\
name: step
title: Step
section: step
variants: [plain]
schema:
  description: A parameter whose value is made of those of other steps.
  type: object
  required: [number]
  additionalProperties: false
  properties:
    number: {description: Which step it is., type: integer, minimum: 0, maximum: 999}
    reads:
      description: The steps that it reads.
      type: array
      default: []
      maxItems: 2
      items: {type: integer, minimum: 0, maximum: 999}
variables:
  stem: client.company_prefix ~ '-step-' ~ step.number
slug: stem
stack: stem ~ suffix
scenario: "''"
variant: "'plain'"
file_name:
  - {token: stem, value: stem}
resources:
  - {variant: plain, when: 'true', count: 1}
publishes:
  - {path: "'/step/' ~ step.number ~ suffix"}
consumes:
  - {path: "'/step/' ~ step.reads[0]", when: step.reads | length > 0}
  - {path: "'/step/' ~ step.reads[1]", when: step.reads | length > 1}
"""
TEMPLATE: Final = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: {{ stem | tojson }}
{% if step.reads %}
Parameters:
{% for number in step.reads %}
  {{ ("Step" ~ number) | tojson }}:
    Type: AWS::SSM::Parameter::Value<String>
    Default: {{ ("/step/" ~ number) | tojson }}
{% endfor %}
{% endif %}
Resources:
  Step:
    Type: AWS::SSM::Parameter
    Properties:
      Name: {{ ("/step/" ~ step.number ~ suffix) | tojson }}
      Type: String
{% if step.reads %}
      Value: !Join
        - "+"
        - - {{ step.number | string | tojson }}
{% for number in step.reads %}
          - !Ref {{ ("Step" ~ number) | tojson }}
{% endfor %}
{% else %}
      Value: {{ step.number | string | tojson }}
{% endif %}
      Tags: {{ tags | tojson }}
"""
CONFIG: Final = """\
client: {{company_name: Acme, company_prefix: acme, account_id: "{account}", tenant_id: "a001"}}
environment: {{env: dev, region: us-west-2}}
step: {{number: {number}, reads: {reads}}}
tags: {{owner: ml-platform-team}}
"""


class Body:
    """What urllib3 would hand over."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._content

    def read(self, *_: Any, **__: Any) -> bytes:
        return self._content


@dataclass(kw_only=True)
class Throttle:
    """An AWS that refuses some requests, as it does under load, and a note of what began and ended when."""

    chance: random.Random
    refused: int = 0
    asked: int = 0
    most: int = 0
    """The most stacks that CloudFormation was at work on at once."""
    hands: dict[str, int] = field(default_factory=dict)
    """Stack → the thread that began it."""
    seen: list[tuple[str, str]] = field(default_factory=list)
    """`begin` or `end` and the stack's name, in order."""
    _stacks: dict[str, str] = field(default_factory=dict)
    _under_way: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, client: Any) -> None:
        events = client.meta.events
        events.register("before-send", self._refuse, unique_id="refuse")
        events.register("before-parameter-build", self._begin, unique_id="begin")
        events.register("after-call", self._end, unique_id="end")

    def _refuse(self, **_: Any) -> AWSResponse | None:
        with self._lock:
            self.asked += 1
            if self.chance.random() >= SHARE:
                return None
            self.refused += 1
        text = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        return AWSResponse("https://aws", 400, {}, Body(text.encode()))

    def _begin(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        with self._lock:
            if model.name == "ExecuteChangeSet":
                self._note("begin", self._stacks[params["ChangeSetName"]])
            elif model.name == "DeleteStack":
                self._note("begin", params["StackName"])

    def _end(self, parsed: Mapping[str, Any], model: Any, **_: Any) -> None:
        with self._lock:
            if model.name == "DescribeChangeSet" and "ChangeSetId" in parsed:
                self._stacks[parsed["ChangeSetId"]] = parsed["StackName"]
            elif model.name == "DescribeStacks":
                for stack in parsed.get("Stacks", ()):
                    if stack["StackName"] in self._under_way and stack["StackStatus"].endswith("_COMPLETE"):
                        self._note("end", stack["StackName"])

    def _note(self, what: str, stack: str) -> None:
        name = stack.split("/")[1] if stack.startswith("arn:") else stack
        (self._under_way.add if what == "begin" else self._under_way.discard)(name)
        self.most = max(self.most, len(self._under_way))
        self.hands.setdefault(name, threading.get_ident())
        self.seen.append((what, name))


class Throttled(Aws):
    """A way to AWS whose every CloudFormation client meets the throttle."""

    throttle: Throttle

    def client(self, service: Any, region: str | None = None) -> Any:
        found = super().client(service, region)
        if service == "cloudformation":
            self.throttle.watch(found)
        return found


def throttled(bench: Bench, throttle: Throttle) -> Bench:
    @cache
    def connect(account: str, region: str) -> Aws:
        way = Throttled({**bench.aws.environ(), "AWS_ACCESS_KEY_ID": account}, region=region)
        way.throttle = throttle
        return way

    return replace(bench, world=replace(bench.world, aws=connect))


def hundred() -> dict[int, list[int]]:
    """Ten roots; every other one reads one or two of the earlier ones."""
    chance = random.Random(11)  # noqa: S311 - the same hundred every time
    return {
        number: sorted({chance.randrange(max(1, number // 3)) for _ in range(2)}) if number >= 10 else []
        for number in range(COUNT)
    }


@pytest.fixture
def house(bench: Bench) -> Bench:
    """A repository whose main branch has the product and no config yet."""
    folder = bench.folder / "products" / "step"
    folder.mkdir(parents=True)
    (folder / "product.yaml").write_text(PRODUCT, encoding="utf-8")
    (folder / "template.yaml.j2").write_text(TEMPLATE, encoding="utf-8")
    (bench.folder / "stackseal.yaml").write_text(
        "version: 1\nconfigs: configs\ncatalogue: products\n", encoding="utf-8"
    )
    bench.commit("Add our product")
    return bench


def proposed(bench: Bench, number: int) -> Report:
    """The review of a pull request with everything that was written."""
    bench.git("switch", "--quiet", "--create", f"pr-{number}")
    bench.commit("Change")
    report = bench.review(number)
    assert report.failures == ()
    return report


def merged(bench: Bench, number: int, throttle: Throttle) -> list[Outcome]:
    """What the merge did, with AWS behind a throttle."""
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")
    return [done.outcome for done in throttled(bench, throttle).deploy(number)]


def kinds(report: Report) -> tuple[int, int]:
    """How many plans have a change set, and how many wait for what others publish."""
    found = [stack.plan.kind for stack in report.stacks if stack.plan]
    return found.count(PlanKind.CHANGE_SET), found.count(PlanKind.DEFERRED)


@pytest.mark.spec("A61")
def test_a_hundred_configs_deploy_in_waves_under_throttling_and_go_in_reverse(house: Bench) -> None:
    reads = hundred()
    for number, others in reads.items():
        house.write(CONFIG.format(account=ACCOUNT, number=number, reads=others), f"acme-step-{number}.yaml")
    report = proposed(house, 1)
    assert 3 <= max(stack.wave for stack in report.stacks) <= 8
    assert kinds(report) == (10, 90)

    throttle = Throttle(chance=random.Random(5))  # noqa: S311 - the same refusals every time
    assert merged(house, 1, throttle) == [Outcome.CREATED] * COUNT
    assert throttle.refused > 50, (throttle.refused, throttle.asked)
    largest = max(range(1, 9), key=[stack.wave for stack in report.stacks].count)
    hands = {throttle.hands[stack.id.name] for stack in report.stacks if stack.wave == largest}
    assert len(hands) == rollout.AT_ONCE
    assert 1 < throttle.most <= rollout.AT_ONCE
    place = {each: index for index, each in enumerate(throttle.seen)}
    waits = [(f"acme-step-{one}", f"acme-step-{other}") for one, others in reads.items() for other in others]
    assert len(waits) > COUNT
    assert all(place["end", other] < place["begin", one] for one, other in waits)
    values = {number: value(house, number) for number in (0, COUNT - 1)}
    assert values == {number: expected(reads, number) for number in values}
    told = [line for line in house.out.getvalue().splitlines() if line.startswith("  ")]
    assert told
    assert all(line.startswith("  acme-step-") for line in told), "a line without its stack, or in pieces"

    for number in reads:
        (house.folder / "configs" / f"acme-step-{number}.yaml").unlink()
    assert kinds(proposed(house, 2)) == (COUNT, 0)
    throttle = Throttle(chance=random.Random(7))  # noqa: S311 - the same refusals every time
    assert merged(house, 2, throttle) == [Outcome.DELETED] * COUNT
    place = {each: index for index, each in enumerate(throttle.seen)}
    assert all(place["end", one] < place["begin", other] for one, other in waits)
    assert house.client("ssm").get_parameters_by_path(Path="/step")["Parameters"] == []


def value(bench: Bench, number: int) -> str:
    return str(bench.client("ssm").get_parameter(Name=f"/step/{number}")["Parameter"]["Value"])


def expected(reads: Mapping[int, list[int]], number: int) -> str:
    """The value of a step: its number and the values of those that it reads."""
    return "+".join([str(number), *(expected(reads, other) for other in reads[number])])
