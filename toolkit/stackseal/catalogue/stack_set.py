"""The section `stack_set` of a config, which products with `scope: organization` have, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from stackseal.catalogue.product import ProductFile
from stackseal.errors import ConfigError
from stackseal.model import Config, Json, Permissions, StackSet, partition_of

SECTION: Final = "stack_set"
_PREFERENCES: Final = {
    "max_concurrent_count": "MaxConcurrentCount",
    "max_concurrent_percentage": "MaxConcurrentPercentage",
    "failure_tolerance_count": "FailureToleranceCount",
    "failure_tolerance_percentage": "FailureTolerancePercentage",
    "region_concurrency": "RegionConcurrencyType",
    "concurrency_mode": "ConcurrencyMode",
}
"""Our keys and the names of the API (StackSetOperationPreferences)."""


def stack_set(config: Config, product: ProductFile, context: Mapping[str, Json], *, test: bool) -> StackSet | None:
    """Where the stacks of the config's product go; None for a product of one account, and for a test stack.

    Raises ConfigError for regions of several partitions.
    """
    if not product.everywhere or test:
        return None
    section = cast("Mapping[str, Any]", context[SECTION])
    home = cast("Mapping[str, Any]", context["environment"])["region"]
    for index, region in enumerate(section["regions"]):
        if partition_of(region) != partition_of(home):
            raise ConfigError(
                f"{SECTION}.regions.{index} is not valid",
                why=f"{region} and {home}, the stack set's own region, are of different partitions",
                remedy="write a config for each partition",
                where=config.at(SECTION, "regions", index),
            )
    given = cast("Mapping[str, Any]", section["operation"])
    return StackSet(
        permissions=Permissions(section["permissions"]),
        regions=tuple(section["regions"]),
        accounts=tuple(section.get("accounts", ())),
        units=tuple(section.get("organizational_units", ())),
        execution_role=section["execution_role"],
        preferences={name: given[key] for key, name in _PREFERENCES.items() if key in given},
        auto_deployment=section["auto_deployment"],
        retain_on_removal=section["retain_on_account_removal"],
        delegated=section["delegated_administrator"],
    )
