"""Which role a command takes in an account: the job's identity and the settings' role for a verb, or what AWS knows.

Joins `world`, `settings` and `aws`. In a job that has an identity of its own (GitHub: `id-token: write`) every account
is entered by the role that the settings name for the verb. A build of CodeBuild takes such a role by its service role,
and works with the service role where none is named; elsewhere the credentials count that are there. The settings are
the caller's to choose: pipelines hand in those of the base branch.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from stackseal.errors import Refused, StacksealError, UsageError
from stackseal.hosts.base import Badge
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.aws.session import Aws
    from stackseal.settings import Settings

Verb = Literal["plan", "deploy", "drift", "cleanup"]
_KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_NAME: Final = 64
"""Characters of a session's name that STS takes."""
_SEE: Final = "see docs/how-to/bootstrap.md"


def acting(world: World, verb: Verb, ours: Settings, *, pull_request: int | None = None) -> World:
    """The same world, whose way to AWS is by the role that the settings name for the verb in each account.

    Nothing is asked of anybody before the first way is used. What the settings hide is written nowhere from now on.
    """
    world.out.hide(ours.redact)
    roles, badge = ours.roles(verb), world.badge
    if badge is None:
        return replace(world, aws=_ambient(world, verb, roles))
    return replace(world, aws=_Taking(world, badge, verb, roles, session_name(verb, pull_request, badge.run)))


def session_name(verb: str, pull_request: int | None, run: str) -> str:
    """What CloudTrail shows of a session: `stackseal-plan-pr7-123456789-1`, 64 characters at most."""
    parts = ("stackseal", verb, f"pr{pull_request}" if pull_request else "", run)
    return re.sub(r"[^A-Za-z0-9+=,.@_-]", "-", "-".join(part for part in parts if part))[:_NAME]


def _ambient(world: World, verb: str, roles: Mapping[str, str]) -> Callable[[str, str], Aws]:
    """The credentials that are there; what is missing in a job that could have had an identity is said."""

    def connect(account: str, region: str) -> Aws:
        found = world.aws(account, region)
        if account in roles and world.runner.identifies and not found.has_credentials:
            raise Refused(
                f"The {verb} role of the account {account} cannot be taken",
                why="the job has no identity: its permissions lack `id-token: write`, or a fork started it",
                remedy="grant the permission `id-token: write` to the job and to the job that calls its workflow",
            )
        return found

    return connect


class _Taking:
    """Takes each account's role once for each region, with tokens of the job; the credentials renew themselves."""

    def __init__(self, world: World, badge: Badge, verb: str, roles: Mapping[str, str], name: str) -> None:
        self._world, self._badge, self._verb, self._roles, self._name = world, badge, verb, roles, name
        self._known: dict[tuple[str, str], Aws] = {}
        self._guard = threading.Lock()

    def __call__(self, account: str, region: str) -> Aws:
        account = account or self._sole()
        with self._guard:
            if (account, region) not in self._known:
                self._known[account, region] = self._connect(account, region)
            return self._known[account, region]

    def _connect(self, account: str, region: str) -> Aws:
        ambient = self._world.aws(account, region)
        if self._badge.token is None and account not in self._roles:  # a build's own service role
            return ambient
        if not account:
            raise UsageError(
                f"Nobody knows in which account to take the {self._verb} role",
                why=f"the settings name {len(self._roles)} of them",
                remedy="name the account",
            )
        arn = self._roles.get(account)
        if arn is None:
            if all(self._world.env.get(key) for key in _KEYS):  # a step before this one has chosen them
                return ambient
            raise UsageError(
                f"There is no {self._verb} role for the account {account}",
                why="the settings of the base branch name none",
                remedy=f'set accounts."{account}".roles.{self._verb} in stackseal.yaml; {_SEE}',
            )
        self._world.out.say(f"Taking the role {arn} as {self._name}", "debug")
        return _taken(ambient, arn, self._name, self._badge, self._world.clock.now)

    def _sole(self) -> str:
        """The account that is meant where none is named, so that its role is taken once; empty where nobody knows."""
        return next(iter(self._roles)) if self._badge.token is not None and len(self._roles) == 1 else ""


def _taken(ambient: Aws, arn: str, name: str, badge: Badge, now: Callable[[], datetime]) -> Aws:
    """The role's own way to AWS; STS's refusal says what to compare."""
    start = ambient if badge.token is None else ambient.anonymous()
    try:
        return start.assumed(arn, session_name=name, token=badge.token, now=now)
    except StacksealError as error:
        if getattr(error, "code", "") not in {"AccessDenied", "InvalidIdentityToken"}:
            raise
        raise Refused(
            f"The role {arn} cannot be taken",
            why=f"AWS does not trust this job with it ({error.why})",
            remedy="compare the role's trust policy with the table in docs/how-to/bootstrap.md: repository, event or "
            "environment, called workflow and its version; on CodeBuild the service role",
        ) from error
