"""A product whose source is GitHub, on the embedded AWS: a connection nobody confirmed is told, with the link."""

from __future__ import annotations

import pytest

from e2e.harness import ACCOUNT, Bench
from stackseal import assets

pytestmark = pytest.mark.e2e
NAME = "techcorp-prod-a001-us-west-2-customer-churn-ml-github"
EXAMPLE = "arn:aws:codeconnections:us-west-2:111122223333:connection/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0"


def placed(bench: Bench, connection: str) -> str:
    """The starter example with a connection of this account; its path."""
    text = (assets.PRODUCTS / "ml" / "examples" / f"{NAME}.yaml").read_text(encoding="utf-8")
    assert EXAMPLE in text
    bench.write(text.replace(EXAMPLE, connection).replace("111122223333", ACCOUNT), f"{NAME}.yaml")
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
    assert f"warning: the connection {connection['ConnectionArn']} is PENDING" in done.stderr
    assert "https://us-west-2.console.aws.amazon.com/codesuite/settings/connections?region=us-west-2" in done.stderr


@pytest.mark.spec("D01")
def test_a_connection_that_is_not_there_is_told(bench: Bench) -> None:
    done = bench.run("deploy-product", placed(bench, EXAMPLE), "--force")
    assert f"warning: the connection {EXAMPLE} is not there" in done.stderr
