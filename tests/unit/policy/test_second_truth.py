"""A second list of what a real account asked for: the policy of each type's creation must hold each of its actions.

Source of the facts: the map of types and actions of github.com/aws-samples/sample-autonomous-cloud-coding-agents
(MIT-0, @0e448cea), which its authors keep from CloudTrail after deployments. The generator was not written with it.
"""

from __future__ import annotations

from typing import Any

import pytest

from stackseal import facts, policy
from stackseal.model import Role
from unit.policy.samples import ACCOUNT, REGION

FACTS = """
ApiGateway: Authorizer POST, Method POST, RequestValidator POST, Resource POST, RestApi POST
Bedrock: Guardrail CreateGuardrail, GuardrailVersion CreateGuardrailVersion
BedrockAgentCore/bedrock-agentcore: Memory CreateMemory, Runtime CreateRuntime
CloudFront: Distribution CreateDistribution, OriginAccessControl CreateOriginAccessControl
CloudWatch: Alarm PutMetricAlarm, Dashboard PutDashboard
Cognito/cognito-idp: UserPool CreateUserPool, UserPoolClient CreateUserPoolClient
DynamoDB: Table CreateTable
EC2: EIP AllocateAddress, FlowLog CreateFlowLogs, InternetGateway CreateInternetGateway
EC2: NatGateway CreateNatGateway, Route CreateRoute, RouteTable CreateRouteTable
EC2: SecurityGroup CreateSecurityGroup, Subnet CreateSubnet, VPC CreateVpc, VPCEndpoint CreateVpcEndpoint
Events: Rule PutRule
IAM: Policy CreatePolicy, Policy PutRolePolicy, Role CreateRole
KMS: Key CreateKey
Lambda: EventInvokeConfig PutFunctionEventInvokeConfig, EventSourceMapping CreateEventSourceMapping
Lambda: Function CreateFunction, LayerVersion PublishLayerVersion
Lambda: MicrovmImage CreateMicrovmImage, NetworkConnector CreateNetworkConnector
Logs: Delivery CreateDelivery, DeliveryDestination PutDeliveryDestination, DeliverySource PutDeliverySource
Logs: LogGroup CreateLogGroup
Route53Resolver: FirewallDomainList CreateFirewallDomainList, FirewallRuleGroup CreateFirewallRuleGroup
Route53Resolver: FirewallRuleGroupAssociation AssociateFirewallRuleGroup
Route53Resolver: ResolverQueryLoggingConfig CreateResolverQueryLogConfig
Route53Resolver: ResolverQueryLoggingConfigAssociation AssociateResolverQueryLogConfig
S3: Bucket CreateBucket
SecretsManager: Secret CreateSecret
SNS: Subscription Subscribe, Topic CreateTopic
SQS: Queue CreateQueue
WAFv2: WebACL CreateWebACL, WebACLAssociation AssociateWebACL
"""
NOT_NEEDED = {
    # What the list says and no account can have asked for -> what is true.
    ("AWS::BedrockAgentCore::Runtime", "bedrock-agentcore:CreateRuntime"): "bedrock-agentcore:CreateAgentRuntime",
    ("AWS::IAM::Policy", "iam:CreatePolicy"): "iam:PutRolePolicy",
    ("AWS::ApiGateway::Method", "apigateway:POST"): "apigateway:PUT",
}
CUSTOM = ("Custom::AWS", "Custom::S3AutoDeleteObjects", "Custom::VpcRestrictDefaultSG")


def rows() -> list[tuple[str, str]]:
    """Type and action of every row."""
    found = []
    for line in FACTS.strip().splitlines():
        area, _, pairs = line.partition(": ")
        namespace, _, prefix = area.partition("/")
        for pair in pairs.split(", "):
            kind, verb = pair.split()
            found.append((f"AWS::{namespace}::{kind}", f"{prefix or namespace.lower()}:{verb}"))
    return found


def granted(kind: str, properties: dict[str, Any] | None = None) -> set[str]:
    """The actions of the execution policy for one resource of a type with all that it requires."""
    known = facts.of_type(kind)
    required = {name: {"Ref": "Anything"} for name in (known.required if known else ())}
    body = {"Resources": {"Thing": {"Type": kind, "Properties": {**required, **(properties or {})}}}}
    found = policy.foreign(body, "orders", ACCOUNT, REGION, Role.EXECUTION)
    return {action for statement in found.statements for action in statement.actions}


NEEDS = {
    # Types of which a property says what is called.
    "AWS::IAM::Policy": {"Roles": ["deploy"]},
}


@pytest.mark.spec("A23")
@pytest.mark.parametrize(("kind", "action"), [row for row in rows() if row not in NOT_NEEDED])
def test_what_the_account_asked_for_is_granted(kind: str, action: str) -> None:
    assert action in granted(kind, NEEDS.get(kind))


@pytest.mark.spec("A23")
@pytest.mark.parametrize("kind", CUSTOM)
def test_a_custom_resources_function_may_be_called(kind: str) -> None:
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:provider"
    assert granted(kind, {"ServiceToken": function}) == {"lambda:InvokeFunction"}


@pytest.mark.parametrize(("row", "instead"), NOT_NEEDED.items())
def test_what_the_list_has_wrong_is_granted_as_it_is_right(row: tuple[str, str], instead: str) -> None:
    kind, action = row
    assert action not in granted(kind, NEEDS.get(kind))
    assert instead in granted(kind, NEEDS.get(kind))


def test_the_list_is_whole() -> None:
    assert len(rows()) == len(set(rows())) == 53
    assert NOT_NEEDED.keys() <= set(rows())
