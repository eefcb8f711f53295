"""Which role is taken in an account, and what is said where none can be."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.issuer import ISSUER, SECRET, Issuer, Job
from stackseal import cli, hosts, settings
from stackseal.acting import Verb, acting, session_name
from stackseal.errors import Failed, Refused, UsageError
from stackseal.hosts.local import LocalForge
from stackseal.local import EmbeddedAws
from stackseal.output import Output
from stackseal.sandbox import Sandbox
from stackseal.world import EMBEDDED, World, connector

ONE, TWO, REGION = "111122223333", "444455556666", "us-west-2"
REVIEW = "stackseal/stackseal/.github/workflows/review.yml@refs/tags/v1"
HOST = ISSUER.removeprefix("https://")
ROLES = f"""\
version: 1
accounts:
  "{ONE}": {{roles: {{plan: "arn:aws:iam::{ONE}:role/plan", drift: "arn:aws:iam::{ONE}:role/drift"}}}}
  "{TWO}": {{roles: {{plan: "arn:aws:iam::{TWO}:role/plan"}}}}
"""
OURS = settings.parse(ROLES.encode())
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "987", "GITHUB_RUN_ATTEMPT": "1"}
ALONE = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with Issuer(Job(end="pull_request", workflow=REVIEW)) as found:
        yield found


@pytest.fixture
def place(aws: EmbeddedAws, tmp_path: Path) -> Place:
    return Place(aws, tmp_path)


class Place:
    """Two accounts that trust reviews, and worlds to reach them from."""

    def __init__(self, aws: EmbeddedAws, folder: Path) -> None:
        self.aws, self.folder, self.said = aws, folder, io.StringIO()
        for account in (ONE, TWO):
            iam = self.world({**aws.environ(), EMBEDDED: "1"}).aws(account, REGION).client("iam")
            iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["sts.amazonaws.com"])
            iam.create_role(RoleName="plan", AssumeRolePolicyDocument=json.dumps(trust(account)))

    def world(self, env: Mapping[str, str]) -> World:
        runner = hosts.runner(env)
        sandbox: Any = Sandbox
        return World(
            env=env,
            here=self.folder,
            root=self.folder,
            cache=self.folder,
            out=Output(stdout=self.said, stderr=self.said),
            sandbox=sandbox,
            aws=connector(env),
            runner=runner,
            forge=LocalForge(self.folder),
            badge=runner.badge(lambda _: None),
        )

    def keyless(self, **more: str) -> dict[str, str]:
        """The environment of a job on GitHub without any AWS key, in front of the embedded AWS."""
        theirs = {key: value for key, value in self.aws.environ().items() if "KEY" not in key}
        return {**GITHUB, **theirs, **more}


def trust(account: str) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{account}:oidc-provider/{HOST}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{HOST}:job_workflow_ref": REVIEW}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def identity(world: World, account: str, verb: Verb = "plan", number: int | None = 7) -> str:
    found = acting(world, verb, OURS, pull_request=number).aws(account, REGION)
    return str(found.client("sts").get_caller_identity()["Arn"])


def test_each_account_is_entered_by_its_own_role(place: Place, issuer: Issuer) -> None:
    world = place.world(place.keyless(**issuer.environ))
    for account in (ONE, TWO):
        wanted = f"arn:aws:sts::{account}:assumed-role/plan/stackseal-plan-pr7-987-1"
        assert identity(world, account) == wanted
    assert issuer.asked == ["sts.amazonaws.com"] * 2
    assert not any(token in place.said.getvalue() for token in issuer.tokens)


def test_a_role_is_taken_once_and_when_it_is_needed(place: Place, issuer: Issuer) -> None:
    there = acting(place.world(place.keyless(**issuer.environ)), "plan", OURS)
    assert issuer.asked == []
    assert there.aws(ONE, REGION) is there.aws(ONE, REGION)
    assert len(issuer.tokens) == 1
    there.aws(ONE, "eu-west-1")
    assert len(issuer.tokens) == 2, "each region's own STS is asked"


def test_a_role_that_does_not_trust_the_job_says_what_to_compare(place: Place, issuer: Issuer) -> None:
    issuer.job = replace(issuer.job, workflow=REVIEW.replace("review", "deploy"))
    world = place.world(place.keyless(**issuer.environ))
    with pytest.raises(Refused, match=r"role/plan cannot be taken: AWS does not trust this job .*; compare the role's"):
        identity(world, ONE)


def test_no_role_in_the_settings_names_the_key(place: Place, issuer: Issuer) -> None:
    world = place.world(place.keyless(**issuer.environ))
    with pytest.raises(UsageError, match=rf'set accounts."{TWO}".roles.drift in stackseal.yaml'):
        identity(world, TWO, "drift")
    assert issuer.asked == []


def test_keys_that_a_step_has_set_count_where_the_settings_name_no_role(place: Place, issuer: Issuer) -> None:
    world = place.world({**GITHUB, **place.aws.environ(), **issuer.environ, EMBEDDED: "1"})
    assert identity(world, TWO, "drift") == f"arn:aws:iam::{TWO}:root"
    assert identity(world, TWO).startswith(f"arn:aws:sts::{TWO}:assumed-role/plan/"), "a named role goes first"


def test_elsewhere_the_credentials_that_are_there_count(place: Place, issuer: Issuer) -> None:
    laptop = {**place.aws.environ(), EMBEDDED: "1"}
    for env in (laptop, {**laptop, **issuer.environ}, {**GITHUB, **laptop}):
        assert identity(place.world(env), ONE) == f"arn:aws:iam::{ONE}:root"
    assert issuer.asked == []


def test_a_job_without_any_identity_hears_of_the_permission(place: Place) -> None:
    with pytest.raises(Refused, match="grant the permission `id-token: write` to the job"):
        identity(place.world({**place.keyless(), **ALONE}), ONE)


def test_without_a_job_or_a_role_nothing_is_said_of_it(place: Place) -> None:
    """A prediction, or the sentence about missing credentials, is what follows."""
    for env, verb in ((ALONE, "plan"), ({**GITHUB, **ALONE}, "cleanup")):
        checked: Verb = "plan" if verb == "plan" else "cleanup"
        assert not acting(place.world(env), checked, OURS).aws(ONE, REGION).has_credentials


def test_a_command_without_an_account_takes_the_only_role(place: Place, issuer: Issuer) -> None:
    iam = place.world({**place.aws.environ(), EMBEDDED: "1"}).aws(ONE, REGION).client("iam")
    iam.create_role(RoleName="drift", AssumeRolePolicyDocument=json.dumps(trust(ONE)))
    world = place.world(place.keyless(**issuer.environ))
    assert identity(world, "", "drift", None) == f"arn:aws:sts::{ONE}:assumed-role/drift/stackseal-drift-987-1"
    with pytest.raises(UsageError, match="name 2 of them; name the account"):
        identity(world, "")


def test_a_token_that_does_not_come_is_a_failure_of_its_own(place: Place, issuer: Issuer) -> None:
    issuer.faults = [(403, b"")]
    with pytest.raises(Failed, match="GitHub gave this job no identity: it answered 403"):
        identity(place.world(place.keyless(**issuer.environ)), ONE)


def test_a_session_is_named_after_what_it_is_for() -> None:
    assert session_name("plan", 7, "123-1") == "stackseal-plan-pr7-123-1"
    assert session_name("drift", None, "") == "stackseal-drift"
    assert session_name("deploy", 12, "a b/c" * 20) == ("stackseal-deploy-pr12-" + "a-b-c" * 20)[:64]


def test_the_runner_hides_what_it_is_told_to() -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    Output(stdout=stdout, stderr=stderr).mask("a.b.c")
    assert (stdout.getvalue(), stderr.getvalue()) == ("", "::add-mask::a.b.c\n")


def test_the_command_line_hides_the_token_before_it_is_used(
    place: Place, issuer: Issuer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the console script's own way: the runner is told on stderr, and nothing else ever holds the token."""
    iam = place.world({**place.aws.environ(), EMBEDDED: "1"}).aws(ONE, REGION).client("iam")
    iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trust(ONE)))
    reads = {"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    iam.put_role_policy(RoleName="deploy", PolicyName="reads", PolicyDocument=document)
    monkeypatch.chdir(place.folder)
    only = f'version: 1\naccounts:\n  "{ONE}": {{roles: {{deploy: "arn:aws:iam::{ONE}:role/deploy"}}}}\n'
    (place.folder / "stackseal.yaml").write_text(only, encoding="utf-8")
    argv = ["recover", "my-stack", "--region", REGION, "--format", "json", "--log-level", "debug"]
    code = cli.main(argv, {**place.keyless(), **issuer.environ, "HOME": place.folder.as_posix()})
    said = capsys.readouterr()
    assert code == 2
    assert f"the account {ONE} has none in {REGION}" in said.err
    (token,) = issuer.tokens
    assert said.err.count(token) == said.err.count(f"::add-mask::{token}\n") == 1
    assert said.err.index(token) < said.err.index("my-stack")
    assert token not in said.out
    assert SECRET not in said.err + said.out


def test_the_embedded_aws_takes_no_role(
    place: Place, issuer: Issuer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.folder)
    (place.folder / "stackseal.yaml").write_text(ROLES, encoding="utf-8")
    argv = ["recover", "my-stack", "--region", REGION, "--aws", "local"]
    code = cli.main(argv, {**GITHUB, **issuer.environ, "HOME": place.folder.as_posix()})
    assert code == 2, capsys.readouterr().err
    assert issuer.asked == []


def test_a_build_of_codebuild_takes_the_roles_by_its_service_role(place: Place) -> None:
    """A role that names the service role, in its own account and in another; where none is named it stays itself."""
    iam = place.world({**place.aws.environ(), EMBEDDED: "1"}).aws(ONE, REGION).client("iam")
    service, caller = f"arn:aws:iam::{ONE}:role/build", {"Service": "codebuild.amazonaws.com", "AWS": f"{ONE}"}
    iam.create_role(RoleName="build", AssumeRolePolicyDocument=json.dumps(trusting(caller, ONE)))
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName="build", PolicyName="take", PolicyDocument=policy)
    for account in (ONE, TWO):
        theirs = place.world({**place.aws.environ(), EMBEDDED: "1"}).aws(account, REGION).client("iam")
        document = json.dumps(trusting({"AWS": f"arn:aws:iam::{ONE}:root"}, ONE, service))
        theirs.update_assume_role_policy(RoleName="plan", PolicyDocument=document)
    keys = {**place.aws.environ(), "AWS_ACCESS_KEY_ID": ONE}
    role = connector(keys)(ONE, REGION).client("sts").assume_role(RoleArn=service, RoleSessionName="AWSCodeBuild-1")
    got = role["Credentials"]
    env = {
        **place.aws.environ(),
        "AWS_ACCESS_KEY_ID": got["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": got["SecretAccessKey"],
        "AWS_SESSION_TOKEN": got["SessionToken"],
        "CODEBUILD_BUILD_ID": "plan:1",
        "CODEBUILD_BUILD_NUMBER": "12",
    }
    world = place.world(env)
    for account in (ONE, TWO):
        assert identity(world, account) == f"arn:aws:sts::{account}:assumed-role/plan/stackseal-plan-pr7-build12"
    assert identity(world, TWO, "drift") == f"arn:aws:sts::{ONE}:assumed-role/build/AWSCodeBuild-1"
    iam.update_assume_role_policy(
        RoleName="plan",
        PolicyDocument=json.dumps(trusting({"AWS": f"arn:aws:iam::{ONE}:root"}, ONE, f"{service}-other")),
    )
    with pytest.raises(Refused, match=r"on CodeBuild the service role"):
        identity(world, ONE)


def trusting(principal: Mapping[str, str], account: str, role: str | None = None) -> dict[str, Any]:
    """A role that is given to a principal, or to one role of its account."""
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": dict(principal), "Action": "sts:AssumeRole"}
    if role:
        statement["Condition"] = {"ArnEquals": {"aws:PrincipalArn": role}}
    return {"Version": "2012-10-17", "Statement": [statement]}
