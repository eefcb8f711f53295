"""Which accounts and regions a call means, as its permission model allows to say it (API: DeploymentTargets)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stackseal.local.cloudformation.stack_sets.given import texts
from stackseal.local.cloudformation.stack_sets.store import StackSet
from stackseal.local.messages import Place, ServiceError

Targets = dict[Place, str]
"""Place → the organizational unit that brings it, empty for an account that was named."""


def targets(found: StackSet, given: Mapping[str, Any], members: Callable[[str], list[str]]) -> Targets:
    """The places that a call names, region by region; `members` are the accounts below an organizational unit."""
    deployment = given.get("DeploymentTargets") or {}
    regions, named = texts(given.get("Regions")), texts(given.get("Accounts"))
    if found.self_managed:
        if texts(deployment.get("OrganizationalUnitIds")):
            raise _invalid("StackSets with SELF_MANAGED permission model can only have accounts as target")
        accounts = dict.fromkeys(named or texts(deployment.get("Accounts")), "")
    else:
        if named:
            raise _invalid("StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target")
        accounts = _of_units(deployment, members)
    if not accounts or not regions:
        raise _invalid("Accounts or OrganizationalUnitIds, and Regions, must be given")
    return {Place(account=account, region=region): accounts[account] for region in regions for account in accounts}


def _of_units(deployment: Mapping[str, Any], members: Callable[[str], list[str]]) -> dict[str, str]:
    units, named = texts(deployment.get("OrganizationalUnitIds")), set(texts(deployment.get("Accounts")))
    if not units:
        raise _invalid("OrganizationalUnitIds are required")
    kind = deployment.get("AccountFilterType", "NONE")
    below = {account: unit for unit in units for account in members(unit)}
    if kind == "INTERSECTION":
        return {account: unit for account, unit in below.items() if account in named}
    if kind == "DIFFERENCE":
        return {account: unit for account, unit in below.items() if account not in named}
    return below


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)
