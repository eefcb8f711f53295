"""The resources of a template, as far as they are resources: what is wrong with the others is for the checks to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def resources(body: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Logical id → resource, without entries that are no mapping."""
    found: Any = body.get("Resources")
    items = found.items() if isinstance(found, Mapping) else ()
    return {str(name): raw for name, raw in items if isinstance(raw, Mapping)}
