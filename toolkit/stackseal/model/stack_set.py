"""What a product for an organisation adds to a stack: in which accounts and regions, and how its stacks are made."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from stackseal.model.base import Json

STACK_SET: Final = "AWS::CloudFormation::StackSet"
"""The type under which a plan lists what changes of the set itself."""
STACK_INSTANCE: Final = "stack in an account"
"""What a plan lists for each account and region; no CloudFormation type."""
ADMINISTRATION_ROLE: Final = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION_ROLE: Final = "AWSCloudFormationStackSetExecutionRole"
"""The names that CloudFormation takes where nobody gives others (User Guide, "Grant self-managed permissions")."""


class Permissions(enum.Enum):
    """With whose roles the stacks are made; the values are CloudFormation's."""

    SELF_MANAGED = "SELF_MANAGED"
    """Roles that the accounts' owners make; accounts by list, or by organizational units that the review resolves."""
    SERVICE_MANAGED = "SERVICE_MANAGED"
    """AWS Organizations makes them; organizational units."""


@dataclass(frozen=True, kw_only=True, order=True)
class Target:
    """One account and region in which a stack of the set is, or will be."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


@dataclass(frozen=True, kw_only=True)
class StackSet:
    """What the section `stack_set` of a config says."""

    permissions: Permissions
    regions: tuple[str, ...]
    """In the order in which they go."""
    accounts: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    """Organizational units, those in them included."""
    execution_role: str = EXECUTION_ROLE
    """The name of the role in each account that makes the stack; SELF_MANAGED only."""
    preferences: Mapping[str, int | str] = field(default_factory=dict)
    """CloudFormation's operation preferences under its own names, without the order of the regions."""
    auto_deployment: bool = False
    """Whether an account that joins a unit gets its stacks by itself, without a review."""
    retain_on_removal: bool = False
    """Whether the stacks of an account that leaves stay."""
    delegated: bool = False
    """Whether the administrator is a delegated one, and not the organisation's management account."""

    @property
    def self_managed(self) -> bool:
        return self.permissions is Permissions.SELF_MANAGED

    def document(self) -> dict[str, Json]:
        """What is sealed of it."""
        return {
            "accounts": sorted(self.accounts),
            "auto_deployment": self.auto_deployment,
            "delegated": self.delegated,
            "execution_role": self.execution_role if self.self_managed else None,
            "permissions": self.permissions.value,
            "preferences": dict(sorted(self.preferences.items())),
            "regions": list(self.regions),
            "retain_on_removal": self.retain_on_removal,
            "units": sorted(self.units),
        }


def targets(accounts: Iterable[str], regions: Iterable[str]) -> frozenset[Target]:
    """Every account in every region."""
    listed = tuple(regions)
    return frozenset(Target(account=account, region=region) for account in accounts for region in listed)


@dataclass(frozen=True, kw_only=True)
class Group:
    """Targets that one call can name: every one of the accounts in every one of the regions."""

    accounts: tuple[str, ...]
    regions: tuple[str, ...]

    @property
    def targets(self) -> frozenset[Target]:
        return targets(self.accounts, self.regions)


def groups(wanted: Iterable[Target], order: Sequence[str] = ()) -> tuple[Group, ...]:
    """The fewest calls that name exactly these targets: accounts with the same regions go together.

    `order` is the order of the regions; those that it does not name come after, sorted.
    """
    regions: dict[str, set[str]] = {}
    for target in wanted:
        regions.setdefault(target.account, set()).add(target.region)
    together: dict[tuple[str, ...], list[str]] = {}
    for account in sorted(regions):
        place = sorted(regions[account], key=lambda name: (order.index(name) if name in order else len(order), name))
        together.setdefault(tuple(place), []).append(account)
    return tuple(Group(accounts=tuple(together[key]), regions=key) for key in sorted(together))


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call of a deployment of a stack set, and the targets that it names."""

    kind: Literal["create", "update", "add", "remove", "delete"]
    group: Group | None = None
    """None for the set itself, and for the update of a set without stacks."""
