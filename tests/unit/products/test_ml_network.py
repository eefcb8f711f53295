"""The enterprise tier's endpoints, their security group and their routes."""

import re

import pytest

from unit.products.cases import (
    ENTERPRISE,
    GROUP_PATH,
    REGION,
    ROUTES,
    SUBNETS,
    Case,
    of_type,
    properties,
    rendered,
    resolved,
    template,
)

STANDALONE = Case(tier="enterprise", source="codecommit", mode="standalone", vpc="direct", routed=True)
SGPROV = Case(tier="enterprise", source="codecommit", mode="sgprov", vpc="ssm")
ENDPOINTS = ("VpcEndpointSagemakerApi", "VpcEndpointSagemakerRuntime", "VpcEndpointSts")


@pytest.mark.spec("A53")
@pytest.mark.parametrize("case", ENTERPRISE, ids=str)
def test_four_endpoints_stand_in_the_vpc(case: Case) -> None:
    found = of_type(case, "AWS::EC2::VPCEndpoint")
    services = {body["ServiceName"].removeprefix(f"com.amazonaws.{REGION}."): body for body in found.values()}
    assert set(services) == {"sagemaker.api", "sagemaker.runtime", "sts", "s3"}
    assert services["s3"]["VpcEndpointType"] == "Gateway"
    for name in ENDPOINTS:
        assert found[name]["VpcEndpointType"] == "Interface"
        assert found[name]["PrivateDnsEnabled"] is True
    assert len({body["VpcId"] for body in found.values()}) == 1


@pytest.mark.spec("A53")
def test_private_dns_can_be_switched_off() -> None:
    data = SGPROV.data()
    data["ml_product"]["vpc_integration"]["private_dns"] = False
    found = rendered(resolved(data)).resources
    assert {found[name]["Properties"]["PrivateDnsEnabled"] for name in ENDPOINTS} == {False}


@pytest.mark.spec("A53")
@pytest.mark.parametrize("name", [*ENDPOINTS, "VpcEndpointS3"])
def test_endpoints_serve_this_account_with_named_actions_only(name: str) -> None:
    for statement in properties(STANDALONE, name)["PolicyDocument"]["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action]
        if statement["Sid"] == "LayersOfContainerImages":
            assert statement["Resource"] == "arn:aws:s3:::prod-us-west-2-starport-layer-bucket/*"
        else:
            assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "333344445555"}}
        if statement["Resource"] == "*":
            assert actions == ["sts:GetCallerIdentity"]


@pytest.mark.spec("A54")
def test_standalone_admits_https_from_the_vpc_only() -> None:
    data = STANDALONE.data()
    data["ml_product"]["vpc_integration"]["vpc_cidrs"] = ["10.20.0.0/16", "10.21.0.0/16"]
    found = rendered(resolved(data)).resources
    group = found["EndpointSecurityGroup"]["Properties"]
    rules = [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in group["SecurityGroupIngress"]]
    assert [rule["CidrIp"] for rule in group["SecurityGroupIngress"]] == ["10.20.0.0/16", "10.21.0.0/16"]
    assert set(rules) == {("tcp", 443, 443)}
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]
    own = [{"Fn::GetAtt": ["EndpointSecurityGroup", "GroupId"]}]
    assert all(found[name]["Properties"]["SecurityGroupIds"] == own for name in ENDPOINTS)
    assert found["SsmSecurityGroupId"]["Properties"]["Value"] == own[0]


@pytest.mark.spec("A54")
def test_without_ranges_standalone_admits_private_networks_and_nothing_else() -> None:
    rules = properties(STANDALONE, "EndpointSecurityGroup")["SecurityGroupIngress"]
    assert [rule["CidrIp"] for rule in rules] == ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]


@pytest.mark.spec("A55")
@pytest.mark.parametrize("case", [case for case in ENTERPRISE if not case.standalone][::3], ids=str)
def test_sg_provisioner_uses_the_group_that_exists(case: Case) -> None:
    found = template(case)
    assert not of_type(case, "AWS::EC2::SecurityGroup")
    assert "SsmSecurityGroupId" not in found.resources
    declared = found.body["Parameters"]["EndpointSecurityGroupId"]
    assert declared == {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::SecurityGroup::Id>", "Default": GROUP_PATH}
    for name in ENDPOINTS:
        assert found.resources[name]["Properties"]["SecurityGroupIds"] == [{"Ref": "EndpointSecurityGroupId"}]


@pytest.mark.spec("A56")
def test_ssm_leaves_no_id_in_the_template() -> None:
    found = template(SGPROV)
    types = {name: found.body["Parameters"][name]["Type"] for name in ("VpcId", "SubnetIds")}
    assert types == {
        "VpcId": "AWS::SSM::Parameter::Value<AWS::EC2::VPC::Id>",
        "SubnetIds": "AWS::SSM::Parameter::Value<List<AWS::EC2::Subnet::Id>>",
    }
    assert not re.search(r"\b(vpc|subnet|sg)-[0-9a-f]{8}", found.text)


@pytest.mark.spec("A56")
def test_direct_uses_the_given_ids() -> None:
    found = template(STANDALONE)
    declared = {name: found.body["Parameters"][name] for name in ("VpcId", "SubnetIds")}
    assert declared == {
        "VpcId": {"Type": "AWS::EC2::VPC::Id", "Default": "vpc-0123456789abcdef0"},
        "SubnetIds": {"Type": "List<AWS::EC2::Subnet::Id>", "Default": ",".join(SUBNETS)},
    }
    assert "AWS::SSM::Parameter::Value" not in found.text


@pytest.mark.spec("A57")
@pytest.mark.parametrize("case", ENTERPRISE[::3], ids=str)
def test_the_gateway_endpoint_is_routed_where_route_tables_are_given(case: Case) -> None:
    found = template(case)
    gateway = found.resources["VpcEndpointS3"]["Properties"]
    assert gateway.get("RouteTableIds") == ({"Ref": "RouteTableIds"} if case.routed else None)
    assert found.parameters.get("RouteTableIds") == (",".join(ROUTES) if case.routed else None)
