"""A network, its security groups and an ML product in it: in order, in reverse, with small roles, without drift."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION, Bench
from stackseal import assets, config, policy, settings
from stackseal.change import preparation
from stackseal.model import Role
from stackseal.outputs import get_ml_outputs

pytestmark = pytest.mark.e2e
BANK = "333344445555"
VPC = "vpc/examples/globalbank-prod-c001-us-west-2-vpc"
GROUPS = "sg/examples/globalbank-prod-c001-us-west-2-sg-3-tier-rds-postgresql-ssm"
ML = "ml/examples/globalbank-prod-c001-us-west-2-demand-forecasting-ml"
NAT = "vpc/examples/techcorp-prod-a001-us-west-2-vpc-nat-per-zone"
SHOP = "sg/examples/techcorp-prod-a001-us-west-2-sg-3-tier-rds-mysql-ssm-workload"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/stackseal-execution"


def placed(bench: Bench, example: str) -> str:
    """The config of an example in the repository, with its template written."""
    source = assets.PRODUCTS / f"{example}.yaml"
    bench.write(source.read_text(encoding="utf-8"), source.name)
    path = f"configs/{source.name}"
    done = bench.run("create-prov-template", path)
    assert done.code == 0, done.stderr
    return path


def deploy(bench: Bench, example: str) -> None:
    done = bench.run("deploy-product", placed(bench, example), "--force")
    assert done.code == 0, done.stderr


def delete(bench: Bench, example: str) -> None:
    done = bench.run("delete-product", placed(bench, example), "--force", "--delete-data", "--format", "json")
    assert (done.code, done.facts["retained"]) == (0, []), done.stderr


def value(bench: Bench, path: str, account: str = BANK) -> str:
    return str(bench.client("ssm", account).get_parameter(Name=path)["Parameter"]["Value"])


def left(bench: Bench, account: str) -> set[str]:
    """What still stands of a network."""
    ec2 = bench.client("ec2", account)
    found = {row["VpcId"] for row in ec2.describe_vpcs()["Vpcs"] if not row["IsDefault"]}
    found |= {row["GroupId"] for row in ec2.describe_security_groups()["SecurityGroups"] if "-sg-" in row["GroupName"]}
    found |= {row["NatGatewayId"] for row in ec2.describe_nat_gateways()["NatGateways"] if row["State"] == "available"}
    found |= {row["AllocationId"] for row in ec2.describe_addresses()["Addresses"]}
    found |= {row["FlowLogId"] for row in ec2.describe_flow_logs()["FlowLogs"]}
    found |= {row["VpcEndpointId"] for row in ec2.describe_vpc_endpoints()["VpcEndpoints"] if row["State"] != "deleted"}
    return found


@pytest.mark.spec("A54", "A55", "A61", "A62")
@pytest.mark.parametrize("mode", ["codecommit-sgprov-ssm", "s3-standalone-ssm"])
def test_vpc_groups_and_product_stand_in_order_and_go_in_reverse(bench: Bench, mode: str) -> None:
    product = f"{ML}-{mode}"
    refused = bench.run("deploy-product", placed(bench, product), "--force")
    assert refused.code == 4
    assert "vpc-provisioner → sg-provisioner → ml-provisioner" in refused.stderr
    early = bench.run("deploy-product", placed(bench, GROUPS), "--force")
    assert (early.code, "/vpc/globalbank-prod-c001-us-west-2-vpc/VPCId" in early.stderr) == (4, True)

    for example in (VPC, GROUPS, product):
        deploy(bench, example)

    vpc = value(bench, "/vpc/globalbank-prod-c001-us-west-2-vpc/VPCId")
    subnets = value(bench, "/vpc/globalbank-prod-c001-us-west-2-vpc/PrivateSubnetIds").split(",")
    app = value(bench, "/sg/globalbank-prod-c001-us-west-2-sg/app/SecurityGroupId")
    rows = bench.client("ec2", BANK).describe_vpc_endpoints()["VpcEndpoints"]
    interfaces = [row for row in rows if row["VpcEndpointType"] == "Interface"]
    assert {row["VpcId"] for row in rows} == {vpc}
    assert len(subnets) == len(interfaces) == 3
    assert all(set(row["SubnetIds"]) == set(subnets) for row in interfaces)
    carried = {group["GroupId"] for row in interfaces for group in row["Groups"]}
    assert (carried == {app}) is ("sgprov" in mode)
    guarded(bench, carried, own="standalone" in mode)

    consumed(bench, mode)
    wrong = bench.run("delete-product", placed(bench, VPC), "--force", "--delete-data")
    assert (wrong.code, "has dependencies and cannot be deleted" in wrong.stderr) == (3, True), wrong.stderr
    for example in (product, GROUPS, VPC):
        delete(bench, example)
    assert left(bench, BANK) == set()


@pytest.mark.spec("A30")
@pytest.mark.parametrize("kind", ["vpc", "groups"])
def test_a_test_stack_stands_beside_production_and_a_plain_delete_removes_it(bench: Bench, kind: str) -> None:
    deploy(bench, NAT)
    example = NAT if kind == "vpc" else SHOP
    if kind == "groups":
        deploy(bench, SHOP)
    before = left(bench, ACCOUNT)
    done = bench.run("test-deploy", placed(bench, example), "--format", "json")
    assert done.code == 0, done.stderr
    assert left(bench, ACCOUNT) > before
    cfn, name = bench.client("cloudformation"), done.facts["stack"]
    cfn.delete_stack(StackName=name)
    cfn.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    assert left(bench, ACCOUNT) == before


def test_an_s3_endpoint_on_the_same_route_tables_is_named_before_anything_is_created(bench: Bench) -> None:
    path = placed(bench, VPC)
    bench.write((bench.folder / path).read_text().replace("\nvpc:\n", "\nvpc:\n  s3_endpoint: true\n"), Path(path).name)
    bench.run("create-prov-template", path)
    assert bench.run("deploy-product", path, "--force").code == 0
    deploy(bench, GROUPS)
    found = bench.client("cloudformation", BANK).describe_stacks(StackName="globalbank-prod-c001-us-west-2-vpc-stack")
    outputs = {row["OutputKey"]: row["OutputValue"] for row in found["Stacks"][0]["Outputs"]}
    tables = outputs["PrivateRouteTableIds"].split(",")
    product = placed(bench, f"{ML}-codecommit-sgprov-ssm")
    text = (bench.folder / product).read_text()
    routed = text.replace("    mode: sg-", f"    route_table_ids: [{', '.join(tables)}]\n    mode: sg-")
    bench.write(routed, Path(product).name)
    bench.run("create-prov-template", product)
    done = bench.run("deploy-product", product, "--force")
    assert done.code == 4
    assert "remove the route table from vpc_integration.route_table_ids" in done.stderr
    assert all(table in done.stderr for table in tables)


def guarded(bench: Bench, carried: set[str], *, own: bool) -> None:
    """The group of the endpoints: one of the product's own admits HTTPS only and is published, another is neither."""
    name = "globalbank-prod-c001-us-west-2-demand-forecasting-ml"
    published = get_ml_outputs(name, REGION, aws=bench.world.aws(BANK, REGION)).get("SecurityGroupId")
    ec2 = bench.client("ec2", BANK)
    made = [row["GroupId"] for row in ec2.describe_security_groups()["SecurityGroups"] if "-ml-" in row["GroupName"]]
    assert made == ([published] if own else [])
    if own:
        assert carried == {published}
        (group,) = ec2.describe_security_groups(GroupIds=[published])["SecurityGroups"]
        assert {(row["FromPort"], row["ToPort"]) for row in group["IpPermissions"]} == {(443, 443)}
        ranges = {each["CidrIp"] for row in group["IpPermissions"] for each in row["IpRanges"]}
        (vpc,) = ec2.describe_vpcs(VpcIds=[group["VpcId"]])["Vpcs"]
        assert ranges == {vpc["CidrBlock"]}


def consumed(bench: Bench, mode: str) -> None:
    """The four values that downstream code reads, by the API and by our helper."""
    name = "globalbank-prod-c001-us-west-2-demand-forecasting-ml"
    found = get_ml_outputs(name, REGION, aws=bench.world.aws(BANK, REGION))
    keys = {"ModelPackageGroupArn", "BucketName", "KmsKeyArn", *(["RepositoryUrl"] if "codecommit" in mode else [])}
    assert keys <= found.keys()
    assert {key: value(bench, f"/ml/{name}/{key}") for key in keys} == {key: found[key] for key in keys}
    assert found["ModelPackageGroupArn"] == f"arn:aws:sagemaker:{REGION}:{BANK}:model-package-group/{name}-models"
    assert found["BucketName"] in {row["Name"] for row in bench.client("s3", BANK).list_buckets()["Buckets"]}
    assert bench.client("kms", BANK).describe_key(KeyId=found["KmsKeyArn"])["KeyMetadata"]["Arn"] == found["KmsKeyArn"]
    if "codecommit" in mode:
        repository = bench.client("codecommit", BANK).get_repository(repositoryName=f"{name}-model-build")
        assert repository["repositoryMetadata"]["cloneUrlHttp"] == found["RepositoryUrl"]


def test_the_generated_roles_suffice_and_nothing_drifts(bench: Bench) -> None:
    rule = f'accounts: {{"{ACCOUNT}": {{execution_role: "{ROLE}"}}}}'
    (bench.folder / settings.FILE).write_text(f"version: 1\nconfigs: configs\n{rule}\n", encoding="utf-8")
    for example in (NAT, SHOP):
        grant(bench, example)
        deploy(bench, example)
        checked = bench.run("check-drift", placed(bench, example), "--format", "json")
        assert (checked.code, checked.facts["status"]) == (0, "IN_SYNC"), checked.facts
    ec2 = bench.client("ec2")
    assert len(ec2.describe_nat_gateways()["NatGateways"]) == 4
    app = value(bench, "/sg/techcorp-prod-a001-us-west-2-shop-sg/app/SecurityGroupId", ACCOUNT)
    ec2.authorize_security_group_ingress(
        GroupId=app, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="198.51.100.7/32"
    )
    opened = bench.run("check-drift", placed(bench, SHOP), "--format", "json")
    assert (opened.code, opened.facts["status"]) == (1, "DRIFTED")
    for example in (SHOP, NAT):
        grant(bench, example)
        delete(bench, example)
    assert left(bench, ACCOUNT) == set()


def test_a_role_that_may_not_pass_the_flow_logs_role_fails_by_name(bench: Bench) -> None:
    rule = f'accounts: {{"{ACCOUNT}": {{execution_role: "{ROLE}"}}}}'
    (bench.folder / settings.FILE).write_text(f"version: 1\nconfigs: configs\n{rule}\n", encoding="utf-8")
    grant(bench, NAT, without="iam:PassRole")
    done = bench.run("deploy-product", placed(bench, NAT), "--force")
    assert done.code == 3
    assert "iam:PassRole" in done.stderr
    assert left(bench, ACCOUNT) == set()


def grant(bench: Bench, example: str, *, without: str = "") -> None:
    """The execution role with the policy that is generated for one stack, perhaps without one action."""
    iam = bench.client("iam")
    if "stackseal-execution" not in {row["RoleName"] for row in iam.list_roles()["Roles"]}:
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "cloudformation.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        document = {"Version": "2012-10-17", "Statement": [trust]}
        iam.create_role(RoleName="stackseal-execution", AssumeRolePolicyDocument=json.dumps(document))
    for name in iam.list_role_policies(RoleName="stackseal-execution")["PolicyNames"]:
        iam.delete_role_policy(RoleName="stackseal-execution", PolicyName=name)
    for index, document in enumerate(documents(bench, example)):
        for statement in document["Statement"]:
            statement["Action"] = [action for action in statement["Action"] if action != without]
        document["Statement"] = [statement for statement in document["Statement"] if statement["Action"]]
        text = json.dumps(document)
        iam.put_role_policy(RoleName="stackseal-execution", PolicyName=f"p{index}", PolicyDocument=text)


def documents(bench: Bench, example: str) -> list[dict[str, Any]]:
    source: Path = assets.PRODUCTS / f"{example}.yaml"
    resolved = preparation.catalogue_of(bench.world).resolve(
        config.parse(source.read_bytes(), source.name), bench.world.sandbox
    )
    template = preparation.rendered(bench.world, resolved, ()).template
    (execution,) = (item for item in policy.generate(template) if item.role is Role.EXECUTION)
    return [dict(document) for document in policy.documents(execution)]
