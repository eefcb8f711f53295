"""The VPC product: what each kind has, where its addresses lie, what it lets in and out, and what checks say of it."""

from datetime import date
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from stackseal import checks
from unit.products.cases import TEST_SUFFIX, example, resolved
from unit.products.engines import engines
from unit.products.network import VPC_EXAMPLES, config, filled, of_type, problems, refused, template, vpc

TODAY = date(2026, 11, 20)
ZONES = (["a", "b"], ["a", "c", "b"], ["a", "b", "c", "d"])
KINDS = [(nat, zones) for nat in ("none", "single", "per-zone") for zones in ZONES]
COUNTS = dict(zip([(nat, len(zones)) for nat, zones in KINDS], (13, 16, 19, 25, 31, 37, 27, 35, 43), strict=True))


def block(node: Any) -> IPv4Network:
    """The range of a subnet, cut as CloudFormation's Fn::Cidr does it."""
    index, cut = node["Fn::Select"]
    cidr, count, bits = cut["Fn::Cidr"]
    found = list(IPv4Network(cidr).subnets(new_prefix=32 - bits))[:count]
    return found[index]


@pytest.mark.parametrize(("nat", "zones"), KINDS)
def test_every_kind_has_its_promised_number(nat: str, zones: list[str]) -> None:
    found = vpc(nat=nat, zones=zones)
    assert found.stack.expected_resources == COUNTS[nat, len(zones)] == len(template(found).resources)
    more = vpc(nat=nat, zones=zones, s3_endpoint=True)
    assert more.stack.expected_resources == COUNTS[nat, len(zones)] + 1 == len(template(more).resources)


def test_it_publishes_what_an_ml_product_reads() -> None:
    found = example(next(path for path in VPC_EXAMPLES if path.stem.startswith("globalbank")))
    base = "/vpc/globalbank-prod-c001-us-west-2-vpc"
    assert found.stack.publishes == (f"{base}/VPCId", f"{base}/PrivateSubnetIds")
    resources = filled(found)
    assert resources["SsmVPCId"]["Properties"]["Value"] == "<Vpc>"
    ids = resources["SsmPrivateSubnetIds"]["Properties"]
    assert ids["Type"] == "StringList"
    assert ids["Value"] == {"Fn::Join": [",", ["<PrivateSubnetA>", "<PrivateSubnetB>", "<PrivateSubnetC>"]]}


def test_names_resolve_inside_the_vpc() -> None:
    found = filled(vpc())["Vpc"]["Properties"]
    assert (found["EnableDnsSupport"], found["EnableDnsHostnames"]) == (True, True)


@pytest.mark.parametrize(("cidr", "bits"), [("10.0.0.0/16", 19), ("10.20.0.0/20", 23), ("192.168.7.0/25", 28)])
def test_subnets_are_equal_and_apart(cidr: str, bits: int) -> None:
    subnets = of_type(filled(vpc(cidr=cidr, zones=["a", "b", "c", "d"], nat="single")), "Subnet")
    blocks = {name: block(body["CidrBlock"]) for name, body in subnets.items()}
    assert len(blocks) == len(set(blocks.values())) == 8
    assert all(found.prefixlen == bits and found.subnet_of(IPv4Network(cidr)) for found in blocks.values())


def test_neither_a_zone_nor_a_way_out_that_comes_later_moves_a_subnet() -> None:
    small = of_type(filled(vpc(zones=["b", "a"])), "Subnet")
    large = of_type(filled(vpc(zones=["b", "a", "c"], nat="per-zone")), "Subnet")
    for name, body in small.items():
        placed = ("CidrBlock", "AvailabilityZone", "VpcId")
        assert [large[name][key] for key in placed] == [body[key] for key in placed]


@pytest.mark.parametrize("zones", ZONES)
def test_without_nat_there_is_no_way_out(zones: list[str]) -> None:
    found = filled(vpc(zones=zones))
    kinds = {body["Type"].removeprefix("AWS::EC2::") for body in found.values()}
    assert not kinds & {"InternetGateway", "NatGateway", "EIP", "Route", "VPCGatewayAttachment"}
    assert all(name.startswith("Private") for name in of_type(found, "Subnet"))


@pytest.mark.parametrize("zones", ZONES)
@pytest.mark.parametrize("nat", ["single", "per-zone"])
def test_private_subnets_leave_through_nat_and_never_through_the_gateway(nat: str, zones: list[str]) -> None:
    found = filled(vpc(nat=nat, zones=zones))
    routes = of_type(found, "Route")
    gateways = of_type(found, "NatGateway")
    for zone in (zone.upper() for zone in zones):
        chosen = zone if nat == "per-zone" else zones[0].upper()
        assert routes[f"PrivateRoute{zone}"] == {
            "RouteTableId": f"<PrivateRouteTable{zone}>",
            "DestinationCidrBlock": "0.0.0.0/0",
            "NatGatewayId": f"<NatGateway{chosen}>",
        }
        table = found[f"PrivateSubnetRoutes{zone}"]["Properties"]
        assert table == {"SubnetId": f"<PrivateSubnet{zone}>", "RouteTableId": f"<PrivateRouteTable{zone}>"}
    assert {body["SubnetId"] for body in gateways.values()} <= {f"<PublicSubnet{zone.upper()}>" for zone in zones}
    assert [name for name, body in routes.items() if "GatewayId" in body] == ["PublicRoute"]


@pytest.mark.parametrize("nat", ["none", "single", "per-zone"])
def test_nothing_gets_a_public_address_by_itself(nat: str) -> None:
    subnets = of_type(filled(vpc(nat=nat)), "Subnet")
    assert {body["MapPublicIpOnLaunch"] for body in subnets.values()} == {False}


def test_all_traffic_is_logged_to_an_encrypted_group() -> None:
    found = filled(vpc(flow_log_retention_days=90))
    log, group = found["FlowLog"]["Properties"], found["FlowLogGroup"]["Properties"]
    assert (log["ResourceId"], log["ResourceType"], log["TrafficType"]) == ("<Vpc>", "VPC", "ALL")
    assert (log["LogGroupName"], log["DeliverLogsPermissionArn"]) == ("<FlowLogGroup>", "<FlowLogRole.Arn>")
    assert (group["RetentionInDays"], group["KmsKeyId"]) == (90, "<FlowLogKey.Arn>")
    (trust,) = found["FlowLogRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "333344445555"}


def test_the_s3_endpoint_stands_on_every_private_table_and_on_no_other() -> None:
    endpoint = filled(vpc(nat="single", s3_endpoint=True))["VpcEndpointS3"]["Properties"]
    assert endpoint["RouteTableIds"] == ["<PrivateRouteTableA>", "<PrivateRouteTableB>"]
    own = endpoint["PolicyDocument"]["Statement"][0]
    assert set(own["Condition"]["StringEquals"]) == {"aws:PrincipalAccount", "aws:ResourceAccount"}


def test_nothing_is_retained_and_a_test_stack_shares_no_name() -> None:
    found, copy = filled(vpc(nat="single")), filled(vpc(TEST_SUFFIX, nat="single"))
    assert {body.get("DeletionPolicy", "Delete") for body in found.values()} == {"Delete"}
    for resource, key in (("FlowLogGroup", "LogGroupName"), ("FlowLogRole", "RoleName"), ("SsmVPCId", "Name")):
        ours, theirs = found[resource]["Properties"][key], copy[resource]["Properties"][key]
        assert ours != theirs
        assert "-test-ab12cd" in theirs


def test_a_name_tag_of_the_config_wins() -> None:
    data = config(vpc={"cidr": "10.0.0.0/16"})
    data["tags"]["Name"] = "blue"
    tags = filled(resolved(data))["Vpc"]["Properties"]["Tags"]
    assert [tag["Value"] for tag in tags if tag["Key"] == "Name"] == ["blue"]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"cidr": "10.0.0.0/8"}, "16 to 25 bits"),
        ({"cidr": "10.0.0.0/26"}, "16 to 25 bits"),
        ({"cidr": "300.0.0.0/16"}, "16 to 25 bits"),
        ({"zones": ["a"]}, "at least 2 availability zones"),
        ({"zones": ["a", "b", "c", "d", "e"]}, "4"),
        ({"zones": ["a", "a"]}, "twice"),
        ({"zones": ["us-west-2a", "us-west-2b"]}, "a to f"),
        ({"nat": "yes"}, "per-zone"),
        ({"flow_log_retention_days": 30}, "at least 90"),
        ({"internet": True}, "is not known"),
    ],
)
def test_a_wrong_config_is_told_what_is_wrong(keys: dict[str, Any], says: str) -> None:
    assert says in problems(lambda: vpc(**keys))


def test_one_gateway_for_production_is_advised_against() -> None:
    assert any("one gateway in one zone" in warning for warning in vpc(nat="single").warnings)
    assert not [warning for warning in vpc(nat="per-zone").warnings if "gateway" in warning]


@pytest.mark.spec("A22", "A23")
@pytest.mark.parametrize("nat", ["none", "single", "per-zone"])
def test_the_generated_policies_suffice(nat: str) -> None:
    keys = {"nat": nat, "s3_endpoint": True}
    assert refused(vpc(**keys), vpc(TEST_SUFFIX, **keys)) == []


def test_no_check_has_anything_to_say(tmp_path: Path) -> None:
    sweep = [template(vpc(nat=nat, zones=zones, s3_endpoint=True)) for nat, zones in KINDS]
    sweep += [template(example(path)) for path in VPC_EXAMPLES] + [template(vpc(TEST_SUFFIX, nat="single"))]
    world = engines(tmp_path, "cfn-lint", "checkov", informational=True)
    assert [str(item) for item in checks.run(sweep, world=world, today=TODAY)] == []
