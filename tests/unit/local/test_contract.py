"""What we use of ministack's inside exists, and is used in one module only."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
from pathlib import Path

import pytest

import stackseal.local
from stackseal.local import ministack

HERE = Path(stackseal.local.__file__).parent


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, names in ministack.SYMBOLS.items() for n in names])
def test_every_symbol_exists(module: str, name: str) -> None:
    assert hasattr(ministack.module(module), name), f"ministack changed: {module}.{name} is gone"


def test_the_versions_are_the_ones_it_was_written_for() -> None:
    assert importlib.metadata.version("ministack") == "1.5.33"
    assert importlib.metadata.version("moto") == "5.2.5"


def test_the_hooks_are_called_as_we_expect() -> None:
    create, update, delete = ministack.originals()
    assert list(inspect.signature(create).parameters) == ["resource_type", "logical_id", "props", "stack_name"]
    assert list(inspect.signature(update).parameters) == [
        "resource_type",
        "physical_id",
        "old_props",
        "new_props",
        "stack_name",
        "logical_id",
        "old_attrs",
    ]
    assert list(inspect.signature(delete).parameters) == [
        "resource_type",
        "physical_id",
        "props",
        "stack_name",
        "logical_id",
    ]


def test_only_one_place_knows_each_emulator() -> None:
    found = {}
    for path in sorted(HERE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                if name.split(".")[0] in {"ministack", "moto"}:
                    found.setdefault(name.split(".")[0], set()).add(path.name)
        if path.parent.name != "ministack":
            assert '"ministack.' not in path.read_text(), path
    assert found == {"moto": {"moto.py"}}


def test_the_table_of_requests_knows_nothing_of_the_policies_that_it_judges() -> None:
    for path in (*sorted((HERE / "requests").glob("*.py")), HERE / "needs.py", HERE / "enforcement.py"):
        text = path.read_text()
        assert "import stackseal.policy" not in text
        assert "from stackseal.policy" not in text
        assert "stackseal.facts" not in text
        assert "import facts" not in text
        assert "cfnlint" not in text
