"""Every resource is blamed on the line of the config that made it, every property on the line of its value."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stackseal.model import JsonPath, Template
from stackseal.sandbox import Sandbox
from unit.render.samples import CONFIG, ENTERPRISE, EXAMPLES, catalogue, rendered, shipped

P = "Properties"


@pytest.fixture(scope="module")
def templates() -> Iterator[dict[str, Template]]:
    with shipped() as (products, sandbox):
        yield {path.name: rendered(products, path.read_bytes(), sandbox, path.name) for path in EXAMPLES}


def line(template: Template, path: JsonPath, text: str) -> str:
    """The text of the config line that a node is blamed on."""
    place = template.source.blame(path)
    assert template.stack is not None
    assert place.path == template.stack.config.path
    return text.splitlines()[place.line - 1].strip()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_resource_is_blamed_on_its_config(path: Path, templates: dict[str, Template]) -> None:
    template, text = templates[path.name], path.read_text()
    section = text.splitlines().index("ml_product:")
    for name in template.resources:
        place = template.source.blame(("Resources", name))
        assert place.path == path.name
        assert section < place.line <= len(text.splitlines()), name
        # what stands after the section are tags, and they make no resource
        assert "tags:" not in text.splitlines()[section : place.line], name


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_node_has_a_place_and_every_line_a_node(path: Path, templates: dict[str, Template]) -> None:
    template = templates[path.name]
    source = template.source
    assert len(source.lines) == template.text.count("\n") + 1
    for number, node in enumerate(source.lines, start=1):
        if node:
            assert source.rendered[node].line <= number
            assert source.blame(node).path == path.name
    for place in source.template.values():
        file = place.path.removeprefix("products/ml/")
        assert file.endswith(".yaml.j2"), place


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (("Resources", "ComplianceLogGroup", P, "RetentionInDays"), "log_retention_days: 365"),
        (("Resources", "ComplianceLogGroup", P, "LogGroupName"), "use_case: demand-forecasting"),
        (("Resources", "ComplianceLogGroup"), "tier: enterprise"),
        (("Resources", "ComplianceLogGroup", P, "NoSuchProperty"), "tier: enterprise"),
        (("Resources", "SecurityAlertsSubscription", P, "Endpoint"), "alerts_email: ml-alerts@example.com"),
        (("Parameters", "AlertsEmail", "Default"), "alerts_email: ml-alerts@example.com"),
        (("Parameters", "VpcId", "Default"), "vpc_id: vpc-0123456789abcdef0"),
        (("Parameters", "SubnetIds", "Default"), "subnet_ids:"),
        (("Parameters", "RouteTableIds", "Default"), "route_table_ids:"),
        (("Resources", "VpcEndpointSts", P, "SubnetIds"), "subnet_ids:"),
        (("Resources", "VpcEndpointSts", P, "VpcId"), "vpc_id: vpc-0123456789abcdef0"),
        (("Resources", "VpcEndpointS3", P, "RouteTableIds"), "route_table_ids:"),
        (("Resources", "EndpointSecurityGroup"), "mode: standalone"),
        (("Resources", "EndpointSecurityGroup", P, "SecurityGroupIngress", 0, "CidrIp"), "vpc_cidrs: [10.0.0.0/16]"),
        (("Resources", "ModelBuildRepository"), "source_control: codecommit"),
        (("Resources", "ModelPackageGroup"), "use_case: demand-forecasting"),
        (("Resources", "ArtifactsBucket", P, "BucketName"), "use_case: demand-forecasting"),
        (("Resources", "ArtifactsBucket", P, "Tags", 0, "Value"), "cost_center: Retail Analytics"),
        (("Resources", "SsmKmsKeyArn"), "tier: enterprise"),
        ((), "ml_product:"),
        (("Outputs", "NoSuchOutput"), "ml_product:"),
    ],
    ids=str,
)
def test_a_property_is_blamed_on_the_line_of_its_value(
    node: JsonPath, expected: str, templates: dict[str, Template]
) -> None:
    assert line(templates[ENTERPRISE.name], node, ENTERPRISE.read_text()) == expected


def test_a_value_in_the_config_moves_the_blame(tmp_path: Path) -> None:
    template = "Resources:\n  A:\n    Type: T\n    Properties:\n      Days: {{ topic.days | tojson }}\n      Fixed: 1\n"
    with Sandbox() as sandbox:
        products = catalogue(tmp_path, template=template)
        default = rendered(products, CONFIG, sandbox)
        given = rendered(products, CONFIG + "  days: 30\n", sandbox)
    node = ("Resources", "A", P, "Days")
    assert (default.source.blame(node).line, given.source.blame(node).line) == (9, 11)
    assert given.source.blame(("Resources", "A", P, "Fixed")).line == 11  # the resource has one value: it is blamed
    assert given.source.template[node].line == 5
    assert given.body["Resources"]["A"][P]["Days"] == 30


def test_a_resource_without_any_value_is_blamed_on_the_section(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        products = catalogue(tmp_path, template="Resources:\n  A:\n    Type: T\n")
        found = rendered(products, CONFIG, sandbox)
    assert str(found.source.blame(("Resources", "A"))) == "configs/x.yaml:9:1"
    assert found.source.template[("Resources", "A")].line == 2
