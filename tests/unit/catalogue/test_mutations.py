"""Configs with one thing changed: accepted as a whole, or refused at a line that the person wrote; never a crash."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackseal import config
from stackseal.catalogue import Catalogue
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.sandbox import Sandbox
from unit.render.samples import EXAMPLES

DATA = [yaml.safe_load(path.read_text()) for path in EXAMPLES]
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Co", "Zl", "Zp"]), max_size=70),
    st.sampled_from(
        ["NO", "on", "1e3", "2012-10-17", "a" * 300, "../..", "{{7*7}}", "x\n  y: z", "", " ", "-", "prod\n"]
    ),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.sampled_from(["tier", "a", "", "1", "aws:x"]), st.text(max_size=3), max_size=2),
)
CACHED: list[tuple[Catalogue, Sandbox]] = []


@pytest.fixture(scope="module", autouse=True)
def shared() -> Iterator[None]:
    """One child for all examples."""
    with Sandbox() as sandbox:
        CACHED.append((Catalogue.load(), sandbox))
        yield
    CACHED.clear()


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from nodes(item, (*path, key))


def mutated(data: Any, path: tuple[Any, ...], how: str, value: Any) -> Any:
    data = copy.deepcopy(data)
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    if how == "replace":
        parent[path[-1]] = value
    elif how == "remove":
        del parent[path[-1]]
    elif isinstance(parent, list):
        parent.append(value)
    else:
        parent[f"{path[-1]}x"] = value
    return data


@given(st.data())
@settings(derandomize=True, deadline=None, max_examples=400, suppress_health_check=list(HealthCheck))
def test_a_mutated_config_is_accepted_or_refused_at_a_line(draw: st.DataObject) -> None:
    data = draw.draw(st.sampled_from(DATA))
    path = draw.draw(st.sampled_from(list(nodes(data))))
    how = draw.draw(st.sampled_from(["replace", "replace", "remove", "add"]))
    text = yaml.safe_dump(mutated(data, path, how, draw.draw(VALUES)), sort_keys=False, allow_unicode=True)
    products, sandbox = CACHED[0]
    errors: tuple[ConfigError, ...] = ()
    try:
        stack = products.resolve(config.parse(text.encode(), "x.yaml"), sandbox).stack
    except ConfigErrors as several:
        errors = several.errors
    except ConfigError as error:
        errors = (error,)
    else:
        assert stack.id.account.isdecimal()
        assert all(len(name.value) <= name.limit for name in stack.names.values())
    lines = text.count("\n") + 1
    for error in errors:
        assert error.where is not None
        assert error.where.path == "x.yaml", "an author of configs cannot mend the product"
        assert 1 <= error.where.line <= lines
        assert error.what
        assert error.remedy
    assert len({(str(error), error.where) for error in errors}) == len(errors), "one error is told twice"
