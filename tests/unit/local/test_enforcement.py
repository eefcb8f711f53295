"""Roles can do what their policies say, and no more: the stack's role, its caller, and callers of services."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stackseal.local.messages import Place
from stackseal.local.needs import Row, Work, passed, requests
from stackseal.local.requests import TABLE
from stackseal.local.resources import REGISTRY
from unit.local.driver import Account, Stack, resources
from unit.local.family import family, trust

ROLE = "arn:aws:iam::123456789012:role/execution"
TAGS = [{"Key": "team", "Value": "ml"}]


def statement(*actions: str, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **more}


def role(
    account: Account, *statements: dict[str, Any], name: str = "execution", service: str = "cloudformation"
) -> str:
    """Makes a role, or gives it other permissions."""
    iam = account.client("iam")
    document = trust(service)
    document["Statement"].append(
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    )
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    policy = {"Version": "2012-10-17", "Statement": list(statements) or [statement("none:None")]}
    iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=json.dumps(policy))
    return f"arn:aws:iam::123456789012:role/{name}"


def parameter(value: str = "1") -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/a", "Type": "String", "Value": value}}


def bucket(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "ml-1", **properties}}


def project(role_arn: Any) -> dict[str, Any]:
    properties = {
        "Name": "proj",
        "ServiceRole": role_arn,
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Source": {"Type": "NO_SOURCE", "BuildSpec": "version: 0.2"},
        "Environment": {"Type": "LINUX_CONTAINER", "ComputeType": "BUILD_GENERAL1_SMALL", "Image": "i"},
    }
    return {"Type": "AWS::CodeBuild::Project", "Properties": properties}


SSM = statement("ssm:PutParameter", "ssm:GetParameters", resource="arn:aws:ssm:us-west-2:123456789012:parameter/a")


def test_a_role_that_is_too_small_fails_with_the_words_of_aws(stack: Stack) -> None:
    role(stack.account, SSM)

    assert stack.deploy(resources(P=parameter(), B={**bucket(), "DependsOn": "P"}), RoleARN=ROLE) == "ROLLBACK_FAILED"

    reasons = stack.failures()
    assert any(
        "User: arn:aws:sts::123456789012:assumed-role/execution/AWSCloudFormation is not authorized to perform: "
        "s3:CreateBucket on resource: arn:aws:s3:::ml-1 because no identity-based policy allows the s3:CreateBucket "
        "action" in reason
        for reason in reasons
    )
    assert any("ssm:DeleteParameter" in reason for reason in reasons)
    assert stack.describe()["RoleARN"] == ROLE


def test_a_role_that_suffices_deploys_updates_and_deletes(stack: Stack) -> None:
    allowed = [*SSM["Action"], "ssm:DeleteParameter"]
    role(stack.account, statement(*allowed, resource=SSM["Resource"]))

    assert stack.deploy(resources(P=parameter()), RoleARN=ROLE) == "CREATE_COMPLETE"
    assert stack.deploy(resources(P=parameter("2"))) == "UPDATE_COMPLETE"
    assert stack.describe()["RoleARN"] == ROLE
    assert stack.delete() == "DELETE_COMPLETE"


def test_the_role_sticks_and_an_update_is_judged_by_it(stack: Stack) -> None:
    role(stack.account, statement("ssm:*"))
    stack.deploy(resources(P=parameter()), RoleARN=ROLE)
    role(stack.account, statement("ssm:GetParameters"))

    assert stack.deploy(resources(P=parameter("2"))) == "UPDATE_ROLLBACK_COMPLETE"
    assert "ssm:PutParameter" in stack.failures()[0]
    assert stack.delete() == "DELETE_FAILED"
    role(stack.account, statement("ssm:DeleteParameter"))
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_stack_made_without_a_change_set_has_its_role_from_the_first_resource_on(stack: Stack) -> None:
    role(stack.account, SSM)
    body = json.dumps(resources(P=parameter()))
    small = role(stack.account, statement("none:None"), name="small")

    stack.cfn.create_stack(StackName=stack.name, TemplateBody=body, RoleARN=small)
    assert stack.wait() == "ROLLBACK_COMPLETE"
    assert "assumed-role/small/AWSCloudFormation" in stack.failures()[0]
    stack.delete()
    stack.cfn.create_stack(StackName=stack.name, TemplateBody=body, RoleARN=ROLE)
    assert stack.wait() == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="AlreadyExists"):
        stack.cfn.create_stack(StackName=stack.name, TemplateBody=body, RoleARN=small)
    assert stack.describe()["RoleARN"] == ROLE


def test_names_and_deny_and_conditions_count(stack: Stack) -> None:
    account = stack.account
    role(account, statement("ssm:*", resource="arn:aws:ssm:us-west-2:123456789012:parameter/b"))
    assert stack.deploy(resources(P=parameter()), RoleARN=ROLE) == "ROLLBACK_COMPLETE"
    stack.delete()

    role(account, statement("ssm:*"), statement("ssm:PutParameter", effect="Deny"))
    assert stack.deploy(resources(P=parameter()), RoleARN=ROLE) == "ROLLBACK_COMPLETE"
    assert "with an explicit deny" in stack.failures()[0]
    stack.delete()

    elsewhere = {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}
    role(account, statement("ssm:*", Condition=elsewhere))
    assert stack.deploy(resources(P=parameter()), RoleARN=ROLE) == "ROLLBACK_COMPLETE"


def test_a_role_may_be_passed_only_by_who_may_pass_it(stack: Stack) -> None:
    account = stack.account
    service_role = role(account, name="service", service="codebuild")
    can_build = statement("codebuild:*")
    role(account, can_build)
    assert stack.deploy(resources(P=project(service_role)), RoleARN=ROLE) == "ROLLBACK_COMPLETE"
    assert f"iam:PassRole on resource: {service_role}" in stack.failures()[0]
    stack.delete()

    def passing(service: str) -> dict[str, Any]:
        condition = {"StringEquals": {"iam:PassedToService": service}}
        return statement("iam:PassRole", resource=service_role, Condition=condition)

    role(account, can_build, passing("lambda.amazonaws.com"))
    assert stack.deploy(resources(P=project(service_role)), RoleARN=ROLE) == "ROLLBACK_COMPLETE"
    stack.delete()
    role(account, can_build, passing("codebuild.amazonaws.com"))
    assert stack.deploy(resources(P=project(service_role)), RoleARN=ROLE) == "CREATE_COMPLETE"


def test_a_boundary_limits_the_role_and_can_be_demanded_of_others(stack: Stack) -> None:
    account, iam = stack.account, stack.account.client("iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement("iam:*")]})
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=document)["Policy"]["Arn"]
    role(account, statement("*"))
    iam.put_role_permissions_boundary(RoleName="execution", PermissionsBoundary=boundary)
    assert stack.deploy(resources(P=parameter()), RoleARN=ROLE) == "ROLLBACK_COMPLETE"
    assert "because no permissions boundary allows the ssm:PutParameter action" in stack.failures()[0]
    stack.delete()

    iam.delete_role_permissions_boundary(RoleName="execution")
    demanded = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    role(account, statement("iam:CreateRole", Condition=demanded), statement("iam:GetRole", "iam:DeleteRole"))

    def made(**properties: Any) -> dict[str, Any]:
        return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust("codebuild"), **properties}}

    assert stack.deploy(resources(R=made()), RoleARN=ROLE) == "ROLLBACK_COMPLETE"
    assert "iam:CreateRole" in stack.failures()[0]
    stack.delete()
    assert stack.deploy(resources(R=made(PermissionsBoundary=boundary)), RoleARN=ROLE) == "CREATE_COMPLETE"


def test_a_failed_rollback_can_be_continued(stack: Stack) -> None:
    """The update bars its own way back: it denies the role what undoing it takes."""
    role(stack.account, statement("*"))
    lock = {
        "Type": "AWS::IAM::ManagedPolicy",
        "DependsOn": "P",
        "Properties": {
            "ManagedPolicyName": "lock",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement("ssm:*", effect="Deny")]},
            "Roles": ["execution"],
        },
    }
    bad = {**project("arn:aws:iam::123456789012:role/x"), "DependsOn": "Lock"}
    stack.account.client("codebuild").create_project(name="proj", **_nothing())
    stack.deploy(resources(P=parameter()), RoleARN=ROLE)

    assert stack.deploy(resources(P=parameter("2"), Lock=lock, Bad=bad)) == "UPDATE_ROLLBACK_FAILED"

    iam = stack.account.client("iam")
    with contextlib.suppress(ClientError):
        iam.detach_role_policy(RoleName="execution", PolicyArn="arn:aws:iam::123456789012:policy/lock")
    stack.cfn.continue_update_rollback(StackName=stack.name)
    assert stack.wait() == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.account.client("ssm").get_parameter(Name="/a")["Parameter"]["Value"] == "1"


def _nothing() -> dict[str, Any]:
    environment = {"type": "LINUX_CONTAINER", "computeType": "BUILD_GENERAL1_SMALL", "image": "i"}
    nothing = {"type": "NO_SOURCE"}, {"type": "NO_ARTIFACTS"}
    return {"serviceRole": ROLE, "source": nothing[0], "artifacts": nothing[1], "environment": environment}


def test_only_a_role_that_cloudformation_may_assume_is_taken(stack: Stack) -> None:
    for name, service in (("nowhere", None), ("other", "codebuild")):
        if service:
            role(stack.account, statement("*"), name=name, service=service)
        with pytest.raises(ClientError, match="is invalid or cannot be assumed"):
            stack.change_set(resources(P=parameter()), RoleARN=f"arn:aws:iam::123456789012:role/{name}")
    assert not stack.exists()


def test_without_a_role_the_callers_own_permissions_count(stack: Stack) -> None:
    role(stack.account, statement("cloudformation:*", "ssm:PutParameter", "ssm:GetParameters"), name="caller")
    caller = Stack(account=stack.account.assume("caller"))

    assert caller.deploy(resources(P=parameter())) == "CREATE_COMPLETE"
    assert caller.deploy(resources(P=parameter(), B=bucket())) == "UPDATE_ROLLBACK_COMPLETE"
    assert "assumed-role/caller/test is not authorized to perform: s3:CreateBucket" in caller.failures()[0]
    assert stack.deploy(resources(P=parameter(), B=bucket())) == "UPDATE_COMPLETE"


def test_a_caller_needs_pass_role_and_the_condition_keys_of_cloudformation(stack: Stack) -> None:
    account = stack.account
    execution = role(account, statement("ssm:*"))
    only = {
        "StringEquals": {"cloudformation:RoleArn": execution},
        "StringLike": {"cloudformation:ChangeSetName": "seal-*"},
    }
    create = statement("cloudformation:CreateChangeSet", Condition=only)
    reading = statement("cloudformation:Describe*", "cloudformation:Get*")
    role(account, create, reading, name="plan")
    plan = Stack(account=account.assume("plan"))
    with pytest.raises(ClientError, match="iam:PassRole"):
        plan.change_set(resources(P=parameter()), name="seal-1", RoleARN=execution)

    role(account, create, reading, statement("iam:PassRole", resource=execution), name="plan")
    made = plan.change_set(resources(P=parameter()), name="seal-1", RoleARN=execution)
    assert made["Status"] == "CREATE_COMPLETE"
    for wrong in ({"name": "other-1", "RoleARN": execution}, {"name": "seal-2"}):
        with pytest.raises(ClientError, match="cloudformation:CreateChangeSet"):
            plan.change_set(resources(P=parameter("2")), **wrong)
    with pytest.raises(ClientError, match="cloudformation:ExecuteChangeSet"):
        plan.execute(made["ChangeSetId"])
    stack.execute(made["ChangeSetId"])
    assert stack.wait() == "CREATE_COMPLETE"


def test_ssm_parameters_are_read_in_the_callers_name(stack: Stack) -> None:
    stack.account.client("ssm").put_parameter(Name="/vpc/id", Value="vpc-1", Type="String")
    template = {
        **resources(P=parameter()),
        "Parameters": {"Vpc": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/vpc/id"}},
    }
    role(stack.account, statement("cloudformation:*"), name="caller")
    caller = Stack(account=stack.account.assume("caller"))

    with pytest.raises(ClientError, match=r"ssm:GetParameters on resource: .*:parameter/vpc/id"):
        caller.change_set(template)

    with pytest.raises(ClientError, match="does not exist"):
        stack.describe()
    role(stack.account, statement("cloudformation:*", "ssm:GetParameters"), name="caller")
    assert caller.change_set(template)["Status"] == "CREATE_COMPLETE"


def test_stacks_are_scoped_by_name(stack: Stack) -> None:
    mine = "arn:aws:cloudformation:us-west-2:123456789012:stack/stack/*"
    role(stack.account, statement("cloudformation:*", resource=mine), statement("ssm:*"), name="caller")
    caller = stack.account.assume("caller")

    made = Stack(account=caller).change_set(resources(P=parameter()))
    Stack(account=caller).execute(made["ChangeSetId"])
    assert Stack(account=caller).wait() == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="not authorized"):
        Stack(account=caller, name="other").change_set(resources(P=parameter()), kind="CREATE")


def test_drift_is_read_with_the_callers_permissions(stack: Stack) -> None:
    stack.deploy(resources(P=parameter(), B=bucket(VersioningConfiguration={"Status": "Enabled"})))
    role(stack.account, statement("cloudformation:*", "ssm:GetParameters"), name="reader")

    status, rows = Stack(account=stack.account.assume("reader")).drift()

    assert rows["P"]["StackResourceDriftStatus"] == "IN_SYNC"
    assert rows["B"]["StackResourceDriftStatus"] == "UNKNOWN"
    assert "s3:GetBucketVersioning" in rows["B"]["DriftStatusReason"]
    assert status["DetectionStatus"] == "DETECTION_FAILED"


@pytest.mark.parametrize(
    ("service", "call", "action"),
    [
        ("ssm", lambda c: c.get_parameter(Name="/a"), "ssm:GetParameter"),
        ("s3", lambda c: c.list_objects_v2(Bucket="ml-1"), "s3:ListBucket"),
        ("iam", lambda c: c.get_role(RoleName="caller"), "iam:GetRole"),
        ("codecommit", lambda c: c.get_repository(repositoryName="r"), "codecommit:GetRepository"),
        ("codepipeline", lambda c: c.get_pipeline(name="p"), "codepipeline:GetPipeline"),
        ("codebuild", lambda c: c.batch_get_projects(names=["p"]), "codebuild:BatchGetProjects"),
        ("sagemaker", lambda c: c.list_model_package_groups(), "sagemaker:ListModelPackageGroups"),
    ],
)
def test_direct_calls_of_roles_are_judged(stack: Stack, service: str, call: Any, action: str) -> None:
    role(stack.account, statement("none:None"), name="caller")
    caller = stack.account.assume("caller")

    with pytest.raises(ClientError) as caught:
        call(caller.client(service))

    assert caught.value.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}
    assert action in caught.value.response["Error"]["Message"] or service == "s3"
    role(stack.account, statement(action), name="caller")
    assert _code(call, caller.client(service)) not in {"AccessDenied", "AccessDeniedException"}


def _code(call: Any, client: Any) -> str:
    try:
        call(client)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_type_of_the_family_is_in_the_table_with_its_sources() -> None:
    assert TABLE.keys() == REGISTRY.keys()
    for type_, row in TABLE.items():
        assert row.sources, type_
        assert row.create, type_
        assert row.read, type_
        assert row.delete, type_


def _asked(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Type, action and ARN of everything that creating and deleting the family asks for, with deployed values."""
    records = {row["LogicalResourceId"]: row for row in _records(stack)}
    place = Place(account="123456789012", region="us-west-2")
    for logical_id, resource in family()["Resources"].items():
        row: Row = TABLE[resource["Type"]]
        props = _deployed(stack, logical_id)
        for old, new, needs in (({}, props, row.create + row.read + row.compare), (props, {}, row.delete)):
            work = Work(
                place=place,
                old=old,
                new=new,
                physical_id=records[logical_id]["PhysicalResourceId"],
                attributes={"key": f"arn:aws:kms:us-west-2:123456789012:key/{props.get('TargetKeyId')}"},
                role_arn=lambda name: f"arn:aws:iam::123456789012:role/ml/{name}",
            )
            asked: Iterable[Any] = [*requests(row, needs, work), *passed(row, work)]
            yield from ((resource["Type"], request.action, request.resource) for request in asked)


def _records(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.cfn.describe_stack_resources(StackName=stack.name)["StackResources"]
    return found


def _deployed(stack: Stack, logical_id: str) -> dict[str, Any]:
    rows = stack.cfn.describe_stack_resource_drifts(StackName=stack.name)["StackResourceDrifts"]
    by_id = {row["LogicalResourceId"]: json.loads(row["ExpectedProperties"]) for row in rows}
    found: dict[str, Any] = by_id[logical_id]
    return found


def test_exactly_what_the_table_asks_suffices_for_the_whole_family(stack: Stack) -> None:
    """A role with nothing but the requests of the table deploys and deletes the family; each request is needed."""
    stack.deploy(family(), Tags=TAGS)
    stack.drift()
    asked = {(action, arn) for _, action, arn in _asked(stack)}
    stack.delete()
    statements = [statement(action, resource=_opaque(arn)) for action, arn in sorted(asked)]
    role(stack.account, *statements)

    assert stack.deploy(family(), Tags=TAGS, RoleARN=ROLE) == "CREATE_COMPLETE", stack.failures()
    assert stack.delete() == "DELETE_COMPLETE", stack.failures()
    assert len(asked) > 80


def _opaque(arn: str) -> str:
    """What every deployment draws anew becomes a wildcard."""
    for kind in (
        ":key/",
        ":vpc/",
        ":vpc-endpoint/",
        ":subnet/",
        ":security-group/",
        ":route-table/",
        ":elastic-ip/",
        ":internet-gateway/",
        ":natgateway/",
        ":vpc-flow-log/",
        "stack-logbucket-",
    ):
        head, found, _ = arn.partition(kind)
        if found:
            return f"{head}{found}*"
    return arn


def test_each_creation_is_refused_without_its_first_request(stack: Stack) -> None:
    """One request less, one failure more: for every type, on a stack of its own with what it refers to."""
    template = family()
    for type_, row in TABLE.items():
        action = row.create[0].action
        logical_id = next(name for name, found in template["Resources"].items() if found["Type"] == type_)
        stack.account.aws.reset()
        role(stack.account, statement("*"), statement(action, effect="Deny"))
        status = stack.deploy(copy.deepcopy(template), RoleARN=ROLE)
        assert status == "ROLLBACK_COMPLETE", (type_, status)
        assert any(action in reason for reason in stack.failures()), (type_, logical_id)
