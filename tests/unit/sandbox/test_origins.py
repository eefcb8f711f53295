"""Where rendered lines come from, and that a printed value is one whole value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackseal import yamltext
from stackseal.errors import ConfigError
from stackseal.model import JsonPath, Location
from stackseal.sandbox import Bundle, Rendered, Sandbox

WHERE = Location(path="products/x/product.yaml")
CONTEXT: Mapping[str, Any] = {
    "client": {"company_name": "Tech Corp"},
    "x": {"size": 3, "on": True, "name": "n", "list": ["a", "b"], "deep": {"er": "v"}, "none": None},
    "names": {"Bucket": "tech-bucket"},
    "tags": {"owner": "me", "made:by": "us"},
    "size": 3,
    "both": "Tech Corp-n",
    "vpc": {"er": "v"},
}
ORIGINS: Mapping[str, JsonPath] = {
    "size": ("x", "size"),
    "both": ("x", "name"),
    "vpc": ("x", "deep"),
    "names:Bucket": ("x", "name"),
    "tags:made:by": ("x", "on"),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seconds=5) as running:
        yield running


def render(sandbox: Sandbox, body: str, context: Mapping[str, Any] = CONTEXT, **files: str) -> Rendered:
    every = {"t": body, **files}
    bundle = Bundle(files=every, paths={name: f"products/x/{name}" for name in every})
    return sandbox.render(bundle, "t", context, ORIGINS)


def origins(sandbox: Sandbox, body: str, **files: str) -> list[JsonPath | None]:
    return [line.config for line in render(sandbox, body, **files).lines]


# --- config origins --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "origin"),
    [
        ("x.name", ("x", "name")),
        ("x.size", ("x", "size")),
        ("x.on", ("x", "on")),
        ("x.none", ("x", "none")),
        ("x.list", ("x", "list", 0)),
        ("x.list[1]", ("x", "list", 1)),
        ("x.deep.er", ("x", "deep", "er")),
        ("vpc.er", ("x", "deep", "er")),
        ("size", ("x", "size")),
        ("both", ("x", "name")),
        ("names.Bucket", ("x", "name")),
        ("tags.owner", ("tags", "owner")),
        ("tags['made:by']", ("x", "on")),
        ("x.name ~ '-' ~ client.company_name", ("x", "name")),
        ("client.company_name ~ '-' ~ x.name", ("x", "name")),
        ("client.company_name | upper", ("client", "company_name")),
        ("x.size + 1", ("x", "size")),
        ("not x.on", ("x", "on")),
        ("x.deep.er if x.on else x.name", ("x", "deep", "er")),
        ("'a' if x.on else 'b'", ("x", "on")),
        ("x.name.split('-')[0]", ("x", "name")),
        ("x.list | length", ("x", "list")),
        ("'constant'", None),
        ("1", None),
    ],
)
def test_a_printed_value_knows_its_node(expression: str, origin: JsonPath | None, sandbox: Sandbox) -> None:
    assert origins(sandbox, f"k: {{{{ ({expression}) | tojson }}}}") == [origin]


@pytest.mark.parametrize(
    ("expression", "origin"),
    [
        ("x.deep.er", ("x", "deep", "er")),
        ("x.deep if x.on else {}", ("x", "deep")),
        ("({}) if (x.on) else none", ("x", "on")),
        ("client.company_name ~ x.name", ("x", "name")),
        ("x.on and x.deep.er == 'v'", ("x", "deep", "er")),
        ("x.name.split('-')", ("x", "name")),
        ("1 + 1", None),
    ],
)
def test_an_expression_depends_on_its_deepest_node(expression: str, origin: JsonPath | None, sandbox: Sandbox) -> None:
    assert sandbox.evaluate([("k", expression)], CONTEXT, where=WHERE).origins.get("k") == origin


def test_a_variable_passes_its_origin_on(sandbox: Sandbox) -> None:
    expressions = [("first", "x.deep"), ("second", "first.er ~ '!'"), ("names:A", "(second) if (x.on) else none")]
    found = sandbox.evaluate(expressions, CONTEXT, where=WHERE)
    assert found.values["names:A"] == "v!"
    assert found.origins == {"first": ("x", "deep"), "second": ("x", "deep", "er"), "names:A": ("x", "deep", "er")}


def test_lines_of_branches_and_loops_belong_to_their_condition(sandbox: Sandbox) -> None:
    body = (
        "a: 1\n"
        "{% if x.on %}\n"
        "b: 1\n"
        "c: {{ x.name | tojson }}\n"
        "{% if not client.company_name %}\nno: 1\n{% else %}\n"
        "d: 1\n"
        "{% endif %}\n"
        "e: 1\n"
        "{% endif %}\n"
        "{% for item in x.list %}\n"
        "- {{ item | tojson }}\n"
        "- 1\n"
        "{% endfor %}\n"
        "f: 1\n"
    )
    found = render(sandbox, body)
    assert found.text == 'a: 1\nb: 1\nc: "n"\nd: 1\ne: 1\n- "a"\n- 1\n- "b"\n- 1\nf: 1\n'
    on: JsonPath = ("x", "on")
    assert [line.config for line in found.lines] == [
        *(None, on, ("x", "name"), ("client", "company_name"), on),
        *(("x", "list", 0), ("x", "list"), ("x", "list", 1), ("x", "list")),
        *(None, None),
    ]


# --- template lines --------------------------------------------------------------------------------------------------


def test_lines_of_macros_and_includes_are_those_of_their_files(sandbox: Sandbox) -> None:
    body = (
        '{% from "macros" import pair, wrapped %}\n'
        "top: 1\n"
        "{{ pair('one') }}\n"
        '{% include "part" %}\n'
        "{% call wrapped() %}\n"
        "inner: {{ x.name | tojson }}\n"
        "{% endcall %}\n"
        "end: 1\n"
    )
    macros = (
        "{# a comment\nof two lines #}\n"
        "{% macro pair(key) -%}\n{{ key | tojson }}: 1\n{{ (key ~ 2) | tojson }}: {{ x_size() }}\n{%- endmacro %}\n"
        "{% macro x_size() %}{{ 3 | tojson }}{% endmacro %}\n"
        "{% macro wrapped() %}\nbegin: 1\n{{ caller() }}\n{% endmacro %}\n"
    )
    found = render(sandbox, body, macros=macros, part="from: part\nlast: {{ x.size | tojson }}\n")
    lines = [
        (text, str(line.template).removeprefix("products/x/").removesuffix(":1"))
        for text, line in zip(found.text.split("\n"), found.lines, strict=True)
        if text
    ]
    assert lines == [
        ("top: 1", "t:2"),
        ('"one": 1', "macros:4"),
        ('"one2": 3', "macros:5"),
        ("from: part", "part:1"),
        ("last: 3", "part:2"),
        ("begin: 1", "macros:9"),
        ('inner: "n"', "t:6"),
        ("end: 1", "t:8"),
    ]


@pytest.mark.parametrize(
    ("body", "line", "says"),
    [
        ("a: 1\nb: {{ x.name }}\n", 2, "a value is printed without `| tojson`"),
        ("a: 1\n\nb: {{ x.size }}\n", 3, "a value is printed without `| tojson`"),
        ("b: {{ (x.name | tojson) ~ x.name }}\n", 1, "a value is printed without `| tojson`"),
        ("b: {{ x.name | tojson | replace('n', 'm') }}\n", 1, "a value is printed without `| tojson`"),
        ("{% set y = x.name | tojson %}\nb: {{ y }}\n", 2, "a value is printed without `| tojson`"),
        ("a: 1\nb: {{ ('' | tojson).join([x.name]) }}\n", 2, "a value is printed without `| tojson`"),
        ("b: {{ ('{}' | tojson).format(x.name) }}\n", 1, "a value is printed without `| tojson`"),
        ("{% set f = (1 | tojson).join %}\nb: {{ f([x.name]) }}\n", 2, "a value is printed without `| tojson`"),
        ("{% filter upper %}b{% endfilter %}\n", 1, "a filter around a block"),
        ("a: 1\nb: {{ y | tojson }}\n", 2, "'y' is undefined"),
        ("a: 1\nb: {{ x.nme | tojson }}\n", 2, "has no attribute 'nme'"),
        ("{{ x.name | default('a') | tojson }}\n", 1, "No filter named 'default'"),
        ("{{ x.name | safe | tojson }}\n", 1, "No filter named 'safe'"),
        ("a: 1\n{% if x %}\n", 2, "Unexpected end of template"),
        ("a: 1\n{% include 'absent' %}\n", 2, "absent"),
        ("a: 1\n{% include 'part' %}\n", 2, "'y' is undefined"),
    ],
)
def test_what_cannot_be_rendered_is_refused_at_its_line(body: str, line: int, says: str, sandbox: Sandbox) -> None:
    with pytest.raises(ConfigError) as caught:
        render(sandbox, body, part="ok: 1\nbad: {{ y | tojson }}\n")
    file = "part" if "'part'" in body else "t"
    assert str(caught.value.where) == f"products/x/{file}:{line}:1"
    assert says in str(caught.value)


def test_text_that_a_block_captured_prints_without_marks(sandbox: Sandbox) -> None:
    found = render(sandbox, "{% set y %}\na {{ x.name | tojson }}\nb\n{% endset %}\nk: {{ y | tojson }}\n")
    assert found.text == 'k: "a \\"n\\"\\nb\\n"\n'


# --- one whole value -------------------------------------------------------------------------------------------------


def torn(sandbox: Sandbox, body: str, value: Any = "v") -> int | None:
    found = render(sandbox, body, {**CONTEXT, "x": {"name": value}})
    return yamltext.torn(found.text, found.values)


@pytest.mark.parametrize(
    "body",
    [
        "k: {{ x.name | tojson }}",
        "{{ x.name | tojson }}: 1",
        "- {{ x.name | tojson }}",
        "[{{ x.name | tojson }}, {{ x.name | tojson }}]",
        "{k: {{ x.name | tojson }}}",
        "k: !Sub {{ x.name | tojson }}",
        "k: !Sub [{{ x.name | tojson }}, {a: {{ [x.name] | tojson }}}]",
        "k: {{ {'a': x.name} | tojson }}",
        "# a comment {{ x.name | tojson }}\nk: 1",
        "k: |\n  text {{ x.name | tojson }} text\n  more\nl: {{ x.name | tojson }}",
        "k: >-\n  {{ x.name | tojson }}\n",
        "k:\n  {{ x.name | tojson }}\n",
        "é: {{ x.name | tojson }}",
        "k: 'a' # {{ x.name | tojson }}",
    ],
)
def test_a_whole_value_may_stand_where_a_value_stands(body: str, sandbox: Sandbox) -> None:
    assert torn(sandbox, body) is None


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("k: '{{ x.name | tojson }}'", "v"),
        ("k: a-{{ x.name | tojson }}", "v"),
        ("k: a\n  {{ x.name | tojson }}", "v"),
        ("[1,\n\n'{{ x.name | tojson }}']", "', {Action: '*'}, '"),
        ('k: ["{{ x.name | tojson }}"]', ", {a: b}, "),
        ("k: {a: x{{ x.name | tojson }}}", "v, Policies: [p], q: x"),
        ("k: x{{ [x.name] | tojson }}", "v"),
    ],
)
def test_a_value_inside_quotes_or_text_is_torn(body: str, value: str, sandbox: Sandbox) -> None:
    line = torn(sandbox, body, value)
    assert line == body[: body.index("{{")].count("\n") + 1


NASTY = (
    "x\n  Policies:\n    - Action: '*'",
    "{{7*7}}",
    "{% include '/etc/passwd' %}",
    ": #",
    "- a",
    "'",
    '"',
    "\\",
    "\\u0000",
    "`",
    "&a",
    "*a",
    "!Ref A",
    "%YAML",
    "---",
    "...",
    "|",
    ">",
    "? a",
    "{a: b}",
    "[a]",
    "null",
    "~",
    "NO",
    "1e3",
    "0x1F",
    "2012-10-17",
    "<<",
    "${AWS::AccountId}",
    "</script><script>alert(1)</script>",
    "Ω≈ç√∫",
    "田中さんにあげて下さい",
    "😍",
    "\U0010fffd",
    "a\tb",
    "\r\n",
    "\x85",
    "\u2028",
    "\ufeff",
    "\u202eabc",
    "\ue000t:1\ue003",
    "\x1b[31m",
    "\x00",
    "a" * 500,
    "",
    " ",
)
BODY = (
    "key: {{ x.name | tojson }}\n"
    "list:\n  - {{ x.name | tojson }}\n"
    "{{ x.name | tojson }}: {inner: {{ x.name | tojson }}, also: [{{ [x.name] | tojson }}]}\n"
    "sub: !Sub {{ x.name | tojson }}\n"
    "end: 1\n"
)


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_no_value_becomes_structure(value: str, sandbox: Sandbox) -> None:
    same_structure(sandbox, value)


@given(value=st.text())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_no_text_becomes_structure(value: str) -> None:
    same_structure(_shared(), value)


def same_structure(sandbox: Sandbox, value: str) -> None:
    if value in {"key", "list", "sub", "end"}:
        return
    found = render(sandbox, BODY, {"x": {"name": value}})
    data = yamltext.parse(found.text, "t", limits=yamltext.TEMPLATE, tags=yamltext.CLOUDFORMATION_TAGS).data
    inner = {"inner": value, "also": [[value]]}
    assert data == {"key": value, "list": [value], value: inner, "sub": {"Fn::Sub": value}, "end": 1}
    assert yamltext.torn(found.text, found.values) is None


_KEPT: list[Sandbox] = []


def _shared() -> Sandbox:
    """One child for all examples: hypothesis does not mix with fixtures of a function."""
    if not _KEPT:
        _KEPT.append(Sandbox(seconds=5))
    return _KEPT[0]


def teardown_module() -> None:
    for sandbox in _KEPT:
        sandbox.close()


PLACES = (
    *("k: @", "k: a@", "k: '@'", 'k: "@"', "k: [@]", "k: [a@]", "k: [@a]", "k: {@: a}", "k: {a: @}", "k: {a: b@}"),
    *("- @", "- - @", "k: >\n  @", "k: |\n  @", "k:\n  a @", "k: !Sub @", "k: !Sub a@", "k: &x @", "? @\n: b", "@: a"),
    *("a@: b", "k: @ # c", "# @\nk: 1", "k: @x", "k: @: x", "k: [@ , @]", "k: a #@", "k: a # @", "k: 'a' '@'"),
    *("k: [a, @: b]", "k: [[@]]", "k: - @", "k:@", "k: -@", "k: !@", "k: *@", "k: &@ a", "k: |@\n  a", "--- @"),
)
BREAKERS = (
    *(", P: q, r: ", "', P: q, r: '", '", P: q, r: "', "x", "]", "}, z: {", "# ", "\n", "a: b", "], [", "|", "0"),
    *("', {A: b}, '", ", {A: b}, ", " , P: [p], q: x", "\n  Policies:", "*", "{{7*7}}"),
)


@pytest.mark.parametrize("place", PLACES)
def test_no_place_of_a_template_lets_a_value_become_structure(place: str, sandbox: Sandbox) -> None:
    """Wherever a template prints a value: it is refused, or every value gives the same structure."""
    body = place.replace("@", "{{ x.name | tojson }}")
    shapes = set()
    for value in BREAKERS:
        try:
            found = render(sandbox, body, {"x": {"name": value}})
            data = yamltext.parse(found.text, "t", limits=yamltext.TEMPLATE, tags=yamltext.CLOUDFORMATION_TAGS).data
        except ConfigError:
            continue
        if yamltext.torn(found.text, found.values) is None:
            once = json.dumps(value)
            shapes.add(json.dumps(data).replace(json.dumps(once)[1:-1], "VALUE").replace(once, '"VALUE"'))
    assert len(shapes) <= 1
    if place in {"k: @", "k: [@]", "k: {a: @}", "@: a", "k: !Sub @"}:
        assert len(shapes) == 1, "a place for values refuses all of them"
