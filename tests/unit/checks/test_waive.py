from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from stackseal.checks import waive, with_metadata
from stackseal.errors import ConfigError
from stackseal.model import Finding, Level, Location, Waiver
from unit.checks.samples import STACK, stack, template

TODAY = date(2026, 11, 20)
FINDING = Finding(
    check="CKV_AWS_18",
    engine="checkov",
    level=Level.ERROR,
    message="Ensure the bucket has access logging",
    where=Location(path="configs/demo.yaml", line=3),
    resource="Bucket",
    stack=STACK,
)


def waiver(**changes: Any) -> Waiver:
    values = {"check": "CKV_AWS_18", "reason": "holds public data", "owner": "data-team", "until": "2026-12-31"}
    return Waiver(**{**values, **changes})


def applied(*waivers: Waiver, finding: Finding = FINDING) -> Finding:
    (found,) = waive.apply([finding], waivers, today=TODAY)
    return found


def test_a_waiver_that_matches_keeps_the_finding_from_blocking() -> None:
    found = applied(waiver())
    assert found.waiver == waiver()
    assert not found.blocks
    assert found.message == FINDING.message


@pytest.mark.parametrize(
    "changes",
    [
        {"check": "CKV_AWS_1"},
        {"check": "CKV_*"},
        {"stack": "other-*"},
        {"stack": "*/us-east-1/*"},
        {"resource": "Buck"},
        {"resource": "bucket"},
    ],
)
def test_another_check_stack_or_resource_is_not_waived(changes: dict[str, str]) -> None:
    assert applied(waiver(**changes)) == FINDING


@pytest.mark.parametrize(
    "changes", [{"stack": "demo-*"}, {"stack": STACK}, {"stack": "123456789012/*"}, {"resource": "Buck*"}]
)
def test_stacks_and_resources_are_globs(changes: dict[str, str]) -> None:
    assert not applied(waiver(**changes)).blocks


@pytest.mark.parametrize(("until", "blocks"), [("2026-11-20", False), ("2026-11-19", True), (None, False)])
def test_the_last_day_still_counts(until: str | None, blocks: bool) -> None:
    assert applied(waiver(until=until)).blocks is blocks


def test_an_expired_waiver_is_named_and_does_not_count() -> None:
    found = applied(waiver(until="2026-10-01"))
    assert found.waiver is None
    assert found.blocks
    assert found.message.endswith(" (waiver of data-team expired on 2026-10-01)")


def test_a_proposed_waiver_is_shown_and_does_not_count() -> None:
    found = applied(waiver(proposed=True))
    assert found.waiver == waiver(proposed=True)
    assert found.blocks


def test_the_waiver_that_counts_wins_over_expired_and_proposed_ones() -> None:
    found = applied(waiver(until="2020-01-01"), waiver(proposed=True, owner="b"), waiver(owner="c"))
    assert found.waiver == waiver(owner="c")
    assert found.message == FINDING.message


def test_an_end_that_is_no_date_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="until is 'soon'; write a date such as"):
        applied(waiver(until="soon"))


def unused(*waivers: Waiver, engines: tuple[str, ...] = ("cfn-lint", "checkov")) -> list[Finding]:
    return list(waive.unused(waivers, [FINDING], [template("Resources: {}", stack())], engines))


def test_a_waiver_that_matches_nothing_is_a_note() -> None:
    (note,) = unused(waiver(resource="Gone"))
    assert (note.check, note.level) == ("unused-waiver", Level.NOTE)
    assert note.where.path == "stackseal.yaml"
    assert "CKV_AWS_18 by data-team" in note.message


def test_a_waiver_that_is_used_or_about_another_stack_is_none() -> None:
    assert unused(waiver(), waiver(stack="elsewhere", resource="Gone")) == []


def test_an_expired_waiver_that_still_matches_is_used() -> None:
    assert unused(waiver(until="2020-01-01")) == []


def test_nothing_is_said_about_an_engine_that_did_not_run() -> None:
    checkovs, lints, ours = (waiver(check=check, resource="Gone") for check in ("CKV2_AWS_6", "W3045", "tags"))
    notes = unused(checkovs, lints, ours, engines=("cfn-lint",))
    assert [note.message.split(" by ")[0] for note in notes] == ["The waiver of W3045", "The waiver of tags"]


BODY: dict[str, Any] = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Metadata": {"Owner": "us"}},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Fn::ForEach::Many": ["X", ["a"], {}],
    }
}


def test_metadata_of_a_resource_carries_both_engines_waivers() -> None:
    before = str(BODY)
    found = with_metadata(BODY, [waiver(resource="Bucket"), waiver(check="W3045", resource="Bucket")])
    assert found["Resources"]["Bucket"]["Metadata"] == {
        "Owner": "us",
        "cfn-lint": {"config": {"ignore_checks": ["W3045"]}},
        "checkov": {"skip": [{"id": "CKV_AWS_18", "comment": "holds public data (data-team)"}]},
    }
    assert found["Resources"]["Topic"] == {"Type": "AWS::SNS::Topic"}
    assert "Metadata" not in found
    assert str(BODY) == before, "the body that came in is not changed"


def test_a_waiver_of_our_own_check_stands_at_its_resource() -> None:
    found = with_metadata(BODY, [waiver(check="tags", resource="Topic")])
    assert found["Resources"]["Topic"]["Metadata"] == {
        "stackseal": {"skip": [{"id": "tags", "comment": "holds public data (data-team)"}]}
    }


def test_a_cfn_lint_rule_for_all_resources_is_said_once() -> None:
    found = with_metadata(BODY, [waiver(check="W3045"), waiver(check="E3002"), waiver(check="E3002", resource="Topic")])
    assert found["Metadata"] == {"cfn-lint": {"config": {"ignore_checks": ["E3002", "W3045"]}}}
    assert found["Resources"] == BODY["Resources"]


def test_a_checkov_check_for_all_resources_stands_at_each() -> None:
    found = with_metadata(BODY, [waiver()])
    assert [name for name, body in found["Resources"].items() if "checkov" in str(body)] == ["Bucket", "Topic"]


@pytest.mark.parametrize(
    "left_out",
    [waiver(proposed=True), waiver(stack="elsewhere"), waiver(until="2026-11-19")],
)
def test_what_does_not_count_is_not_written(left_out: Waiver) -> None:
    assert with_metadata(BODY, [left_out], stack=STACK, today=TODAY) == BODY


def test_waivers_in_any_order_write_the_same_metadata() -> None:
    waivers = [waiver(check=check, owner=owner) for check in ("CKV_AWS_1", "CKV_AWS_2", "W3045") for owner in "ab"]
    first = with_metadata(BODY, waivers)
    assert with_metadata(BODY, sorted(waivers, key=lambda w: (w.owner, w.check), reverse=True)) == first


def test_a_finding_without_a_resource_is_waived_for_all_resources_only() -> None:
    bare = replace(FINDING, resource=None)
    assert not applied(waiver(), finding=bare).blocks
    assert applied(waiver(resource="Bucket"), finding=bare).blocks
