"""Every legal config of the ML product, and its template as CloudFormation would read it."""

from __future__ import annotations

import atexit
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from stackseal import assets, catalogue, checks, render, yamltext
from stackseal.catalogue import Catalogue, Resolved
from stackseal.model import Config, Template
from stackseal.sandbox import Sandbox

TEST_SUFFIX = "-test-ab12cd"
ACCOUNT = "333344445555"
REGION = "us-west-2"
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::StackName": "stack"}
EXAMPLES = tuple(sorted((assets.PRODUCTS / "ml" / "examples").glob("*.yaml")))
VPC = {"ssm": {"vpc_parameter_store_path": "/vpc/main/VPCId", "subnet_parameter_store_path": "/vpc/main/SubnetIds"}}
VPC["direct"] = {"vpc_id": "vpc-0123456789abcdef0"}
SUBNETS = ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"]
ROUTES = ["rtb-0123456789abcdef0"]
CONNECTION = f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0"
REPOSITORIES = {"connection_arn": CONNECTION, "build_repository": "acme/build", "deploy_repository": "acme/deploy"}
GROUP_PATH = "/sg/main/app/SecurityGroupId"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One of the legal combinations of a file name's tokens: 40 of the documents, and ours with GitHub."""

    tier: str
    source: str
    workload: bool = False
    mode: str = ""
    vpc: str = ""
    routed: bool = False
    hardening: bool = False
    changes: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """Keys of `ml_product` that are not as usual."""

    @property
    def file_name(self) -> str:
        tokens = ["acme-prod-a001-us-west-2-churn-ml", self.source, self.mode, self.vpc]
        tokens += ["workload" if self.workload else "", "rtb" if self.routed else ""]
        return "-".join(token for token in tokens if token) + ".yaml"

    def __str__(self) -> str:
        return self.file_name.removeprefix("acme-prod-a001-us-west-2-churn-ml-").removesuffix(".yaml") + f"-{self.tier}"

    @property
    def enterprise(self) -> bool:
        return self.tier == "enterprise"

    @property
    def professional(self) -> bool:
        """Professional or more."""
        return self.tier != "starter"

    @property
    def codecommit(self) -> bool:
        return self.source == "codecommit"

    @property
    def standalone(self) -> bool:
        return self.mode == "standalone"

    def data(self) -> dict[str, Any]:
        """The config."""
        section: dict[str, Any] = {"tier": self.tier, "use_case": "churn", "source_control": self.source}
        if self.workload:
            section["workload"] = "realtime"
        if self.source == "github":
            section["github"] = REPOSITORIES
        if self.source == "s3":
            section["s3_prefix"] = "acme-a001-ml-source/churn"
        if self.professional:
            section["alerts_email"] = "ml-alerts@example.com"
        if self.hardening:
            section["hardening"] = True
        if self.enterprise:
            section["vpc_integration"] = self._vpc()
        return {
            "client": {
                "company_name": "Acme",
                "company_prefix": "acme",
                "account_id": ACCOUNT,
                "tenant_id": "a001",
            },
            "environment": {"env": "prod", "region": REGION},
            "ml_product": {**section, **self.changes},
            "tags": {"cost_center": "Sales", "owner": "ml-platform-team", "project": "Churn"},
        }

    def _vpc(self) -> dict[str, Any]:
        mode = "standalone" if self.standalone else "sg-provisioner"
        found: dict[str, Any] = {"mode": mode, "vpc_source": self.vpc, **VPC[self.vpc]}
        if self.vpc == "direct":
            found["subnet_ids"] = SUBNETS
        if not self.standalone:
            found["sg_parameter_store_path"] = GROUP_PATH
        if self.routed:
            found["route_table_ids"] = ROUTES
        return found


def _cases(*sources: str) -> Iterator[Case]:
    for tier, source, workload in product(("starter", "professional"), sources, (False, True)):
        yield Case(tier=tier, source=source, workload=workload)
    places = product(("standalone", "sgprov"), ("ssm", "direct"))
    for (mode, vpc), source, workload, routed in product(places, sources, (False, True), (False, True)):
        yield Case(tier="enterprise", source=source, workload=workload, mode=mode, vpc=vpc, routed=routed)


CASES = tuple(_cases("codecommit", "s3"))
ENTERPRISE = tuple(case for case in CASES if case.enterprise)
PLAIN = tuple(case for case in CASES if not (case.workload or case.routed or case.vpc == "direct"))
"""One case of each kind that has resources of its own: 2 starter, 2 professional, 4 enterprise."""
GITHUB = (
    Case(tier="starter", source="github"),
    Case(tier="professional", source="github"),
    Case(tier="enterprise", source="github", mode="standalone", vpc="ssm"),
    Case(tier="enterprise", source="github", mode="sgprov", vpc="direct", routed=True),
)
"""The same with GitHub, which only the pipelines tell from S3: every token once, not every combination."""
EVERY_GITHUB = tuple(_cases("github"))
"""Every combination with GitHub."""
KINDS = (*PLAIN, *GITHUB)


def written(data: Mapping[str, Any], path: str = "config.yaml") -> Config:
    """The config as if it had been read from a file."""
    document = yamltext.parse(yamltext.dump(data), path)
    assert isinstance(document.data, dict)
    return Config(path=path, data=document.data, marks=document.marks)


@cache
def _catalogue() -> Catalogue:
    return catalogue.Catalogue.load()


@cache
def _sandbox() -> Sandbox:
    sandbox = Sandbox()
    atexit.register(sandbox.close)
    return sandbox


def example(path: Path) -> Resolved:
    """What the catalogue makes of an example of the product."""
    data = yamltext.parse(path.read_text(encoding="utf-8"), path.name).data
    assert isinstance(data, dict)
    return resolved(data, path.name)


def resolved(data: Mapping[str, Any], path: str = "config.yaml", suffix: str = "") -> Resolved:
    """What the catalogue makes of a config."""
    return _catalogue().resolve(written(data, path), _sandbox(), suffix=suffix)


def rendered(found: Resolved) -> Template:
    """The template as it is written for people, with the product's own waivers in it."""
    waivers = found.stack.product.waivers
    path = f"templates/{found.stack.slug}-{found.stack.scenario}-template.yaml"
    return render.render(
        found.stack, found.origins, _sandbox(), path=path, decorate=lambda body: checks.with_metadata(body, waivers)
    )


@cache
def template(case: Case, suffix: str = "") -> Template:
    """The template of a case, rendered once."""
    return rendered(resolved(case.data(), case.file_name, suffix))


@cache
def filled(case: Case, suffix: str = "") -> dict[str, Any]:
    """The case's resources with the parameters' values; a reference to a resource is `<Id>` or `<Id.Attribute>`."""
    found = template(case, suffix)
    values = {**PSEUDO, **found.parameters}
    resources: dict[str, Any] = fill(found.resources, values)
    return resources


def fill(node: Any, values: Mapping[str, str]) -> Any:
    """A node of a template with its references replaced."""
    if isinstance(node, list):
        return [fill(item, values) for item in node]
    if not isinstance(node, Mapping):
        return node
    match dict(node):
        case {"Ref": str(name)}:
            return values.get(name, f"<{name}>")
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]*)\}", lambda match: values.get(match[1], f"<{match[1]}>"), text)
        case other:
            return {key: fill(item, values) for key, item in other.items()}


def properties(case: Case, logical_id: str, suffix: str = "") -> dict[str, Any]:
    """The filled properties of one resource."""
    found: dict[str, Any] = filled(case, suffix)[logical_id]["Properties"]
    return found


def of_type(case: Case, type_: str, suffix: str = "") -> dict[str, dict[str, Any]]:
    """Logical id and filled properties of every resource of a type."""
    return {key: body["Properties"] for key, body in filled(case, suffix).items() if body["Type"] == type_}


def with_part(case: Case, **changes: Any) -> dict[str, Any]:
    """The config of a case with other keys in its sections; None takes a key out."""
    data = case.data()
    for section, keys in changes.items():
        merged = {**data[section], **keys}
        data[section] = {key: value for key, value in merged.items() if value is not None}
    return data
