"""The embedded STS judges a web identity token as AWS's does, but for its signature."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from fakes.issuer import ISSUER, Job, signed_by_nobody
from stackseal.local import EmbeddedAws
from stackseal.local.ministack.web_identity import CLAIMS, context

HOST = ISSUER.removeprefix("https://")
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/plan"
REVIEW = "stackseal/stackseal/.github/workflows/review.yml@refs/tags/v1"
JOB = Job(end="pull_request", workflow=REVIEW)
WANTED = {
    "aud": "sts.amazonaws.com",
    "repository_id": "2000001",
    "sub": "repo:techcorp/ml-infrastructure:pull_request",
    "job_workflow_ref": REVIEW,
}


def client(aws: EmbeddedAws, service: str, **more: Any) -> Any:
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "embedded"}
    return boto3.client(service, region_name="us-west-2", endpoint_url=aws.endpoint_url, **{**keys, **more})


@pytest.fixture
def iam(aws: EmbeddedAws) -> Any:
    found = client(aws, "iam")
    found.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["sts.amazonaws.com"])
    found.create_role(RoleName="plan", AssumeRolePolicyDocument=json.dumps(trust(WANTED)))
    return found


def trust(wanted: dict[str, str]) -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{HOST}:{key}": value for key, value in wanted.items()}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def token(job: Job = JOB, **changes: Any) -> str:
    return signed_by_nobody({**job.claims(), "aud": "sts.amazonaws.com", "exp": int(time.time()) + 300, **changes})


def take(aws: EmbeddedAws, given: str, role: str = ROLE) -> Any:
    """As a job does it: unsigned."""
    sts = client(aws, "sts", config=Config(signature_version=UNSIGNED))
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=given)["Credentials"]


def refused(aws: EmbeddedAws, given: str, role: str = ROLE) -> str:
    with pytest.raises(ClientError) as raised:
        take(aws, given, role)
    error: Any = raised.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_the_session_is_the_role_and_does_what_it_may(aws: EmbeddedAws, iam: Any) -> None:
    found = take(aws, token())
    keys = {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }
    me = client(aws, "sts", **keys).get_caller_identity()
    assert me["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/plan/ci"
    with pytest.raises(ClientError, match="not authorized to perform: iam:ListRoles"):
        client(aws, "iam", **keys).list_roles()
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*"}]}
    iam.put_role_policy(RoleName="plan", PolicyName="p", PolicyDocument=json.dumps(document))
    assert [role["RoleName"] for role in client(aws, "iam", **keys).list_roles()["Roles"]] == ["plan"]


def test_sessions_and_tokens_end_by_the_clock_that_is_told(aws: EmbeddedAws, iam: Any) -> None:
    """The codes are AWS's: `ExpiredToken` of services that speak Query and of S3, `ExpiredTokenException` of others."""
    day = [time.time()]
    aws.tell_time(lambda: day[0])
    found, later = take(aws, token()), token()
    assert abs(found["Expiration"].timestamp() - day[0] - 3_600) < 2
    keys = {
        "aws_access_key_id": found["AccessKeyId"],
        "aws_secret_access_key": found["SecretAccessKey"],
        "aws_session_token": found["SessionToken"],
    }
    calls = {
        "ExpiredToken": [("sts", "get_caller_identity"), ("cloudformation", "describe_stacks"), ("s3", "list_buckets")],
        "ExpiredTokenException": [("ssm", "describe_parameters"), ("codecommit", "list_repositories")],
    }
    day[0] += 3_590
    assert client(aws, "sts", **keys).get_caller_identity()["Arn"].endswith("/plan/ci")
    day[0] += 20
    for code, rows in calls.items():
        for service, operation in rows:
            with pytest.raises(ClientError) as raised:
                getattr(client(aws, service, **keys), operation)()
            assert raised.value.response["Error"]["Code"] == code, service
    assert refused(aws, later).startswith("ExpiredTokenException: Token expired")
    again = take(aws, token(exp=int(day[0]) + 300))
    assert again["Expiration"].timestamp() > day[0] + 3_500

    aws.reset()
    client(aws, "iam").create_open_id_connect_provider(Url=ISSUER, ClientIDList=["sts.amazonaws.com"])
    client(aws, "iam").create_role(RoleName="plan", AssumeRolePolicyDocument=json.dumps(trust(WANTED)))
    assert abs(take(aws, token())["Expiration"].timestamp() - time.time() - 3_600) < 5


def test_a_bucket_knows_the_role_behind_a_session_and_loopback_is_tls(aws: EmbeddedAws, iam: Any) -> None:
    """As the bucket of the records does: nobody but one role writes, and nobody without TLS."""
    s3, arn = client(aws, "s3"), "arn:aws:s3:::records"
    s3.create_bucket(Bucket="records", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    allow = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{arn}/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    for name in ("plan", "other"):
        if name == "other":
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust(WANTED)))
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"{arn}/*"}
    tls = {**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    writers = {**deny, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}}
    s3.put_bucket_policy(Bucket="records", Policy=json.dumps({"Version": "2012-10-17", "Statement": [tls, writers]}))
    for role, may in ((ROLE, True), (ROLE.replace("plan", "other"), False)):
        found = take(aws, token(), role)
        keys = {
            "aws_access_key_id": found["AccessKeyId"],
            "aws_secret_access_key": found["SecretAccessKey"],
            "aws_session_token": found["SessionToken"],
        }
        theirs = client(aws, "s3", **keys)
        if may:
            theirs.put_object(Bucket="records", Key="k", Body=b"")
        else:
            with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
                theirs.put_object(Bucket="records", Key="k", Body=b"")


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "repo:techcorp/ml-infrastructure:ref:refs/heads/main"},
        {"sub": "repo:mallory/ml-infrastructure:pull_request"},
        {"repository_id": "2000002"},
        {"repository_id": None},
        {"job_workflow_ref": "techcorp/ml-infrastructure/.github/workflows/review.yml@refs/heads/main"},
        {"job_workflow_ref": REVIEW.replace("v1", "v2")},
        {"job_workflow_ref": None},
    ],
)
def test_every_claim_of_the_trust_policy_counts(aws: EmbeddedAws, iam: Any, changes: dict[str, Any]) -> None:
    assert iam.get_role(RoleName="plan")
    assert refused(aws, token(**changes)) == "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"


def test_a_wider_policy_takes_more(aws: EmbeddedAws, iam: Any) -> None:
    wide = trust({"aud": "sts.amazonaws.com"})
    iam.update_assume_role_policy(RoleName="plan", PolicyDocument=json.dumps(wide))
    assert take(aws, token(sub="repo:mallory/anything:pull_request"))


def test_a_role_that_is_not_there_is_no_different(aws: EmbeddedAws, iam: Any) -> None:
    assert iam
    for role in (ROLE.replace("plan", "other"), ROLE.replace("role/plan", "role/path/plan")):
        assert refused(aws, token(), role) == "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "ParamValidation"),
        ("abcd", "InvalidIdentityToken"),
        ("a.b.c", "InvalidIdentityToken"),
        ("..", "ParamValidation"),
        ("just over", "ExpiredTokenException"),
        ({"exp": None}, "InvalidIdentityToken"),
        ({"iss": "http://token.actions.githubusercontent.com"}, "InvalidIdentityToken"),
        ({"iss": "https://gitlab.example"}, "No OpenIDConnect provider found"),
        ({"iss": f"{ISSUER}/enterprise"}, "No OpenIDConnect provider found"),
        ({"aud": "https://github.com/techcorp"}, "Incorrect token audience"),
        ({"aud": ["sts.amazonaws.com"]}, "Incorrect token audience"),
    ],
)
def test_what_is_no_good_token_is_refused_before_the_trust_is_read(
    aws: EmbeddedAws, iam: Any, given: str | dict[str, Any], said: str
) -> None:
    assert iam
    if given == "just over":
        given = {"exp": int(time.time()) - 1}
    if isinstance(given, dict):
        given = token(**given)  # made now: tokens of a long run's beginning are over
    if said == "ParamValidation":
        with pytest.raises(Exception, match="length"):
            take(aws, given)
    else:
        assert said in refused(aws, given)


def test_an_account_without_a_provider_trusts_nobody(aws: EmbeddedAws) -> None:
    client(aws, "iam").create_role(RoleName="plan", AssumeRolePolicyDocument=json.dumps(trust(WANTED)))
    assert "No OpenIDConnect provider found" in refused(aws, token())


def test_only_the_claims_that_iam_offers_are_keys() -> None:
    keys = context(HOST, {**JOB.claims(), "aud": "sts.amazonaws.com"})
    assert f"{HOST}:job_workflow_ref" in keys
    assert f"{HOST}:repository_owner_id" not in keys, "a policy that compares it would fail on AWS"
    assert len(CLAIMS[HOST]) == 9
    assert set(context("gitlab.example", {"sub": "s", "repository_id": "1"})) == {"gitlab.example:sub"}
