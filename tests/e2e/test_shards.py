"""A review that several jobs draw: its parts make the bundle of one job, byte for byte, and nothing less is planned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import ACCOUNT, STARTER, Bench, Result, example
from e2e.test_waves import ALL, name, text
from stackseal.review import bundle

pytestmark = pytest.mark.e2e
MANAGED = f'accounts:\n  "{ACCOUNT}":\n    execution_roles: managed\n    artifact_bucket: seals\n'


def proposed(bench: Bench) -> None:
    """Three stacks in three waves and one beside them, of an account with a stack of roles for each."""
    (bench.folder / "stackseal.yaml").write_text(f"version: 1\nconfigs: configs\n{MANAGED}", encoding="utf-8")
    bench.commit("Manage the roles")
    bench.git("switch", "--quiet", "--create", "pr-1")
    for each in ALL:
        bench.write(text(each), name(each))
    bench.write(example())
    bench.commit("Add a network and two products")


def drawn(bench: Bench, *more: str, file: str = "bundle.json") -> Result:
    return bench.run("review", "--base", "main", "--to-bundle", str(bench.folder / "ml" / file), *more)


def parts(bench: Bench, of: int) -> list[Path]:
    """The parts, drawn one by one."""
    for part in range(1, of + 1):
        done = drawn(bench, "--shard", f"{part}/{of}", file=f"parts/{part}.json")
        assert done.code == 0, done.stderr
    return [bench.folder / "ml" / "parts" / f"{part}.json" for part in range(1, of + 1)]


def merge(bench: Bench, paths: Sequence[Path]) -> Result:
    given = [str(path) for path in paths]
    return bench.run("report", "--merge", "--to-bundle", str(bench.folder / "ml" / "merged.json"), *given)


@pytest.fixture
def change(bench: Bench) -> Bench:
    proposed(bench)
    return bench


@pytest.mark.parametrize("of", [1, 3, 9])
def test_the_parts_are_the_whole_byte_for_byte(change: Bench, of: int) -> None:
    assert drawn(change).code == 0
    whole = (change.folder / "ml" / "bundle.json").read_bytes()
    stacks = json.loads(whole)["report"]["stacks"]
    assert {stack["wave"] for stack in stacks} >= {1, 2, 3}
    assert len(stacks) == 5  # one of them the roles of the only stack in an account of ours
    found = parts(change, of)
    held = [len(json.loads(path.read_text())["pairs"]) for path in found]
    assert max(held) - min(held) <= 1
    assert sum(held) == len(stacks)
    done = merge(change, [found[0].parent])
    assert done.code == 0, done.stderr
    assert (change.folder / "ml" / "merged.json").read_bytes() == whole


def test_findings_of_the_engines_are_the_same(bench: Bench) -> None:
    bench.world = replace(bench.world, engines=("cfn-lint",))
    proposed(bench)
    done = drawn(bench)
    assert done.code == 0
    assert done.stderr.splitlines()[:2] == [
        "Checking 5 templates",
        "cfn-lint: 0 running, 0 cached, 0 read, 5 left",
    ]
    assert done.stderr.splitlines()[-1] == "cfn-lint: 0 running, 0 cached, 5 read, 0 left"
    assert merge(bench, parts(bench, 2)).code == 0
    merged, whole = ((bench.folder / "ml" / file).read_bytes() for file in ("merged.json", "bundle.json"))
    assert merged == whole


def test_what_the_parts_sealed_is_what_one_job_seals(bench: Bench) -> None:
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example())
    bench.write(text(ALL[0]), name(ALL[0]))
    bench.commit("Add a network and a product")
    assert merge(bench, parts(bench, 2)).code == 0
    report = bench.folder / "ml" / "report.json"
    more = ("--plan", "sealed", "--pull-request", "1", "--to-report", str(report))
    done = bench.run("review", "--base", "main", "--from-bundle", str(bench.folder / "ml" / "merged.json"), *more)
    assert done.code == 0, done.stderr
    sealed = {stack["id"]["name"]: stack["plan"]["seal"] for stack in json.loads(report.read_text())["stacks"]}
    assert sealed == {stack.id.name: stack.plan.seal for stack in bench.review(2).stacks if stack.plan}
    assert len(sealed) == 2
    assert all(sealed.values())


def test_a_part_is_not_planned(change: Bench) -> None:
    (part, _) = parts(change, 2)
    done = change.run("review", "--base", "main", "--from-bundle", str(part), "--to-report", str(part.with_name("r")))
    assert done.code == 4
    assert "part 1 of 2" in done.stderr
    assert not part.with_name("r").exists()


def test_what_does_not_add_up_is_refused(change: Bench) -> None:
    one, two, three = parts(change, 3)
    cases = {
        "part 2 of 3 is missing": [one, three],
        "part 1, 3 of 3 is missing": [two],
        "part 2 is there twice": [one, two, two, three],
        "there is no part": [],
    }
    for why, paths in cases.items():
        empty = change.folder / "ml" / "empty"
        empty.mkdir(exist_ok=True)
        done = merge(change, paths or [empty])
        assert (done.code, done.stderr.count("\n")) == (4, 1), done.stderr
        assert why in done.stderr
    assert drawn(change, file="parts/whole.json").code == 0
    done = merge(change, [one.parent])
    assert "a whole review is among them" in done.stderr
    assert not (change.folder / "ml" / "merged.json").exists()


def forged(path: Path, where: tuple[Any, ...], value: Any) -> None:
    found = json.loads(path.read_text())
    node = found
    for step in where[:-1]:
        node = node[step]
    if value is None:
        del node[where[-1]]
    else:
        node[where[-1]] = value
    path.write_text(json.dumps(found))


FORGED: list[tuple[tuple[Any, ...], Any, str]] = [
    (("report", "run", "commit"), "f" * 40, "of another review"),
    (("report", "proposed"), ["a rule"], "of another review"),
    (("shard", "of"), 4, "of another review"),
    (("shard", "stacks", 0), None, "of another review"),
    (("shard", "part"), 1, "there twice"),
    (("shard", "part"), 0, "is missing"),
    (("pairs", 0), None, "exactly its own stacks"),
    (("report", "stacks", 0), None, "exactly its own stacks"),
    (("shard", "stacks"), "all", "cannot be used"),
    (("shard",), None, "cannot be used"),
]


def test_a_part_that_was_edited_is_refused(change: Bench) -> None:
    """Of two parts the second: nobody may take a stack out of a review, or put one into two parts."""
    one, two = parts(change, 2)
    good = two.read_text()
    for where, value, why in FORGED:
        two.write_text(good)
        forged(two, where, value)
        done = merge(change, [one, two])
        assert done.code in {2, 4}, where
        assert done.stderr.count("\n") == 1, where
        assert why in done.stderr, (where, done.stderr)
        assert not (change.folder / "ml" / "merged.json").exists()


def test_a_small_review_is_drawn_at_once_and_a_large_one_names_its_parts(change: Bench) -> None:
    done = drawn(change, "--stacks-per-shard", "4", "--format", "json")
    assert done.facts["shards"] == []
    path = change.folder / "ml" / "bundle.json"
    assert bundle.loads(path.read_text()).shard is None
    path.unlink()
    done = drawn(change, "--stacks-per-shard", "3", "--format", "json")
    assert done.facts == {"bundle": None, "shards": [{"part": 1, "of": 2}, {"part": 2, "of": 2}]}
    assert not path.exists()
    assert drawn(change, "--stacks-per-shard", "3").stdout == "1/2\n2/2\n"


def test_a_part_that_there_cannot_be_is_a_sentence(bench: Bench) -> None:
    bundle = ("--to-bundle", str(bench.folder / "ml" / "bundle.json"))
    for words in (
        ("--shard", "0/2", *bundle),
        ("--shard", "3/2", *bundle),
        ("--shard", "1/257", *bundle),
        ("--shard", "two", *bundle),
        ("--shard", "1/2", "--stacks", STARTER, *bundle),
        ("--shard", "1/2", "--stacks-per-shard", "9", *bundle),
        ("--stacks-per-shard", "0", *bundle),
        ("--stacks-per-shard", "-1", *bundle),
        ("--shard", "1/2"),
        ("--stacks-per-shard", "9"),
    ):
        done = bench.run("review", "--base", "main", *words)
        assert (done.code, done.stderr.count("\n")) == (2, 1), words
    assert not (bench.folder / "ml").exists()


def test_an_invalid_config_blocks_with_parts_as_without(change: Bench) -> None:
    change.write(example().replace("tier: starter", "tier: golden"), f"{STARTER}.yaml")
    change.commit("Break it")
    assert drawn(change).code == 0
    assert merge(change, parts(change, 2)).code == 0
    merged, whole = ((change.folder / "ml" / file).read_text() for file in ("merged.json", "bundle.json"))
    assert merged == whole
    assert json.loads(merged)["report"]["failures"]
