"""`doctor --prove`: the roles of an account are tried with what they must not do, and must be refused.

Joins `aws`, `policy`, `settings` and `world`. A refusal counts only where IAM said it (AccessDenied): that something is
not there proves nothing. And it counts only beside a call of the same role that was allowed, because a role that may do
nothing yet would be refused everything.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from stackseal import settings
from stackseal.aws import look, trials, twins
from stackseal.errors import StacksealError
from stackseal.policy import trust
from stackseal.world import World

if TYPE_CHECKING:
    from stackseal.aws.session import Aws
    from stackseal.change.preparation import Prepared
    from stackseal.hosts.base import Badge

Row = tuple[str, str, str]
"""What, found, status: `ok`, or what begins with `wrong`, `missing` or `not proven`."""
FORBIDDEN: Final[Mapping[str, tuple[str, ...]]] = {
    "plan": ("ExecuteChangeSet", "UpdateStack", "DeleteStack"),
    # Without the execution role nothing may be deleted, and nothing at all updated directly.
    "deploy": ("UpdateStack", "DeleteStack"),
    "drift": ("CreateChangeSet", "ExecuteChangeSet", "UpdateStack", "DeleteStack"),
    "cleanup": ("CreateChangeSet", "ExecuteChangeSet", "UpdateStack"),
}
"""Verb → operations of CloudFormation that its role must be refused."""
_ALLOWED: Final = "DescribeStacks"
"""What every role may do: with it allowed, a refusal is one."""
_WIDE: Final = "wrong: the role may do it; bring it back with stackseal bootstrap CONFIG, and find out who changed it"


def with_credentials(world: World, prepared: Prepared) -> Iterator[Row]:
    """As an administrator: a twin of each role is made, tried and removed, and the trust of each is read."""
    stack = prepared.stack.id
    aws, names = world.aws(stack.account, stack.region), prepared.template.parameters
    target = _harmless(prepared)
    for verb, operations in FORBIDDEN.items():
        role = names[f"{verb.capitalize()}RoleName"]
        yield _trusted(aws, stack.region, verb, role)
        if target is None:
            why = "not proven: the config names whole stacks only, and a call on one of them could hurt"
            yield from ((_may_not(verb, operation), "-", why) for operation in operations)
        else:
            yield from _tried(world, aws, stack.region, verb, role, target)


def with_identity(world: World, badge: Badge, account: str, region: str) -> Iterator[Row]:
    """As a job that is none of the toolkit's workflows (a fork's, for example): no role may give itself to it."""
    ours, anonymous = settings.load(world.here), world.aws(account, region).anonymous()
    for verb in FORBIDDEN:
        what, arn = f"{verb} refuses this job", ours.roles(verb).get(account)
        if arn is None:
            yield what, "-", f'missing: set accounts."{account}".roles.{verb} in stackseal.yaml'
            continue
        try:
            anonymous.assumed(arn, session_name="stackseal-prove", token=badge.token)
        except StacksealError as error:
            denied = getattr(error, "code", "") == "AccessDenied"
            yield what, "AccessDenied" if denied else "-", "ok" if denied else f"not proven: {error}"
        else:
            yield (
                what,
                arn,
                "wrong: it gives itself to this job; unless this is a workflow of stackseal, narrow its trust",
            )


def _harmless(prepared: Prepared) -> str | None:
    """A name that the roles are meant for and that no stack has; None where only whole names are listed."""
    client: Any = prepared.stack.context["client"]
    section: Any = prepared.stack.context["bootstrap"]
    patterns = section["stacks"] or [f"{client['company_prefix']}-*"]
    open_ended = [pattern for pattern in patterns if pattern.endswith("*")]
    return f"{open_ended[0].removesuffix('*')}proof-{secrets.token_hex(6)}"[:128] if open_ended else None


def _trusted(aws: Aws, region: str, verb: str, role: str) -> Row:
    what = f"{verb} refuses forks and strangers"
    document = look.trust(aws, region, role)
    if document is None:
        return what, "-", f"missing: there is no role {role}"
    wide = trust.too_wide(document)
    return what, "-" if wide else "exact comparisons", f"wrong: {wide}" if wide else "ok"


def _tried(world: World, aws: Aws, region: str, verb: str, role: str, target: str) -> Iterator[Row]:
    operations = FORBIDDEN[verb]
    try:
        with twins.twin(aws, region, role, sleep=world.clock.sleep) as twin:
            if not _awake(world, twin, region, target):
                why = f"not proven: not even {_ALLOWED} is allowed on {target}, so a refusal proves nothing"
                yield from ((_may_not(verb, operation), "-", why) for operation in operations)
                return
            for operation in operations:
                allowed = trials.allowed(twin, region, operation, target)
                found, status = ("allowed", _WIDE) if allowed else ("AccessDenied", "ok")
                yield _may_not(verb, operation), found, status
    except StacksealError as error:
        yield f"{verb} is tried", "-", f"not proven: {error}"


def _awake(world: World, twin: Aws, region: str, target: str) -> bool:
    """Whether the twin's policies are in force: a new role takes some seconds."""
    for turn in range(twins.ATTEMPTS):
        if trials.allowed(twin, region, _ALLOWED, target):
            return True
        if turn + 1 < twins.ATTEMPTS:
            world.clock.sleep(twins.PAUSE)
    return False


def _may_not(verb: str, operation: str) -> str:
    return f"{verb} may not {operation}"
