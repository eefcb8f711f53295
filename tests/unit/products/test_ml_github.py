"""`source_control: github`: two repositories behind one connection, started by pushes to one branch (D01, D02)."""

from dataclasses import replace
from typing import Any

import pytest

from stackseal import facts, policy
from stackseal.model import Policy, Role
from unit.policy.judge import denied
from unit.products import family
from unit.products.cases import (
    CONNECTION,
    GITHUB,
    REPOSITORIES,
    Case,
    filled,
    properties,
    rendered,
    resolved,
    template,
    with_part,
)
from unit.products.iam import ROLES, permits, statements
from unit.products.test_ml import COUNTS, expected

STARTER, PROFESSIONAL, ENTERPRISE, _ = GITHUB
USE = ("codeconnections:UseConnection", "codestar-connections:UseConnection")
PASS = ("codeconnections:PassConnection", "codestar-connections:PassConnection")


def source(case: Case, stage: str) -> dict[str, Any]:
    """The configuration of a pipeline's source action."""
    found: dict[str, Any] = properties(case, f"{stage}Pipeline")["Stages"][0]["Actions"][0]["Configuration"]
    return found


@pytest.mark.spec("D01")
@pytest.mark.parametrize("case", GITHUB, ids=str)
@pytest.mark.parametrize("hardening", [False, True], ids=["plain", "hardened"])
def test_it_has_the_resources_that_s3_has(case: Case, hardening: bool) -> None:
    found = template(replace(case, hardening=hardening))
    more = (4 if case.enterprise else 3) if hardening else 0
    assert len(found.resources) == COUNTS[case.tier, "s3", case.mode] + more
    assert found.stack is not None
    assert found.stack.expected_resources == len(found.resources)
    assert hardening or {key: body["Type"] for key, body in found.resources.items()} == expected(case)


@pytest.mark.spec("D01")
@pytest.mark.parametrize("case", GITHUB, ids=str)
def test_both_pipelines_read_their_repository_through_the_connection(case: Case) -> None:
    for stage in ("Build", "Deploy"):
        assert source(case, stage) == {
            "ConnectionArn": CONNECTION,
            "FullRepositoryId": f"acme/{stage.lower()}",
            "BranchName": "main",
            "OutputArtifactFormat": "CODE_ZIP",
            "DetectChanges": False,
        }


@pytest.mark.spec("D02")
def test_a_push_to_the_branch_that_changes_the_paths_starts_a_pipeline() -> None:
    keys = {**REPOSITORIES, "branch": "release", "build_paths": ["src/**", "buildspec.yml"]}
    found = family.filled(rendered(resolved(with_part(STARTER, ml_product={"github": keys}))))

    def filters(stage: str) -> Any:
        pipeline = found[f"{stage}Pipeline"]["Properties"]
        assert pipeline["Stages"][0]["Actions"][0]["Configuration"]["BranchName"] == "release"
        assert pipeline["PipelineType"] == "V2"
        (trigger,) = pipeline["Triggers"]
        assert trigger["ProviderType"] == "CodeStarSourceConnection"
        assert trigger["GitConfiguration"]["SourceActionName"] == pipeline["Stages"][0]["Actions"][0]["Name"]
        return trigger["GitConfiguration"]["Push"]

    branches = {"Branches": {"Includes": ["release"]}}
    assert filters("Build") == [{**branches, "FilePaths": {"Includes": ["src/**", "buildspec.yml"]}}]
    assert filters("Deploy") == [branches]


def test_a_test_stack_reads_no_source() -> None:
    found = filled(STARTER, "-test-ab12cd")["BuildPipeline"]["Properties"]
    branch = "main-test-ab12cd"
    assert found["Stages"][0]["Actions"][0]["Configuration"]["BranchName"] == branch
    assert found["Triggers"][0]["GitConfiguration"]["Push"][0]["Branches"]["Includes"] == [branch]


@pytest.mark.spec("D01")
@pytest.mark.parametrize("case", GITHUB, ids=str)
def test_only_the_pipelines_may_use_the_connection_and_no_other(case: Case) -> None:
    for action in USE:
        assert [role for role in ROLES if permits(statements(case, role), action, CONNECTION)] == ["CodePipelineRole"]
        assert not permits(statements(case, "CodePipelineRole"), action, CONNECTION[:-1] + "1")


@pytest.mark.spec("D01")
@pytest.mark.parametrize("case", GITHUB, ids=str)
def test_the_connection_serves_the_two_repositories_only(case: Case) -> None:
    (using,) = [each for each in statements(case, "CodePipelineRole") if USE[0] in each["Action"]]
    mine = [REPOSITORIES["build_repository"], REPOSITORIES["deploy_repository"]]
    keys = ("codeconnections:FullRepositoryId", "codestar-connections:FullRepositoryId")
    assert using["Condition"] == {"ForAllValues:StringEquals": dict.fromkeys(keys, mine)}
    for action in USE:
        service = action.partition(":")[0]
        known = facts.action(action)
        assert known is not None
        assert f"{service}:FullRepositoryId" in known.keys


@pytest.mark.spec("D01")
@pytest.mark.parametrize("case", [STARTER, ENTERPRISE], ids=str)
def test_who_creates_the_pipelines_may_pass_the_connection_and_must(case: Case) -> None:
    found = template(case)
    policies = {item.role: item for item in policy.generate(found)}
    writers = (Role.OPERATOR, Role.EXECUTION)
    assert denied(found, policies, writers, ()) == []
    for role in writers:
        kept = tuple(each for each in policies[role].statements if not set(each.actions) & set(PASS))
        passing = [each for each in policies[role].statements if set(each.actions) & set(PASS)]
        assert {each.resources for each in passing} == {(CONNECTION,)}
        assert denied(found, {role: Policy(role=role, statements=kept)}, (role,), ()) != []


def test_the_template_of_another_source_knows_no_connection() -> None:
    found = template(replace(STARTER, source="s3"))
    assert "onnection" not in found.text
    assert not [each for item in policy.generate(found) for each in item.statements if "onnection" in str(each.actions)]


def test_the_review_says_that_somebody_has_to_confirm_it() -> None:
    stack = rendered(resolved(STARTER.data())).stack
    assert stack is not None
    (sentence,) = stack.afterwards
    assert "https://console.aws.amazon.com/codesuite/settings/connections" in sentence
