"""The reads of the drift role: drift is not told without them, or they are listed here with why nobody can judge it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import pytest

from e2e.privilege import LARGEST, Rig, execution
from stackseal import policy
from stackseal.aws.cloudformation import CloudFormation
from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import Aws
from stackseal.local import EmbeddedAws
from stackseal.local.requests import TABLE
from stackseal.model import Drift, DriftStatus, Policy, Role, Template
from stackseal.policy.scene import Scene
from unit.policy import judge
from unit.products import cases
from unit.products.cases import ACCOUNT, REGION

pytestmark = [pytest.mark.e2e, pytest.mark.spec("A23")]
NAME = "stackseal-drift"
CASES = tuple(replace(case, source=source) for case in LARGEST.values() for source in ("codecommit", "s3", "github"))
_UNSET = "the schema's read handler names it; it tells a property that no template of the product sets"
_ALSO = "the schema's read handler names it beside the call that tells the same"
UNASKED = {
    # Reads that comparing the product's stacks asks for nowhere -> why the role has them all the same.
    "codecommit:GetRepositoryTriggers": _UNSET,
    "codecommit:ListRepositories": _ALSO,
    "codepipeline:GetPipelineState": _ALSO,
    "ec2:DescribeSubnets": _ALSO,
    "ec2:DescribeVpcs": _ALSO,
    "iam:ListEntitiesForPolicy": _UNSET,
    "iam:ListRoleTags": _ALSO,
    "logs:DescribeIndexPolicies": _UNSET,
    "logs:DescribeResourcePolicies": _UNSET,
    "logs:GetDataProtectionPolicy": _UNSET,
    "s3:GetAccelerateConfiguration": _UNSET,
    "s3:GetAnalyticsConfiguration": _UNSET,
    "s3:GetBucketAbac": _UNSET,
    "s3:GetBucketCORS": _UNSET,
    "s3:GetBucketMetadataTableConfiguration": _UNSET,
    "s3:GetBucketNotification": _UNSET,
    "s3:GetBucketObjectLockConfiguration": _UNSET,
    "s3:GetBucketWebsite": _UNSET,
    "s3:GetIntelligentTieringConfiguration": _UNSET,
    "s3:GetInventoryConfiguration": _UNSET,
    "s3:GetMetricsConfiguration": _UNSET,
    "s3:GetReplicationConfiguration": _UNSET,
    "s3:ListBucket": _ALSO,
    "s3:ListTagsForResource": _ALSO,
    "sagemaker:GetModelPackageGroupPolicy": _UNSET,
    "sns:GetDataProtectionPolicy": _UNSET,
    "sns:ListSubscriptionsByTopic": _UNSET,
}


def drifting(template: Template) -> Policy:
    """The generated policy of the drift role."""
    return next(item for item in policy.generate(template) if item.role is Role.DRIFT)


def actions(found: Policy) -> set[str]:
    return {name for statement in found.statements for name in statement.actions}


def without(found: Policy, gone: Collection[str]) -> Policy:
    rest = (
        replace(item, actions=tuple(name for name in item.actions if name not in gone)) for item in found.statements
    )
    return replace(found, statements=tuple(item for item in rest if item.actions))


def asked(template: Template) -> Mapping[str, str]:
    """Action -> a resource whose comparison asks for it."""
    assert template.stack
    scene = Scene.of(template, template.stack.id)
    return {
        request.action: logical_id
        for logical_id, resource in scene.resources.items()
        for request in judge.read(TABLE[resource.kind], resource, scene)
    }


def test_every_read_is_asked_for_by_a_comparison_or_listed() -> None:
    held = {action for case in CASES for action in actions(drifting(cases.template(case)))}
    found = {action for case in CASES for action in asked(cases.template(case))}
    assert found < held
    assert {name for name in held - found if not name.startswith("cloudformation:")} == UNASKED.keys()
    assert len(found) > len(UNASKED)


@dataclass(kw_only=True)
class Watch:
    """A stack in the embedded AWS, looked at by a role with nothing but some policy."""

    rig: Rig
    template: Template

    def taken(self, found: Policy) -> CloudFormation:
        """The way to CloudFormation as the role, which now has exactly this policy."""
        iam = self.rig.way.client("iam")
        for old in iam.list_role_policies(RoleName=NAME)["PolicyNames"]:
            iam.delete_role_policy(RoleName=NAME, PolicyName=old)
        for index, each in enumerate(policy.documents(found)):
            iam.put_role_policy(RoleName=NAME, PolicyName=f"p{index}", PolicyDocument=json.dumps(each))
        arn = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
        keys = self.rig.way.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        environ = {
            **self.rig.aws.environ(),
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        return CloudFormation(Aws(environ, region=REGION), REGION)

    def drift(self, found: Policy, *logical_ids: str) -> Drift:
        """What `stackseal drift` does: is the stack there, and is it as it was deployed?"""
        assert self.template.stack
        cfn, stack = self.taken(found), self.template.stack.id
        assert cfn.stack(stack.name)
        return cfn.detect_drift(stack, sleep=time.sleep, clock=time.monotonic, logical_ids=logical_ids)


@pytest.fixture
def watch(embedded: EmbeddedAws) -> Iterator[Watch]:
    rig = Rig(aws=embedded)
    template = cases.template(LARGEST["enterprise"])
    rig.grant(execution(template))
    assert rig.deploy(template, "CREATE") == "CREATE_COMPLETE", rig.reasons(template)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    rig.way.client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=document)
    yield Watch(rig=rig, template=template)
    embedded.reset()


def test_drift_is_not_told_without_any_one_of_the_reads(watch: Watch) -> None:
    whole, asking = drifting(watch.template), asked(watch.template)
    assert watch.drift(without(whole, UNASKED)).status is DriftStatus.IN_SYNC, "what is listed is missed after all"
    for action, logical_id in asking.items():
        found = watch.drift(without(whole, [action]), logical_id)
        assert [(item.logical_id, item.status) for item in found.resources] == [(logical_id, "UNKNOWN")], action
    for action in sorted(actions(whole) - asking.keys() - UNASKED.keys()):
        with pytest.raises(AwsFailed, match="may not do this"):
            watch.drift(without(whole, [action]))
