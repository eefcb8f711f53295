"""ARNs and conditions of single resources."""

from typing import Any

import pytest

from stackseal import facts
from stackseal.model import Operation
from stackseal.policy.atoms import Call
from stackseal.policy.grants import Conditions
from stackseal.policy.limits import limits
from stackseal.policy.passing import passed_roles, services, unknown_roles
from stackseal.policy.scene import Scene
from stackseal.policy.scope import describes, scope
from unit.policy import samples
from unit.policy.samples import ACCOUNT, REGION, STACK, arn, get, role, role_arn


def scoped(action: str, kind: str, /, **properties: Any) -> tuple[str, ...]:
    return in_scene(action, samples.one({"Type": kind, "Properties": properties}))


def in_scene(action: str, scene: Scene, logical_id: str = "Thing") -> tuple[str, ...]:
    known = facts.action(action)
    assert known is not None
    return scope(known, scene.resources[logical_id], scene)


def limited(action: str, scene: Scene, logical_id: str = "Thing") -> Conditions:
    known = facts.action(action)
    assert known is not None
    call = Call(resource=scene.resources[logical_id], operation=Operation.CREATE, action=known)
    return limits(call, in_scene(action, scene, logical_id), scene)


def test_an_action_on_the_resource_itself() -> None:
    assert scoped("s3:PutBucketPolicy", "AWS::S3::Bucket", BucketName="data") == ("arn:aws:s3:::data",)


def test_a_log_group_has_two_forms() -> None:
    found = scoped("logs:CreateLogGroup", "AWS::Logs::LogGroup", LogGroupName="/a/b")
    assert found == (arn("logs", "log-group:/a/b"), arn("logs", "log-group:/a/b:*"))


def test_a_subscription_has_its_topics_arn_and_an_id() -> None:
    topic = arn("sns", "alerts")
    assert scoped("sns:Unsubscribe", "AWS::SNS::Subscription", TopicArn=topic) == (topic, f"{topic}:*")
    assert scoped("sns:Subscribe", "AWS::SNS::Subscription", TopicArn=topic) == (topic,)


def test_a_listing_of_the_whole_kind_is_not_scoped() -> None:
    assert scoped("cloudwatch:DescribeAlarms", "AWS::CloudWatch::Alarm", AlarmName="a") == ("*",)
    assert scoped("kms:ListAliases", "AWS::KMS::Alias", AliasName="alias/a") == ("*",)
    assert scoped("ssm:GetParameters", "AWS::SSM::Parameter", Name="/a") == (arn("ssm", "parameter/a"),)
    assert scoped("s3:ListBucket", "AWS::S3::Bucket", BucketName="a") == ("arn:aws:s3:::a",)


def test_tagging_acts_on_the_resource_alone() -> None:
    stages = [{"Actions": [{"ActionTypeId": {"Owner": "AWS", "Category": "Build", "Provider": "X", "Version": "1"}}]}]
    found = scoped("codepipeline:TagResource", "AWS::CodePipeline::Pipeline", Name="p", Stages=stages)
    assert found == (arn("codepipeline", "p"),)


def test_properties_name_the_other_resources_of_a_call() -> None:
    found = scoped("ec2:CreateVpcEndpoint", "AWS::EC2::VPCEndpoint", VpcId="vpc-1", SubnetIds=["subnet-1", "subnet-2"])
    ids = ("subnet/subnet-1", "subnet/subnet-2", "vpc-endpoint/*", "vpc/vpc-1")
    assert found == tuple(arn("ec2", rest) for rest in ids)


def test_a_reference_leads_to_the_arn_of_what_it_names() -> None:
    scene = samples.scene(
        {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "data"}},
            "Thing": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {}},
            },
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}},
            "Rule": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": {}},
            },
        }
    )
    assert in_scene("s3:PutBucketPolicy", scene) == ("arn:aws:s3:::data",)
    assert in_scene("sqs:SetQueueAttributes", scene, "Rule") == (arn("sqs", "orders"),)


def test_a_rule_on_a_bus_of_its_own_has_both_names() -> None:
    found = scoped("events:PutRule", "AWS::Events::Rule", Name="r", EventBusName="orders")
    assert arn("events", "rule/orders/r") in found
    assert scoped("events:PutRule", "AWS::Events::Rule", Name="r") == (arn("events", "rule/r"),)


def test_api_gateway_is_scoped_by_path() -> None:
    prefix = f"arn:aws:apigateway:{REGION}::/"
    wanted = tuple(prefix + path for path in ("restapis", "restapis/*", "tags/*"))
    assert scoped("apigateway:POST", "AWS::ApiGateway::RestApi", Name="api") == wanted
    assert scoped("apigateway:PUT", "AWS::ApiGateway::Method", RestApiId="x") == wanted
    assert scoped("apigateway:POST", "AWS::ApiGatewayV2::Route", ApiId="x")[0] == prefix + "apis"
    assert scoped("apigateway:POST", "AWS::ApiGateway::BasePathMapping", DomainName="d")[0] == prefix + "domainnames"


def test_a_secret_is_named_by_its_arn() -> None:
    scene = samples.scene(
        {
            "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "db"}},
            "Thing": {"Type": "AWS::SecretsManager::RotationSchedule", "Properties": {"SecretId": {"Ref": "Secret"}}},
        }
    )
    assert in_scene("secretsmanager:RotateSecret", scene) == (arn("secretsmanager", "secret:db-*"),)


def test_arns_inside_policies_are_not_calls() -> None:
    document = {"Statement": [{"Resource": arn("sns", "other")}]}
    assert scoped("sns:Publish", "AWS::IAM::Role", Policies=[{"PolicyDocument": document}]) == ()


def test_another_service_is_called_only_by_reference() -> None:
    assert scoped("kms:CreateGrant", "AWS::Lambda::Function", FunctionName="f") == ()
    key = arn("kms", "key/1234")
    assert scoped("kms:CreateGrant", "AWS::Lambda::Function", FunctionName="f", KmsKeyArn=key) == (key,)
    alias = scoped("kms:CreateGrant", "AWS::Lambda::Function", FunctionName="f", KmsKeyArn="alias/mine")
    assert alias == (arn("kms", "key/*"),)


def test_code_in_s3_is_one_object() -> None:
    code = {"S3Bucket": "code", "S3Key": "app.zip"}
    assert scoped("s3:GetObject", "AWS::Lambda::Function", FunctionName="f", Code=code) == (
        "arn:aws:s3:::code/app.zip",
    )


def test_a_custom_resource_calls_its_function() -> None:
    scene = samples.scene(
        {
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "maker"}},
            "Thing": {"Type": "Custom::Made", "Properties": {"ServiceToken": get("Function")}},
        }
    )
    assert in_scene("lambda:InvokeFunction", scene) == (arn("lambda", "function:maker"),)
    assert in_scene("sns:Publish", scene) == ()


def test_a_nested_stack_has_a_generated_name() -> None:
    found = scoped("cloudformation:CreateStack", "AWS::CloudFormation::Stack", TemplateURL="https://x")
    assert found == (arn("cloudformation", f"stack/{STACK.name}-Thing-*/*"),)


def test_service_linked_roles_belong_to_one_service() -> None:
    scene = samples.one({"Type": "AWS::ECS::Cluster", "Properties": {}})
    assert in_scene("iam:CreateServiceLinkedRole", scene) == (role_arn("aws-service-role/ecs.amazonaws.com/*"),)
    assert limited("iam:CreateServiceLinkedRole", scene) == (
        ("StringEquals", "iam:AWSServiceName", ("ecs.amazonaws.com",)),
    )


def test_what_cannot_be_scoped_stays_in_its_region() -> None:
    scene = samples.one({"Type": "AWS::KMS::Key", "Properties": {}})
    assert in_scene("kms:CreateKey", scene) == ("*",)
    assert limited("kms:CreateKey", scene) == (("StringEquals", "aws:RequestedRegion", (REGION,)),)


def test_a_key_is_used_through_the_service_only() -> None:
    resource = {"Type": "AWS::CodeCommit::Repository", "Properties": {"KmsKeyId": arn("kms", "key/1")}}
    scene = samples.one(resource)
    assert limited("kms:Decrypt", scene) == (
        ("StringEquals", "kms:ViaService", (f"codecommit.{REGION}.amazonaws.com",)),
    )
    assert limited("kms:CreateGrant", scene) == (("Bool", "kms:GrantIsForAWSResource", ("true",)),)
    assert limited("kms:DescribeKey", scene) == ()


def test_a_boundary_binds_what_adds_permissions() -> None:
    scene = samples.one(role("r", "ec2.amazonaws.com", PermissionsBoundary="arn:aws:iam::1:policy/b"))
    wanted = (("StringEquals", "iam:PermissionsBoundary", ("arn:aws:iam::1:policy/b",)),)
    assert limited("iam:CreateRole", scene) == wanted
    assert limited("iam:PutRolePolicy", scene) == wanted
    assert limited("iam:GetRole", scene) == ()
    assert limited("iam:DeleteRolePolicy", scene) == ()


def test_an_unknown_managed_policy_is_not_narrowed_wrongly() -> None:
    scene = samples.one(role("r", "ec2.amazonaws.com", ManagedPolicyArns=[{"Ref": "NotThere"}]))
    assert limited("iam:AttachRolePolicy", scene) == ()


def test_roles_are_found_by_value() -> None:
    scene = samples.scene(
        {
            "Role": role("worker", "states.us-west-2.amazonaws.com"),
            "Thing": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"RoleArn": get("Role")}},
            "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": "Role"}]}},
            "Other": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": get("Role")}},
        }
    )
    machine, profile, other = (scene.resources[name] for name in ("Thing", "Profile", "Other"))
    assert passed_roles(machine, scene) == (role_arn("worker"),)
    assert passed_roles(profile, scene) == (role_arn("worker"),)
    assert passed_roles(other, scene) == ()
    assert services(role_arn("worker"), machine, scene) == ("states.amazonaws.com", "states.us-west-2.amazonaws.com")


def test_a_role_from_outside_goes_to_the_services_own_name() -> None:
    scene = samples.one({"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": role_arn("theirs")}})
    thing = scene.resources["Thing"]
    assert passed_roles(thing, scene) == (role_arn("theirs"),)
    assert services(role_arn("theirs"), thing, scene) == ("sagemaker.amazonaws.com",)
    assert not unknown_roles(thing, scene)


def test_a_role_that_nobody_knows_yet_is_told() -> None:
    scene = samples.one({"Type": "AWS::SageMaker::Model", "Properties": {"ExecutionRoleArn": {"Ref": "Missing"}}})
    thing = scene.resources["Thing"]
    assert passed_roles(thing, scene) == ()
    assert unknown_roles(thing, scene)


@pytest.mark.parametrize(
    ("action", "resource", "fits"),
    [
        ("s3:GetObject", "arn:aws:s3:::bucket/a/b", True),
        ("s3:GetObject", "arn:aws:s3:::bucket", False),
        ("s3:CreateBucket", "arn:aws:s3:::bucket/a", False),
        ("logs:CreateLogGroup", arn("logs", "log-group:/a/b:*"), True),
        ("iam:PassRole", role_arn("path/name"), True),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:policy/name", False),
        ("cloudformation:CreateChangeSet", "arn:aws:cloudformation:eu-west-1:aws:transform/Include", True),
        ("cloudformation:CreateChangeSet", "arn:aws:s3:::x", False),
    ],
)
def test_which_arns_an_action_acts_on(action: str, resource: str, fits: bool) -> None:
    known = facts.action(action)
    assert known is not None
    assert describes(known, resource) is fits


def test_a_web_acl_is_associated_with_one_service_only() -> None:
    kind, balancer = "AWS::WAFv2::WebACLAssociation", arn("elasticloadbalancing", "loadbalancer/app/a/1")
    stage = f"arn:aws:apigateway:{REGION}::/restapis/a1/stages/prod"
    assert scoped("apigateway:SetWebACL", kind, ResourceArn=balancer, WebACLArn="w") == ()
    assert scoped("elasticloadbalancing:SetWebAcl", kind, ResourceArn=balancer, WebACLArn="w") == ("*",)
    assert scoped("elasticloadbalancing:SetWebAcl", kind, ResourceArn=stage, WebACLArn="w") == ()
    acl = arn("wafv2", "regional/webacl/a/1")
    assert {stage, acl} <= set(scoped("wafv2:AssociateWebACL", kind, ResourceArn=stage, WebACLArn=acl))
    assert scoped("apigateway:SetWebACL", kind, ResourceArn=stage, WebACLArn="w") == (stage,)
    assert scoped("apigateway:SetWebACL", kind, ResourceArn={"Ref": "Unknown"}, WebACLArn="w") != ()


def test_target_tracking_makes_alarms_of_its_own_name_only() -> None:
    kind, endpoint = "AWS::ApplicationAutoScaling::ScalableTarget", "endpoint/churn/variant/all"
    found = scoped("cloudwatch:PutMetricAlarm", kind, ResourceId=endpoint, ServiceNamespace="sagemaker")
    assert found == (arn("cloudwatch", f"alarm:TargetTracking-{endpoint}-*"),)


def test_a_read_that_mostly_names_nothing_is_not_limited() -> None:
    assert scoped("cloudwatch:GetMetricData", "AWS::ApplicationAutoScaling::ScalingPolicy", PolicyName="p") == ("*",)


def test_both_versions_of_api_gateway_share_their_actions() -> None:
    post = facts.action("apigateway:POST")
    assert post
    assert describes(post, f"arn:aws:apigateway:{REGION}::/apis")
    assert not describes(post, f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1")


def test_what_a_dynamic_reference_comes_to_is_unknown() -> None:
    user = {
        "Type": "AWS::IAM::User",
        "Properties": {"UserName": "{{resolve:secretsmanager:login:SecretString:name}}-a"},
    }
    assert samples.one(user).resolver.arns("Thing") == (arn("iam", "user/*-a", region=""),)
