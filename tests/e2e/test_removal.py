"""What `delete-product --delete-data` removes and says before it does, and how a test stack goes (A30, A37)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.harness import STARTER_GIT, Bench, example
from stackseal.aws.retained import WAYS
from stackseal.commands import delete_product

pytestmark = pytest.mark.e2e
CONFIG = f"configs/{STARTER_GIT}.yaml"
NAME = STARTER_GIT.removesuffix("-codecommit")
STACK = f"{NAME}-stack"
DATA = [
    f"AWS::CodeCommit::Repository {NAME}-model-build",
    f"AWS::CodeCommit::Repository {NAME}-model-deploy",
    f"AWS::S3::Bucket {NAME}-artifacts",
    f"AWS::SageMaker::ModelPackageGroup {NAME}-models",
]


@pytest.fixture
def config(bench: Bench) -> str:
    bench.write(example(STARTER_GIT), f"{STARTER_GIT}.yaml")
    return CONFIG


def created(bench: Bench, config: str) -> None:
    assert bench.run("create-prov-template", config).code == 0
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 0, done.stderr


def stacks(bench: Bench) -> list[str]:
    found = bench.client("cloudformation").describe_stacks()["Stacks"]
    return sorted(item["StackName"] for item in found if item["StackStatus"] != "DELETE_COMPLETE")


def left(bench: Bench) -> int:
    """How many buckets, repositories and model package groups there are."""
    return sum(
        len(found)
        for found in (
            bench.client("s3").list_buckets()["Buckets"],
            bench.client("codecommit").list_repositories()["repositories"],
            bench.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"],
        )
    )


@pytest.mark.spec("A37")
def test_the_data_of_a_stack_that_is_gone_are_found_by_their_names(bench: Bench, config: str) -> None:
    created(bench, config)
    bench.client("s3").put_object(Bucket=f"{NAME}-artifacts", Key="model.tar.gz", Body=b"weights")
    assert bench.run("delete-product", config, "--force").code == 0
    nothing = bench.run("delete-product", config, "--force")
    assert nothing.code == 2
    assert "it is not deployed; nothing to delete" in nothing.stderr
    assert f"stackseal delete-product {config} --delete-data" in nothing.stderr
    dry = bench.run("delete-product", config, "--delete-data", "--dry-run", "--format", "json")
    assert (dry.code, dry.facts["removed"]) == (0, DATA)
    asked = bench.run("delete-product", config, "--delete-data")
    assert (asked.code, left(bench)) == (4, len(DATA))
    done = bench.run("delete-product", config, "--delete-data", "--force", "--format", "json")
    assert done.code == 0, done.stderr
    assert (sorted(done.facts["removed"]), left(bench)) == (DATA, 0)
    again = bench.run("delete-product", config, "--delete-data", "--force")
    assert again.code == 2
    assert "nothing with a name that it would retain exists" in again.stderr


@pytest.mark.spec("A37")
def test_the_data_that_block_a_new_stack_go_with_its_ruin(bench: Bench, config: str) -> None:
    """The names are taken, the creation was rolled back, and the stack that is there has no data of its own."""
    created(bench, config)
    assert bench.run("delete-product", config, "--force").code == 0
    failed = bench.run("deploy-product", config, "--force")
    assert failed.code == 3, failed.stderr
    assert stacks(bench) == [STACK]
    done = bench.run("delete-product", config, "--delete-data", "--force", "--format", "json")
    assert done.code == 0, done.stderr
    assert (stacks(bench), left(bench)) == ([], 0)
    created(bench, config)


@pytest.mark.spec("A37")
def test_everything_that_goes_is_named_before_it_goes(bench: Bench, config: str) -> None:
    created(bench, config)
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    bench.world = replace(bench.world, confirm=no)
    done = bench.run("delete-product", config, "--delete-data")
    assert (done.code, stacks(bench), left(bench)) == (4, [STACK], len(DATA))
    (question,) = asked
    for item in DATA:
        kind, name = item.split(" ")
        said = re.compile(
            rf"{kind} \S*{name.rpartition('-')[2]}\S* \({WAYS[kind].words}\)|{kind} \S+ \({WAYS[kind].words}\)"
        )
        assert said.search(question), (item, question)
        assert said.search(done.stderr.partition("Removed for good")[2]), item


def test_the_help_and_the_manual_name_every_type() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/recover.md").read_text(encoding="utf-8")
    for text in (delete_product.HELP, page):
        flat = " ".join(text.lower().split())
        for words in ("buckets", "model package groups", "codecommit repositories", "log groups", "kms keys"):
            assert words in flat
        assert "7 days" in flat
    assert len(WAYS) == 5


@pytest.mark.spec("A30")
def test_a_test_stack_is_deleted_by_its_suffix(bench: Bench, config: str) -> None:
    created(bench, config)
    assert bench.run("test-deploy", config, "--suffix", "0a1b2c").code == 0
    there = bench.run("test-deploy", config, "--suffix", "0a1b2c")
    assert there.code == 4
    assert f"remove it with: stackseal test-deploy {config} --suffix 0a1b2c --delete" in there.stderr
    assert "delete-product" not in there.stderr
    done = bench.run("test-deploy", config, "--suffix", "0a1b2c", "--delete", "--format", "json")
    assert (done.code, done.facts["outcome"], done.facts["retained"]) == (0, "deleted", [])
    assert done.facts["stack"] == f"{NAME}-test-0a1b2c-stack"
    assert stacks(bench) == [STACK]
