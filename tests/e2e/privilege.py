"""Stacks of the ML product in the embedded AWS under a role with nothing but a generated policy, and edits of them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, Literal

from stackseal import policy
from stackseal.aws.cloudformation import CloudFormation
from stackseal.aws.session import Aws
from stackseal.aws.shapes import NewChangeSet
from stackseal.local import EmbeddedAws
from stackseal.model import Policy, Role, Template
from unit.products import cases
from unit.products.cases import ACCOUNT, GROUP_PATH, REGION, REPOSITORIES, SUBNETS, VPC, Case

ROLE: Final = "stackseal-execution"
ROLE_ARN: Final = f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"
OUTSIDE: Final = {
    VPC["ssm"]["vpc_parameter_store_path"]: VPC["direct"]["vpc_id"],
    VPC["ssm"]["subnet_parameter_store_path"]: ",".join(SUBNETS),
    GROUP_PATH: "sg-0123456789abcdef0",
}
"""Parameters that other stacks publish."""

Sections = Mapping[str, Mapping[str, Any]]
_NETWORK: Final = {"mode": "standalone", "vpc_source": "ssm", **VPC["ssm"]}
_MAIL: Final = {"alerts_email": "ml-alerts@example.com"}

_TAGS: Final[Mapping[str, Sections]] = {
    "all tags at once": {"tags": {"owner": "a", "project": "b", "cost_center": "c"}},
    "another owner": {"tags": {"owner": "another-team"}},
    "another project": {"tags": {"project": "Retention"}},
    "another cost centre": {"tags": {"cost_center": "Marketing"}},
}
_SOURCE: Final[Mapping[str, Sections]] = {
    "a bucket name of its own": {"ml_product": {"unique_bucket_name": True}},
    "no hardening": {"ml_product": {"hardening": False}},
    "source from S3": {"ml_product": {"source_control": "s3", "s3_prefix": "acme-a001-ml-source/churn"}},
    "another S3 prefix": {"ml_product": {"s3_prefix": "acme-a001-ml-source/other"}},
    "source from GitHub": {"ml_product": {"source_control": "github", "s3_prefix": None, "github": REPOSITORIES}},
}
EDITS: Final[Mapping[str, Mapping[str, Sections]]] = {
    # Tier -> name of an edit -> keys of the config's sections that it changes; None takes a key out. Each builds on
    # those before it, and none asks for a name again that an earlier one left behind with its data.
    "starter": {
        **_TAGS,
        **_SOURCE,
        "up to professional": {"ml_product": {"tier": "professional", "alerts_email": "ml-alerts@example.com"}},
        "up to enterprise": {"ml_product": {"tier": "enterprise", "vpc_integration": _NETWORK}},
    },
    "professional": {
        **_TAGS,
        "another mail address": {"ml_product": {"alerts_email": "others@example.com"}},
        **_SOURCE,
        "down to starter": {"ml_product": {"tier": "starter", "alerts_email": None}},
    },
    "enterprise": {
        **_TAGS,
        "another mail address": {"ml_product": {"alerts_email": "others@example.com"}},
        "longer logs": {"ml_product": {"log_retention_days": 731}},
        "no route tables": {"ml_product": {"vpc_integration": _NETWORK}},
        "narrower ranges": {"ml_product": {"vpc_integration": {**_NETWORK, "vpc_cidrs": ["10.1.0.0/16"]}}},
        "no private names": {"ml_product": {"vpc_integration": {**_NETWORK, "private_dns": False}}},
        "ids written down": {
            "ml_product": {
                "vpc_integration": {
                    "mode": "standalone",
                    "vpc_source": "direct",
                    **VPC["direct"],
                    "subnet_ids": SUBNETS,
                }
            }
        },
        "a security group that exists": {
            "ml_product": {
                "vpc_integration": {**_NETWORK, "mode": "sg-provisioner", "sg_parameter_store_path": GROUP_PATH}
            }
        },
        **_SOURCE,
        "guardrails": {"ml_product": {"guardrails": True}},
        "down to professional": {"ml_product": {"tier": "professional", "vpc_integration": None, "guardrails": None}},
    },
}
LARGEST: Final[Mapping[str, Case]] = {
    "starter": Case(tier="starter", source="codecommit", hardening=True),
    "professional": Case(tier="professional", source="codecommit", hardening=True),
    "enterprise": Case(
        tier="enterprise", source="codecommit", mode="standalone", vpc="ssm", routed=True, hardening=True
    ),
}


@cache
def edited(case: Case, name: str) -> Template:
    """The template of a case after its tier's edits up to this one."""
    data = case.data()
    for edit, sections in EDITS[case.tier].items():
        for section, keys in sections.items():
            merged = {**data[section], **keys}
            data[section] = {key: value for key, value in merged.items() if value is not None}
        if edit == name:
            break
    return cases.rendered(cases.resolved(data, case.file_name))


def execution(head: Template, base: Template | None = None) -> Policy:
    """The generated policy of CloudFormation's role."""
    return next(item for item in policy.generate(head, base=base) if item.role is Role.EXECUTION)


def lacking(found: Policy, action: str) -> Policy:
    """The policy without one action."""
    rest = [replace(item, actions=tuple(name for name in item.actions if name != action)) for item in found.statements]
    return replace(found, statements=tuple(item for item in rest if item.actions))


@dataclass(kw_only=True)
class Rig:
    """One account of the embedded AWS in which CloudFormation works under `ROLE`."""

    aws: EmbeddedAws
    count: int = 0

    def __post_init__(self) -> None:
        self.aws.reset()
        self.way = Aws({**self.aws.environ(), "AWS_ACCESS_KEY_ID": ACCOUNT}, region=REGION)
        self.cfn = CloudFormation(self.way, REGION)
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": "cloudformation.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.way.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
        for path, value in OUTSIDE.items():
            kind: Literal["StringList", "String"] = "StringList" if "," in value else "String"
            self.way.client("ssm").put_parameter(Name=path, Value=value, Type=kind)

    def grant(self, found: Policy) -> None:
        """The role gets exactly this policy."""
        iam = self.way.client("iam")
        for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
            iam.delete_role_policy(RoleName=ROLE, PolicyName=name)
        for index, document in enumerate(policy.documents(found)):
            iam.put_role_policy(RoleName=ROLE, PolicyName=f"p{index}", PolicyDocument=json.dumps(document))

    def deploy(self, template: Template, kind: Literal["CREATE", "UPDATE"]) -> str:
        """The stack's status after a change set was made and executed; `no changes` where there are none."""
        assert template.stack
        self.count += 1
        arn, _ = self.cfn.create_change_set(
            NewChangeSet(
                stack=template.stack.id.name,
                name=f"change-{self.count}",
                kind=kind,
                body=template.canonical,
                parameters=template.parameters,
                tags=template.stack.tags,
                capabilities=("CAPABILITY_NAMED_IAM",),
                role=ROLE_ARN,
            )
        )
        while (made := self.cfn.change_set(arn)).status.endswith(("PENDING", "IN_PROGRESS")):
            time.sleep(0.01)
        if made.status == "FAILED":
            return made.reason
        self.cfn.execute(arn, token=f"change-{self.count}")
        return self._settled(template.stack.id.name)

    def delete(self, template: Template) -> str:
        """The stack's status after its deletion; `DELETE_COMPLETE` where it is gone."""
        assert template.stack
        self.cfn.set_termination_protection(template.stack.id.name, on=False)
        self.cfn.delete_stack(template.stack.id.name, role=ROLE_ARN)
        return self._settled(template.stack.id.name)

    def reasons(self, template: Template) -> str:
        """Why resources of the stack failed, oldest first."""
        assert template.stack
        events = self.cfn.events(template.stack.id.name)
        return "\n".join(f"{item.logical_id} {item.reason}" for item in events if item.status.endswith("FAILED"))

    def take_bucket(self, name: str) -> None:
        """Somebody else has a bucket of this name."""
        self.way.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def _settled(self, name: str) -> str:
        while (state := self.cfn.stack(name)) is not None and state.status.endswith("IN_PROGRESS"):
            time.sleep(0.01)
        return state.status if state else "DELETE_COMPLETE"
