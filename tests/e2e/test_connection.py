"""A product whose source is GitHub, on the embedded AWS: a connection nobody confirmed is told, with the link."""

from __future__ import annotations

import pytest

from e2e.harness import ACCOUNT, Bench
from stackseal import assets, settings
from stackseal.model import Finding, Level, Report, Verdict

pytestmark = pytest.mark.e2e
NAME = "techcorp-prod-a001-us-west-2-customer-churn-ml-github"
EXAMPLE = "arn:aws:codeconnections:us-west-2:111122223333:connection/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0"


def page(connection: str) -> str:
    """The console's page of a connection."""
    name = connection.rpartition("/")[2]
    return f"https://us-west-2.console.aws.amazon.com/codesuite/settings/{ACCOUNT}/us-west-2/connections/{name}"


def proposed(bench: Bench, connection: str) -> Report:
    """The starter example with this connection as a pull request, reviewed."""
    bench.git("switch", "--quiet", "--create", "change")
    bench.write(text(connection), f"{NAME}.yaml")
    bench.commit("Add the product")
    report = bench.review(1)
    bench.git("switch", "--quiet", "main")
    assert report.failures == ()
    return report


def text(connection: str) -> str:
    """The starter example with a connection of this account."""
    found = (assets.PRODUCTS / "ml" / "examples" / f"{NAME}.yaml").read_text(encoding="utf-8")
    assert EXAMPLE in found
    return found.replace(EXAMPLE, connection).replace("111122223333", ACCOUNT)


def placed(bench: Bench, connection: str) -> str:
    """The starter example in the working directory; its path."""
    bench.write(text(connection), f"{NAME}.yaml")
    config = f"configs/{NAME}.yaml"
    assert bench.run("create-prov-template", config).code == 0
    return config


@pytest.mark.spec("D01", "D02")
def test_a_product_with_github_is_deployed_in_sync_and_removed(bench: Bench) -> None:
    connection = bench.client("codeconnections").create_connection(ProviderType="GitHub", ConnectionName="churn")
    bench.aws.confirm_connection(connection["ConnectionArn"])
    config = placed(bench, connection["ConnectionArn"])
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 0, done.stderr
    assert "warning" not in done.stderr
    client = bench.client("codepipeline")
    for row in client.list_pipelines()["pipelines"]:
        found = client.get_pipeline(name=row["name"])["pipeline"]
        (trigger,) = found["triggers"]
        assert trigger["gitConfiguration"]["push"] == [{"branches": {"includes": ["main"]}}]
        source = found["stages"][0]["actions"][0]["configuration"]
        assert source["ConnectionArn"] == connection["ConnectionArn"]
    drift = bench.run("check-drift", config, "--format", "json")
    assert drift.code == 0, drift.stdout + drift.stderr
    assert bench.client("codecommit").list_repositories()["repositories"] == []
    gone = bench.run("delete-product", config, "--force", "--delete-data")
    assert gone.code == 0, gone.stderr


@pytest.mark.spec("D01")
def test_a_connection_that_nobody_confirmed_is_told_with_the_link(bench: Bench) -> None:
    connection = bench.client("codeconnections").create_connection(ProviderType="GitHub", ConnectionName="churn")
    done = bench.run("deploy-product", placed(bench, connection["ConnectionArn"]), "--force")
    assert done.code == 0, done.stderr
    assert f"warning: The connection {connection['ConnectionArn']} is PENDING" in done.stderr
    assert page(connection["ConnectionArn"]) in done.stderr


@pytest.mark.spec("D01")
def test_a_connection_that_is_not_there_is_told(bench: Bench) -> None:
    done = bench.run("deploy-product", placed(bench, EXAMPLE), "--force")
    wanted = EXAMPLE.replace("111122223333", ACCOUNT)
    assert f"warning: The connection {wanted} is not there" in done.stderr
    assert "https://us-west-2.console.aws.amazon.com/codesuite/settings/connections?region=us-west-2" in done.stderr


def about(report: Report) -> list[Finding]:
    return [found for stack in report.stacks for found in stack.findings if found.check == "connection"]


@pytest.mark.spec("D01")
def test_the_review_finds_a_pending_connection_with_the_link_on_the_line_that_names_it(bench: Bench) -> None:
    made = bench.client("codeconnections").create_connection(ProviderType="GitHub", ConnectionName="churn")
    connection = str(made["ConnectionArn"])
    report = proposed(bench, connection)
    (found,) = about(report)
    assert (found.level, found.stack) == (Level.WARNING, str(report.stacks[0].id))
    assert f"The connection {connection} is PENDING" in found.message
    assert page(connection) in found.message
    lines = text(connection).splitlines()
    assert (found.where.path, lines[found.where.line - 1].split(":")[0].strip()) == (
        f"configs/{NAME}.yaml",
        "connection_arn",
    )
    assert report.verdict is not Verdict.BLOCKED
    bench.aws.confirm_connection(connection)
    assert about(bench.review(1, head="change")) == []


@pytest.mark.spec("D01")
def test_a_waiver_of_the_settings_answers_for_it_and_is_used(bench: Bench) -> None:
    waiver = '{check: connection, reason: Confirmed on Monday., owner: ml-platform-team, until: "2027-01-31"}'
    (bench.folder / settings.FILE).write_text(f"version: 1\nconfigs: configs\nwaivers: [{waiver}]\n", encoding="utf-8")
    bench.commit("Wait until Monday")
    made = bench.client("codeconnections").create_connection(ProviderType="GitHub", ConnectionName="churn")
    report = proposed(bench, str(made["ConnectionArn"]))
    (found,) = about(report)
    assert found.waiver is not None
    assert [each for stack in report.stacks for each in stack.findings if each.check == "unused-waiver"] == []


@pytest.mark.spec("D01")
def test_a_connection_of_another_account_is_not_asked_for_and_a_note_says_so(bench: Bench) -> None:
    (found,) = about(proposed(bench, EXAMPLE.replace("111122223333", "999988887777")))
    assert found.level is Level.NOTE
    assert "it belongs to another account or region" in found.message
