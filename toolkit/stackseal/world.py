"""The outside, passed in: the environment, the clock, AWS, the runner, the forge, the places where files go."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stackseal.errors import Refused
from stackseal.hosts.base import Badge, Forge, Runner
from stackseal.model import Stack, StackId
from stackseal.output import Output

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.aws.session import Aws
    from stackseal.aws.stack_sets import StackSets
    from stackseal.sandbox import Sandbox
    from stackseal.workers import Workers


EMBEDDED: Final = "STACKSEAL_EMBEDDED_AWS"
"""Set in the environment that points at the embedded AWS."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The time of day, a clock that only goes forward, and a way to wait."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @property
    def today(self) -> date:
        return self.now().date()


def impatient(longest: float = 0.05) -> Clock:
    """A clock for the embedded AWS, which answers at once: no wait is longer than this many seconds."""
    return Clock(sleep=lambda seconds: time.sleep(min(seconds, longest)))


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that a command may touch besides its arguments; built once, in `cli`."""

    env: Mapping[str, str]
    here: Path
    """The working directory: the repository's top folder, where `stackseal.yaml` lies."""
    root: Path
    """The working root: `configs/ templates/ policies/ reports/ docs/` and the local seals."""
    cache: Path
    out: Output
    sandbox: Sandbox
    aws: Callable[[str, str], Aws]
    """The way to AWS in an account and region; calling it is the first thing that needs boto3."""
    runner: Runner
    forge: Forge
    clock: Clock = field(default_factory=Clock)
    badge: Badge | None = None
    """Who this job is to AWS; None where it has no identity of its own and the credentials that are there count."""
    json: bool = False
    """Whether results are printed as JSON."""
    confirm: Callable[[str], bool] | None = None
    """Ask the person; None where nobody can answer."""
    engines: tuple[str, ...] = ("cfn-lint", "checkov")
    """What checks templates besides our own checks."""
    workers: Workers | None = None
    """Where engines run; None where each use has its own."""
    caching: bool = False
    """Whether findings of earlier runs count, which lie below `cache`."""
    edition: str | None = None
    """The only tier that this installation serves."""

    def cloudformation(self, stack: StackId) -> CloudFormation:
        """CloudFormation where a stack lives.

        Raises Refused when the credentials belong to another account.
        """
        from stackseal.aws.cloudformation import CloudFormation

        cfn = CloudFormation(self.aws(stack.account, stack.region), stack.region)
        if cfn.account != stack.account:
            raise Refused(
                f"The stack {stack.name} cannot be reached",
                why=f"the credentials belong to the account {cfn.account} and the config says {stack.account}",
                remedy="use credentials of the config's account, or correct account_id",
            )
        return cfn

    def stack_sets(self, stack: Stack) -> StackSets:
        """StackSets where a stack set lives.

        Raises Refused when the credentials belong to another account.
        """
        from stackseal.aws.stack_sets import StackSets

        self.cloudformation(stack.id)
        delegated = stack.stack_set is not None and stack.stack_set.delegated
        return StackSets(self.aws(stack.id.account, stack.id.region), stack.id.region, delegated=delegated)


def connector(env: Mapping[str, str]) -> Callable[[str, str], Aws]:
    """The way to AWS by account and region, made once each.

    The embedded AWS takes any account's id for its access key; on AWS the credentials decide, and `World` compares.
    """

    @cache
    def connect(account: str, region: str) -> Aws:
        from stackseal.aws.session import Aws

        mine = {**env, "AWS_ACCESS_KEY_ID": account} if env.get(EMBEDDED) and account else env
        return Aws(mine, region=region)

    return connect
