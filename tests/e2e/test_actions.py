"""The twelve actions of the ML Provisioner with their messages, against the embedded AWS (feature rows A11-A38)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import STARTER, STARTER_GIT, Bench, example

pytestmark = pytest.mark.e2e
CONFIG = f"configs/{STARTER}.yaml"
STACK = f"{STARTER.removesuffix('-s3')}-stack"
ENTERPRISE = "globalbank-prod-c001-us-west-2-demand-forecasting-ml-s3-standalone-ssm"
ENTERPRISE_ACCOUNT = "333344445555"


@pytest.fixture
def config(bench: Bench) -> str:
    bench.write(example())
    return CONFIG


def created(bench: Bench, config: str) -> None:
    assert bench.run("create-prov-template", config).code == 0
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 0, done.stderr


def stacks(bench: Bench) -> list[str]:
    found = bench.client("cloudformation").describe_stacks()["Stacks"]
    return [item["StackName"] for item in found if item["StackStatus"] != "DELETE_COMPLETE"]


def physical_ids(bench: Bench, stack: str) -> set[str]:
    found = bench.client("cloudformation").list_stack_resources(StackName=stack)["StackResourceSummaries"]
    return {item["PhysicalResourceId"] for item in found}


def written(bench: Bench, folder: str) -> list[str]:
    return sorted(path.name for path in (bench.folder / "ml" / folder).glob("*"))


@pytest.mark.spec("A31", "A66")
def test_deploying_without_a_template_says_what_to_run(bench: Bench, config: str) -> None:
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 2
    assert "Template file not found" in done.stderr
    assert "Run create-prov-template before deploy-product" in done.stderr
    assert stacks(bench) == []


@pytest.mark.spec("A31")
def test_a_template_older_than_its_config_is_refused(bench: Bench, config: str) -> None:
    bench.run("create-prov-template", config)
    bench.write(example().replace("ml-platform-team", "another-team"))
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 4
    assert "Run create-prov-template" in done.stderr
    assert stacks(bench) == []


@pytest.mark.spec("A32", "A60", "A62", "A69")
def test_deploy_product_creates_the_stack_and_its_parameters(bench: Bench, config: str) -> None:
    bench.run("create-prov-template", config)
    done = bench.run("deploy-product", config, "--force", "--format", "json")
    assert done.code == 0
    assert done.facts["status"] == "CREATE_COMPLETE"
    assert done.facts["resources"] == 10
    assert Path(done.facts["report"]).is_file()
    assert "<h1>Created</h1>" in Path(done.facts["page"]).read_text(encoding="utf-8")
    base = f"/ml/{STARTER.removesuffix('-s3')}"
    found = bench.client("ssm").get_parameters_by_path(Path=base)["Parameters"]
    assert [item["Name"] for item in found] == [f"{base}/ModelPackageGroupArn"]
    assert found[0]["Value"].endswith(f"model-package-group/{STARTER.removesuffix('-s3')}-models")
    assert found[0]["Type"] == "String"


@pytest.mark.spec("A33")
def test_nothing_is_changed_without_force_where_nobody_can_be_asked(bench: Bench, config: str) -> None:
    bench.run("create-prov-template", config)
    done = bench.run("deploy-product", config)
    assert done.code == 4
    assert "--force" in done.stderr
    assert stacks(bench) == []
    created(bench, config)
    done = bench.run("delete-product", config)
    assert done.code == 4
    assert stacks(bench) == [STACK]


@pytest.mark.spec("A34", "A66")
def test_a_stack_that_exists_is_left_alone_with_three_remedies(bench: Bench, config: str) -> None:
    created(bench, config)
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 4
    assert "Stack already exists" in done.stderr
    for remedy in (f"show-changes {CONFIG}", "deploy --base", f"delete-product {CONFIG} --force"):
        assert remedy in done.stderr


@pytest.mark.spec("A35")
def test_show_changes_lists_and_leaves_no_trace(bench: Bench, config: str) -> None:
    created(bench, config)
    before = bench.client("cloudformation").get_template(StackName=STACK)["TemplateBody"]
    done = bench.run("show-changes", config, "--format", "json")
    assert (done.code, done.facts["operation"], done.facts["changes"]) == (0, "no changes", [])
    bench.write(example().replace("use_case: customer-churn", "use_case: customer-churn\n  unique_bucket_name: true"))
    done = bench.run("show-changes", config, "--format", "json")
    changes = {item["resource"]: item for item in done.facts["changes"]}
    assert done.code == 0
    assert changes["ArtifactsBucket"]["replacement"] == "True"
    assert bench.run("show-changes", config, "--fail-on-changes").code == 1
    cfn = bench.client("cloudformation")
    assert cfn.get_template(StackName=STACK)["TemplateBody"] == before
    left = [
        item for item in cfn.list_change_sets(StackName=STACK)["Summaries"] if item["ExecutionStatus"] == "AVAILABLE"
    ]
    assert left == []


@pytest.mark.spec("A35", "A38")
def test_show_changes_of_a_new_stack_leaves_no_shell(bench: Bench, config: str) -> None:
    done = bench.run("show-changes", config, "--format", "json")
    assert done.facts["operation"] == "create"
    assert len(done.facts["changes"]) == 10
    assert stacks(bench) == []


@pytest.mark.spec("A36")
def test_drift_names_resource_property_expected_and_actual(bench: Bench, config: str) -> None:
    created(bench, config)
    done = bench.run("check-drift", config, "--format", "json")
    assert (done.code, done.facts["status"]) == (0, "IN_SYNC")
    assert done.facts["checked"] == done.facts["resources"] == 10
    path = f"/ml/{STARTER.removesuffix('-s3')}/ModelPackageGroupArn"
    bench.client("ssm").put_parameter(Name=path, Value="by-hand", Type="String", Overwrite=True)
    done = bench.run("check-drift", config, "--format", "json")
    assert (done.code, done.facts["status"]) == (1, "DRIFTED")
    (difference,) = done.facts["differences"]
    assert difference["resource"] == "SsmModelPackageGroupArn"
    assert difference["property"] == "Value"
    assert difference["actual"] == '"by-hand"'
    assert difference["expected"].endswith('-models"')


@pytest.mark.spec("A37")
def test_delete_product_keeps_data_by_name_and_frees_the_rest(bench: Bench, config: str) -> None:
    created(bench, config)
    bucket = f"{STARTER.removesuffix('-s3')}-artifacts"
    bench.client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=b"weights")
    done = bench.run("delete-product", config, "--force", "--format", "json")
    assert (done.code, done.facts["outcome"]) == (0, "deleted")
    assert f"AWS::S3::Bucket {bucket}" in done.facts["retained"]
    assert stacks(bench) == []
    assert bench.client("s3").get_object(Bucket=bucket, Key="model.tar.gz")["Body"].read() == b"weights"
    base = f"/ml/{STARTER.removesuffix('-s3')}"
    assert bench.client("ssm").get_parameters_by_path(Path=base)["Parameters"] == []


@pytest.mark.spec("A37")
def test_delete_data_leaves_nothing_so_that_the_same_config_deploys_again(bench: Bench, config: str) -> None:
    created(bench, config)
    bucket = f"{STARTER.removesuffix('-s3')}-artifacts"
    for body in (b"one", b"two"):
        bench.client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=body)
    done = bench.run("delete-product", config, "--force", "--delete-data", "--format", "json")
    assert done.code == 0, done.stderr
    assert done.facts["retained"] == []
    assert bench.client("s3").list_buckets()["Buckets"] == []
    created(bench, config)
    assert stacks(bench) == [STACK]


@pytest.mark.spec("A30", "A40")
def test_a_test_stack_stands_beside_production_and_a_plain_delete_removes_it(bench: Bench, config: str) -> None:
    created(bench, config)
    before = bench.client("cloudformation").get_template(StackName=STACK)["TemplateBody"]
    done = bench.run("test-deploy", config, "--format", "json")
    assert done.code == 0, done.stderr
    name = done.facts["stack"]
    assert name.startswith(f"{STARTER.removesuffix('-s3')}-test-")
    assert name in done.stderr
    cfn = bench.client("cloudformation")
    assert sorted(stacks(bench)) == sorted([STACK, name])
    ids = {each: physical_ids(bench, each) for each in (STACK, name)}
    assert ids[STACK].isdisjoint(ids[name])
    cfn.delete_stack(StackName=name)
    cfn.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert stacks(bench) == [STACK]
    assert [item["Name"] for item in bench.client("s3").list_buckets()["Buckets"]] == [
        f"{STARTER.removesuffix('-s3')}-artifacts"
    ]
    assert cfn.get_template(StackName=STACK)["TemplateBody"] == before


@pytest.mark.spec("A38")
@pytest.mark.parametrize("action", ["deploy-product", "test-deploy", "delete-product", "show-changes"])
def test_a_dry_run_makes_no_call_that_changes_anything(bench: Bench, config: str, action: str) -> None:
    bench.run("create-prov-template", config)
    if action == "delete-product":
        created(bench, config)
    before = stacks(bench)
    calls: list[str] = []
    for service in ("cloudformation", "s3", "ssm"):
        client = bench.client(service)
        client.meta.events.register("before-call.*", lambda model, **_: calls.append(model.name))
    done = bench.run(action, config, "--dry-run", "--format", "json")
    assert done.code == 0, done.stderr
    assert [call for call in calls if not call.startswith(("Describe", "List", "Get"))] == []
    assert stacks(bench) == before


@pytest.mark.spec("A22")
def test_create_policy_writes_every_role_and_explains_a_permission(bench: Bench, config: str) -> None:
    done = bench.run("create-policy", config, "--format", "json")
    assert done.code == 0
    stem = STARTER
    assert f"{stem}-iam-policy.json" in written(bench, "policies")
    assert {f"{stem}-{end}.json" for end in ("execution-policy", "plan", "deploy", "drift", "boundary")} <= set(
        written(bench, "policies")
    )
    for path in (bench.folder / "ml" / "policies").glob("*.json"):
        document = json.loads(path.read_text())
        assert document["Version"] == "2012-10-17"
        assert len("".join(json.dumps(document, separators=(",", ":")).split())) <= 6144
    files = bench.run("create-policy", config, "--inline", "--format", "json").facts["policies"]
    assert (
        len([file for file in files if "iam-policy" in file["file"]])
        == 1
        < len([name for name in written(bench, "policies") if "iam-policy" in name])
    )
    why = bench.run("create-policy", config, "--why", "s3:CreateBucket", "--format", "json")
    assert {row["resource"] for row in why.facts["why"]} == {"ArtifactsBucket"}
    assert bench.run("create-policy", config, "--why", "s3:Nothing").code == 1


@pytest.mark.spec("A24")
def test_the_template_is_the_same_twice_and_names_version_and_config(bench: Bench, config: str) -> None:
    bench.run("create-prov-template", config)
    path = bench.folder / "ml" / "templates" / f"{STARTER}-template.yaml"
    first = path.read_bytes()
    bench.run("create-prov-template", config)
    assert path.read_bytes() == first
    head = first.decode().splitlines()[:2]
    assert head[0].startswith("# Rendered by stackseal 0.")
    assert head[1].startswith("# config sha256:")


@pytest.mark.spec("A28")
def test_a_tampered_template_is_reported_with_its_line(bench: Bench, config: str) -> None:
    bench.run("create-prov-template", config)
    path = bench.folder / "ml" / "templates" / f"{STARTER}-template.yaml"
    text = path.read_text()
    assert bench.run("validate-prov-template", config).code == 0
    extra = "  Another:\n    Type: AWS::S3::Bucket\n"
    path.write_text(
        text + extra if text.rstrip().endswith("Resources:") else text.replace("Resources:\n", f"Resources:\n{extra}")
    )
    done = bench.run("validate-prov-template", config, "--format", "json")
    assert done.code == 1
    checks = {item["check"]: item for item in done.facts["findings"]}
    assert "resource-count" in checks
    assert "stateful-retention" in checks
    line = path.read_text().splitlines().index("  Another:") + 1
    assert checks["stateful-retention"]["line"] in {line, line + 1}
    assert "was edited" in done.stderr


@pytest.mark.spec("A29")
def test_the_review_report_is_written_twice_the_same(bench: Bench, config: str) -> None:
    done = bench.run("create-review-report", config, "--format", "json")
    assert done.code == 0
    html = bench.folder / "ml" / "reports" / f"{STARTER}-review.html"
    text = html.read_text()
    assert "ArtifactsBucket" in text
    assert "http-equiv" in text
    for word in ("<script", "<link", "@import"):
        assert word not in text
    markdown = (bench.folder / "ml" / "reports" / f"{STARTER}-review.md").read_text()
    assert "ArtifactsBucket" in markdown
    bench.run("create-review-report", config)
    assert "Since the last report" in html.read_text()


@pytest.mark.spec("A12", "A13", "A05")
def test_catalogue_and_product_need_no_aws(bench: Bench, config: str) -> None:
    listed = bench.run("list-products", "--format", "json").facts["products"]
    assert {item["variant"]: item["resources"] for item in listed if item["product"] == "ml"} == {
        "starter": [13, 10],
        "professional": [19, 16],
        "enterprise": [41, 39, 38, 36],
    }
    shown = bench.run("show-product", config, "--format", "json").facts
    assert shown["count"] == len(shown["resources"]) == 10


@pytest.mark.spec("A20", "A61", "A66")
def test_an_enterprise_product_before_its_network_is_refused_with_the_order(bench: Bench) -> None:
    bench.write(example(ENTERPRISE), f"{ENTERPRISE}.yaml")
    config = f"configs/{ENTERPRISE}.yaml"
    assert bench.run("create-prov-template", config).code == 0
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 4
    assert "vpc-provisioner → sg-provisioner → ml-provisioner" in done.stderr
    assert "/vpc/globalbank-prod-c001-us-west-2-vpc/VPCId" in done.stderr
    assert "/vpc/globalbank-prod-c001-us-west-2-vpc/PrivateSubnetIds" in done.stderr
    assert bench.client("cloudformation", ENTERPRISE_ACCOUNT).list_stacks()["StackSummaries"] == []


def stack(bench: Bench, name: str, resources: dict[str, Any]) -> None:
    """Somebody else's stack in the enterprise account."""
    cfn = bench.client("cloudformation", ENTERPRISE_ACCOUNT)
    cfn.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
    cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})


def network(bench: Bench) -> str:
    """A VPC with two subnets, published where the enterprise example reads it, as the VPC provisioner does."""
    base = "/vpc/globalbank-prod-c001-us-west-2-vpc"

    def subnet(number: int, zone: str) -> dict[str, Any]:
        properties = {"VpcId": {"Ref": "Vpc"}, "CidrBlock": f"10.0.{number}.0/24", "AvailabilityZone": zone}
        return {"Type": "AWS::EC2::Subnet", "Properties": properties}

    def parameter(name: str, kind: str, value: Any) -> dict[str, Any]:
        return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"{base}/{name}", "Type": kind, "Value": value}}

    vpc = {"CidrBlock": "10.0.0.0/16", "EnableDnsSupport": True, "EnableDnsHostnames": True}
    stack(
        bench,
        "network",
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": vpc},
            "SubnetA": subnet(0, "us-west-2a"),
            "SubnetB": subnet(1, "us-west-2b"),
            "VpcId": parameter("VPCId", "String", {"Ref": "Vpc"}),
            "SubnetIds": parameter(
                "PrivateSubnetIds", "StringList", {"Fn::Join": [",", [{"Ref": "SubnetA"}, {"Ref": "SubnetB"}]]}
            ),
        },
    )
    ssm = bench.client("ssm", ENTERPRISE_ACCOUNT)
    return str(ssm.get_parameter(Name=f"{base}/VPCId")["Parameter"]["Value"])


@pytest.mark.spec("A51", "A53", "A54", "A56", "A60")
def test_an_enterprise_product_deploys_into_its_network(bench: Bench) -> None:
    vpc = network(bench)
    bench.write(example(ENTERPRISE), f"{ENTERPRISE}.yaml")
    config = f"configs/{ENTERPRISE}.yaml"
    assert bench.run("create-prov-template", config).code == 0
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 0, done.stderr
    assert "has to confirm the first mail" in done.stderr
    report = bench.run("create-review-report", config, "--format", "json").facts["reports"]
    assert "has to confirm the first mail" in (bench.folder / report[1]).read_text()
    endpoints = bench.client("ec2", ENTERPRISE_ACCOUNT).describe_vpc_endpoints()["VpcEndpoints"]
    assert {item["VpcId"] for item in endpoints} == {vpc}
    kinds = sorted((item["ServiceName"].rpartition("us-west-2.")[2], item["VpcEndpointType"]) for item in endpoints)
    assert kinds == [
        ("s3", "Gateway"),
        ("sagemaker.api", "Interface"),
        ("sagemaker.runtime", "Interface"),
        ("sts", "Interface"),
    ]
    name = ENTERPRISE.removesuffix("-s3-standalone-ssm")
    found = bench.client("ssm", ENTERPRISE_ACCOUNT).get_parameters_by_path(Path=f"/ml/{name}", MaxResults=10)[
        "Parameters"
    ]
    published = {item["Name"].rpartition("/")[2] for item in found}
    assert published == {
        *("ModelPackageGroupArn", "BucketName", "DashboardName", "KmsKeyArn", "LogGroupName", "SecurityGroupId"),
        *("VpcEndpointIdSagemakerApi", "VpcEndpointIdSagemakerRuntime", "VpcEndpointIdS3", "VpcEndpointIdSts"),
    }


@pytest.mark.spec("A30", "A66")
def test_a_second_endpoint_with_private_dns_is_named_before_anything_is_created(bench: Bench) -> None:
    vpc = network(bench)
    properties = {"VpcId": vpc, "ServiceName": "com.amazonaws.us-west-2.sts", "VpcEndpointType": "Interface"}
    endpoint = {"Type": "AWS::EC2::VPCEndpoint", "Properties": {**properties, "PrivateDnsEnabled": True}}
    stack(bench, "endpoints", {"Sts": endpoint})
    (made,) = [
        item["VpcEndpointId"]
        for item in bench.client("ec2", ENTERPRISE_ACCOUNT).describe_vpc_endpoints()["VpcEndpoints"]
    ]
    bench.write(example(ENTERPRISE), f"{ENTERPRISE}.yaml")
    config = f"configs/{ENTERPRISE}.yaml"
    bench.run("create-prov-template", config)
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 4
    assert made in done.stderr
    assert "private_dns: false" in done.stderr
    found = bench.client("cloudformation", ENTERPRISE_ACCOUNT).list_stacks()["StackSummaries"]
    assert sorted(item["StackName"] for item in found) == ["endpoints", "network"]
    test = bench.run("test-deploy", config)
    assert test.code == 0, test.stderr


@pytest.mark.spec("A19")
def test_a_missing_source_bucket_is_a_warning(bench: Bench, config: str) -> None:
    bench.run("create-prov-template", config)
    done = bench.run("deploy-product", config, "--force")
    assert done.code == 0
    assert "source bucket techcorp-a001-ml-source is not there" in done.stderr


def test_credentials_of_another_account_are_refused(bench: Bench) -> None:
    from dataclasses import replace

    bench.write(example())
    bench.run("create-prov-template", CONFIG)
    fixed = bench.world.aws("999988887777", "us-west-2")
    bench.world = replace(bench.world, aws=lambda _account, _region: fixed)
    done = bench.run("deploy-product", CONFIG, "--force")
    assert done.code == 4
    assert "999988887777" in done.stderr
    assert "111122223333" in done.stderr


@pytest.mark.spec("A42", "A43")
def test_both_sources(bench: Bench) -> None:
    bench.write(example(STARTER_GIT), f"{STARTER_GIT}.yaml")
    created(bench, f"configs/{STARTER_GIT}.yaml")
    name = STARTER_GIT.removesuffix("-codecommit")
    url = bench.client("ssm").get_parameter(Name=f"/ml/{name}/RepositoryUrl")["Parameter"]["Value"]
    assert url == f"https://git-codecommit.us-west-2.amazonaws.com/v1/repos/{name}-model-build"
    assert bench.client("codecommit").get_repository(repositoryName=f"{name}-model-deploy")


@pytest.mark.spec("A67")
def test_the_old_version_brings_its_own_bytes_back(bench: Bench, config: str) -> None:
    created(bench, config)
    path = bench.folder / "ml" / "templates" / f"{STARTER}-template.yaml"
    ours = path.read_text()
    newer = ours.replace("# Rendered by stackseal ", "# Rendered by stackseal 99.", 1)
    path.write_text(newer.replace("TimeoutInMinutes: 120", "TimeoutInMinutes: 30"))
    back = bench.run("upgrade", config, "--format", "json")
    assert (back.facts["from"].startswith("99."), bool(back.facts["changes"])) == (True, True)
    refused = bench.run("deploy-product", config, "--force")
    assert (refused.code, "create-prov-template" in refused.stderr) == (4, True)
    assert bench.run("create-prov-template", config).code == 0
    assert path.read_text() == ours
    assert bench.run("upgrade", config, "--deployed", "--format", "json").facts["operation"] == "no changes"


@pytest.mark.spec("A67")
def test_an_upgrade_says_what_the_new_version_changes_or_which_key_stands_in_its_way(bench: Bench, config: str) -> None:
    created(bench, config)
    path = bench.folder / "ml" / "templates" / f"{STARTER}-template.yaml"
    same = bench.run("upgrade", config, "--format", "json")
    assert (same.code, same.facts["compatible"], same.facts["changes"]) == (0, True, [])
    assert bench.run("upgrade", config, "--deployed", "--format", "json").facts["operation"] == "no changes"
    old = path.read_text().replace("# Rendered by stackseal ", "# Rendered by stackseal 0.0.", 1)
    path.write_text(old.replace("TimeoutInMinutes: 120", "TimeoutInMinutes: 30"))
    assert path.read_text() != old, "the template has no such property any more: choose another"
    done = bench.run("upgrade", config, "--format", "json")
    assert done.facts["from"].startswith("0.0.")
    assert {row["resource"] for row in done.facts["changes"]} <= {"BuildProject", "DeployProject"}
    assert done.facts["changes"]
    bench.write(example().replace("tier: starter", "tier: small"))
    refused = bench.run("upgrade", config)
    assert refused.code == 2
    assert f"{CONFIG}:10:9" in refused.stderr
