"""The security groups: the nine scenarios, who reaches whom, what a config may add, and what checks say of them."""

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stackseal import checks
from stackseal.catalogue import Resolved
from unit.products.cases import TEST_SUFFIX, example, resolved
from unit.products.engines import engines
from unit.products.network import SG_EXAMPLES, config, filled, groups, of_type, problems, refused, template

TODAY = date(2026, 11, 20)
SCENARIOS = {
    "3-tier-web": {"web": 443, "app": 8080, "db": 3306},
    "3-tier-rds-postgresql": {"web": 443, "app": 8080, "db": 5432},
    "3-tier-rds-mysql": {"web": 443, "app": 8080, "db": 3306},
    "3-tier-redshift": {"web": 443, "app": 8080, "db": 5439},
    "3-tier-oracle": {"web": 443, "app": 8080, "db": 1521},
    "3-tier-sqlserver": {"web": 443, "app": 8080, "db": 1433},
    "3-tier-documentdb": {"web": 443, "app": 8080, "db": 27017},
    "2-tier-web": {"web": 443, "app": 8080},
    "2-tier-rds-postgresql": {"app": 0, "db": 5432},
}
PEERS = (
    "CidrIp",
    "SourceSecurityGroupId",
    "DestinationSecurityGroupId",
    "SourcePrefixListId",
    "DestinationPrefixListId",
)


def flows(found: Resolved, way: str) -> set[tuple[str, str, int, int]]:
    """Every rule that lets something in (Ingress) or out (Egress): tier, other side, first and last port."""
    resources = filled(found)
    rules = [(body["GroupId"], body) for body in of_type(resources, f"SecurityGroup{way}").values()]
    for name, body in of_type(resources, "SecurityGroup").items():
        rules += [(f"<{name}.GroupId>", rule) for rule in body.get(f"SecurityGroup{way}", [])]
    return {
        (_tier(group), _tier(next(str(rule[peer]) for peer in PEERS if peer in rule)), rule["FromPort"], rule["ToPort"])
        for group, rule in rules
        if rule.get("CidrIp") != "127.0.0.1/32"
    }


def _tier(text: str) -> str:
    return text[1:].removesuffix("SecurityGroup.GroupId>").lower() if text.startswith("<") else text


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_tier_reaches_the_next_and_nothing_else(scenario: str) -> None:
    ports = SCENARIOS[scenario]
    tiers = list(ports)
    found = groups(scenario, **({"web_cidrs": ["10.1.0.0/16"]} if "web" in ports else {}))
    steps = list(itertools.pairwise(tiers))
    outside = {("web", "10.1.0.0/16", 443, 443)} if "web" in ports else set()
    assert flows(found, "Ingress") == {(to, frm, ports[to], ports[to]) for frm, to in steps} | outside
    assert flows(found, "Egress") == {(frm, to, ports[to], ports[to]) for frm, to in steps}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_has_its_promised_number_and_publishes_its_tiers(scenario: str) -> None:
    found = groups(scenario)
    tiers = SCENARIOS[scenario]
    assert found.stack.expected_resources == len(template(found).resources) == (10 if len(tiers) == 3 else 6)
    assert found.stack.variant == scenario
    base = "/sg/acme-prod-a001-us-west-2-sg"
    assert found.stack.publishes == tuple(f"{base}/{tier}/SecurityGroupId" for tier in tiers)
    published = {body["Properties"]["Name"]: body["Properties"]["Value"] for body in _parameters(found)}
    assert published == {f"{base}/{tier}/SecurityGroupId": f"<{tier.title()}SecurityGroup.GroupId>" for tier in tiers}


def _parameters(found: Resolved) -> list[dict[str, Any]]:
    return [body for body in filled(found).values() if body["Type"] == "AWS::SSM::Parameter"]


def test_every_scenario_has_an_example() -> None:
    assert {example(path).stack.variant for path in SG_EXAMPLES} == set(SCENARIOS)


@pytest.mark.spec("A55")
def test_the_examples_publish_what_the_ml_example_reads() -> None:
    found = {path for item in SG_EXAMPLES for path in example(item).stack.publishes}
    assert "/sg/globalbank-prod-c001-us-west-2-sg/app/SecurityGroupId" in found


def test_members_of_the_app_tier_reach_endpoints_with_its_group_on_request() -> None:
    plain, open_ = groups("2-tier-rds-postgresql"), groups("2-tier-rds-postgresql", endpoint_access=True)
    assert open_.stack.expected_resources == len(template(open_).resources) == 8
    for way in ("Ingress", "Egress"):
        assert flows(open_, way) - flows(plain, way) == {("app", "app", 443, 443)}


def test_a_port_that_is_not_the_scenarios_holds_for_both_sides() -> None:
    found = groups("3-tier-oracle", port_overrides={"web": 8443, "db": 2484}, web_cidrs=["10.1.0.0/16"])
    assert {port for *_, port in flows(found, "Ingress")} == {8443, 8080, 2484}
    assert {port for *_, port in flows(found, "Egress")} == {8080, 2484}


def test_additional_rules_of_every_kind() -> None:
    found = groups(
        "2-tier-web",
        web_cidrs=["10.1.0.0/16"],
        additional_ingress=[
            {"tier": "app", "port": 9090, "to_port": 9091, "cidr": "10.2.0.0/24", "description": "Metrics"},
            {"tier": "web", "port": 443, "prefix_list_id": "pl-0123abcd", "description": "CloudFront"},
        ],
        additional_egress=[
            {"tier": "app", "port": 514, "protocol": "udp", "security_group_id": "sg-0123abcd", "description": "Logs"}
        ],
    )
    assert {
        ("app", "10.2.0.0/24", 9090, 9091),
        ("web", "pl-0123abcd", 443, 443),
    } <= flows(found, "Ingress")
    assert ("app", "sg-0123abcd", 514, 514) in flows(found, "Egress")
    rules = of_type(filled(found), "SecurityGroup")["AppSecurityGroup"]["SecurityGroupEgress"]
    assert [rule["IpProtocol"] for rule in rules] == ["udp"]
    assert len(template(found).resources) == 6


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_group_never_keeps_the_rule_that_lets_everything_out(scenario: str) -> None:
    for body in of_type(filled(groups(scenario)), "SecurityGroup").values():
        assert [rule["CidrIp"] for rule in body["SecurityGroupEgress"]] == ["127.0.0.1/32"]


def test_the_world_reaches_the_web_tier_only_by_name_and_only_on_its_port() -> None:
    closed, public = groups("3-tier-web"), groups("3-tier-web", web_cidrs=["0.0.0.0/0"])
    assert not [flow for flow in flows(closed, "Ingress") if flow[1] == "0.0.0.0/0"]
    assert [flow for flow in flows(public, "Ingress") if flow[1] == "0.0.0.0/0"] == [("web", "0.0.0.0/0", 443, 443)]
    assert any("admits everybody" in warning for warning in public.warnings)
    assert not any("admits everybody" in warning for warning in closed.warnings)


def test_the_vpc_is_read_or_given() -> None:
    read = groups("2-tier-web")
    assert read.stack.consumes == ("/vpc/main/VPCId",)
    assert template(read).body["Parameters"]["VpcId"]["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::VPC::Id>"
    section = {"scenario": "2-tier-web", "vpc_source": "direct", "vpc_id": "vpc-0123456789abcdef0"}
    given = resolved(config(sg=section))
    assert given.stack.consumes == ()
    assert template(given).parameters["VpcId"] == "vpc-0123456789abcdef0"


def test_a_workload_and_a_test_stack_share_no_name() -> None:
    names = [
        {name.value for name in found.stack.names.values()} | set(found.stack.publishes) | {found.stack.id.name}
        for found in (
            groups("3-tier-web"),
            groups("3-tier-web", workload="shop"),
            groups("3-tier-web", TEST_SUFFIX),
        )
    ]
    assert len(set.union(*names)) == sum(map(len, names)) == 21


@pytest.mark.parametrize(
    ("scenario", "keys", "says"),
    [
        ("4-tier-web", {}, "is none of 3-tier-web"),
        ("2-tier-web", {"port_overrides": {"db": 5432}}, "no database tier"),
        ("2-tier-rds-postgresql", {"web_cidrs": ["10.0.0.0/8"]}, "no web tier"),
        ("2-tier-rds-postgresql", {"port_overrides": {"app": 80}}, "use additional_ingress"),
        ("3-tier-web", {"port_overrides": {"app": 70000}}, "65535"),
        ("3-tier-web", {"web_cidrs": ["1.0.0.0/4"]}, "8 to 32 bits"),
        ("3-tier-web", {"vpc_id": "vpc-01234567"}, "takes the VPC from Parameter Store"),
    ],
)
def test_a_wrong_config_is_told_what_is_wrong(scenario: str, keys: dict[str, Any], says: str) -> None:
    assert says in problems(lambda: groups(scenario, **keys))


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"cidr": "0.0.0.0/0"}, "only web_cidrs may name everybody"),
        ({}, "one of cidr, security_group_id and prefix_list_id"),
        ({"cidr": "10.0.0.0/8", "prefix_list_id": "pl-01234567"}, "one of cidr, security_group_id and prefix_list_id"),
        ({"cidr": "10.0.0.0/8", "description": "ä comment"}, "EC2 takes letters"),
        ({"cidr": "10.0.0.0/8", "tier": "db"}, "no database tier"),
        ({"cidr": "10.0.0.0/8", "protocol": "icmp"}, "tcp, udp"),
    ],
)
def test_a_wrong_rule_is_told_what_is_wrong(rule: dict[str, Any], says: str) -> None:
    whole = {"tier": "app", "port": 443, "description": "A caller", **rule}
    assert says in problems(lambda: groups("2-tier-web", additional_ingress=[whole]))


@pytest.mark.spec("A22", "A23")
@pytest.mark.parametrize("scenario", ["3-tier-redshift", "2-tier-web", "2-tier-rds-postgresql"])
def test_the_generated_policies_suffice(scenario: str) -> None:
    keys = {"endpoint_access": True}
    assert refused(groups(scenario, **keys), groups(scenario, TEST_SUFFIX, **keys)) == []


def test_no_check_has_anything_to_say(tmp_path: Path) -> None:
    sweep = [template(groups(scenario, endpoint_access=True)) for scenario in SCENARIOS]
    sweep += [template(example(path)) for path in SG_EXAMPLES] + [template(groups("3-tier-web", TEST_SUFFIX))]
    world = engines(tmp_path, "cfn-lint", "checkov", informational=True)
    assert [str(item) for item in checks.run(sweep, world=world, today=TODAY)] == []
