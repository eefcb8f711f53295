"""Requests made from a policy's own grants, and the same of somebody else: another name, account, region or service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from stackseal.model import Policy, Statement
from unit.policy.judge import by_action
from unit.policy.samples import allows

ELSEWHERE = {"account": "999999999999", "region": "eu-west-1", "service": "braket.amazonaws.com"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, with the condition keys that come with it."""

    action: str
    resource: str
    region: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)


def own(found: Policy, region: str) -> Iterator[Asked]:
    """A request for everything that the policy allows, as its conditions want it; `*` in a name stands for one."""
    for statement in found.statements:
        if statement.effect == "Allow":
            for action in statement.actions:
                for resource in statement.resources:
                    named = resource if resource == "*" else resource.replace("*", "x1").replace("?", "y")
                    yield Asked(action=action, resource=named, region=region, context=_wanted(statement))


def _wanted(statement: Statement) -> dict[str, str]:
    return {
        key: values[0].replace("*", "x1")
        for entries in statement.conditions.values()
        for key, values in entries.items()
        if key.lower() != "aws:requestedregion"
    }


def strangers(asked: Asked, names: Mapping[str, str], account: str) -> Iterator[tuple[str, Asked]]:
    """What differs, and the request. `names` are beginnings of this stack's names and what another has in their place.

    A request that says nothing of an account or a region has no stranger of that kind; a whole service's calls do only
    where they go to a region.
    """
    arn, there = asked.resource, ELSEWHERE
    renamed = arn
    for old, new in names.items():
        renamed = renamed.replace(old, new)
    if renamed != arn:
        yield "name", replace(asked, resource=renamed)
    if account in arn:
        yield "account", replace(asked, resource=arn.replace(account, there["account"]))
    if f":{asked.region}:" in arn:
        moved = arn.replace(f":{asked.region}:", f":{there['region']}:")
        yield "region", replace(asked, resource=moved, region=there["region"])
    if "iam:PassedToService" in asked.context:
        yield "service", replace(asked, context={**asked.context, "iam:PassedToService": there["service"]})


class Judge:
    """Answers many requests about one policy."""

    def __init__(self, found: Policy) -> None:
        self._parts = by_action(found)
        self._nothing = Policy(role=found.role, statements=())

    def allows(self, asked: Asked) -> bool:
        context = {"aws:RequestedRegion": asked.region, **asked.context}
        keys = {key.replace(":", "_", 1): value for key, value in context.items()}
        part = self._parts.get(asked.action, self._nothing)
        return allows(part, asked.action, asked.resource, **keys)
