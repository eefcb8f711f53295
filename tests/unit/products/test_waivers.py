"""What products answer for themselves: with `hardening` only what AWS makes unavoidable, and all in a page.

That nothing else is found is what the tests of each product say; here it is what they may leave out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from stackseal import assets, yamltext
from unit.products.cases import rendered, resolved

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = ROOT / "docs" / "how-to" / "waive-a-finding.md"
EXAMPLES: Final = tuple(sorted(assets.PRODUCTS.glob("*/examples/*.yaml")))
AVOIDABLE: Final = {("ml", "CKV_AWS_18", "ArtifactsBucket")}
"""What `hardening: true` takes away."""


def config(path: Path) -> dict[str, Any]:
    found = yamltext.parse(path.read_text(encoding="utf-8"), path.name).data
    assert isinstance(found, dict)
    return found


@cache
def waived(path: Path, *, hardening: bool) -> set[tuple[str, str, str]]:
    """Product, check and resource of what an example's product answers for."""
    data = config(path)
    if hardening:
        data["ml_product"] = {**data["ml_product"], "hardening": True}
    stack = rendered(resolved(data, path.name)).stack
    assert stack is not None
    return {(stack.product.name, waiver.check, waiver.resource) for waiver in stack.product.waivers}


def listed() -> Iterator[tuple[str, str, str]]:
    """The rows of the page's table."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"\| `([\w-]+)` \| `([\w-]+)` \| `(\w+)` \|", line):
            yield found[1], found[2], found[3]


@pytest.mark.spec("A28")
def test_the_page_lists_every_waiver_of_a_product_and_no_other() -> None:
    rows = list(listed())
    assert len(rows) == len(set(rows))
    hardened = (waived(path, hardening=True) for path in EXAMPLES if path.parts[-3] == "ml")
    plain = (waived(path, hardening=False) for path in EXAMPLES)
    assert set(rows) == set().union(*plain, *hardened), f"say it in {PAGE.relative_to(ROOT)}"


@pytest.mark.spec("A28")
@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.parts[-3] == "ml"], ids=lambda path: path.stem)
def test_hardening_leaves_the_log_of_the_logs_only(path: Path) -> None:
    assert waived(path, hardening=False) == AVOIDABLE
    assert waived(path, hardening=True) == {("ml", "CKV_AWS_18", "AccessLogsBucket")}


def test_no_other_product_has_a_switch_that_this_test_does_not_turn() -> None:
    products = {path.parent.name: config(path) for path in assets.PRODUCTS.glob("*/product.yaml")}
    assert [name for name, found in products.items() if "hardening" in found["schema"]["properties"]] == ["ml"]
