"""ADD A COMMAND: one file, and its line here. A command's module imports what it needs when it runs."""

from __future__ import annotations

from typing import Final

from stackseal.commands import (
    check,
    create_prov_template,
    doctor,
    init,
    list_products,
    local,
    schema,
    show_product,
    validate_config,
)
from stackseal.commands.base import Command

COMMANDS: Final[dict[str, Command]] = {
    "list-products": list_products,
    "show-product": show_product,
    "validate-config": validate_config,
    "create-prov-template": create_prov_template,
    "check": check,
    "schema": schema,
    "init": init,
    "doctor": doctor,
    "local": local,
}

ACTIONS: Final = tuple(COMMANDS)[:12]
"""The twelve actions of the ML Provisioner (spec A11), also reached by `-con CONFIG -act ACTION`."""
