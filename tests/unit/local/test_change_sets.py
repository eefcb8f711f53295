"""Change sets: what they tell, and when they can no longer be executed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stackseal.model import KNOWN_AFTER_APPLY
from unit.local.driver import Stack, changes, resources
from unit.local.family import allow, attribute, trust

PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/a", "Type": "String", "Value": "1"}}


def parameter(name: str = "/a", value: Any = "1", **attributes: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": name, "Type": "String", "Value": value},
        **attributes,
    }


def bucket(name: str | None = "models-1", **attributes: Any) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name} if name else {}, **attributes}


def refused(call: Any, **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_creation_leaves_a_shell_until_it_is_executed(stack: Stack) -> None:
    found = stack.change_set(resources(P=parameter()))

    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert stack.describe()["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert stack.cfn.describe_stack_resources(StackName=stack.name)["StackResources"] == []
    row = changes(found)["P"]
    assert (row["Action"], row["ResourceType"]) == ("Add", "AWS::SSM::Parameter")
    assert json.loads(row["AfterContext"])["Properties"]["Value"] == "1"


def test_a_second_creation_set_belongs_to_the_same_shell(stack: Stack) -> None:
    first = stack.change_set(resources(P=parameter()), name="first")
    second = stack.change_set(resources(P=parameter(value="2")), name="second")

    assert first["StackId"] == second["StackId"] == stack.describe()["StackId"]
    stack.execute(second["ChangeSetId"])
    assert stack.wait() == "CREATE_COMPLETE"
    names = [row["ChangeSetName"] for row in stack.cfn.list_change_sets(StackName=stack.name)["Summaries"]]
    assert names == ["second"]


def test_a_modified_property_has_path_and_values(stack: Stack) -> None:
    stack.deploy(resources(P=parameter()))

    row = changes(stack.change_set(resources(P=parameter(value="2"))))["P"]

    assert (row["Action"], row["Replacement"], row["Scope"]) == ("Modify", "False", ["Properties"])
    assert row["PhysicalResourceId"] == "/a"
    assert row["Details"] == [
        {
            "Target": {
                "Attribute": "Properties",
                "Name": "Value",
                "RequiresRecreation": "Never",
                "Path": "/Properties/Value",
                "BeforeValue": "1",
                "AfterValue": "2",
                "AttributeChangeType": "Modify",
            },
            "Evaluation": "Static",
            "ChangeSource": "DirectModification",
        }
    ]
    assert json.loads(row["BeforeContext"])["Properties"]["Value"] == "1"
    assert json.loads(row["AfterContext"])["Properties"]["Value"] == "2"
    assert "PolicyAction" not in row


def test_without_property_values_neither_values_nor_contexts_are_told(stack: Stack) -> None:
    stack.deploy(resources(P=parameter()))
    made = stack.change_set(resources(P=parameter(value="2")))

    plain = stack.cfn.describe_change_set(ChangeSetName=made["ChangeSetId"])["Changes"][0]["ResourceChange"]

    assert plain["Details"][0]["Target"] == {"Attribute": "Properties", "Name": "Value", "RequiresRecreation": "Never"}
    assert not {"BeforeContext", "AfterContext"} & plain.keys()


def test_a_create_only_property_replaces_and_says_what_becomes_of_the_old_one(stack: Stack) -> None:
    kept = {"UpdateReplacePolicy": "Retain"}
    stack.deploy(resources(Gone=bucket("gone-1"), Kept=bucket("kept-1", **kept)))

    found = changes(stack.change_set(resources(Gone=bucket("gone-2"), Kept=bucket("kept-2", **kept))))

    assert {name: (row["Replacement"], row["PolicyAction"]) for name, row in found.items()} == {
        "Gone": ("True", "ReplaceAndDelete"),
        "Kept": ("True", "ReplaceAndRetain"),
    }
    assert found["Gone"]["Details"][0]["Target"]["RequiresRecreation"] == "Always"


def test_a_conditionally_replacing_property_is_conditional(stack: Stack) -> None:
    def vpc(tenancy: str) -> dict[str, Any]:
        return {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16", "InstanceTenancy": tenancy}}

    stack.deploy(resources(Vpc=vpc("default")))

    row = changes(stack.change_set(resources(Vpc=vpc("dedicated"))))["Vpc"]

    assert row["Replacement"] == "Conditional"


@pytest.mark.parametrize(
    ("policy", "action"), [(None, "Delete"), ("Retain", "Retain"), ("RetainExceptOnCreate", "Retain")]
)
def test_a_removal_says_what_becomes_of_the_resource(stack: Stack, policy: str | None, action: str) -> None:
    attributes = {"DeletionPolicy": policy} if policy else {}
    stack.deploy(resources(B=bucket(**attributes), P=parameter()))

    row = changes(stack.change_set(resources(P=parameter())))["B"]

    assert (row["Action"], row["PolicyAction"], row["PhysicalResourceId"]) == ("Remove", action, "models-1")
    assert "BeforeContext" in row


def test_what_only_the_deployment_tells_is_known_after_apply(stack: Stack) -> None:
    def group(description: str) -> dict[str, Any]:
        return {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {"ModelPackageGroupDescription": description},
        }

    value = {"Fn::Sub": "registry ${G.ModelPackageGroupArn}"}
    stack.deploy(resources(G=group("one"), P=parameter(value=value)))

    found = changes(stack.change_set(resources(G=group("two"), P=parameter(value=value))))

    assert found["G"]["Replacement"] == "True"
    detail = found["P"]["Details"][0]
    assert detail["Target"]["AfterValue"] == KNOWN_AFTER_APPLY
    assert detail["Target"]["BeforeValue"].startswith("registry arn:aws:sagemaker:us-west-2:123456789012:")
    assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ResourceAttribute", "G.ModelPackageGroupArn")


def test_an_attribute_of_a_resource_changed_in_place_is_a_dynamic_cascade(stack: Stack) -> None:
    def role(description: str) -> dict[str, Any]:
        properties = {"Description": description, "AssumeRolePolicyDocument": trust("codebuild")}
        return {"Type": "AWS::IAM::Role", "Properties": properties}

    stack.deploy(resources(R=role("one"), P=parameter(value=attribute("R", "Arn"))))

    row = changes(stack.change_set(resources(R=role("two"), P=parameter(value=attribute("R", "Arn")))))["P"]

    assert [(d["Evaluation"], d["ChangeSource"], d["CausingEntity"]) for d in row["Details"]] == [
        ("Dynamic", "ResourceAttribute", "R.Arn")
    ]
    assert row["Replacement"] == "False"


def test_a_parameter_is_named_as_the_cause(stack: Stack) -> None:
    template = {**resources(P=parameter(value={"Ref": "Text"})), "Parameters": {"Text": {"Type": "String"}}}
    stack.deploy(template, Parameters=[{"ParameterKey": "Text", "ParameterValue": "1"}])

    found = stack.change_set(template, Parameters=[{"ParameterKey": "Text", "ParameterValue": "2"}])

    detail = changes(found)["P"]["Details"][0]
    assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ParameterReference", "Text")
    assert found["Parameters"] == [{"ParameterKey": "Text", "ParameterValue": "2"}]


def test_a_secret_parameter_is_never_told(stack: Stack) -> None:
    template = {
        **resources(P=parameter(value={"Fn::Sub": "token=${Token}"})),
        "Parameters": {"Token": {"Type": "String", "NoEcho": True}},
    }
    stack.deploy(template, Parameters=[{"ParameterKey": "Token", "ParameterValue": 'old"secret'}])

    found = stack.change_set(template, Parameters=[{"ParameterKey": "Token", "ParameterValue": 'new"secret'}])

    assert "secret" not in json.dumps(found, default=str)
    target = changes(found)["P"]["Details"][0]["Target"]
    assert (target["BeforeValue"], target["AfterValue"]) == ("token=****", "token=****")
    assert found["Parameters"] == [{"ParameterKey": "Token", "ParameterValue": "****"}]


def test_nested_values_have_their_own_paths(stack: Stack) -> None:
    def role(action: str) -> dict[str, Any]:
        policies = [{"PolicyName": "p", "PolicyDocument": allow("s3:GetObject", action)}]
        properties = {"AssumeRolePolicyDocument": trust("codebuild"), "Policies": policies}
        return {"Type": "AWS::IAM::Role", "Properties": properties}

    stack.deploy(resources(R=role("s3:PutObject")))

    row = changes(stack.change_set(resources(R=role("s3:*"))))["R"]

    target = row["Details"][0]["Target"]
    assert target["Path"] == "/Properties/Policies/0/PolicyDocument/Statement/0/Action/1"
    assert (target["BeforeValue"], target["AfterValue"]) == ("s3:PutObject", "s3:*")


def test_stack_tags_change_every_resource_that_takes_them(stack: Stack) -> None:
    policy = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": allow("s3:GetObject")}}
    template = resources(P=parameter(), Policy=policy)
    stack.deploy(template, Tags=[{"Key": "team", "Value": "a"}])

    found = changes(stack.change_set(template, Tags=[{"Key": "team", "Value": "b"}]))

    assert found.keys() == {"P"}
    assert found["P"]["Scope"] == ["Tags"]


def test_without_changes_the_set_fails_with_the_words_of_aws(stack: Stack) -> None:
    stack.deploy(resources(P=parameter()))

    found = stack.change_set(resources(P=parameter()))

    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"] == (
        "The submitted information didn't contain changes. Submit different information to create a change set."
    )
    code, _ = refused(stack.cfn.execute_change_set, ChangeSetName=found["ChangeSetId"])
    assert code == "InvalidChangeSetStatus"


def test_a_condition_that_turns_adds_and_removes(stack: Stack) -> None:
    template = {
        **resources(P=parameter(), Extra=parameter("/extra", Condition="Wanted")),
        "Parameters": {"Extra": {"Type": "String", "Default": "no"}},
        "Conditions": {"Wanted": {"Fn::Equals": [{"Ref": "Extra"}, "yes"]}},
    }
    stack.deploy(template)

    found = stack.change_set(template, Parameters=[{"ParameterKey": "Extra", "ParameterValue": "yes"}])

    assert {name: row["Action"] for name, row in changes(found).items()} == {"Extra": "Add"}


def test_a_long_change_set_is_told_in_pages(stack: Stack) -> None:
    made = stack.change_set(resources(**{f"P{n}": parameter(f"/p/{n}") for n in range(120)}))

    names, token = [], None
    while True:
        page = stack.cfn.describe_change_set(
            ChangeSetName=made["ChangeSetId"], **({"NextToken": token} if token else {})
        )
        names += [change["ResourceChange"]["LogicalResourceId"] for change in page["Changes"]]
        token = page.get("NextToken")
        if not token:
            break

    assert len(made["Changes"]) < 120
    assert sorted(names) == sorted(f"P{n}" for n in range(120))


def test_executing_one_set_deletes_the_others_and_itself_runs_once(stack: Stack) -> None:
    stack.deploy(resources(P=parameter()))
    first = stack.change_set(resources(P=parameter(value="2")), name="first")
    other = stack.change_set(resources(P=parameter(value="3")), name="other")

    stack.execute(first["ChangeSetId"])
    assert stack.wait() == "UPDATE_COMPLETE"

    assert refused(stack.cfn.describe_change_set, ChangeSetName=other["ChangeSetId"])[0] == "ChangeSetNotFound"
    assert refused(stack.cfn.execute_change_set, ChangeSetName=first["ChangeSetId"])[0] == "InvalidChangeSetStatus"


def test_a_set_older_than_another_update_is_obsolete(stack: Stack) -> None:
    stack.deploy(resources(P=parameter()))
    made = stack.change_set(resources(P=parameter(value="2")))

    stack.cfn.update_stack(StackName=stack.name, TemplateBody=json.dumps(resources(P=parameter(value="3"))))
    stack.wait()

    found = stack.cfn.describe_change_set(ChangeSetName=made["ChangeSetId"])
    assert found["ExecutionStatus"] == "OBSOLETE"
    assert refused(stack.cfn.execute_change_set, ChangeSetName=made["ChangeSetId"])[0] == "InvalidChangeSetStatus"


def test_names_descriptions_and_bodies_have_limits(stack: Stack) -> None:
    def create(**extra: Any) -> tuple[str, str]:
        arguments = {
            "StackName": stack.name,
            "ChangeSetName": "set",
            "ChangeSetType": "CREATE",
            "TemplateBody": json.dumps(resources(P=parameter())),
            **extra,
        }
        return refused(stack.cfn.create_change_set, **arguments)

    assert "less than or equal to 128" in create(ChangeSetName="a" * 129)[1]
    assert "[a-zA-Z][-a-zA-Z0-9]*" in create(ChangeSetName="a_b")[1]
    assert "less than or equal to 1024" in create(Description="d" * 1025)[1]
    big = resources(P=parameter(), Metadata=parameter("/b", "x" * 51_200))
    assert "less than or equal to 51200" in create(TemplateBody=json.dumps(big))[1]
    assert not stack.exists()


def test_a_big_template_comes_by_url(stack: Stack) -> None:
    s3 = stack.account.client("s3")
    s3.create_bucket(Bucket="templates-1", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    body = json.dumps({**resources(P=parameter()), "Metadata": {"Padding": "x" * 60_000}})
    s3.put_object(Bucket="templates-1", Key="t/one.json", Body=body)

    for number, url in enumerate(
        (
            "https://s3.us-west-2.amazonaws.com/templates-1/t/one.json",
            "https://templates-1.s3.us-west-2.amazonaws.com/t/one.json",
            "https://templates-1.s3.amazonaws.com/t/one.json",
        )
    ):
        made = stack.cfn.create_change_set(
            StackName=f"big-{number}", ChangeSetName="set", ChangeSetType="CREATE", TemplateURL=url
        )
        assert stack.cfn.describe_change_set(ChangeSetName=made["Id"])["Status"] == "CREATE_COMPLETE"


def test_named_iam_resources_need_the_capability(stack: Stack) -> None:
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"RoleName": "named", "AssumeRolePolicyDocument": trust("codebuild")},
    }
    for given in ([], ["CAPABILITY_IAM"]):
        with pytest.raises(ClientError) as caught:
            stack.change_set(resources(R=role), Capabilities=given)
        assert caught.value.response["Error"]["Code"] == "InsufficientCapabilitiesException"
        assert "Requires capabilities : [CAPABILITY_NAMED_IAM]" in caught.value.response["Error"]["Message"]


def test_the_template_of_a_set_can_be_read(stack: Stack) -> None:
    stack.deploy(resources(P=parameter()))
    made = stack.change_set(resources(P=parameter(value="2")))

    found = stack.cfn.get_template(ChangeSetName=made["ChangeSetId"], TemplateStage="Original")

    assert found["TemplateBody"]["Resources"]["P"]["Properties"]["Value"] == "2"
    assert stack.cfn.get_template(StackName=stack.name)["TemplateBody"]["Resources"]["P"]["Properties"]["Value"] == "1"


def test_a_missing_ssm_parameter_is_refused(stack: Stack) -> None:
    template = {
        **resources(P=parameter(value={"Ref": "Vpc"})),
        "Parameters": {"Vpc": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/vpc/id"}},
    }
    with pytest.raises(ClientError, match="/vpc/id"):
        stack.change_set(template)

    stack.account.client("ssm").put_parameter(Name="/vpc/id", Type="String", Value="vpc-1")
    found = stack.change_set(template)
    assert found["Parameters"] == [{"ParameterKey": "Vpc", "ParameterValue": "/vpc/id", "ResolvedValue": "vpc-1"}]


def test_a_token_makes_a_repeated_call_the_same_call(stack: Stack) -> None:
    stack.deploy(resources(P=parameter()))
    body = json.dumps(resources(P=parameter(value="2")))
    arguments = {"StackName": stack.name, "ChangeSetName": "twice", "TemplateBody": body, "ClientToken": "token-1"}
    first, again = stack.cfn.create_change_set(**arguments), stack.cfn.create_change_set(**arguments)
    assert first["Id"] == again["Id"]

    for _ in range(2):
        stack.cfn.execute_change_set(ChangeSetName=first["Id"], ClientRequestToken="token-2")
    assert stack.wait() == "UPDATE_COMPLETE"
    assert stack.events("P").count("UPDATE_COMPLETE") == 1

    code, _ = refused(stack.cfn.create_change_set, **{**arguments, "ChangeSetName": "other"})
    assert code == "TokenAlreadyExistsException"


def test_an_update_set_needs_a_stack_that_works(stack: Stack) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        stack.change_set(resources(P=parameter()), kind="UPDATE")
    stack.change_set(resources(P=parameter()))
    with pytest.raises(ClientError, match="REVIEW_IN_PROGRESS"):
        stack.change_set(resources(P=parameter()), kind="UPDATE", name="other")
