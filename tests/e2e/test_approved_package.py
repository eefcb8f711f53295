"""The newest approved package comes from a parameter: what was reviewed is deployed, and no other version."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.harness import ACCOUNT, Bench
from e2e.test_pipelines import ROLE, first_example, grant
from stackseal import settings
from stackseal.errors import Refused
from stackseal.model import Outcome

pytestmark = pytest.mark.e2e
PATH = "/ml/customer-churn/ApprovedModelPackageArn"
NAME = "techcorp-prod-a001-us-west-2-customer-churn-hosting-package-ssm.yaml"


def approved(bench: Bench) -> str:
    """Another approved version, published."""
    arn = bench.client("sagemaker").create_model_package(
        ModelPackageGroupName="models", ModelApprovalStatus="Approved"
    )["ModelPackageArn"]
    bench.client("ssm").put_parameter(Name=PATH, Value=arn, Type="String", Overwrite=True)
    return str(arn)


def reviewed(bench: Bench) -> Any:
    """A pull request that hosts what the parameter holds, reviewed and merged."""
    bench.client("sagemaker").create_model_package_group(ModelPackageGroupName="models")
    _, text = first_example("model_hosting")
    keys = f"model_package_parameter_store_path: {PATH}\n  execution_role_arn: {ROLE}"
    text = text.replace("model_name: customer-churn-7", keys)
    accounts = f'accounts: {{"{ACCOUNT}": {{execution_role: "{ROLE}"}}}}'
    (bench.folder / settings.FILE).write_text(f"version: 1\nconfigs: configs\n{accounts}\n")
    bench.commit("Name the role")
    grant(bench, NAME, text)
    approved(bench)
    bench.git("switch", "--quiet", "--create", "change")
    bench.write(text, NAME)
    bench.commit("Host the newest approved model")
    report = bench.review(1)
    assert not report.failures, report.failures
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "change")
    return report


@pytest.mark.spec("C06")
def test_the_version_of_the_review_is_hosted(bench: Bench) -> None:
    reviewed(bench)
    (done,) = bench.deploy(1)
    assert done.outcome is Outcome.CREATED, done.first_failure
    assert bench.client("sagemaker").list_endpoints()["Endpoints"]


@pytest.mark.spec("C06")
def test_a_version_that_was_approved_after_the_review_is_refused(bench: Bench) -> None:
    reviewed(bench)
    approved(bench)
    with pytest.raises(Refused, match="at review"):
        bench.deploy(1)
    assert bench.client("sagemaker").list_endpoints()["Endpoints"] == []


@pytest.mark.spec("C06")
def test_before_anything_was_approved_the_review_says_who_writes_the_parameter(bench: Bench) -> None:
    _, text = first_example("model_hosting")
    keys = f"model_package_parameter_store_path: {PATH}\n  execution_role_arn: {ROLE}"
    bench.git("switch", "--quiet", "--create", "change")
    bench.write(text.replace("model_name: customer-churn-7", keys), NAME)
    bench.commit("Host the newest approved model")
    (failure,) = bench.review(1).failures
    assert f"reads SSM parameters that do not exist: {PATH}" in failure.message
    holds = "it holds the newest approved version of a model package group; whoever approves one writes its ARN there"
    assert failure.remedy == f"have {PATH} written first: {holds}"
    bench.run("create-prov-template", f"configs/{NAME}")
    refused = bench.run("deploy-product", f"configs/{NAME}", "--force")
    assert refused.code == 4
    assert failure.remedy in refused.stderr
    assert "provisioner" not in refused.stderr
