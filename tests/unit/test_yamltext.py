"""YAML as we read it: no silent change of a value, no error outside the family, bounded time."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stackseal import assets, yamltext
from stackseal.errors import ConfigError
from stackseal.model import Location

EXAMPLES = sorted((assets.PRODUCTS / "ml/examples").glob("*.yaml"))


def read(text: str | bytes, **options: Any) -> Any:
    raw = text.encode() if isinstance(text, str) else text
    return yamltext.parse(yamltext.decode(raw, "x.yaml"), "x.yaml", **options).data


# --- YAML 1.1's traps ------------------------------------------------------------------------------------------------

KEPT_AS_TEXT = (
    *("NO", "no", "No", "on", "On", "OFF", "yes", "Y", "n", "y"),  # booleans of YAML 1.1
    *("012345670123", "000123456789", "007", "0o17", "0x1F", "0b1010", "1_000", "+12", "-007"),  # numbers of others
    *("12:30:45", "22:22", "190:20:30"),  # base 60
    *("2012-10-17", "2001-12-14t21:59:43.10-05:00", "2001-12-15 2:59:43.10"),  # dates
    *("1e3", "1E5", "6.02e+23", ".5", "1.", "+1.5", ".inf", "-.Inf", ".nan", "1_000.5"),  # floats of others
    *("nULL", "tRUE", "=", "<<"),
    *("1234567890123456789012345", "10.0.0.0", "1.2.3", "1-2", "--1"),
)


@pytest.mark.parametrize("word", KEPT_AS_TEXT)
def test_a_trap_of_yaml_1_1_stays_the_text_that_was_written(word: str) -> None:
    assert read(f"key: {word}\n") == {"key": word}
    assert read(f"[{word}]") == [word]
    assert len(KEPT_AS_TEXT) >= 40


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("0", 0),
        ("-1", -1),
        ("365", 365),
        ("111122223333", 111122223333),
        ("0.5", 0.5),
        ("-12.25", -12.25),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_what_every_reader_agrees_on_is_a_value(word: str, value: object) -> None:
    found = read(f"key: {word}\n")["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("word", ["365", "true", "null", "~", "", "0.5", "NO"])
@pytest.mark.parametrize("form", ['"{}"', "'{}'", "!!str {}", '! "{}"', "|-\n  {}", ">-\n  {}"])
def test_quoted_tagged_and_block_scalars_are_text(word: str, form: str) -> None:
    assert read(f"key: {form.format(word)}\n") == {"key": word}


@pytest.mark.parametrize("key", ["NO", "on", "1", "0x1F", "2012-10-17", "null", "~", "true", "1e3"])
def test_a_key_is_the_text_as_written(key: str) -> None:
    assert read(f"{key}: x\n") == {key: "x"}


@pytest.mark.parametrize("text", ["a: 1\n'a': 2\n", "{a: 1, a: 2}", "a: 1\n? a\n: 2\n", "1: x\n'1': y\n"])
def test_a_duplicate_key_is_refused_in_every_form(text: str) -> None:
    with pytest.raises(ConfigError, match="is there twice"):
        read(text)


# --- places ----------------------------------------------------------------------------------------------------------


def test_every_node_has_its_place() -> None:
    text = "# c\na: 1\nb:\n  - x\n  - {c: 'y', d: [z]}\n  -\n    e: |\n      long\n"
    marks = yamltext.parse(text, "f.yaml").marks
    assert {path: (place.line, place.column) for path, place in marks.items()} == {
        (): (2, 1),
        ("a",): (2, 4),
        ("b",): (3, 1),
        ("b", 0): (4, 5),
        ("b", 1): (5, 5),
        ("b", 1, "c"): (5, 9),
        ("b", 1, "d"): (5, 14),
        ("b", 1, "d", 0): (5, 18),
        ("b", 2): (7, 5),
        ("b", 2, "e"): (7, 8),
    }
    assert {place.path for place in marks.values()} == {"f.yaml"}


# --- limits ----------------------------------------------------------------------------------------------------------


def test_the_limits_are_exact() -> None:
    limits = yamltext.Limits(size=64, depth=3, nodes=5)
    assert yamltext.decode(b"x" * 64, "f", limits) == "x" * 64
    with pytest.raises(ConfigError, match="it has more than 64 bytes"):
        yamltext.decode(b"x" * 65, "f", limits)
    assert yamltext.parse("[[[x]]]", "f", limits=limits).data == [[["x"]]]
    with pytest.raises(ConfigError, match="more than 3 levels"):
        yamltext.parse("[[[[x]]]]", "f", limits=limits)
    assert yamltext.parse("[a, b, c, d]", "f", limits=limits).data == ["a", "b", "c", "d"]
    with pytest.raises(ConfigError, match="more than 5 values"):
        yamltext.parse("[a, b, c, d, e]", "f", limits=limits)


def test_aliases_of_templates_are_counted_when_they_are_used() -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for before, after in zip("abcdefgh", "bcdefghi", strict=True):
        laughs += f"{after}: &{after} [{', '.join(['*' + before] * 10)}]\n"
    started = time.process_time()
    with pytest.raises(ConfigError, match="more than 200,000 values"):
        read(laughs, limits=yamltext.TEMPLATE)
    assert time.process_time() - started < 2


def test_an_anchor_cannot_contain_itself() -> None:
    with pytest.raises(ConfigError, match=r"The alias \*a is unknown"):
        read("a: &a [*a]\n", limits=yamltext.TEMPLATE)


def test_an_alias_in_a_template_is_its_value_again() -> None:
    assert read("a: &x {k: [1]}\nb: *x\n", limits=yamltext.TEMPLATE) == {"a": {"k": [1]}, "b": {"k": [1]}}


# --- CloudFormation's short forms -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("!Sub '${A}'", {"Fn::Sub": "${A}"}),
        ("!Join ['-', [!Ref A, b]]", {"Fn::Join": ["-", [{"Ref": "A"}, "b"]]}),
        ("!If [C, !Ref A, !Ref 'AWS::NoValue']", {"Fn::If": ["C", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]}),
        ("!Condition C", {"Condition": "C"}),
        ("!GetAZs ''", {"Fn::GetAZs": ""}),
        ("!Sub 2012", {"Fn::Sub": "2012"}),
    ],
)
def test_a_short_form_is_its_long_form(text: str, value: object) -> None:
    assert read(f"k: {text}\n", tags=yamltext.CLOUDFORMATION_TAGS) == {"k": value}


# --- nothing but the family of errors ---------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(
    [
        *("a", "b", ": ", ":", "- ", "-", "\n", "\n  ", "\n    ", "\t", " ", "[", "]", "{", "}", ",", "'", '"', "#"),
        *("|", ">", "|-\n", "&a ", "*a", "!x ", "!!int ", "!!python/name:os.system ", "? ", "---\n", "...\n", "%"),
        *("%YAML 1.1\n", "%TAG ! x\n", "<<", "@", "`", "\\", "\\x", "\\u12", "~", "0x", "2012-10-17", "é", "\u2028"),
        *("\x00", "\ufeff", "\r", "\x85", "\ud7ff"),
    ]
)


STEADY = settings(derandomize=True, deadline=None)
"""The same examples every time; we measure the time ourselves, in seconds of the processor."""


def survive(raw: bytes, **options: Any) -> None:
    """It is read or refused with a place and a remedy, quickly."""
    started = time.process_time()
    refusal: ConfigError | None = None
    try:
        read(raw, **options)
    except ConfigError as error:
        refusal = error
    assert time.process_time() - started < 2
    if refusal is not None:
        assert refusal.remedy
        assert refusal.where is not None
        assert refusal.where >= Location(path="x.yaml", line=1, column=1)


@given(st.binary(max_size=400))
@STEADY
@example(b"a: \xff")
@example(b"? ? ? ?")
@example(b"!")
@example(b"%TAG ! tag:x,2000:\n---\n!a b")
def test_random_bytes_never_crash(raw: bytes) -> None:
    survive(raw)


@given(st.lists(FRAGMENTS, max_size=60).map("".join))
@settings(STEADY, max_examples=600)
def test_random_yaml_never_crashes(text: str) -> None:
    survive(text.encode(errors="surrogatepass"))
    survive(text.encode(errors="surrogatepass"), limits=yamltext.TEMPLATE, tags=yamltext.CLOUDFORMATION_TAGS)


@given(st.sampled_from(EXAMPLES), st.randoms(use_true_random=False))
@settings(STEADY, max_examples=300)
def test_mutated_configs_never_crash(example_file: Any, chance: random.Random) -> None:
    raw = bytearray(example_file.read_bytes())
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(raw))
        match chance.randrange(4):
            case 0:
                raw[place] = chance.randrange(256)
            case 1:
                del raw[place : place + chance.randint(1, 20)]
            case 2:
                raw[place:place] = chance.choice([b"{", b"\n", b"&x ", b"*x", b"'", b"  ", b"\t", b": ", b"- "])
            case _:
                raw[place:place] = bytes(raw[chance.randrange(len(raw)) :][: chance.randint(1, 60)])
        if not raw:
            raw = bytearray(b"x")
    survive(bytes(raw))


SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


@given(VALUES)
@STEADY
def test_json_is_read_as_it_is(value: Any) -> None:
    """JSON is YAML: the same data, or a refusal, but never other data."""
    text = json.dumps(value)
    try:
        found = read(text, limits=yamltext.TEMPLATE)
    except ConfigError:
        return
    assert found == value


@given(VALUES)
@STEADY
def test_what_we_dump_we_read_back(value: Any) -> None:
    text = yamltext.dump(value)
    assert yamltext.parse(text, "f", limits=yamltext.TEMPLATE).data == value
    assert yaml.safe_load(text) == value


def test_a_dump_has_no_anchors_and_keeps_the_order() -> None:
    shared = {"k": [1]}
    assert yamltext.dump({"z": shared, "a": shared}) == "z:\n  k:\n  - 1\na:\n  k:\n  - 1\n"


@pytest.mark.parametrize("word", [*KEPT_AS_TEXT, "365", "true", "null", "", "0.5", "-1"])
def test_a_dumped_text_is_a_text_in_every_reader(word: str) -> None:
    """PyYAML reads YAML 1.1; the forms that only YAML 1.2 takes for numbers and `y` and `n` must be quoted too."""
    text = yamltext.dump({"key": word})
    assert yaml.safe_load(text) == {"key": word}
    assert read(text) == {"key": word}
    if word in {"1e3", "1E5", "6.02e+23", "1.", ".5", "0o17", "y", "n", "Y"}:
        assert text == f"key: '{word}'\n"
