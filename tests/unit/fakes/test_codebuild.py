"""The stand-in of CodeBuild does what CodeBuild's documentation says of phases, shells, variables and artifacts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.codebuild import CodeBuildFake, Outcome, Project, run
from stackseal.local import EmbeddedAws
from stackseal.world import EMBEDDED, connector

PATH = {"PATH": "/usr/bin:/bin"}


def ran(tmp_path: Path, *, kind: str = "bash", **phases: Any) -> Outcome:
    (tmp_path / "src").mkdir()
    (tmp_path / "scratch").mkdir()
    spec: dict[str, Any] = {"env": {"shell": kind, "exported-variables": ["SAID", "AWS_REGION"]}, "phases": {}}
    for name, phase in phases.items():
        spec["phases"][name] = phase if isinstance(phase, dict) else {"commands": phase}
    return run(spec, PATH, tmp_path / "src", tmp_path / "scratch")


def test_all_commands_share_one_shell(tmp_path: Path) -> None:
    """Folder, variables and functions, from phase to phase; what is exported at the end is told."""
    done = ran(
        tmp_path,
        install=["mkdir sub", "cd sub", "word=hello", 'say() { echo "$word $1"; }', "AWS_REGION=x"],
        build=['[ "$(basename "$PWD")" = sub ]', 'SAID="$(say you)"'],
    )
    assert done.succeeded
    assert done.exported == {"SAID": "hello you"}, "variables that begin with AWS_ are not exported"


def test_the_first_failure_ends_a_phase_and_finally_runs(tmp_path: Path) -> None:
    done = ran(tmp_path, build={"commands": ["false", "echo NEVER >never"], "finally": ["echo done >done"]})
    assert done.phases == {"build": "FAILED"}
    assert not done.succeeded
    assert sorted(path.name for path in (tmp_path / "src").iterdir()) == ["done"]


@pytest.mark.parametrize("phase", ["install", "pre_build"])
def test_a_failure_before_the_build_skips_the_rest(tmp_path: Path, phase: str) -> None:
    done = ran(tmp_path, **{phase: ["false"]}, build=["true"], post_build=["true"])
    assert done.phases == {phase: "FAILED"}


def test_a_failed_build_still_runs_post_build_and_tells_it(tmp_path: Path) -> None:
    done = ran(tmp_path, build=["false"], post_build=["SAID=$CODEBUILD_BUILD_SUCCEEDING"])
    assert done.phases == {"build": "FAILED", "post_build": "SUCCEEDED"}
    assert (done.succeeded, done.exported) == (False, {"SAID": "0"})


def test_on_failure(tmp_path: Path) -> None:
    going = ran(tmp_path, pre_build={"commands": ["false"], "on-failure": "CONTINUE"}, build=["true"])
    assert (going.succeeded, list(going.phases)) == (True, ["pre_build", "build"])
    (tmp_path / "second").mkdir()
    over = ran(tmp_path / "second", build={"commands": ["false"], "on-failure": "ABORT"}, post_build=["true"])
    assert (over.succeeded, list(over.phases)) == (False, ["build"])


def test_a_command_that_exits_fails_with_its_status(tmp_path: Path) -> None:
    done = ran(tmp_path, build=["exit 3"], post_build=["SAID=alive"])
    assert (done.phases["build"], done.exported["SAID"]) == ("FAILED", "alive")


def test_the_default_shell_knows_no_brackets_of_bash(tmp_path: Path) -> None:
    assert not ran(tmp_path, kind="/bin/sh", build=["[[ a = a ]]"]).succeeded


def fake(tmp_path: Path, aws: EmbeddedAws) -> CodeBuildFake:
    region, account = "us-west-2", "111122223333"
    there = connector({**aws.environ(), EMBEDDED: "1"})(account, region)
    there.client("iam").create_role(
        RoleName="build",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "codebuild.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )
    return CodeBuildFake(
        folder=tmp_path / "builds",
        region=region,
        account=account,
        cloud=there.client,
        endpoint={key: value for key, value in aws.environ().items() if "KEY" not in key},
        image=PATH,
    )


def project(buildspec: str, **more: Any) -> Project:
    return Project(name="p", role="arn:aws:iam::111122223333:role/build", buildspec=buildspec, source="source", **more)


SPEC = """\
version: 0.2
env:
  shell: bash
  variables: {ONE: spec, TWO: spec, THREE: spec}
  parameter-store: {STORED: /a/b}
  exported-variables: [ALL]
phases:
  build:
    commands:
      - ALL="$ONE $TWO $THREE $STORED $SECRET"
      - mkdir out
      - echo "$CODEBUILD_BUILD_ID" >out/id
artifacts:
  base-directory: out
  files: [id]
"""


def test_variables_artifacts_and_builds(tmp_path: Path, aws: EmbeddedAws) -> None:
    """Start before project before build specification; stores are read; an artifact lies under the build's id."""
    builds = fake(tmp_path, aws)
    builds.origins["source"] = tmp_path / "source"
    (tmp_path / "source").mkdir()
    builds.cloud("ssm").put_parameter(Name="/a/b", Value="stored", Type="String")
    builds.cloud("secretsmanager").create_secret(Name="team/token", SecretString="hush")
    builds.cloud("s3").create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    kept = {
        "type": "S3",
        "location": "kept",
        "path": "render",
        "namespaceType": "BUILD_ID",
        "name": "out",
        "packaging": "NONE",
    }
    secret = {"name": "SECRET", "value": "team/token", "type": "SECRETS_MANAGER"}
    own = ({"name": "TWO", "value": "project"}, {"name": "THREE", "value": "project"}, secret)
    done = builds.start(project(SPEC, variables=own, artifacts=kept), variables={"THREE": "start"})
    assert (done.status, done.outcome.exported) == ("SUCCEEDED", {"ALL": "spec project start stored hush"})
    key = f"render/{done.id.partition(':')[2]}/out/id"
    assert builds.cloud("s3").get_object(Bucket="kept", Key=key)["Body"].read().decode().strip() == done.id
    assert "hush" not in json.dumps(builds.records)
    missing = builds.start(project(SPEC.replace("files: [id]", "files: [other]"), variables=own, artifacts=kept))
    assert (missing.outcome.succeeded, missing.status) == (True, "FAILED"), "a missing artifact fails the build"
