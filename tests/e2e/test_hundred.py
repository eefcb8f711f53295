"""A hundred stacks with dependencies under a throttling AWS: in waves, at the same time, in the right order."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from e2e.harness import ACCOUNT, REGION, Bench
from stackseal import pipeline
from stackseal.aws.session import Aws
from stackseal.catalogue import Resolved
from stackseal.change.concerned import Concerned, concerned
from stackseal.change.preparation import Prepared
from stackseal.change.subjects import Change, Subject
from stackseal.deployment import proving, rollout
from stackseal.deployment.proving import Turn
from stackseal.model import (
    Config,
    Outcome,
    PlanKind,
    Product,
    Report,
    Run,
    SourceMap,
    Stack,
    StackId,
    Template,
    canonical_json,
)
from stackseal.pipeline import Drawn
from stackseal.review import gating, planning
from stackseal.review.planning import Pair
from stackseal.settings import Settings

pytestmark = pytest.mark.e2e
COUNT = 100
SHARE = 0.06
"""How many requests are throttled."""
RUN = Run(host="local", repository="test", commit="a" * 40, base="b" * 40, pull_request=1)
PRODUCT = Product(name="small", title="Small", section="small", root=Path(), template="")


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
    """An AWS that refuses some requests, as it does under load: the caller has to ask again."""

    chance: random.Random
    refused: int = 0
    asked: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, **_: Any) -> AWSResponse | None:
        with self.lock:
            self.asked += 1
            if self.chance.random() >= SHARE:
                return None
            self.refused += 1
        text = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
        return AWSResponse("https://aws", 400, {}, Body(text.encode()))


class Throttled(Aws):
    """A way to AWS whose every CloudFormation client meets the throttle."""

    throttle: Throttle

    def client(self, service: Any, region: str | None = None) -> Any:
        found = super().client(service, region)
        if service == "cloudformation":
            found.meta.events.register("before-send", self.throttle, unique_id="throttle")
        return found


def throttled(bench: Bench, throttle: Throttle) -> Bench:
    @cache
    def connect(account: str, region: str) -> Aws:
        way = Throttled({**bench.aws.environ(), "AWS_ACCESS_KEY_ID": account}, region=region)
        way.throttle = throttle
        return way

    return replace(bench, world=replace(bench.world, aws=connect))


def prepared(number: int, needs: list[int]) -> Prepared:
    """A stack of one parameter, whose value is made of those that it reads."""
    identity = StackId(account=ACCOUNT, region=REGION, name=f"small-{number:03}")
    parameters = {f"P{need}": f"/small/{need}" for need in needs}
    value = {"Fn::Join": ["+", [str(number), *({"Ref": name} for name in parameters)]]} if needs else str(number)
    resource = {"Name": f"/small/{number}", "Type": "String", "Value": value}
    declared = {name: {"Type": "AWS::SSM::Parameter::Value<String>"} for name in parameters}
    body: dict[str, Any] = {"Resources": {"Parameter": {"Type": "AWS::SSM::Parameter", "Properties": resource}}}
    body |= {"Parameters": declared} if declared else {}
    stack = Stack(
        id=identity,
        product=PRODUCT,
        config=Config(path=f"configs/{number}.yaml", data={}, marks={}),
        env="dev",
        slug="",
        scenario="",
        variant="",
        names={},
        context={},
        tags={},
        publishes=(f"/small/{number}",),
        consumes=tuple(parameters.values()),
    )
    source = SourceMap(path="small.yaml", lines=(), rendered={}, template={}, config={})
    template = Template(text=canonical_json(body), body=body, parameters=parameters, source=source, stack=stack)
    return Prepared(resolved=Resolved(stack=stack, warnings=(), origins={}), template=template)


def hundred() -> Mapping[StackId, Prepared]:
    """Ten roots; every other one reads one or two of the earlier ones."""
    chance = random.Random(11)  # noqa: S311 - the same hundred every time
    made = [
        prepared(n, sorted({chance.randrange(max(1, n // 3)) for _ in range(2)}) if n >= 10 else [])
        for n in range(COUNT)
    ]
    return {item.stack.id: item for item in made}


def created(stacks: Mapping[StackId, Prepared]) -> Concerned:
    subjects = tuple(Subject(id=stack, base=None, head=item.resolved) for stack, item in stacks.items())
    change = Change(base="b" * 40, head="a" * 40, settings=Settings(), waivers=(), subjects=subjects, failures=())
    return concerned(change, lambda subject: (None, stacks[subject.id]))


def removed(stacks: Mapping[StackId, Prepared]) -> Concerned:
    subjects = tuple(Subject(id=stack, base=item.resolved, head=None) for stack, item in stacks.items())
    change = Change(base="b" * 40, head="a" * 40, settings=Settings(), waivers=(), subjects=subjects, failures=())
    return concerned(change, lambda subject: (stacks[subject.id], None))


def review(bench: Bench, found: Concerned) -> list[PlanKind]:
    """Every plan sealed, as the plan job does it."""
    sides = [(part, *part.sides) for part in found.parts]
    pairs = tuple(
        Pair(
            id=part.subject.id,
            path=part.subject.path,
            base=old.template if old else None,
            head=new.template if new else None,
            waits=part.waits,
        )
        for part, old, new in sides
    )
    planner = planning.Sealing(world=bench.world)
    kinds: list[PlanKind] = []

    class Kept:
        """The planner, with an eye on what it says."""

        def plan(self, pair: Pair, **more: Any) -> Any:
            made = planner.plan(pair, **more)
            assert made is not None
            kinds.append(made.kind)
            return made

        finish = planner.finish

    drawn = Drawn(report=Report(run=RUN, stacks=()), pairs=pairs)
    report = pipeline.plan(drawn, Kept(), Settings(), bench.world.out.hidden)
    assert not report.failures, report.failures
    return kinds


def deploy(bench: Bench, found: Concerned, order: list[str]) -> list[Outcome]:
    """Every turn, as the deploy job takes them; `order` gets the names in the order in which they ended."""
    approvals = gating.Approvals(bench.world, 1, "b" * 40)
    turns = {
        part.subject.id: Turn(
            world=bench.world,
            subject=part.subject,
            sides=part.sides,
            ours=Settings(),
            approvals=approvals,
            alone=False,
            waits=part.waits,
            wave=part.wave,
        )
        for part in found.parts
    }
    proving.all_proven(list(turns.values()))

    lock, under_way, most = threading.Lock(), [0], [0]

    @dataclass
    class Seen:
        turn: Turn

        def take(self) -> Any:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            done = self.turn.take()
            with lock:
                under_way[0] -= 1
                order.append(done.stack.name)
            assert done.outcome.good, done
            return done

    seen = {stack: Seen(turn) for stack, turn in turns.items()}
    done = rollout.run(proving.waves(turns), seen, bench.world.out.say)
    assert most[0] == rollout.AT_ONCE
    return [deployment.outcome for deployment in done]


@pytest.mark.spec("A61")
def test_a_hundred_stacks_deploy_in_waves_under_throttling_and_go_in_reverse(bench: Bench) -> None:
    stacks = hundred()
    found = created(stacks)
    assert 3 <= len(found.order.waves) <= 8
    kinds = review(bench, found)
    assert (kinds.count(PlanKind.CHANGE_SET), kinds.count(PlanKind.DEFERRED)) == (10, 90)

    throttle = Throttle(chance=random.Random(5))  # noqa: S311 - the same refusals every time
    ended: list[str] = []
    assert deploy(throttled(bench, throttle), found, ended) == [Outcome.CREATED] * COUNT
    assert throttle.refused > 50, (throttle.refused, throttle.asked)
    place = {name: index for index, name in enumerate(ended)}
    waits = [(stack.name, wait.stack.name) for stack, waits in found.order.waits.items() for wait in waits]
    assert len(waits) > COUNT
    assert all(place[other] < place[name] for name, other in waits)
    lines = bench.out.getvalue().splitlines()
    told = [line for line in lines if line.startswith("  ")]
    assert told
    assert all(line.startswith("  small-") for line in told), "a line without its stack, or in pieces"

    gone = removed(stacks)
    review(bench, gone)
    ended.clear()
    assert deploy(bench, gone, ended) == [Outcome.DELETED] * COUNT
    place = {name: index for index, name in enumerate(ended)}
    assert all(place[name] < place[other] for name, other in waits)
    assert bench.client("ssm").get_parameters_by_path(Path="/small")["Parameters"] == []
