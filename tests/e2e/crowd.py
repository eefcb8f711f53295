"""Many pull requests that plan on one stack: stage 6 of the real pipeline, with the smallest template that there is."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from e2e.harness import ACCOUNT, REGION, Bench
from stackseal import pipeline
from stackseal.aws.cloudformation import CloudFormation
from stackseal.hosts.base import Pull
from stackseal.model import Report, Run, SourceMap, StackId, Template, canonical_json, sha256
from stackseal.pipeline import Drawn
from stackseal.review import planning
from stackseal.review.planning import Pair
from stackseal.settings import Settings
from stackseal.upkeep import cleanup

STACK = StackId(account=ACCOUNT, region=REGION, name="crowded-stack")
OPEN = 4
"""How many pull requests are open at once."""
HEADS = 11
"""How often each is pushed to."""


def template(value: str) -> Template:
    """One SSM parameter with this value."""
    resource = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/crowd", "Type": "String", "Value": value}}
    body: dict[str, Any] = {"Resources": {"Parameter": resource}}
    source = SourceMap(path="templates/crowd.yaml", lines=(), rendered={}, template={}, config={})
    return Template(text=canonical_json(body), body=body, parameters={}, source=source)


def commit(number: int, head: int) -> str:
    return sha256(f"{number} {head}")[:40]


@dataclass(kw_only=True)
class Crowd:
    """The stack, its reviews, and what was seen of its change sets after each of them."""

    bench: Bench
    most: int = 0
    """The most change sets that were kept at once."""
    reviews: int = 0
    wrong: list[str] = field(default_factory=list)
    foreign: set[str] = field(default_factory=set)
    """Change sets that no review made."""
    ours: Settings = field(default_factory=Settings)

    @property
    def cfn(self) -> CloudFormation:
        return self.bench.world.cloudformation(STACK)

    def review(self, number: int | None, head: str, value: str | Template) -> Report:
        self.reviews += 1
        wanted = template(value) if isinstance(value, str) else value
        return self._planned(number, head, Pair(id=STACK, path="configs/crowd.yaml", base=None, head=wanted))

    def removal(self, number: int, head: str) -> Report:
        """The review of a pull request that removes the stack's config."""
        pair = Pair(id=STACK, path="configs/crowd.yaml", base=template("first"), head=None)
        return self._planned(number, head, pair)

    def _planned(self, number: int | None, head: str, pair: Pair) -> Report:
        world = self.bench.world
        run = Run(host="local", repository="test", commit=head, base="0" * 40, pull_request=number)
        drawn = Drawn(report=Report(run=run, stacks=()), pairs=(pair,))
        return pipeline.plan(drawn, planning.Sealing(world=world), self.ours, world.out.hidden)

    def kept(self) -> list[str]:
        """The names of change sets that wait, of reviews and of others."""
        return [ref.name for ref in self.cfn.list_change_sets(STACK.name) if cleanup.removable(ref)]

    def pushed(self, number: int, head: int, open_: set[int]) -> None:
        """A push to a pull request: afterwards it has one change set, and every other open one still has its own."""
        found = self.review(number, commit(number, head), f"{number}-{head}")
        if found.failures:
            self.wrong.append(f"{number}, {head}: {found.failures}")
        kept = self.kept()
        self.most = max(self.most, len(kept) - len(self.foreign & set(kept)))
        mine = [name for name in kept if name.startswith(f"seal-pr{number}-")]
        if [name.split("-")[2] for name in mine] != [commit(number, head)[:7]]:
            self.wrong.append(f"{number}, {head}: keeps {mine}")
        others = {int(name.split("-")[1][2:]) for name in kept if name not in self.foreign} - {number}
        if others != open_ - {number}:
            self.wrong.append(f"{number}, {head}: of the open {sorted(open_)} only {sorted(others)} are left")
        if not self.foreign <= set(kept):
            self.wrong.append(f"{number}, {head}: a foreign change set is gone")

    def closed(self, number: int) -> None:
        """The pull request is closed without a merge, and its clean-up runs."""
        pull = Pull(number=number, open=False)
        cleanup.tidy(self.cfn, STACK, cleanup.of_pull(pull.number))

    def run(self, reviews: int, seed: int) -> None:
        """So many reviews of as many pull requests as it takes, the open ones in an order that the seed chooses."""
        chance = random.Random(seed)  # noqa: S311 - an order, not a secret
        numbers = iter(range(1, -(-reviews // HEADS) + 1))
        heads: dict[int, int] = {}
        while self.reviews < reviews:
            heads.update(dict.fromkeys(_some(numbers, OPEN - len(heads)), 0))
            number = chance.choice(sorted(heads))
            self.pushed(number, heads[number], {other for other, done in heads.items() if done})
            heads[number] += 1
            if heads[number] == HEADS:
                self.closed(number)
                del heads[number]
        for number in heads:
            self.closed(number)


def _some(numbers: Iterator[int], count: int) -> list[int]:
    return [number for _, number in zip(range(count), numbers, strict=False)]


def deployed(bench: Bench) -> None:
    """The stack stands, deployed by hand, and somebody has a change set of his own on it."""
    client = bench.client("cloudformation")
    client.create_stack(StackName=STACK.name, TemplateBody=template("first").canonical)
    while client.describe_stacks(StackName=STACK.name)["Stacks"][0]["StackStatus"] != "CREATE_COMPLETE":
        time.sleep(0.01)
    client.create_change_set(StackName=STACK.name, ChangeSetName="by-hand", TemplateBody=template("hand").canonical)
