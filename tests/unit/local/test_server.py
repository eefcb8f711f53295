"""The embedded AWS as a server: where it listens, what it leaves behind, who sees what."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from stackseal.errors import UsageError
from stackseal.local import GAPS, EmbeddedAws, reference
from unit.local.driver import Account, Stack, resources
from unit.local.family import family

ROOT = Path(__file__).parents[3]

ALONE = """
import json, sys, threading
import boto3
from stackseal.local import EmbeddedAws

before = threading.active_count()
for _ in range(2):
    with EmbeddedAws(account="210987654321", region="eu-central-1") as aws:
        environment = aws.environ()
        session = boto3.Session(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"],
                                region_name=environment["AWS_DEFAULT_REGION"])
        clients = {name: session.client(name, endpoint_url=aws.endpoint_url) for name in
                   ("sts", "ssm", "s3", "sagemaker")}
        identity = clients["sts"].get_caller_identity()["Account"]
        clients["ssm"].put_parameter(Name="/a", Value="1", Type="String")
        clients["s3"].create_bucket(Bucket="b-1", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        clients["s3"].put_object(Bucket="b-1", Key="k", Body=b"x" * 100_000)
        clients["sagemaker"].list_models()
        for client in clients.values():
            client.close()
print(json.dumps({"identity": identity, "threads": threading.active_count() - before}), file=sys.stderr)
"""


def test_alone_it_starts_twice_says_nothing_writes_nothing_and_leaves_no_thread(tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    for name in ("home", "tmp", "work"):
        (tmp_path / name).mkdir()

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE],
        env=environment,
        cwd=tmp_path / "work",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.stdout == ""
    assert json.loads(done.stderr) == {"identity": "210987654321", "threads": 0}
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_it_listens_on_the_loopback_address_only(aws: EmbeddedAws) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", aws.endpoint_url)
    port = int(aws.endpoint_url.rpartition(":")[2])
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].rpartition(":")[2], 16) == port
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_a_second_one_is_another_door_to_the_first(aws: EmbeddedAws, account: Account) -> None:
    account.client("ssm").put_parameter(Name="/a", Value="1", Type="String")

    with EmbeddedAws(account="111122223333") as other:
        assert other.endpoint_url == aws.endpoint_url
        assert other.environ()["AWS_ACCESS_KEY_ID"] == "111122223333"

    assert account.client("ssm").get_parameter(Name="/a")["Parameter"]["Value"] == "1"
    with pytest.raises(UsageError, match="another setting of enforce"), EmbeddedAws(enforce=False):
        pass


def test_the_environment_is_all_that_boto3_needs(account: Account) -> None:
    environment = {**account.aws.environ(), "PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    code = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'], boto3.session.Session().region_name)"

    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["arn:aws:iam::123456789012:root", "us-west-2"]


def test_reset_empties_everything(stack: Stack) -> None:
    stack.deploy(family())

    stack.account.aws.reset()

    client = stack.account.client
    assert stack.cfn.list_stacks()["StackSummaries"] == []
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("iam").list_roles()["Roles"] == []
    assert client("codecommit").list_repositories()["repositories"] == []
    assert client("codepipeline").list_pipelines()["pipelines"] == []
    assert client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert stack.deploy(family()) == "CREATE_COMPLETE"


def test_accounts_and_regions_do_not_see_each_other(account: Account) -> None:
    template = resources(
        G={"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": "models"}},
        P={"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/a", "Type": "String", "Value": {"Ref": "G"}}},
        R={"Type": "AWS::CodeCommit::Repository", "Properties": {"RepositoryName": "build"}},
    )
    places = [
        account,
        Account(aws=account.aws, region="eu-central-1"),
        Account(aws=account.aws, key="210987654321"),
    ]
    for place in places:
        assert Stack(account=place).deploy(template) == "CREATE_COMPLETE"

    for place in places:
        arn = f"arn:aws:sagemaker:{place.region}:{place.key}:model-package-group/models"
        assert Stack(account=place).physical("G") == arn
        assert place.client("ssm").get_parameter(Name="/a")["Parameter"]["Value"] == arn
        repository = place.client("codecommit").get_repository(repositoryName="build")["repositoryMetadata"]
        assert repository["Arn"] == f"arn:aws:codecommit:{place.region}:{place.key}:build"
        assert place.client("sts").get_caller_identity()["Account"] == place.key
    assert Stack(account=places[2]).delete() == "DELETE_COMPLETE"
    assert Stack(account=places[1]).drift()[0]["StackDriftStatus"] == "IN_SYNC"


def test_a_role_of_another_account_works_there(account: Account) -> None:
    other = Account(aws=account.aws, key="210987654321")
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    other.client("iam").create_role(
        RoleName="deploy", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    other.client("iam").put_role_policy(
        RoleName="deploy",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
    )
    session = account.client("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/deploy", RoleSessionName="ci")
    found = session["Credentials"]
    there = Account(
        aws=account.aws, key=found["AccessKeyId"], secret=found["SecretAccessKey"], token=found["SessionToken"]
    )
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "over-there-1"}}

    assert Stack(account=there).deploy(resources(B=bucket)) == "CREATE_COMPLETE"
    assert Stack(account=other).describe()["StackStatus"] == "CREATE_COMPLETE"
    assert [row["Name"] for row in other.client("s3").list_buckets()["Buckets"]] == ["over-there-1"]
    assert not Stack(account=account).exists()


def test_a_user_works_in_its_own_account(account: Account) -> None:
    iam = Account(aws=account.aws, key="210987654321").client("iam")
    iam.create_user(UserName="ci")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName="ci", PolicyName="all", PolicyDocument=json.dumps(allow))
    key = iam.create_access_key(UserName="ci")["AccessKey"]
    user = Account(aws=account.aws, key=key["AccessKeyId"], secret=key["SecretAccessKey"])

    made = user.client("codecommit").create_repository(repositoryName="r")["repositoryMetadata"]
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "of-a-user-1"}}

    assert made["Arn"] == "arn:aws:codecommit:us-west-2:210987654321:r"
    assert user.client("sts").get_caller_identity()["Arn"] == "arn:aws:iam::210987654321:user/ci"
    assert Stack(account=user).deploy(resources(B=bucket)) == "CREATE_COMPLETE"
    assert ":210987654321:" in Stack(account=user).describe()["StackId"]


def test_a_session_with_a_wrong_secret_is_refused(account: Account) -> None:
    account.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(_anybody()))
    good = account.assume("r")
    forged = Account(aws=good.aws, key=good.key, secret="forged", token=good.token)
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        forged.client("sts").get_caller_identity()


def _anybody() -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [trust]}


def test_moto_answers_what_ministack_lacks(account: Account) -> None:
    client = account.client("servicecatalog")
    client.create_portfolio(DisplayName="ml", ProviderName="team", IdempotencyToken="t")
    assert client.list_portfolios()["PortfolioDetails"][0]["ARN"].split(":")[3:5] == ["us-west-2", "123456789012"]
    account.aws.reset()
    assert client.list_portfolios()["PortfolioDetails"] == []


def test_objects_go_in_and_out(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="b-1", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    body = os.urandom(300_000)
    s3.put_object(Bucket="b-1", Key="seals/a b.json", Body=body)

    assert s3.get_object(Bucket="b-1", Key="seals/a b.json")["Body"].read() == body
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "b-1", "Key": "seals/a b.json"})
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own address
        assert answer.read() == body
    assert s3.head_object(Bucket="b-1", Key="seals/a b.json")["ContentLength"] == len(body)
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="b-1", Key="other")


def test_parameters_are_read_by_path(account: Account) -> None:
    ssm = account.client("ssm")
    for name in ("/ml/x/A", "/ml/x/B", "/ml/y/C"):
        ssm.put_parameter(Name=name, Value=name, Type="String")
    found = ssm.get_parameters_by_path(Path="/ml/x", Recursive=True)["Parameters"]
    assert sorted(row["Name"] for row in found) == ["/ml/x/A", "/ml/x/B"]


def test_many_callers_at_once(account: Account) -> None:
    stacks = [Stack(account=account, name=f"s{n}") for n in range(8)]
    bodies = {
        stack.name: resources(
            P={"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"/{stack.name}", "Type": "String", "Value": "1"}}
        )
        for stack in stacks
    }
    ended: dict[str, str] = {}
    threads = [
        threading.Thread(target=lambda stack=stack: ended.update({stack.name: stack.deploy(bodies[stack.name])}))
        for stack in stacks
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == {stack.name: "CREATE_COMPLETE" for stack in stacks}


def test_the_reference_page_is_generated() -> None:
    page = ROOT / "docs" / "reference" / "embedded-aws.md"
    assert page.read_text() == reference(), "write reference() to docs/reference/embedded-aws.md"
    assert {gap.where for gap in GAPS} == {"only AWS", "shimmed"}
    assert len({(gap.area, gap.what) for gap in GAPS}) == len(GAPS)


def test_the_pins_are_exact() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {"ministack==1.5.33", "moto[server]==5.2.5"} <= set(project["optional-dependencies"]["local"])
