"""Templates of one shape: what one with the longest names is told holds for all of them.

Three proofs: over the schemas of cfn-lint (no pattern, word or minimum tells two names apart), over what the engines
say of every text, and (`tests/trust/test_shapes.py`) over the engines' command lines.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stackseal.checks import ENGINES, run_foreign, shape
from stackseal.checks.base import Engine, Engines, Job, Raw
from stackseal.checks.cache import Cache, scanned
from stackseal.checks.scan import plain
from stackseal.errors import Failed
from stackseal.model import Level
from stackseal.workers import Workers
from unit.checks.samples import world
from unit.checks.shapes import EXAMPLES, NAMES, renamed

REGION = "us-west-2"
TEXT = """\
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  TopicName:
    Type: String
    Description: A name.
    Default: techcorp-prod-a001-alerts
  QueueName:
    Type: String
    Default: techcorp-prod-a001-waiting
  Range:
    Type: String
    Default: 10.0.0.0/16
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName:
        Ref: TopicName
      DisplayName:
        Fn::Sub: /ml/${QueueName}/x
"""


def key(text: str) -> str:
    found = shape.of(text)
    assert found is not None
    return found.key


def test_names_do_not_count_and_their_lengths_are_known() -> None:
    found = shape.of(TEXT)
    assert found is not None
    assert found.lengths == (25, 26)
    other = shape.of(TEXT.replace("techcorp-prod", "globalbank-staging"))
    assert other is not None
    assert (other.key, other.lengths) == (found.key, (30, 31))
    assert shape.no_longer(found.lengths, other.lengths)
    assert not shape.no_longer(other.lengths, found.lengths)
    assert not shape.no_longer((1,), (2, 2))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("10.0.0.0/16", "0.0.0.0/0"),
        ("A name.", "Another."),
        ("AWS::SNS::Topic", "AWS::KMS::Key"),
        ("techcorp-prod-a001-alerts", "techcorp-prod-a001-waiting"),  # two names that are the same
        ("techcorp-prod-a001-alerts", "techcorp-prod-alerts-of-all"),  # no digit
        ("techcorp-prod-a001-alerts", "tech-prod-a001"),  # too short
        ("techcorp-prod-a001-alerts", "aws-prod-a001-alerts-of-all"),
        ("techcorp-prod-a001-alerts", "Techcorp-prod-a001-alerts"),
        ("techcorp-prod-a001-alerts", "techcorp--prod-a001-alerts"),
        ("techcorp-prod-a001-alerts", "techcorp-prod-a001-" + "0a" * 20),  # as long as a key
        ("techcorp-prod-a001-alerts", "'{{resolve:ssm:/techcorp-prod-a001-alerts}}'"),
        ("    Type: String\n    Default", "    Type: String\n    AllowedPattern: .*\n    Default"),
        ("      DisplayName:\n", "      Other: techcorp-prod-a001-alerts\n      DisplayName:\n"),
        ("        Ref: TopicName", "        Fn::Select:\n        - 0\n        - - Ref: TopicName"),
        ("${QueueName}/x", "${TopicName}/x"),
    ],
)
def test_what_a_rule_may_judge_counts(old: str, new: str) -> None:
    text = TEXT.replace(old, new)
    assert text != TEXT
    assert (found := shape.of(text)) is None or found.key != key(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Resources: {}\n",
        TEXT.replace("AWS::SNS::Topic", "AWS::SageMaker::EndpointConfig"),  # a type that is not proven
        TEXT.replace("AWS::SNS::Topic", "Custom::Topic"),
        TEXT + "Conditions:\n  Same:\n    Fn::Equals:\n    - Ref: TopicName\n    - a\n",
        TEXT + "Transform: AWS::LanguageExtensions\n",
        TEXT.replace("techcorp-prod-a001-", ""),
    ],
)
def test_other_texts_have_no_shape(text: str) -> None:
    assert shape.of(text) is None


def test_the_one_with_the_longest_names_speaks() -> None:
    def named(key: str, *lengths: int) -> shape.Shape:
        return shape.Shape(key=key, lengths=lengths)

    shapes = {
        1: named("a", 30, 30),
        2: named("a", 31, 30),
        3: named("b", 20),
        4: named("a", 29, 40),
        5: named("a", 9, 9),
    }
    assert shape.spread(shapes) == {1: 2, 2: 2, 3: 3, 4: 4, 5: 4}


# --- the schemas


def schemas() -> Iterator[tuple[str, Any]]:
    """What cfn-lint reads templates of our types with."""
    import cfnlint
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

    for each in sorted(shape.TYPES):
        yield each, PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, each).schema
    folder = Path(cfnlint.__file__).parent / "data" / "schemas"
    for path in sorted([*(folder / "other").rglob("*.json"), *(folder / "extensions").rglob("*.json")]):
        yield path.name, json.loads(path.read_text(encoding="utf-8"))


def nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(child)


CONTEXTS = (
    *("{}", "/ml/{}", "{}-logs", "/aws/codebuild/{}", "alias/{}", "/ml/{}/Url", "{}:*", "https://{}", "s3://{}/a"),
    *("arn:aws:iam::111122223333:role/{}", "arn:aws:s3:::{}/*", "arn:aws:ssm:us-west-2:111122223333:parameter/{}"),
)
"""Texts that are made with a name."""


def test_no_pattern_tells_two_names_apart() -> None:
    """But by their length: what accepts a name accepts every shorter one."""
    import regex

    patterns = {
        node["pattern"] for _, schema in schemas() for node in nodes(schema) if type(node.get("pattern")) is str
    }
    assert len(patterns) > 100
    apart = []
    for pattern in sorted(patterns):
        compiled = regex.compile(pattern)
        for context in CONTEXTS:
            accepted = {name: bool(compiled.search(context.format(name))) for name in NAMES}
            refused = [len(name) for name in NAMES if not accepted[name]]
            taken = [len(name) for name in NAMES if accepted[name]]
            if refused and taken and max(taken) >= min(refused):
                apart.append((pattern, context))
    assert apart == []


def test_no_word_of_a_schema_is_a_name() -> None:
    words = {
        word
        for _, schema in schemas()
        for node in nodes(schema)
        for found in (node.get("enum"), node.get("enumCaseInsensitive"), [node.get("const")])
        for word in (found if isinstance(found, list) else ())
        if isinstance(word, str)
    }
    assert len(words) > 500
    assert [word for word in sorted(words) if shape._name(word)] == []


def test_every_name_is_long_enough() -> None:
    """A minimum above the shortest name belongs to what no name can be."""
    import regex

    short = sorted(NAMES, key=len)[:50]
    wanted = [
        (where, node["minLength"], node.get("pattern"))
        for where, schema in schemas()
        for node in nodes(schema)
        if isinstance(node.get("minLength"), int) and node["minLength"] > shape.LEAST
    ]
    assert [
        found
        for found in wanted
        if not found[2] or any(regex.search(found[2], context.format(name)) for name in short for context in CONTEXTS)
    ] == []


# --- what the engines say


class Counting:
    """An engine that remembers what it reads."""

    def __init__(self, engine: Engine) -> None:
        self.ID, self._engine, self.read = engine.ID, engine, set[str]()

    def identity(self, world: Engines) -> str | None:
        return self._engine.identity(world)

    def settled(self, raws: Sequence[Raw]) -> bool:
        return self._engine.settled(raws)

    def spreads(self, raws: Sequence[Raw]) -> bool:
        return self._engine.spreads(raws)

    def scan(self, jobs: Mapping[str, Job], world: Engines) -> Mapping[str, Sequence[Raw]]:
        self.read |= jobs.keys()
        return self._engine.scan(jobs, world)


@pytest.fixture
def hands() -> Iterator[Workers]:
    with Workers() as found:
        yield found


def jobs_of(names: Sequence[str], sets: int) -> dict[str, Job]:
    """Texts of these examples, each with some sets of values."""
    rng = random.Random(7)  # noqa: S311 - the same values every time
    found: dict[str, Job] = {}
    for name in names:
        for number in range(sets):
            text = plain(renamed(EXAMPLES[name], rng))
            resources = len(re.findall(r"^ {4}Type: ", text.partition("\nResources:\n")[2], re.MULTILINE))
            found[f"{name} {number}"] = Job(text=text, region=REGION, resources=resources, shape=shape.of(text))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["cfn-lint", "checkov"])
def test_what_is_shared_is_what_every_text_is_told(engine: str, tmp_path: Path, hands: Workers) -> None:
    picked = [name for name in sorted(EXAMPLES) if name.endswith(("-standalone-ssm", "-rtb", "n-ml-s3", "web-ssm"))]
    jobs = jobs_of(picked, 5)
    engines = world(tmp_path, engine, hands=hands)
    counting = Counting(ENGINES[engine])
    together = scanned(counting, jobs, engines)
    apart = ENGINES[engine].scan(jobs, engines)
    assert [key for key in jobs if tuple(together[key]) != tuple(apart[key])] == []
    speakers = shape.spread({key: job.shape for key, job in jobs.items() if job.shape})
    silent = {key for key, speaker in speakers.items() if ENGINES[engine].spreads(apart[speaker])}
    shared = {key for key in silent if [speakers[other] for other in silent].count(speakers[key]) > 1}
    assert len(shared) > len(jobs) / 4, "the sources of the others have names of their own, or names are too long"
    assert len(counting.read & shared) < len(shared) / 2


# --- sharing


class Saying(Counting):
    """An engine that says of a text what is asked of it."""

    def __init__(self, says: Mapping[str, Sequence[Raw]], *, spreads: bool = True) -> None:
        self.ID, self.says, self.read, self._spreads = "saying", says, 0, spreads

    def identity(self, world: Engines) -> str | None:
        return "1" if world else None

    def settled(self, raws: Sequence[Raw]) -> bool:
        return all(raw.check != "unsettled" for raw in raws)

    def spreads(self, raws: Sequence[Raw]) -> bool:
        return self._spreads and self.settled(raws)

    def scan(self, jobs: Mapping[str, Job], world: Engines) -> Mapping[str, Sequence[Raw]]:  # noqa: ARG002
        self.read += len(jobs)
        return {key: self.says.get(key, ()) for key in jobs}


def saying(key: str, length: int) -> Job:
    return Job(text=key, region=REGION, resources=1, shape=shape.Shape(key="same", lengths=(length,)))


RAW = Raw(check="C1", level=Level.ERROR, message="m", line=3)


def test_the_longest_is_read_and_the_others_are_told_the_same(tmp_path: Path) -> None:
    engine = Saying({"long": [RAW]})
    found = scanned(engine, {"short": saying("short", 20), "long": saying("long", 30)}, world(tmp_path))
    assert (found["short"], engine.read) == ([RAW], 1)


def test_what_may_be_about_names_is_not_shared(tmp_path: Path) -> None:
    engine = Saying({"long": [RAW]}, spreads=False)
    found = scanned(engine, {"short": saying("short", 20), "long": saying("long", 30)}, world(tmp_path))
    assert (found["short"], found["long"], engine.read) == ((), [RAW], 2)


def test_one_name_that_is_too_long_does_not_cost_a_thousand(tmp_path: Path) -> None:
    """Whoever is told something is read for himself; the first who is told nothing speaks for the shorter ones."""

    class TooLong(Saying):
        def spreads(self, raws: Sequence[Raw]) -> bool:
            return not raws

    jobs = {str(length): saying(str(length), length) for length in range(20, 120)}
    wrong = {str(length): [RAW] for length in range(117, 120)}
    engine = TooLong(wrong)
    found = scanned(engine, jobs, world(tmp_path))
    assert {key: raws for key, raws in found.items() if raws} == wrong
    assert engine.read == 1 + 4
    everyone = {key: [RAW] for key in jobs}
    everywhere = TooLong(everyone)
    assert scanned(everywhere, jobs, world(tmp_path)) == everyone
    assert everywhere.read == len(jobs)


def test_a_shape_is_kept_with_the_lengths_up_to_which_it_holds(tmp_path: Path) -> None:
    engines = world(tmp_path, cache=Cache(folder=tmp_path / "c", writes=True))
    engine = Saying({})
    scanned(engine, {"a": saying("a", 30), "b": saying("b", 20)}, engines)
    scanned(engine, {"c": saying("c", 29)}, engines)
    assert engine.read == 1, "a shorter name is known"
    scanned(engine, {"d": saying("d", 31)}, engines)
    assert engine.read == 2, "a longer one is not"
    assert len(list((tmp_path / "c").rglob("*.json"))) == 1, "one file for the shape"


def test_verifying_reads_every_text_and_finds_a_shape_that_lies(tmp_path: Path) -> None:
    engines = world(tmp_path, cache=Cache(folder=tmp_path / "c", writes=True))
    scanned(Saying({}), {"a": saying("a", 30)}, engines)
    assert engines.cache is not None
    verifying = replace(engines, cache=replace(engines.cache, verifies=True))
    honest = Saying({})
    scanned(honest, {"a": saying("a", 30), "b": saying("b", 20)}, verifying)
    assert honest.read == 2
    with pytest.raises(Failed, match="saying says something else now of 1 of 2"):
        scanned(Saying({"b": [RAW]}), {"a": saying("a", 30), "b": saying("b", 20)}, verifying)


def test_an_unsettled_result_is_neither_kept_nor_shared(tmp_path: Path) -> None:
    engines = world(tmp_path, cache=Cache(folder=tmp_path / "c", writes=True))
    engine = Saying({"a": [replace(RAW, check="unsettled")]})
    scanned(engine, {"a": saying("a", 30), "b": saying("b", 20)}, engines)
    assert engine.read == 2
    assert len(list((tmp_path / "c").rglob("*.json"))) == 1, "only what was said of b"


# --- files


def test_files_of_one_shape_are_read_once_and_keep_their_own_places(tmp_path: Path, hands: Workers) -> None:
    rng = random.Random(3)  # noqa: S311 - the same values every time
    folder = tmp_path / "templates"
    folder.mkdir()
    for number in range(4):
        (folder / f"{number}.yaml").write_text(renamed(EXAMPLES[sorted(EXAMPLES)[-1]], rng), encoding="utf-8")
    bad = (folder / "3.yaml").read_text(encoding="utf-8") + "Extra: 1\n"
    (folder / "bad.yaml").write_text(bad, encoding="utf-8")
    engines = world(tmp_path, "cfn-lint", hands=hands)
    together = run_foreign([folder], world=engines)
    apart = [finding for path in sorted(folder.iterdir()) for finding in run_foreign([path], world=engines)]
    assert list(together) == apart
    assert Counter(Path(finding.where.path).name for finding in together)["bad.yaml"] > 0


def test_a_file_that_is_not_written_as_we_write_speaks_for_itself_only(tmp_path: Path) -> None:
    """An alias hides what a line says from whoever reads lines."""
    hidden = TEXT.replace("A name.", "&a A name.").replace("        Fn::Sub: /ml/${QueueName}/x", "        *a")
    (tmp_path / "a.yaml").write_text(hidden, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(hidden.replace("techcorp", "acme"), encoding="utf-8")
    found = run_foreign([tmp_path], world=world(tmp_path))
    assert {Path(finding.where.path).name for finding in found} in (set(), {"a.yaml", "b.yaml"})
