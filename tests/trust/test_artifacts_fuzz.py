"""What crosses between jobs, mutated: it is what we would have written, or it is refused in one sentence."""

from __future__ import annotations

import copy
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from e2e.conftest import bench, embedded  # noqa: F401 - fixtures
from e2e.harness import Bench, example
from stackseal import pipeline
from stackseal.errors import ConfigError, StacksealError
from stackseal.model import canonical_json
from stackseal.report import html, markdown
from stackseal.report import json as report_json
from stackseal.review import bundle
from trust.corpora import texts
from trust.figures import SEED, Count
from unit.report import samples

COUNT: Final = 2500
Path_ = tuple[Any, ...]
_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 1.5, 1e308, 10**30, 2**63, "", " ", "x", "1", "true", "null", [], {}, [[]], [None]),
    *("../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "https://evil.example/x", "\x00", "\ud800", "\u202e"),
    *("{{resolve:secretsmanager:x}}", "${{ secrets.X }}", "a" * 10_000, {"a": {"b": {"c": []}}}, ["a"] * 100),
)
_RAW: Final = ("", "[", "{", "nul", "NaN", "[1e999]", "\ufeff{}", "{}{}", '{"version":1,"version":1}', "[" * 5000)


def nodes(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from nodes(item, (*path, key))


def mutated(data: Any, paths: list[Path_], chance: random.Random) -> str:
    """One mutation of the data as text: a value, a key, an item, or the text itself."""
    kind = chance.randrange(8)
    if kind == 7:
        text = json.dumps(data)
        cut = chance.randrange(len(text))
        return chance.choice((text[:cut], text[:cut] + chance.choice('{}[],:"\\0x') + text[cut:], chance.choice(_RAW)))
    data = copy.deepcopy(data)
    for path in chance.sample(paths, chance.choice((1, 1, 1, 2))):
        node = data
        for step in path[:-1]:
            node = node[step] if isinstance(node, dict | list) and _has(node, step) else None
        if isinstance(node, dict | list) and path and _has(node, path[-1]):
            _change(node, path[-1], kind, chance)
    return json.dumps(data)


def _has(node: Any, step: Any) -> bool:
    return step in node if isinstance(node, dict) else isinstance(step, int) and step < len(node)


def _change(node: Any, key: Any, kind: int, chance: random.Random) -> None:
    if kind == 0:
        del node[key]
    elif kind == 1 and isinstance(node, dict):
        node[chance.choice(("extra", "__class__", "version ", str(key).upper()))] = chance.choice(_VALUES)
    elif kind == 2 and isinstance(node, list):
        node.insert(key, copy.deepcopy(node[key]))
    elif kind == 3 and isinstance(node[key], str):
        node[key] += chance.choice(texts())
    else:
        node[key] = chance.choice((*_VALUES, chance.choice(texts())))


def wrong(text: str, use: Callable[[str], str]) -> str:
    """What is wrong with how a text was taken; empty where it came back the same or was refused in a sentence."""
    try:
        again = use(text)
    except ConfigError as error:
        said = str(error)
        return "" if said and "\n" not in said and len(said) < 1000 else f"says {said!r}"
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        return f"{type(error).__name__}: {error} of {text[:80]!r}"
    return "" if canonical_json(json.loads(again)) == canonical_json(json.loads(text)) else f"changed {text[:80]!r}"


def through_bundle(text: str) -> str:
    """Read, unpacked as the plan job does, written again."""
    found = bundle.loads(text)
    pipeline.unbundled(text)
    return bundle.dumps(found)


def through_report(text: str) -> str:
    """Read, rendered as the publish job does, written again. What is not redacted yet was not written by us."""
    report = report_json.loads(text)
    markdown.render_parts(report)
    html.render(report)
    once = report_json.dumps(report)
    assert report_json.dumps(report_json.loads(once)) == once
    # Mutations can hold a secret by its form; then what comes back is the redacted text, else the very same.
    return text if once.count("(hidden ") > text.count("(hidden ") else once


@cache
def report_data() -> Any:
    return json.loads(report_json.dumps(samples.full()))


@pytest.fixture
def bundle_data(bench: Bench) -> Any:  # noqa: F811 - the fixture
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example())
    bench.commit("Add a product")
    path = bench.folder / "ml" / "bundle.json"
    assert bench.run("review", "--base", "main", "--to-bundle", str(path)).code == 0
    return json.loads(path.read_text(encoding="utf-8"))


def broken(data: Any, use: Callable[[str], str], count: int) -> list[str]:
    chance, paths = random.Random(SEED), list(nodes(data))  # noqa: S311 - a choice of tests, no secret
    found = (wrong(mutated(data, paths, chance), use) for _ in range(count))
    return [what for what in (wrong(json.dumps(data), use), *found) if what]


def test_a_sample_of_mutated_reports() -> None:
    assert broken(report_data(), through_report, 60) == []


@pytest.mark.e2e
def test_a_sample_of_mutated_bundles(bundle_data: Any) -> None:
    assert broken(bundle_data, through_bundle, 60) == []


@pytest.mark.trust
def test_mutated_reports(count: Count) -> None:
    found = broken(report_data(), through_report, COUNT)
    count("mutated reports between jobs", inputs=COUNT, breaks=len(found))
    assert found == []


@pytest.mark.trust
@pytest.mark.e2e
def test_mutated_bundles(bundle_data: Any, count: Count) -> None:
    found = broken(bundle_data, through_bundle, COUNT)
    count("mutated bundles between jobs", inputs=COUNT, breaks=len(found))
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        '{"version":1,"report":' + "[" * 100_000,
        '{"version":1,"x":' + "1" * 5_000 + "}",
        '{"version":1,"x":"' + "\\u0000" * 100_000 + '"}',
        "[" + "{}," * 300_000 + "{}]",
        '{"a":' * 50_000,
    ],
    ids=("deep", "digits", "zeros", "wide", "keys"),
)
@pytest.mark.parametrize("use", [through_bundle, through_report], ids=("bundle", "report"))
def test_a_bomb_is_refused_at_once(text: str, use: Callable[[str], str]) -> None:
    started = time.monotonic()
    with pytest.raises(ConfigError):
        use(text)
    assert time.monotonic() - started < 20


@pytest.mark.e2e
def test_a_file_that_is_no_file_is_refused(bench: Bench, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    """Links, pipes and files that are too large, as artifacts of another job."""
    folder = bench.folder / "in"
    (folder / "real").mkdir(parents=True)
    (folder / "real" / "report.json").write_text(report_json.dumps(samples.full()), encoding="utf-8")
    (folder / "link.json").symlink_to(folder / "real" / "report.json")
    (folder / "linked").symlink_to(folder / "real", target_is_directory=True)
    os.mkfifo(folder / "pipe.json")
    with (folder / "huge.json").open("wb") as file:
        file.truncate(2_000_000_000)
    for name, why in (
        ("link.json", "symbolic link"),
        ("linked/report.json", "symbolic link"),
        ("pipe.json", "pipe"),
        ("huge.json", "more than"),
        ("absent.json", "No such file"),
    ):
        for argv in (
            ("publish", str(folder / name), "--pull-request", "1"),
            ("review", "--base", "main", "--from-bundle", str(folder / name)),
        ):
            done = bench.run(*argv)
            assert done.code == 2, (name, done.stderr)
            assert why in done.stderr, (name, done.stderr)
    assert bench.run("publish", str(folder / "real" / "report.json"), "--pull-request", "1").code == 1


def test_the_mutations_are_of_both_kinds() -> None:
    """Some come through and most are refused; a fuzz that nothing passes or that everything passes proves nothing."""
    chance, paths = random.Random(SEED), list(nodes(report_data()))  # noqa: S311 - a choice of tests, no secret
    accepted = 0
    for _ in range(200):
        try:
            report_json.loads(mutated(report_data(), paths, chance))
        except StacksealError:
            continue
        accepted += 1
    assert 20 < accepted < 180
