"""Base and head together: what a change needs, and what it adds and takes away."""

from copy import deepcopy
from typing import Any

from stackseal import policy
from stackseal.model import Policy, Reason, Risk, Role, Statement, Template
from stackseal.policy.needs import template_grants
from unit.policy import samples
from unit.policy.samples import IAM, SLUG, allows, arn, pairs, role, role_arn


def execution(head: Template, base: Template | None = None) -> Policy:
    return next(item for item in policy.generate(head, base=base) if item.role is Role.EXECUTION)


def without(resources: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: node for name, node in resources.items() if name not in names}


BASE = samples.template(samples.professional())


def test_what_only_the_base_has_can_be_read_and_deleted() -> None:
    head = samples.template(without(samples.professional(), "Dashboard"))
    dashboard = arn("cloudwatch", f"dashboard/{SLUG}-dashboard", region="")
    found = execution(head, BASE)
    assert allows(found, "cloudwatch:DeleteDashboards", dashboard)
    assert allows(found, "cloudwatch:GetDashboard", dashboard)
    assert not allows(found, "cloudwatch:PutDashboard", dashboard)
    assert not allows(execution(head), "cloudwatch:DeleteDashboards", dashboard)


def test_another_name_is_a_removal_and_a_creation() -> None:
    resources = samples.professional()
    resources["SsmBucketName"]["Properties"]["Name"] = "/elsewhere/BucketName"
    found = execution(samples.template(resources), BASE)
    old, new = arn("ssm", f"parameter/ml/{SLUG}/BucketName"), arn("ssm", "parameter/elsewhere/BucketName")
    assert allows(found, "ssm:DeleteParameter", old)
    assert not allows(found, "ssm:PutParameter", old)
    assert allows(found, "ssm:PutParameter", new)


def test_another_type_under_the_same_name_is_a_removal_too() -> None:
    resources = samples.professional()
    resources["Dashboard"] = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    found = execution(samples.template(resources), BASE)
    assert allows(found, "cloudwatch:DeleteDashboards", arn("cloudwatch", f"dashboard/{SLUG}-dashboard", region=""))
    assert allows(found, "sns:CreateTopic", arn("sns", "t"))


def test_a_boundary_that_comes_does_not_lock_out_the_update() -> None:
    before = samples.template({"R": role("r", "ec2.amazonaws.com", Policies=samples.inline("p"))})
    after = samples.template(
        {
            "R": role(
                "r", "ec2.amazonaws.com", Policies=samples.inline("p"), PermissionsBoundary="arn:aws:iam::1:policy/b"
            )
        }
    )
    found = execution(after, before)
    assert allows(found, "iam:PutRolePolicy", role_arn("r"))
    assert not allows(found, "iam:PutRolePermissionsBoundary", role_arn("r"))
    assert allows(
        found, "iam:PutRolePermissionsBoundary", role_arn("r"), iam_PermissionsBoundary="arn:aws:iam::1:policy/b"
    )
    assert not allows(execution(after), "iam:PutRolePolicy", role_arn("r"))


def test_policies_of_base_and_head_can_be_attached_and_detached() -> None:
    one, two = ("arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/ViewOnlyAccess")
    before = samples.template({"R": role("r", "ec2.amazonaws.com", ManagedPolicyArns=[one])})
    after = samples.template({"R": role("r", "ec2.amazonaws.com", ManagedPolicyArns=[two])})
    found = execution(after, before)
    assert allows(found, "iam:DetachRolePolicy", role_arn("r"), iam_PolicyARN=one)
    assert allows(found, "iam:AttachRolePolicy", role_arn("r"), iam_PolicyARN=two)
    assert not allows(found, "iam:AttachRolePolicy", role_arn("r"), iam_PolicyARN="arn:aws:iam::aws:policy/Admin")


# --- the difference ---------------------------------------------------------------------------------------------------


def test_nothing_differs_from_itself() -> None:
    found = policy.generate(BASE)
    assert policy.delta(found, found) == ()


def test_a_difference_adds_up_to_the_head() -> None:
    base, head = policy.generate(BASE), policy.generate(samples.template(samples.enterprise()))
    for change in policy.delta(base, head):
        (old,), (new,) = ([p for p in side if p.role is change.role] for side in (base, head))
        added = pairs(Policy(role=change.role, statements=change.added))
        removed = pairs(Policy(role=change.role, statements=change.removed))
        assert pairs(old) | added == pairs(new) | removed
        assert added <= pairs(new)
        assert removed <= pairs(old)


def test_a_difference_is_sorted_by_what_it_can_do() -> None:
    head = policy.generate(samples.template(samples.enterprise()))
    (change,) = (item for item in policy.delta(policy.generate(BASE), head) if item.role is Role.EXECUTION)
    by_risk = {risk: [s for s in change.added if s.risk is risk] for risk in Risk}
    assert all(by_risk.values())
    assert all("kms:CreateKey" not in s.actions for s in by_risk[Risk.READ])
    assert {a for s in by_risk[Risk.TAG] for a in s.actions} >= {"kms:TagResource", "logs:TagResource"}
    assert all(statement.because for statement in change.added)


def test_one_action_more_is_the_whole_difference() -> None:
    resources = deepcopy(samples.professional())
    resources["ArtifactsBucket"]["Properties"]["LoggingConfiguration"] = {}
    base, head = policy.generate(BASE), policy.generate(samples.template(resources))
    changes = {change.role: change for change in policy.delta(base, head)}
    assert set(changes) == {Role.OPERATOR, Role.EXECUTION}
    (statement,) = changes[Role.EXECUTION].added
    assert (statement.actions, statement.resources) == (("s3:PutBucketLogging",), (f"arn:aws:s3:::{SLUG}-artifacts",))
    assert changes[Role.EXECUTION].removed == ()


def test_denials_and_conditions_count_as_differences() -> None:
    because = (Reason(resource="stack", operation="template", where=samples.source({}).blame(())),)
    allow = Statement(sid="A", actions=("s3:GetObject",), resources=("*",), because=because)
    deny = Statement(sid="A", actions=("s3:GetObject",), resources=("*",), effect="Deny", because=because)
    bound = Statement(
        sid="A",
        actions=("s3:GetObject",),
        resources=("*",),
        conditions={"Bool": {"aws:SecureTransport": ("true",)}},
        because=because,
    )
    for one, two in ((allow, deny), (allow, bound)):
        sides = [(Policy(role=Role.PLAN, statements=(statement,)),) for statement in (one, two)]
        (change,) = policy.delta(*sides)
        assert [s.effect for s in change.added] == [two.effect]
        assert [s.conditions for s in change.removed] == [one.conditions]


# --- what the template as a whole needs -------------------------------------------------------------------------------


def test_dynamic_references_are_read() -> None:
    value = "{{resolve:ssm:/db/host}}-{{resolve:secretsmanager:db/main:SecretString:password}}"
    found = template_grants(samples.scene({"T": samples.parameter("x", value)}), caller=False)
    assert {(grant.action, grant.resource) for grant in found} == {
        ("ssm:GetParameters", arn("ssm", "parameter/db/host")),
        ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:db/main-??????")),
    }
    versioned = template_grants(
        samples.scene({"T": samples.parameter("x", "{{resolve:ssm-secure:a:3}}")}), caller=False
    )
    assert [grant.resource for grant in versioned] == [arn("ssm", "parameter/a")]


def test_parameters_of_parameter_store_are_read_where_they_are_given() -> None:
    declared = {"Vpc": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/a"}, "Plain": {"Type": "String"}}
    found = template_grants(samples.scene({}, {"Vpc": "/b"}, Parameters=declared), caller=False)
    assert [(grant.action, grant.resource) for grant in found] == [("ssm:GetParameters", arn("ssm", "parameter/b"))]


def test_macros_are_for_the_caller() -> None:
    scene = samples.scene({}, Transform=["AWS::Serverless-2016-10-31", "Mine"])
    assert template_grants(scene, caller=False) == ()
    assert [grant.resource for grant in template_grants(scene, caller=True)] == [
        "arn:aws:cloudformation:us-west-2:aws:transform/Serverless-2016-10-31",
        arn("cloudformation", "transform/Mine"),
    ]


def test_templates_of_nested_stacks_are_read() -> None:
    for url in ("https://code.s3.eu-west-1.amazonaws.com/n/t.yaml", "https://s3.amazonaws.com/code/n/t.yaml"):
        nested = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url}}
        (grant,) = template_grants(samples.one(nested), caller=False)
        assert (grant.action, grant.resource) == ("s3:GetObject", "arn:aws:s3:::code/n/t.yaml")


def test_every_role_of_the_product_is_known_by_its_arn() -> None:
    scene = samples.scene(samples.enterprise())
    assert set(scene.roles) == {
        role_arn(f"{IAM}-{name}-role") for name in ("codebuild", "codepipeline", "sagemaker-execution")
    }


def test_growth_of_the_execution_role_is_granted_first() -> None:
    before, after = policy.generate(BASE), policy.generate(samples.template(samples.enterprise()))
    sentence = policy.grant_first(policy.delta(before, after))
    assert sentence is not None
    assert sentence.startswith("Grant first: the execution role must be allowed ")
    assert "permission management (iam:" in sentence
    assert policy.grant_first(policy.delta(before, before)) is None


def test_growth_of_another_role_needs_no_grant_first() -> None:
    grown = policy.delta((), [item for item in policy.generate(BASE) if item.role is Role.DRIFT])
    assert grown
    assert policy.grant_first(grown) is None


def test_an_update_may_act_on_what_the_resource_referred_to_before() -> None:
    endpoint = {
        "Type": "AWS::EC2::VPCEndpoint",
        "Properties": {
            "VpcId": "vpc-1",
            "ServiceName": "com.amazonaws.us-west-2.s3",
            "VpcEndpointType": "Gateway",
            "RouteTableIds": ["rtb-1"],
        },
    }
    base, head = {"Endpoint": endpoint}, {"Endpoint": deepcopy(endpoint)}
    head["Endpoint"]["Properties"]["RouteTableIds"] = ["rtb-2"]
    found = execution(samples.template(head), samples.template(base))
    tables = [arn("ec2", f"route-table/rtb-{number}") for number in (1, 2, 3)]
    assert [allows(found, "ec2:ModifyVpcEndpoint", table) for table in tables] == [True, True, False]
