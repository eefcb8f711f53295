"""The review in three jobs: what crosses between them is data, and the plan is the one that a single job would make."""

from __future__ import annotations

import json
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from stackseal.model import Outcome, StackId

pytestmark = pytest.mark.e2e
IDENTITY = StackId(account=ACCOUNT, region=REGION, name=f"{STARTER.removesuffix('-s3')}-stack")


@pytest.fixture
def proposed(bench: Bench) -> Bench:
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example())
    bench.commit("Add a product")
    return bench


def bundle(bench: Bench) -> Any:
    done = bench.run("review", "--base", "main", "--to-bundle", str(bench.folder / "ml" / "bundle.json"))
    assert done.code == 0, done.stderr
    return json.loads((bench.folder / "ml" / "bundle.json").read_text())


def plan(bench: Bench, *, code: int = 0) -> str:
    folder = bench.folder / "ml"
    parts = ("--from-bundle", str(folder / "bundle.json"), "--to-report", str(folder / "report.json"))
    done = bench.run("review", "--base", "main", "--plan", "sealed", "--pull-request", "1", *parts)
    assert done.code == code, done.stderr
    return done.stderr


def test_three_jobs_make_the_plan_that_one_makes(proposed: Bench) -> None:
    bundle(proposed)
    assert proposed.client("cloudformation").list_stacks()["StackSummaries"] == []
    plan(proposed)
    (record,) = proposed.records.of(IDENTITY, 1)
    whole = proposed.review(2)
    assert whole.stacks[0].plan
    (other,) = proposed.records.of(IDENTITY, 2)
    assert other.input_digest == record.input_digest
    assert other.seal == record.seal
    report = json.loads((proposed.folder / "ml" / "report.json").read_text())
    assert report["stacks"][0]["plan"]["seal"] == record.seal
    places = {change["where"]["path"] for change in report["stacks"][0]["plan"]["changes"]}
    assert places == {f"configs/{STARTER}.yaml"}


def test_what_three_jobs_sealed_is_deployed(proposed: Bench) -> None:
    bundle(proposed)
    plan(proposed)
    done = proposed.run("publish", str(proposed.folder / "ml" / "report.json"), "--pull-request", "1")
    assert done.code == 0, done.stderr
    comment = (proposed.folder / "ml" / "forge" / "pull-requests" / "1" / "review.md").read_text()
    assert "ArtifactsBucket" in comment
    proposed.git("switch", "--quiet", "main")
    proposed.git("merge", "--quiet", "--ff-only", "pr-1")
    (deployed,) = proposed.deploy(1)
    assert deployed.outcome is Outcome.CREATED


def test_the_render_job_needs_no_credentials(proposed: Bench) -> None:
    from dataclasses import replace

    def refuse(account: str, region: str) -> Any:
        raise AssertionError(f"asked for AWS in {account} {region}")

    proposed.world = replace(proposed.world, aws=refuse)
    assert bundle(proposed)["pairs"]


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("pairs", 0, "head", "body"), '{"Resources": {}}'),
        (("pairs", 0, "head", "body"), "not json"),
        (("pairs", 0, "head", "protected"), "yes"),
        (("pairs", 0, "id", "account"), 5),
        (("pairs", 0, "extra"), "x"),
        (("version",), 9),
        (("report", "stacks"), "none"),
        (("pairs", 0, "head", "blame", 0, 0), "{}"),
    ],
)
def test_a_bundle_that_was_edited_is_refused(proposed: Bench, where: tuple[Any, ...], value: Any) -> None:
    found = bundle(proposed)
    node = found
    for step in where[:-1]:
        node = node[step]
    node[where[-1]] = value
    (proposed.folder / "ml" / "bundle.json").write_text(json.dumps(found))
    said = plan(proposed, code=2)
    assert "The bundle cannot be used" in said
    assert len(said.strip().splitlines()) == 1
    assert proposed.client("cloudformation").list_stacks()["StackSummaries"] == []


def test_a_report_that_was_edited_is_refused(proposed: Bench) -> None:
    bundle(proposed)
    plan(proposed)
    path = proposed.folder / "ml" / "report.json"
    found = json.loads(path.read_text())
    found["stacks"][0]["plan"]["operation"] = "ruin"
    path.write_text(json.dumps(found))
    done = proposed.run("publish", str(path), "--pull-request", "1")
    assert done.code == 2
    assert "not a report" in done.stderr
