"""Stacks as a deployer sees them: success, rollback, deletion, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit.local.driver import Account, Stack, resources
from unit.local.family import allow, attribute, family, trust


def parameter(name: str = "/a", value: Any = "1", **attributes: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": name, "Type": "String", "Value": value},
        **attributes,
    }


def bucket(name: str | None = None, **attributes: Any) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name} if name else {}, **attributes}


def role(name: str | None = None, **properties: Any) -> dict[str, Any]:
    named = {"RoleName": name} if name else {}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": trust("codebuild"), **named, **properties},
    }


def value(stack: Stack, name: str) -> str | None:
    found = stack.account.client("ssm").get_parameters(Names=[name])["Parameters"]
    return str(found[0]["Value"]) if found else None


def buckets(stack: Stack) -> list[str]:
    return [row["Name"] for row in stack.account.client("s3").list_buckets()["Buckets"]]


BROKEN = role(ManagedPolicyArns=["arn:aws:iam::123456789012:policy/nowhere"])
"""A role that IAM refuses when its policy is attached, after it was created."""


def test_progress_is_seen_and_events_are_in_order(stack: Stack) -> None:
    many = {f"P{n}": parameter(f"/p/{n}") for n in range(40)}
    made = stack.change_set(resources(**many))

    stack.execute(made["ChangeSetId"])
    first = stack.describe()["StackStatus"]

    assert first == "CREATE_IN_PROGRESS"
    assert stack.wait() == "CREATE_COMPLETE"
    assert stack.events(stack.name) == ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert stack.events("P7") == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert stack.cfn.describe_change_set(ChangeSetName=made["ChangeSetId"])["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_a_failed_creation_leaves_nothing(stack: Stack) -> None:
    status = stack.deploy(
        resources(A=parameter(), B=bucket("left-over-1", DependsOn="A"), C={**BROKEN, "DependsOn": "B"})
    )

    assert status == "ROLLBACK_COMPLETE"
    assert "policy/nowhere" in stack.failures()[0]
    assert value(stack, "/a") is None
    assert buckets(stack) == []
    assert stack.account.client("iam").list_roles()["Roles"] == []
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE"):
        stack.change_set(resources(A=parameter()), kind="UPDATE")
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_failed_update_restores_the_old_values(stack: Stack) -> None:
    stack.deploy(resources(A=parameter(), Old=parameter("/old")))

    status = stack.deploy(
        resources(A=parameter(value="2"), New=bucket("new-1"), Bad={**BROKEN, "DependsOn": ["A", "New"]})
    )

    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert "policy/nowhere" in stack.failures()[0]
    assert (value(stack, "/a"), value(stack, "/old")) == ("1", "1")
    assert buckets(stack) == []
    assert stack.cfn.get_template(StackName=stack.name)["TemplateBody"]["Resources"].keys() == {"A", "Old"}
    assert stack.deploy(resources(A=parameter(value="3"))) == "UPDATE_COMPLETE"
    assert value(stack, "/old") is None


def test_an_update_cleans_up_and_says_so(stack: Stack) -> None:
    stack.deploy(resources(A=parameter("/one"), Gone=parameter("/gone")))

    assert stack.deploy(resources(A=parameter("/two"))) == "UPDATE_COMPLETE"

    assert stack.events(stack.name)[-3:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]
    assert stack.events("Gone")[-2:] == ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert (value(stack, "/one"), value(stack, "/two"), value(stack, "/gone")) == (None, "1", None)


@pytest.mark.parametrize(
    ("logical_id", "name"),
    [
        ("Role", "ml-codebuild-role"),
        ("Boundary", "ml-boundary"),
        ("Bucket", "ml-artifacts"),
        ("Parameter", "/ml/ModelPackageGroupArn"),
        ("ModelGroup", "ml-models"),
        ("Repository", "ml-build"),
        ("Project", "ml-build"),
        ("Pipeline", "ml-build-pipeline"),
        ("Rule", "ml-trigger"),
        ("Dashboard", "ml-dashboard"),
        ("Alarm", "ml-denied"),
        ("Alias", "alias/ml"),
        ("LogGroup", "/ml/compliance"),
        ("Topic", "ml-security-alerts"),
    ],
)
def test_a_name_that_is_taken_is_refused(stack: Stack, logical_id: str, name: str) -> None:
    template = family()
    stack.deploy(template)
    other = Stack(account=stack.account, name="other")
    again = _alone(template["Resources"][logical_id], stack)

    assert other.deploy(resources(Again=again)) == "ROLLBACK_COMPLETE"

    assert "already exists" in other.failures()[0]
    assert name in json.dumps(again, default=str)
    assert stack.drift()[0]["StackDriftStatus"] == "IN_SYNC"


def _alone(resource: Any, stack: Stack) -> Any:
    """A resource of the family without its neighbours: references become the deployed values."""
    records = stack.cfn.describe_stack_resources(StackName=stack.name)["StackResources"]
    physical = {row["LogicalResourceId"]: row["PhysicalResourceId"] for row in records}
    arns = {
        "Role": "arn:aws:iam::123456789012:role/ml/ml-codebuild-role",
        "PipelineRole": "arn:aws:iam::123456789012:role/ml-codepipeline-role",
        "Key": f"arn:aws:kms:us-west-2:123456789012:key/{physical['Key']}",
        "ModelGroup": physical["ModelGroup"],
        "Repository": "ml-build",
        "Bucket": "arn:aws:s3:::ml-artifacts",
    }
    text = json.dumps(resource)
    for name, found in physical.items():
        text = text.replace(json.dumps({"Ref": name}), json.dumps(found)).replace(f"${{{name}}}", found)
    for name, found in arns.items():
        for key in ("Arn", "Name", "ModelPackageGroupArn"):
            text = text.replace(json.dumps(attribute(name, key)), json.dumps(found))
        text = text.replace(f"${{{name}.Arn}}", found)
    return json.loads(text)


def test_stack_tags_reach_the_resources(stack: Stack) -> None:
    stack.deploy(family(), Tags=[{"Key": "team", "Value": "ml"}])
    account, physical = stack.account, stack.physical

    def tags(service: str, operation: str, key: str, **arguments: Any) -> Any:
        return getattr(account.client(service), operation)(**arguments)[key]

    found = {
        "s3": tags("s3", "get_bucket_tagging", "TagSet", Bucket="ml-artifacts"),
        "iam": tags("iam", "list_role_tags", "Tags", RoleName="ml-codebuild-role"),
        "sagemaker": tags("sagemaker", "list_tags", "Tags", ResourceArn=physical("ModelGroup")),
        "kms": tags("kms", "list_resource_tags", "Tags", KeyId=physical("Key")),
        "sns": tags("sns", "list_tags_for_resource", "Tags", ResourceArn=physical("Topic")),
        "ec2": tags("ec2", "describe_security_groups", "SecurityGroups", GroupIds=[physical("Group")])[0]["Tags"],
        "ssm": tags(
            "ssm", "list_tags_for_resource", "TagList", ResourceType="Parameter", ResourceId=physical("Parameter")
        ),
    }
    for service, rows in found.items():
        pairs = {row.get("Key", row.get("TagKey")): row.get("Value", row.get("TagValue")) for row in rows}
        assert pairs["team"] == "ml", service
    project = account.client("codebuild").batch_get_projects(names=["ml-build"])["projects"][0]
    assert {"key": "team", "value": "ml"} in project["tags"]
    repository = "arn:aws:codecommit:us-west-2:123456789012:ml-build"
    assert tags("codecommit", "list_tags_for_resource", "tags", resourceArn=repository)["team"] == "ml"


def test_a_bucket_with_objects_refuses_to_go(stack: Stack) -> None:
    stack.deploy(resources(B=bucket("full-1"), P=parameter()))
    s3 = stack.account.client("s3")
    s3.put_object(Bucket="full-1", Key="k", Body=b"data")

    assert stack.delete() == "DELETE_FAILED"

    assert any("(Service: S3, Status Code: 409, Error Code: BucketNotEmpty)" in reason for reason in stack.failures())
    assert value(stack, "/a") is None
    s3.delete_object(Bucket="full-1", Key="k")
    assert stack.delete() == "DELETE_COMPLETE"


def test_what_cannot_be_deleted_can_be_retained(stack: Stack) -> None:
    stack.deploy(resources(B=bucket("full-1"), P=parameter()))
    stack.account.client("s3").put_object(Bucket="full-1", Key="k", Body=b"data")
    with pytest.raises(ClientError, match="DELETE_FAILED"):
        stack.cfn.delete_stack(StackName=stack.name, RetainResources=["B"])
    stack.delete()

    assert stack.delete(RetainResources=["B"]) == "DELETE_COMPLETE"
    assert buckets(stack) == ["full-1"]


def test_force_delete_leaves_what_does_not_go(stack: Stack) -> None:
    stack.deploy(resources(B=bucket("full-1")))
    stack.account.client("s3").put_object(Bucket="full-1", Key="k", Body=b"data")
    stack.delete()

    assert stack.delete(DeletionMode="FORCE_DELETE_STACK") == "DELETE_COMPLETE"
    assert buckets(stack) == ["full-1"]


def test_retained_resources_outlive_the_stack_but_not_a_failed_creation(stack: Stack) -> None:
    kept = bucket("kept-1", DeletionPolicy="RetainExceptOnCreate")
    always = bucket("always-1", DeletionPolicy="Retain")

    assert stack.deploy(resources(K=kept, Bad={**BROKEN, "DependsOn": "K"})) == "ROLLBACK_COMPLETE"
    assert buckets(stack) == []
    stack.delete()
    assert stack.deploy(resources(K=kept, A=always)) == "CREATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"
    assert sorted(buckets(stack)) == ["always-1", "kept-1"]


def test_a_replaced_resource_is_retained_when_the_template_says_so(stack: Stack) -> None:
    stack.deploy(resources(K=bucket("kept-1", UpdateReplacePolicy="Retain"), G=bucket("gone-1")))

    stack.deploy(resources(K=bucket("kept-2", UpdateReplacePolicy="Retain"), G=bucket("gone-2")))

    assert sorted(buckets(stack)) == ["gone-2", "kept-1", "kept-2"]


def test_a_custom_name_cannot_be_kept_through_a_replacement(stack: Stack) -> None:
    def group(description: str) -> dict[str, Any]:
        properties = {"ModelPackageGroupName": "models", "ModelPackageGroupDescription": description}
        return {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": properties}

    stack.deploy(resources(G=group("one")))

    assert stack.deploy(resources(G=group("two"))) == "UPDATE_ROLLBACK_COMPLETE"
    assert "Rename" in stack.failures()[0]
    found = stack.account.client("sagemaker").describe_model_package_group(ModelPackageGroupName="models")
    assert found["ModelPackageGroupDescription"] == "one"


def test_termination_protection(stack: Stack) -> None:
    stack.deploy(resources(P=parameter()))
    stack.cfn.update_termination_protection(StackName=stack.name, EnableTerminationProtection=True)

    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        stack.cfn.delete_stack(StackName=stack.name)

    assert stack.describe()["EnableTerminationProtection"]
    stack.cfn.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
    assert stack.delete() == "DELETE_COMPLETE"


def test_nested_stacks_have_outputs(stack: Stack) -> None:
    s3 = stack.account.client("s3")
    s3.create_bucket(Bucket="templates-1", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    child = {**resources(P=parameter("/child")), "Outputs": {"Name": {"Value": {"Ref": "P"}}}}
    s3.put_object(Bucket="templates-1", Key="child.json", Body=json.dumps(child))
    url = "https://templates-1.s3.us-west-2.amazonaws.com/child.json"
    template = {
        **resources(Child={"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}),
        "Outputs": {"Name": {"Value": attribute("Child", "Outputs.Name")}},
    }

    assert stack.deploy(template) == "CREATE_COMPLETE"

    assert stack.describe()["Outputs"][0]["OutputValue"] == "/child"
    assert stack.describe(stack.physical("Child"))["StackStatus"] == "CREATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"
    assert value(stack, "/child") is None


def _network(*endpoints: dict[str, Any]) -> dict[str, Any]:
    template = family()["Resources"]
    names = ("Vpc", "Subnet", "RouteTable", "Group")
    chained = {
        f"E{n}": {**endpoint, **({"DependsOn": f"E{n - 1}"} if n else {})} for n, endpoint in enumerate(endpoints)
    }
    return resources(**{name: template[name] for name in names}, **chained)


def test_a_second_private_dns_for_one_service_is_refused(stack: Stack) -> None:
    endpoint = family()["Resources"]["Interface"]
    assert stack.deploy(_network(endpoint, endpoint)) == "ROLLBACK_COMPLETE"
    assert (
        "private-dns-enabled cannot be set because there is already a conflicting DNS domain for "
        "api.sagemaker.us-west-2.amazonaws.com" in stack.failures()[0]
    )


def test_a_second_gateway_on_one_route_table_is_refused(stack: Stack) -> None:
    endpoint = family()["Resources"]["Gateway"]
    assert stack.deploy(_network(endpoint, endpoint)) == "ROLLBACK_COMPLETE"
    assert "already has a route with destination-prefix-list-id" in stack.failures()[0]


def test_private_dns_needs_the_dns_settings_of_the_vpc(stack: Stack) -> None:
    template = _network(family()["Resources"]["Interface"])
    template["Resources"]["Vpc"]["Properties"]["EnableDnsHostnames"] = False
    assert stack.deploy(template) == "ROLLBACK_COMPLETE"
    assert "requires both enableDnsSupport and enableDnsHostnames" in stack.failures()[0]


def test_the_deployers_other_calls_answer(stack: Stack) -> None:
    template = {
        **resources(P=parameter()),
        "Description": "One parameter",
        "Parameters": {"X": {"Type": "String", "Default": "x"}},
        "Outputs": {"P": {"Value": {"Ref": "P"}, "Export": {"Name": "p-name"}}},
    }
    body = json.dumps(template)
    cfn = stack.cfn
    stack.deploy(template)

    assert cfn.validate_template(TemplateBody=body)["Parameters"][0]["ParameterKey"] == "X"
    assert cfn.get_template_summary(TemplateBody=body)["ResourceTypes"] == ["AWS::SSM::Parameter"]
    assert [row["StackName"] for row in cfn.list_stacks()["StackSummaries"]] == [stack.name]
    assert cfn.list_stack_resources(StackName=stack.name)["StackResourceSummaries"][0]["PhysicalResourceId"] == "/a"
    assert cfn.list_exports()["Exports"][0]["Name"] == "p-name"
    made = stack.change_set(resources(P=parameter(value="2")))
    cfn.delete_change_set(ChangeSetName=made["ChangeSetId"])
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        cfn.describe_change_set(ChangeSetName=made["ChangeSetId"])
    for call in (cfn.cancel_update_stack, cfn.continue_update_rollback):
        with pytest.raises(ClientError, match="ValidationError"):
            call(StackName=stack.name)
    with pytest.raises(ClientError, match="Stack with id nowhere does not exist"):
        cfn.describe_stacks(StackName="nowhere")


def test_a_shell_can_be_deleted(stack: Stack) -> None:
    stack.change_set(resources(P=parameter()))
    assert stack.delete() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        stack.describe()


def test_a_role_with_policies_from_elsewhere_refuses_to_go(stack: Stack) -> None:
    stack.deploy(resources(R=role("busy-role")))
    iam = stack.account.client("iam")
    iam.put_role_policy(RoleName="busy-role", PolicyName="other", PolicyDocument=json.dumps(allow("s3:GetObject")))

    assert stack.delete() == "DELETE_FAILED"
    assert any("(Service: Iam, Status Code: 409, Error Code: DeleteConflict)" in reason for reason in stack.failures())


def test_bucket_names_are_global(stack: Stack) -> None:
    other = Stack(account=Account(aws=stack.account.aws, key="210987654321"))
    stack.deploy(resources(B=bucket("only-one-1")))

    assert other.deploy(resources(B=bucket("only-one-1"))) == "ROLLBACK_COMPLETE"
    assert "BucketAlreadyExists" in other.failures()[0] or "already exists" in other.failures()[0]
    assert buckets(stack) == ["only-one-1"]


def test_the_same_names_can_be_used_again_after_a_deletion(stack: Stack) -> None:
    for _ in range(2):
        assert stack.deploy(family()) == "CREATE_COMPLETE"
        assert stack.delete() == "DELETE_COMPLETE"


def test_a_stack_in_progress_is_busy(stack: Stack) -> None:
    many = {f"P{n}": parameter(f"/p/{n}") for n in range(60)}
    stack.execute(stack.change_set(resources(**many))["ChangeSetId"])

    with pytest.raises(ClientError, match="CREATE_IN_PROGRESS state and can not be updated"):
        stack.cfn.update_stack(StackName=stack.name, TemplateBody=json.dumps(resources(P=parameter())))

    assert stack.wait() == "CREATE_COMPLETE"


def test_an_update_can_be_cancelled(stack: Stack) -> None:
    def template(value: str) -> dict[str, Any]:
        return resources(**{f"P{n}": parameter(f"/p/{n}", value) for n in range(200)})

    stack.deploy(template("1"))
    made = stack.change_set(template("2"))
    cfn = stack.cfn
    stack.execute(made["ChangeSetId"])
    cfn.cancel_update_stack(StackName=stack.name)

    assert stack.wait() == "UPDATE_ROLLBACK_COMPLETE"
    assert {value(stack, f"/p/{n}") for n in (0, 199)} == {"1"}
    assert cfn.describe_change_set(ChangeSetName=made["ChangeSetId"])["ExecutionStatus"] == "EXECUTE_FAILED"


def test_a_broken_template_is_refused(stack: Stack) -> None:
    cases = {
        "nowhere": resources(P=parameter(value={"Ref": "Nowhere"})),
        "type": resources(X={"Type": "AWS::Not::There", "Properties": {}}),
        "cycle": resources(A=parameter("/a", {"Ref": "B"}), B=parameter("/b", {"Ref": "A"})),
    }
    for name, template in cases.items():
        with pytest.raises(ClientError, match="ValidationError"):
            Stack(account=stack.account, name=name).change_set(template)
        with pytest.raises(ClientError, match="does not exist"):
            stack.describe(name)
    with pytest.raises(ClientError, match=r"Circular dependency between resources: \[A, B\]"):
        stack.change_set(cases["cycle"])
    body = json.dumps(cases["nowhere"])
    message = r"Unresolved resource dependencies \[Nowhere\] in the Resources block of the template"
    for call, name in ((stack.cfn.validate_template, {}), (stack.cfn.create_stack, {"StackName": "nowhere"})):
        with pytest.raises(ClientError, match=message):
            call(TemplateBody=body, **name)
