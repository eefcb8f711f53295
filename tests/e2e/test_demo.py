"""The demo, as the person who types `make demo` gets it: the real process, its facts, its files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e
STACKSEAL = Path(sys.executable).with_name("stackseal")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mapping[str, Any], Path]:
    """The facts of one run and the scratch repository that it kept."""
    folder = tmp_path_factory.mktemp("demo") / "kept"
    env = {"PATH": os.environ["PATH"], "HOME": str(folder.parent)}
    done = subprocess.run(
        [STACKSEAL, "demo", "--format", "json", "--keep", str(folder)],
        cwd="/",
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout), folder


def test_the_review_comes_first_and_is_sealed(played: tuple[Mapping[str, Any], Path]) -> None:
    facts, folder = played
    first, second, third = facts["reviews"]
    assert facts["review"] == first
    assert all(len(review["seal"]) == 64 for review in (first, second, third))
    assert (first["changes"], first["destructive"], first["blocking"]) == (13, 0, 0)
    assert second["destructive"] >= 1
    assert second["verdict"] == third["verdict"] == "needs a human"
    for number in (1, 2, 3):
        assert (folder / "ml" / "forge" / "pull-requests" / str(number) / "review.md").is_file()


def test_the_second_comment_says_what_is_lost_before_anything_else(played: tuple[Mapping[str, Any], Path]) -> None:
    _, folder = played
    text = (folder / "ml" / "forge" / "pull-requests" / "2" / "review.md").read_text()
    first_screen = text[: text.index("### Stacks")]
    assert "🟡" in first_screen
    assert "ArtifactsBucket" in first_screen
    assert "stays behind" in first_screen
    assert len(text) <= 65_000


def test_both_deployments_are_what_was_reviewed(played: tuple[Mapping[str, Any], Path]) -> None:
    facts, _ = played
    starter, professional, removal = facts["deployments"]
    assert (starter["outcome"], starter["resources"]) == ("created", 13)
    assert (professional["outcome"], professional["resources"]) == ("updated", 19)
    assert facts["deploy"] == professional
    assert {path.rpartition("/")[2] for path in professional["outputs"]} == {
        "ModelPackageGroupArn",
        "RepositoryUrl",
        "BucketName",
        "DashboardName",
    }
    assert removal["outcome"] == "deleted"
    assert any("AWS::S3::Bucket" in item for item in removal["retained"])


def test_drift_opens_one_issue_and_its_end_closes_it(played: tuple[Mapping[str, Any], Path]) -> None:
    facts, folder = played
    assert facts["fresh"] == {"status": "IN_SYNC", "checked": 19, "of": 19}
    assert facts["drift"] == {
        "resource": "SsmDashboardName",
        "property": "Value",
        "expected": '"techcorp-prod-a001-us-west-2-customer-churn-ml-dashboard"',
        "actual": '"edited-by-hand"',
        "issue": 1,
        "move": "opened",
    }
    assert facts["closed"] is True
    (issue,) = (folder / "ml" / "forge" / "issues").glob("*.json")
    assert json.loads(issue.read_text())["open"] is False


def test_the_report_is_one_file_without_any_request(played: tuple[Mapping[str, Any], Path]) -> None:
    _, folder = played
    html = (folder / "ml" / "reports" / "review.html").read_text()
    assert "Content-Security-Policy" in html
    for word in ("<script", "<link", 'src="http', "@import", "url(http"):
        assert word not in html
