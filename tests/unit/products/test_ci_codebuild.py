"""The builds of the pipelines: what is made, who trusts whom, and what each service role may do and no more."""

from __future__ import annotations

from typing import Any, Final

import pytest

from stackseal import assets
from stackseal.errors import ConfigError
from unit.products import family
from unit.products.cases import example, rendered

STAGES: Final = ("Render", "Plan", "Publish", "Deploy", "Drift", "Cleanup")
ROLE: Final = "arn:aws:iam::111122223333:role/stackseal-{}"
KEYS: Final[dict[str, Any]] = {
    "repository": "https://github.com/acme/infra",
    "toolkit": {"repository": "https://github.com/stackseal/stackseal", "commit": "a" * 40},
    "token_secret": "stackseal/github",
    "actors": ["1000001"],
    "roles": {verb: [ROLE.format(verb)] for verb in ("plan", "deploy", "drift", "cleanup")},
}


def data(**changes: Any) -> dict[str, Any]:
    found = family.config("ci_codebuild", {})
    return {**found, "ci_codebuild": {**KEYS, **changes}}


def test_it_has_as_many_resources_as_it_says() -> None:
    found = family.template(data())
    assert found.stack is not None
    assert found.stack.expected_resources == len(family.types(found)) == 29


@pytest.mark.spec("D06")
def test_a_service_role_takes_the_roles_of_its_verb_and_no_other() -> None:
    resources = family.filled(family.template(data()))
    wanted = {
        "Render": set(),
        "Plan": {ROLE.format("plan")},
        "Publish": set(),
        "Deploy": {ROLE.format("deploy")},
        "Drift": {ROLE.format("drift")},
        "Cleanup": {ROLE.format("cleanup"), ROLE.format("plan")},
    }
    for stage in STAGES:
        role = resources[f"{stage}Role"]["Properties"]
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "codebuild.amazonaws.com"}
        assert trust["Condition"]["ArnEquals"]["aws:SourceArn"].endswith(f":project/{family_name(stage)}")
        statements = role["Policies"][0]["PolicyDocument"]["Statement"]
        taken = {arn for item in statements if item["Action"] == "sts:AssumeRole" for arn in item["Resource"]}
        assert taken == wanted[stage], stage
        assert "*" not in {resource for item in statements for resource in as_list(item["Resource"])}
        assert not any(action.endswith("*") for item in statements for action in as_list(item["Action"]))


def test_only_the_plan_writes_what_is_published() -> None:
    resources = family.filled(family.template(data()))
    writers = {
        stage: item["Resource"].rpartition(":")[2]
        for stage in STAGES
        for item in resources[f"{stage}Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        if item["Action"] == "s3:PutObject"
    }
    assert set(writers) == {"Render", "Plan"}
    assert writers["Render"].endswith("/render/*")
    assert writers["Plan"].endswith("/plan/*")
    denied = resources["ReviewBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {item["Sid"]: item["Effect"] for item in denied} == {"TlsOnly": "Deny", "OnlyThePlanWritesReports": "Deny"}


def test_events_start_four_projects_and_tell_an_id() -> None:
    resources = family.filled(family.template(data(drift_schedule="rate(6 hours)")))
    (start,) = resources["StartRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert start["Action"] == "codebuild:StartBuild"
    assert [arn.rpartition("-")[2] for arn in start["Resource"]] == ["plan", "publish", "drift", "cleanup"]
    ended = {"RenderDoneRule": ["SUCCEEDED"], "PlanDoneRule": ["SUCCEEDED", "FAILED", "STOPPED"]}
    for rule, ends in ended.items():
        (target,) = resources[rule]["Properties"]["Targets"]
        assert target["InputTransformer"]["InputPathsMap"] == {"build": "$.detail.build-id"}
        assert resources[rule]["Properties"]["EventPattern"]["detail"]["build-status"] == ends
    assert resources["DriftRule"]["Properties"]["ScheduleExpression"] == "rate(6 hours)"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"actors": ["*"]}, "an id is a number"),
        ({"actors": ["1|.*"]}, "an id is a number"),
        ({"actors": []}, "actors"),
        ({"toolkit": {"repository": KEYS["toolkit"]["repository"], "commit": "main"}}, "40 hexadecimal digits"),
        ({"repository": "git@github.com:acme/infra"}, "https://github.com/OWNER/NAME"),
        ({"branch": "main.*"}, "branch"),
        ({"folder": "../other"}, "path in the repository"),
        ({"token_secret": "ghp_x y"}, "name of a secret"),
        ({"roles": {**KEYS["roles"], "plan": ["*"]}}, "role"),
        ({"drift_schedule": "daily"}, "cron"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_cannot_be_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        family.template(data(**change))


def test_a_connection_serves_the_two_repositories_only() -> None:
    arn = f"arn:aws:codeconnections:{family.HERE}:connection/0f1e2d3c-4b5a-4978-8697-a5b4c3d2e1f0"
    found = family.template(data(connection_arn=arn, repository="https://github.com/acme/configs.git"))
    keys = ("codeconnections:FullRepositoryId", "codestar-connections:FullRepositoryId")
    for stage in STAGES:
        allowed = family.statements(found, f"{stage}Role")
        (using,) = [each for each in allowed if "codeconnections:UseConnection" in each["Action"]]
        assert using["Resource"] == arn
        repositories = using["Condition"]["ForAllValues:StringEquals"]
        assert set(repositories) == set(keys)
        assert [names[0] for names in repositories.values()] == ["acme/configs"] * 2
        assert all(name.count("/") == 1 and len(names) == 2 for names in repositories.values() for name in names)


def test_every_example_has_the_documents_of_its_builds() -> None:
    for path in sorted((assets.PRODUCTS / "ci_codebuild" / "examples").glob("*.yaml")):
        assert rendered(example(path)).text.count("version: 0.2") == len(STAGES)


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def family_name(stage: str) -> str:
    """The project's name as the family's config makes it."""
    names = family.filled(family.template(data()))
    return str(names[f"{stage}Project"]["Properties"]["Name"])
