"""A drift as an issue: what differs, how sure that is, what to do about it."""

from __future__ import annotations

import dataclasses

import pytest

from stackseal.model import Difference, Drift, DriftStatus, ResourceDrift
from stackseal.report import issue, marker
from unit.report import samples
from unit.report.hostile import ALL, Page, gfm

ID = samples.stack_id("s")


def drifted(count: int, differences: int = 1, text: str = "x_y") -> Drift:
    rows = tuple(
        ResourceDrift(
            logical_id=f"R{n}_{text}",
            type=text,
            physical_id=text,
            status="MODIFIED",
            differences=tuple(Difference(path=f"/P{i}/{text}", expected=text, actual=text) for i in range(differences)),
        )
        for n in range(count)
    )
    return Drift(stack=ID, status=DriftStatus.DRIFTED, resources=rows, reason=text)


def test_a_drift_says_what_how_sure_and_what_to_do() -> None:
    found = issue.issue(samples.drift(), config=samples.FRAUD)
    assert found.title == "Drift in edge-prod-b001-us-west-2-fraud-detection-ml-stack: 2 resources are not as deployed"
    assert "**3 of 4 resources** could be compared, 2 of them are not as deployed." in found.body
    assert "| `TimeoutInMinutes` | `60` | `480` |" in found.body
    assert "| *not set* |" in found.body
    assert "it does not exist any more" in found.body
    assert "| `BuildPipeline` | `AWS::CodePipeline::Pipeline` | `NOT_CHECKED` |" in found.body
    assert f"write it into `{samples.FRAUD}`" in found.body
    for word in ("**Adopt**", "**Revert**", "**Ignore**"):
        assert word in found.body


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (samples.drift(), "Drift in the execution role of churn: 2 resources are not as deployed"),
        (Drift(stack=ID, status=DriftStatus.IN_SYNC, resources=()), "No drift in the execution role of churn"),
        (Drift(stack=ID, status=DriftStatus.UNKNOWN, resources=()), "Drift of the execution role of churn is unknown"),
    ],
)
def test_an_issue_about_a_role_names_the_stack_that_is_built_with_it(found: Drift, title: str) -> None:
    about = issue.issue(dataclasses.replace(found, role_of="churn"), config="configs/churn.yaml")
    assert about.title == title
    assert "**the execution role of `churn`**, with which CloudFormation builds that stack" in about.body
    assert ("**Find out** who changed it" in about.body) is bool(found.drifted)
    assert "taken out of the stack" not in about.body


def test_the_marker_tells_the_stack_and_the_drift() -> None:
    found = issue.issue(samples.drift())
    mark = marker.read(found.body)
    assert mark == {
        "v": 1,
        "kind": "drift",
        "id": "210987654321/us-west-2/edge-prod-b001-us-west-2-fraud-detection-ml-stack",
        "fingerprint": found.fingerprint,
        "status": "DRIFTED",
    }
    assert issue.issue(drifted(2)).fingerprint != issue.issue(drifted(3)).fingerprint
    assert issue.issue(drifted(2)) == issue.issue(drifted(2))


@pytest.mark.parametrize("status", ["NOT_CHECKED", "UNKNOWN", "UNSUPPORTED", "SOMETHING_NEW"])
def test_what_could_not_be_compared_is_never_called_in_sync(status: str) -> None:
    row = ResourceDrift(logical_id="R", type="T", physical_id="p", status=status)
    body = issue.issue(Drift(stack=ID, status=DriftStatus.IN_SYNC, resources=(row,))).body
    assert "**0 of 1 resource** could be compared" in body
    assert f"`{status}`" in body


def test_a_detection_that_did_not_finish_is_unknown() -> None:
    found = issue.issue(Drift(stack=ID, status=DriftStatus.UNKNOWN, resources=(), reason="Throttling: Rate exceeded"))
    assert found.title == "Drift of s is unknown"
    assert "**Nobody knows whether the stack has drifted**" in found.body
    assert "CloudFormation says: Throttling: Rate exceeded" in found.body
    assert "Revert" not in found.body


def test_in_sync_is_said_plainly() -> None:
    row = ResourceDrift(logical_id="R", type="T", physical_id="p", status="IN_SYNC")
    found = issue.issue(Drift(stack=ID, status=DriftStatus.IN_SYNC, resources=(row,)))
    assert found.title == "No drift in s"
    assert "**1 of 1 resource** could be compared, 0 of them are not as deployed." in found.body


@pytest.mark.parametrize(("count", "differences"), [(1, 900), (80, 30), (400, 3), (499, 60)])
def test_the_body_fits(count: int, differences: int) -> None:
    found = issue.issue(drifted(count, differences, "a_b`c|" * 5))
    assert len(found.body) <= 65_000
    assert f"{count} of them {'is' if count == 1 else 'are'} not as deployed" in found.body
    assert "left out here for length" in found.body


@pytest.mark.parametrize("text", ALL)
def test_no_text_changes_the_page(text: str) -> None:
    page = Page(gfm(issue.issue(drifted(2, 2, text), config=text).body))
    plain = Page(gfm(issue.issue(drifted(2, 2), config="x_y").body))
    assert page.tags == plain.tags
    assert page.links == []


@pytest.mark.parametrize("text", ALL)
def test_a_title_is_one_short_line(text: str) -> None:
    odd = dataclasses.replace(drifted(1), stack=samples.stack_id(text))
    found = issue.issue(odd).title
    assert len(found) <= 256
    assert len(found.splitlines()) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"config": "configs/a.yaml"}, "does not exist in AWS any more, although `configs/a.yaml` describes it"),
        ({}, "The stack itself is deleted."),
        ({"state": "UPDATE_COMPLETE"}, "**still stands** (`UPDATE_COMPLETE`) and nobody looks after it"),
        ({"unasked": "no credentials."}, "Whether the stack still exists could not be asked: no credentials."),
    ],
)
def test_why_an_issue_is_closed_is_a_sentence(given: dict[str, str], sentence: str) -> None:
    text = issue.retired(str(ID), **given)
    assert sentence in text
    assert f"`{ID}`" in text
    assert marker.read(text) == {"v": 1, "kind": "drift-closed", "id": str(ID)}
    assert text.endswith("stackseal opens the issue again when the stack is compared again and has drifted.\n")


@pytest.mark.parametrize("text", ALL)
def test_no_text_breaks_out_of_the_reason(text: str) -> None:
    changed, plain = (Page(gfm(issue.retired(each, state=each))) for each in (text, "x_y"))
    assert [tag for tag in changed.tags if tag.strip("/") != "code"] == [
        tag for tag in plain.tags if tag.strip("/") != "code"
    ]
    assert changed.links == plain.links


def test_the_marker_names_the_folder_whose_configs_are_checked() -> None:
    found = issue.issue(samples.drift(), origin="acme/infra:teams/ml")
    assert (marker.read(found.body) or {})["origin"] == "acme/infra:teams/ml"
    assert "set" not in (marker.read(found.body) or {})
    found = issue.issue(samples.drift(), whole_set=True)
    assert (marker.read(found.body) or {})["set"] is True
