"""What the roles may do suffices for every ML config, and not for more than the table in the README says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from stackseal import checks, policy
from stackseal.errors import ConfigError
from stackseal.model import Role
from unit.bootstrap.account import ACCOUNT, EXAMPLES, data, filled, of, statements, template
from unit.products import cases
from unit.products.engines import engines
from unit.products.iam import permits

TODAY = date(2026, 11, 20)
HERE = f"us-west-2:{ACCOUNT}"
STACK = f"arn:aws:cloudformation:{HERE}:stack/techcorp-prod-a001-us-west-2-churn-ml-stack/1"
ROLES = {"Plan": Role.PLAN, "Deploy": Role.DEPLOY, "Drift": Role.DRIFT, "Execution": Role.EXECUTION}
WRITES = ("Create", "Delete", "Execute", "Update", "Put", "Attach", "Detach", "Pass", "Continue", "Rollback", "Tag")


def compact(document: Any) -> int:
    """The size of a policy as IAM counts it: without spaces."""
    return len(json.dumps(document, separators=(",", ":")))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_has_exactly_the_resources_of_the_readme(path: Path) -> None:
    found = template(path)
    assert found.stack
    wanted = {
        "bootstrap": 15,
        "bootstrap-managed": 14,
        "bootstrap-shared": 14,
        "bootstrap-roles": 11,
        "bootstrap-shared-roles": 10,
    }
    count = wanted[path.stem.removeprefix(f"stackseal-{ACCOUNT}-us-west-2-")]
    assert len(found.resources) == found.stack.expected_resources == count
    assert found.stack.protected


def test_cfn_lint_and_our_checks_find_nothing(tmp_path: Path) -> None:
    world = engines(tmp_path, "cfn-lint", informational=True)
    found = checks.run([template(path) for path in EXAMPLES], world=world, today=TODAY)
    assert [item for item in found if item.waiver is None] == []
    waived = Counter((item.check, item.resource) for item in found)
    assert waived == {
        ("pass-role", "ExecutionBoundary"): 3,
        ("pass-role", "ExecutionIdentity"): 2,
        **{("pass-role", name): 1 for name in ("Boundary", "DeployRole", "PlanRole")},
        ("wildcard-action", "ExecutionBoundary"): 1,
    }


def test_checkov_finds_only_what_the_product_answers_for(tmp_path: Path) -> None:
    world = engines(tmp_path, "checkov")
    found = checks.run([template(path) for path in EXAMPLES], world=world, today=TODAY)
    assert [item for item in found if item.waiver is None] == []
    waived = {(item.check, item.resource) for item in found if item.engine == "checkov"}
    assert waived == {
        ("CKV_AWS_18", "AccessLogsBucket"),
        ("CKV_AWS_108", "Boundary"),
        *((check, "ExecutionBoundary") for check in ("CKV_AWS_107", "CKV_AWS_108", "CKV_AWS_109", "CKV_AWS_111")),
    }


@pytest.mark.parametrize("roles", ["one", "managed"])
def test_the_largest_config_fits_the_limits_of_iam_and_into_a_request(roles: str) -> None:
    """The bucket for larger templates does not exist yet when this one is deployed."""
    config = data()
    config["client"]["company_prefix"] = "a" * 30
    repository = {"owner": "o" * 39, "owner_id": "1" * 9, "name": "n" * 40, "id": "2" * 9}
    config["bootstrap"] |= {
        "repositories": [repository],
        "execution_roles": roles,
        "workflows": {"repository": "stackseal/stackseal", "refs": ["0" * 40, "1" * 40]},
        "environments": [f"{'e' * 20}{index}" for index in range(3)],
        "stacks": [f"{'s' * 100}{index}" for index in range(2)],
        "parameter_paths": [f"/{'p' * 70}{index}" for index in range(5)],
        "connections": [f"{cases.CONNECTION[:-1]}{index}" for index in range(4)],
    }
    found = of(config)
    assert len(found.canonical) < 51_200
    for name, resource in filled(found).items():
        body = resource["Properties"]
        match resource["Type"]:
            case "AWS::IAM::ManagedPolicy":
                assert compact(body["PolicyDocument"]) <= 6_144, name
            case "AWS::IAM::Role":
                assert compact(body["AssumeRolePolicyDocument"]) <= 2_048, name
                assert sum(compact(item["PolicyDocument"]) for item in body.get("Policies", [])) <= 10_240, name


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_suffices_for_every_ml_config(role: str) -> None:
    """Everything that the generated policies of all legal ML configs allow, the role of the account allows too."""
    config = data()
    config["client"] |= {"account_id": cases.ACCOUNT, "company_prefix": "acme"}
    found = of(config)
    granted = statements_in(found, role)
    bucket, execution = f"stackseal-{cases.ACCOUNT}-us-west-2", "stackseal-execution-us-west-2"
    roles = policy.Roles(execution=f"arn:aws:iam::{cases.ACCOUNT}:role/{execution}", bucket=bucket)
    missing = set()
    hardened = (replace(case, hardening=True) for case in cases.PLAIN)
    routed = (case for case in cases.CASES if case.routed and case.workload and case.vpc == "direct")
    for case in (*cases.PLAIN, *hardened, *routed):
        wanted = next(item for item in policy.generate(cases.template(case), roles=roles) if item.role is ROLES[role])
        for statement in wanted.statements:
            missing |= {
                (action, resource)
                for action in statement.actions
                for resource in statement.resources
                if not permits(granted, action, resource)
            }
    assert missing == set()


def test_the_plan_role_sees_the_connections_of_the_config_and_no_other() -> None:
    config = data()
    config["bootstrap"]["connections"] = [cases.CONNECTION]
    found = of(config)
    boundary = filled(found)["Boundary"]["Properties"]["PolicyDocument"]["Statement"]
    for granted in (statements(found, "Plan"), boundary):
        assert permits(granted, "codeconnections:GetConnection", cases.CONNECTION)
        assert not permits(granted, "codeconnections:GetConnection", cases.CONNECTION[:-1] + "1")
        assert not permits(granted, "codeconnections:UseConnection", cases.CONNECTION)
    wanted = policy.generate(cases.template(cases.GITHUB[0]))
    looks = [each for item in wanted if item.role is Role.PLAN for each in item.statements if "codeconn" in str(each)]
    assert [(each.actions, each.resources) for each in looks] == [
        (("codeconnections:GetConnection",), (cases.CONNECTION,))
    ]
    assert "codeconnections" not in template().text


def statements_in(found: Any, role: str) -> list[dict[str, Any]]:
    """The role's statements, references to roles resolved and account-wide values those of the ML cases."""
    text = json.dumps(statements(found, role)).replace(ACCOUNT, cases.ACCOUNT)
    arn = f"arn:aws:iam::{cases.ACCOUNT}:role/stackseal-execution-us-west-2"
    resolved: list[dict[str, Any]] = json.loads(text.replace("<ExecutionRole.Arn>", arn))
    return resolved


@pytest.mark.parametrize("role", ["Plan", "Deploy", "Drift", "Cleanup", "Execution"])
def test_the_boundary_covers_what_a_role_is_granted(role: str) -> None:
    resources = filled(template())
    name = "ExecutionBoundary" if role == "Execution" else "Boundary"
    assert resources[f"{role}Role"]["Properties"]["PermissionsBoundary"] == f"<{name}>"
    boundary = resources[name]["Properties"]["PolicyDocument"]["Statement"]
    granted = statements(template(), role)
    beyond = {
        (action, resource)
        for statement in granted
        for action in many(statement["Action"])
        for resource in many(statement["Resource"])
        if not permits(boundary, action, resource)
    }
    assert beyond == set()


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    ("role", "action", "resource"),
    [
        ("Plan", "cloudformation:ExecuteChangeSet", STACK),
        ("Plan", "cloudformation:DeleteStack", STACK),
        ("Plan", "cloudformation:UpdateStack", STACK),
        ("Plan", "cloudformation:CreateChangeSet", STACK.replace("techcorp-", "other-")),
        ("Plan", "cloudformation:CreateChangeSet", STACK.replace("techcorp-prod", "stackseal")),
        (
            "Plan",
            "s3:DeleteObject",
            f"arn:aws:s3:::stackseal-{ACCOUNT}-us-west-2/seals/{ACCOUNT}/us-west-2/techcorp-x/1",
        ),
        ("Plan", "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/techcorp-anything"),
        (
            "Deploy",
            "s3:PutObject",
            f"arn:aws:s3:::stackseal-{ACCOUNT}-us-west-2/seals/{ACCOUNT}/us-west-2/techcorp-x/1",
        ),
        ("Deploy", "cloudformation:UpdateStack", STACK),
        ("Deploy", "cloudformation:CreateStack", STACK),
        ("Deploy", "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/techcorp-anything"),
        ("Cleanup", "cloudformation:CreateChangeSet", STACK),
        ("Cleanup", "cloudformation:ExecuteChangeSet", STACK),
        ("Cleanup", "cloudformation:DeleteStack", STACK.replace("techcorp-prod", "other")),
        ("Cleanup", "s3:GetObject", f"arn:aws:s3:::stackseal-{ACCOUNT}-us-west-2/templates/x.json"),
        ("Execution", "iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/stackseal-plan-us-west-2"),
        ("Execution", "iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/techcorp-x"),
        ("Execution", "s3:PutBucketPolicy", f"arn:aws:s3:::stackseal-{ACCOUNT}-us-west-2"),
        ("Execution", "cloudformation:CreateStack", STACK),
    ],
)
def test_the_roles_can_do_nothing_else(role: str, action: str, resource: str) -> None:
    assert not permits(statements(template(), role), action, resource)


def test_drift_detection_writes_nothing() -> None:
    actions = {action for statement in statements(template(), "Drift") for action in many(statement["Action"])}
    assert len(actions) > 50
    assert [action for action in actions if action.partition(":")[2].startswith(WRITES)] == []


def test_change_sets_are_made_by_name_and_with_the_execution_role_only() -> None:
    (make,) = [item for item in statements(template(), "Plan") if item["Sid"] == "MakeChangeSets"]
    assert make["Condition"]["ArnEquals"] == {"cloudformation:RoleArn": "<ExecutionRole.Arn>"}
    names = make["Condition"]["StringLike"]["cloudformation:ChangeSetName"]
    assert names == [
        text
        for name in ("seal", "deploy")
        for text in (f"{name}-*", f"arn:aws:cloudformation:{HERE}:changeSet/{name}-*/*")
    ]
    for role in ("Plan", "Deploy"):
        (hand,) = [item for item in statements(template(), role) if item["Sid"] == "PassExecutionRole"]
        assert hand["Condition"] == {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}


def test_records_are_written_by_reviews_and_deleted_by_nobody() -> None:
    rules = {
        item["Sid"]: item
        for item in filled(template())["ArtifactBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    }
    arn = f"arn:aws:s3:::stackseal-{ACCOUNT}-us-west-2"
    assert all(rule["Effect"] == "Deny" and rule["Principal"] == "*" for rule in rules.values())
    assert rules["OnlyReviewsWriteRecords"]["Resource"] == f"{arn}/seals/*"
    assert rules["OnlyReviewsWriteRecords"]["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": "<PlanRole.Arn>"}}
    writers = rules["OnlyPipelinesWriteTemplates"]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"]
    assert writers == ["<PlanRole.Arn>", "<DeployRole.Arn>"]
    assert rules["NothingElseIsWritten"]["NotResource"] == [f"{arn}/seals/*", f"{arn}/templates/*"]
    assert set(rules["NobodyDeletesRecords"]["Action"]) == {"s3:DeleteObject", "s3:DeleteObjectVersion"}
    assert rules["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_listed_stacks_narrow_the_roles() -> None:
    found = template(next(path for path in EXAMPLES if path.stem.endswith("shared-roles")))
    granted = statements(found, "Plan")
    churn = f"arn:aws:cloudformation:{HERE}:stack/techcorp-prod-a001-us-west-2-customer-churn-ml-stack/1"
    assert permits(granted, "cloudformation:CreateChangeSet", churn)
    assert not permits(granted, "cloudformation:CreateChangeSet", STACK)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("environments", ["*"]),
        ("environments", ["prod:evil"]),
        ("stacks", ["*"]),
        ("stacks", ["a*b"]),
        ("oidc_provider_arn", "arn:aws:iam::111122223333:oidc-provider/evil.example"),
        ("workflows", {"repository": "stackseal/*", "refs": ["refs/tags/v1"]}),
        ("workflows", {"repository": "stackseal/stackseal", "refs": ["*"]}),
        ("workflows", {"repository": "stackseal/stackseal", "refs": ["refs/pull/1/merge"]}),
        ("workflows", {"repository": "stackseal/stackseal", "refs": []}),
        ("repositories", []),
        ("repositories", [{"owner": "*", "owner_id": "1", "name": "r", "id": "2"}]),
        ("repositories", [{"owner": "o", "owner_id": "1", "name": "*", "id": "2"}]),
        ("repositories", [{"owner": "o", "owner_id": "1", "name": "r", "id": "*"}]),
        ("repositories", [{"owner": "o", "owner_id": "1", "name": "r"}]),
        ("repositories", [{"owner": "o", "owner_id": "1", "name": "r", "id": "2", "branch": "a b"}]),
    ],
)
def test_what_would_open_a_door_is_no_config(key: str, value: Any) -> None:
    config = data()
    config["bootstrap"][key] = value
    with pytest.raises(ConfigError, match=key):
        of(config)


def test_builds_of_codebuild_are_trusted_by_their_own_role_only() -> None:
    """Each role gives itself to the service roles that the config names for it; the plan role to the clean-up, too."""
    arns = {verb: f"arn:aws:iam::444455556666:role/builds-{verb}" for verb in ("plan", "deploy", "drift", "cleanup")}
    given = data()
    given["bootstrap"]["codebuild_roles"] = arns
    found = filled(of(given))
    wanted = {"Plan": ["plan", "cleanup"], "Deploy": ["deploy"], "Drift": ["drift"], "Cleanup": ["cleanup"]}
    for role, verbs in wanted.items():
        trust = found[f"{role}Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        builds = [item for item in trust if item["Action"] == "sts:AssumeRole"]
        assert [item["Condition"] for item in builds] == [{"ArnEquals": {"aws:PrincipalArn": arns[v]}} for v in verbs]
        assert {item["Principal"]["AWS"] for item in builds} == {"arn:aws:iam::444455556666:root"}
