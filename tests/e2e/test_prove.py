"""`doctor --prove`: what the roles of an account must not do is tried; a role that may do it is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from contract.support import ROOT
from e2e.harness import ACCOUNT, REGION, Bench
from e2e.test_bootstrap import PROVIDER, config
from e2e.test_roles import REVIEW, Pipelines
from fakes.issuer import Issuer
from stackseal.aws.trials import CALLS
from stackseal.aws.twins import BEGINNING
from stackseal.upkeep.role_proof import FORBIDDEN

pytestmark = pytest.mark.e2e
NAME = f"stackseal-{ACCOUNT}-us-west-2-bootstrap"
OUTSIDER = replace(REVIEW, workflow="mallory/ml-infrastructure/.github/workflows/prove.yml@refs/heads/main")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(OUTSIDER) as found:
        yield found


@pytest.fixture
def pipelines(bench: Bench, issuer: Issuer) -> Pipelines:
    made = Pipelines(bench, issuer)
    config(bench)
    return made


def prove(bench: Bench) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and by what is proven what was found and the status."""
    done = bench.run("doctor", "--prove", f"configs/{NAME}.yaml", "--format", "json")
    assert done.stdout, done.stderr
    rows = {row["what"]: (row["found"], row["status"]) for row in done.facts["checks"]}
    return done.code, {what: row for what, row in rows.items() if what.split()[1:2] in (["may"], ["refuses"], ["is"])}


def grant(bench: Bench, verb: str, *actions: str, resource: str = "*") -> None:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = f"stackseal-{verb}-us-west-2"
    bench.client("iam").put_role_policy(RoleName=role, PolicyName="by-hand", PolicyDocument=document)


def roles(bench: Bench) -> list[str]:
    return sorted(role["RoleName"] for role in bench.client("iam").list_roles()["Roles"])


def test_the_roles_of_bootstrap_are_refused_what_they_must_not_do(pipelines: Pipelines) -> None:
    bench = pipelines.bench
    before = roles(bench), bench.client("cloudformation").list_stacks()["StackSummaries"]
    code, rows = prove(bench)
    assert code == 0, rows
    tried = sum(len(operations) for operations in FORBIDDEN.values())
    assert len(rows) == tried + len(FORBIDDEN)
    assert list(rows.values()).count(("AccessDenied", "ok")) == tried
    assert {operation for operations in FORBIDDEN.values() for operation in operations} < set(CALLS)
    assert (roles(bench), bench.client("cloudformation").list_stacks()["StackSummaries"]) == before


def test_the_how_to_says_what_is_tried() -> None:
    page = (ROOT / "docs" / "how-to" / "bootstrap.md").read_text(encoding="utf-8")
    for verb, operations in FORBIDDEN.items():
        shown = ", ".join(operations)
        assert f"| {verb} | {shown}{' (without the execution role)' if verb == 'deploy' else ''} |" in page


def test_a_role_that_is_too_wide_is_found(pipelines: Pipelines) -> None:
    grant(pipelines.bench, "plan", "cloudformation:*")
    grant(pipelines.bench, "drift", "cloudformation:CreateChangeSet")
    code, rows = prove(pipelines.bench)
    assert code == 1
    wrong = {what for what, (found, status) in rows.items() if found == "allowed" and status.startswith("wrong: ")}
    # The boundary of the roles still forbids UpdateStack to everybody.
    assert wrong == {"plan may not ExecuteChangeSet", "plan may not DeleteStack", "drift may not CreateChangeSet"}
    assert all(status == "ok" for what, (_, status) in rows.items() if what not in wrong)
    assert not [name for name in roles(pipelines.bench) if name.startswith(BEGINNING)]
    stacks = pipelines.client("cloudformation").list_stacks()["StackSummaries"]
    assert [stack["StackName"] for stack in stacks] == ["stackseal-us-west-2-bootstrap"], "nothing was made by trying"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda condition: condition["StringEquals"].pop("token.actions.githubusercontent.com:sub"), "compare sub"),
        (
            lambda condition: condition.update(StringLike=condition.pop("StringEquals")),
            "compare aud, repository_id, sub, job_workflow_ref",
        ),
    ],
)
def test_a_trust_that_is_too_wide_is_found(pipelines: Pipelines, change: Any, why: str) -> None:
    iam, name = pipelines.client("iam"), "stackseal-deploy-us-west-2"
    document = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    change(document["Statement"][0]["Condition"])
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(document))
    code, rows = prove(pipelines.bench)
    assert code == 1
    found, status = rows["deploy refuses forks and strangers"]
    assert found == "-"
    assert status.startswith("wrong: its trust does not ")
    assert why in status
    assert sum(status != "ok" for _, status in rows.values()) == 1


def test_what_could_not_be_tried_is_not_called_proven(pipelines: Pipelines) -> None:
    """A role that may do nothing is refused everything, and that proves nothing."""
    iam = pipelines.client("iam")
    for policy in iam.list_attached_role_policies(RoleName="stackseal-drift-us-west-2")["AttachedPolicies"]:
        iam.detach_role_policy(RoleName="stackseal-drift-us-west-2", PolicyArn=policy["PolicyArn"])
    code, rows = prove(pipelines.bench)
    assert code == 1
    drift = [status for what, (_, status) in rows.items() if what.startswith("drift may not")]
    assert len(drift) == len(FORBIDDEN["drift"])
    assert all(status.startswith("not proven: not even DescribeStacks is allowed") for status in drift)


def test_no_call_is_tried_on_a_stack_that_could_be_there(pipelines: Pipelines) -> None:
    config(pipelines.bench, **{"environments: [prod]": "environments: [prod]\n  stacks: [techcorp-one-stack]"})
    code, rows = prove(pipelines.bench)
    assert code == 1
    assert {status for what, (_, status) in rows.items() if " may not " in what} == {
        "not proven: the config names whole stacks only, and a call on one of them could hurt"
    }


def test_a_job_of_somebody_else_is_refused_by_every_role(pipelines: Pipelines) -> None:
    path = f"configs/{NAME}.yaml"
    done = pipelines.job(OUTSIDER, "doctor", "--prove", path, "--format", "json")
    assert done.code == 0, done.stdout
    rows = {row["what"]: row for row in done.facts["checks"]}
    assert {rows[f"{verb} refuses this job"]["found"] for verb in FORBIDDEN} == {"AccessDenied"}

    iam = pipelines.client("iam")
    wide = iam.get_role(RoleName="stackseal-plan-us-west-2")["Role"]["AssumeRolePolicyDocument"]
    wide["Statement"][0]["Condition"] = {
        "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
    }
    iam.update_assume_role_policy(RoleName="stackseal-plan-us-west-2", PolicyDocument=json.dumps(wide))
    done = pipelines.job(OUTSIDER, "doctor", "--prove", path)
    assert done.code == 1
    assert done.stdout.count("wrong: it gives itself to this job") == 1

    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
    done = pipelines.job(OUTSIDER, "doctor", "--prove", path)
    assert done.code == 1
    assert done.stdout.count("not proven: could not take the role") == 4, "a token that is no good proves nothing"


def test_it_needs_a_config_and_the_permission_to_make_roles(pipelines: Pipelines) -> None:
    assert "name its bootstrap config" in pipelines.bench.run("doctor", "--prove").stderr
    grant(pipelines.bench, "cleanup", "iam:GetRole", "sts:GetCallerIdentity")
    issuer, bench = pipelines.issuer, pipelines.bench
    issuer.job = replace(REVIEW, end="ref:refs/heads/main", workflow=REVIEW.workflow.replace("review", "cleanup"))
    admin = bench.world
    try:
        role = f"arn:aws:iam::{ACCOUNT}:role/stackseal-cleanup-us-west-2"
        small = admin.aws(ACCOUNT, REGION).assumed(
            role, session_name="small", token=lambda: issuer.token("sts.amazonaws.com")
        )
        bench.world = replace(admin, aws=lambda _account, _region: small)
        code, rows = prove(bench)
    finally:
        bench.world = admin
    assert code == 1
    assert rows
    assert all("not proven" in status or "ok" in status for _, status in rows.values())
    assert not [name for name in roles(bench) if name.startswith(BEGINNING)]
