"""No template can print what no encoder saw."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError, nodes

from stackseal import assets
from stackseal.report import words
from stackseal.report.encode import Safe

TEMPLATES = sorted(path.relative_to(assets.REPORTS).as_posix() for path in assets.REPORTS.rglob("*.j2"))


@pytest.mark.parametrize("value", ["text", 1.5, True, None, ["a"], b"x"])
def test_a_raw_value_is_refused(value: object) -> None:
    template = words.environment().from_string("{{ value }}")
    with pytest.raises(TypeError, match="without an encoder"):
        template.render(value=value)


@pytest.mark.parametrize(
    "source",
    ["{{ 'literal' }}", "{{ a ~ b }}", "{{ a + b }}", "{% set x %}t{% endset %}{{ x }}", "{{ a if n else b }}"],
)
def test_joining_safe_texts_or_writing_a_literal_does_not_help(source: str) -> None:
    with pytest.raises(TypeError, match="without an encoder"):
        words.environment().from_string(source).render(a=Safe("x"), b="y", n=0)


@pytest.mark.parametrize("value", [Safe("x"), 0, 12])
def test_encoded_texts_and_whole_numbers_are_printed(value: object) -> None:
    assert words.environment().from_string("{{ value }}").render(value=value) == str(value)


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        words.environment().from_string("{{ nothing }}").render()


@pytest.mark.parametrize("name", ["safe", "escape", "e", "tojson", "format", "join", "upper", "default", "urlize"])
def test_the_filters_of_jinja_are_gone(name: str) -> None:
    assert name not in words.environment().filters


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_parses_and_uses_no_concatenation(name: str) -> None:
    environment = words.environment()
    tree = environment.parse((assets.REPORTS / name).read_text(encoding="utf-8"))
    assert not list(tree.find_all((nodes.Concat, nodes.MarkSafe)))
    assert {node.name for node in tree.find_all(nodes.Filter)} <= set(words.FILTERS)


def test_every_template_is_used_by_another_or_by_a_module() -> None:
    sources = [path.read_text(encoding="utf-8") for path in assets.REPORTS.rglob("*.j2")]
    sources += [path.read_text(encoding="utf-8") for path in Path(words.__file__).parent.glob("*.py")]
    unused = [name for name in TEMPLATES if not any(f'"{name}"' in source for source in sources)]
    assert unused == []


def test_words_for_numbers() -> None:
    assert words.plural(1, "stack") == "1 stack"
    assert words.plural(0, "stack") == "0 stacks"
    assert words.plural(1200, "finding blocks", "findings block") == "1,200 findings block"
    assert words.plural_only(1, "is", "are") == "is"
    assert words.short("4f2a9c1d7be03586") == "4f2a9c1d7be0"
    assert words.short("<script>") == "c"
    assert words.short("") == "unknown"
