"""Connections of pipelines and projects: which are found, and what is said of each status."""

from __future__ import annotations

import pytest

from stackseal import assets
from stackseal.checks import connection
from stackseal.model import Level
from unit.products.cases import ACCOUNT, CONNECTION, GITHUB, REGION, Case, example, rendered, resolved

PAGE = f"https://{REGION}.console.aws.amazon.com/codesuite/settings/{ACCOUNT}/{REGION}/connections/"


def test_the_two_pipelines_of_a_product_use_one_connection() -> None:
    found = rendered(resolved(GITHUB[0].data()))
    (use,) = connection.uses(found)
    assert use.arn == CONNECTION
    assert use.path[:2] == ("Resources", "BuildPipeline")


def test_projects_use_one_too() -> None:
    (path,) = (assets.PRODUCTS / "ci_codebuild" / "examples").glob("*-connection.yaml")
    (use,) = connection.uses(rendered(example(path)))
    assert ":connection/" in use.arn


def test_a_product_without_a_connection_has_none() -> None:
    assert connection.uses(rendered(resolved(Case(tier="starter", source="s3").data()))) == ()


@pytest.mark.spec("D01")
@pytest.mark.parametrize(
    ("status", "said"),
    [("PENDING", f"is PENDING, so no pipeline can read its source; complete it at {PAGE}"), ("ERROR", "is ERROR")],
)
def test_what_is_not_available_is_a_warning_with_the_page_of_the_connection(status: str, said: str) -> None:
    found = rendered(resolved(GITHUB[0].data()))
    (use,) = connection.uses(found)
    (finding,) = connection.judge(found, use, status)
    assert said in finding.message
    assert finding.message.endswith(CONNECTION.rpartition("/")[2])
    assert (finding.check, finding.level, finding.resource) == ("connection", Level.WARNING, "BuildPipeline")


@pytest.mark.spec("D01")
def test_what_is_not_there_is_a_warning_and_what_is_available_nothing() -> None:
    found = rendered(resolved(GITHUB[0].data()))
    (use,) = connection.uses(found)
    (finding,) = connection.judge(found, use, None)
    assert "is not there" in finding.message
    assert list(connection.judge(found, use, "AVAILABLE")) == []
    assert connection.unseen(found, use, "AccessDeniedException").level is Level.NOTE
