"""Changes that the bill will show: what is billed and how big it is, no prices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import yaml

from stackseal import assets
from stackseal.report.diff import property_name
from stackseal.report.view.effects import ChangeRow, Effect


@dataclass(frozen=True, kw_only=True)
class CostRow:
    """A change of a billable type: what is billed, and the sizes that matter before and after."""

    logical_id: str
    type: str
    billed: str
    effect: Effect
    sizes: tuple[tuple[str, str, str], ...]


@cache
def billable() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Type → (what is billed, the properties that set the size), from `templates/reports/billing.yaml`."""
    data = yaml.safe_load((assets.REPORTS / "billing.yaml").read_text(encoding="utf-8"))
    return {name: (row["billed"], tuple(row.get("sizes", ()))) for name, row in data.items()}


def costs(changes: Iterable[ChangeRow]) -> Iterator[CostRow]:
    for row in changes:
        known = billable().get(row.change.type)
        if known is None:
            continue
        billed, properties = known
        sizes = tuple(
            (property_name(item.path), item.before or "", item.after or "")
            for item in row.change.properties
            if item.path.replace(".", "/").rsplit("/", 1)[-1] in properties
        )
        if sizes or row.effect in {Effect.ADD, Effect.REMOVE}:
            yield CostRow(logical_id=row.path, type=row.change.type, billed=billed, effect=row.effect, sizes=sizes)
