"""The engines' own command lines on the file that we write say what we say: the same findings, the same waivers."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from stackseal import yamltext
from stackseal.checks import checkov_env, run, with_metadata
from stackseal.checks.foreign import parse
from stackseal.model import Finding, Waiver
from unit.checks.samples import STACK, stack, template, world

TODAY = date(2026, 11, 20)
TEXT = """\
Parameters:
  Unused: {Type: String, Default: a}
  Open: {Type: String, Default: 0.0.0.0/0}
Conditions:
  Production: !Equals [!Ref "AWS::Region", us-west-2]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: churn-artifacts
      VersioningConfiguration: {Status: Enabled}
  Second:
    Type: AWS::S3::Bucket
    Condition: Production
    Properties:
      BucketNam: churn-second
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      DelaySeconds: 9999
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: all
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: !Ref Open}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: sts:AssumeRole, Principal: {Service: sagemaker.amazonaws.com}}
      Policies:
        - PolicyName: inline
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: ["s3:*"], Resource: "*"}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.8
      Handler: index.handler
      Role: !GetAtt Role.Arn
      Code: {ZipFile: "print(1)"}
      Environment: {Variables: {A: !Sub "plain"}}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: "kms:*", Principal: {AWS: "*"}, Resource: "*"}
Outputs:
  Wrong:
    Value: !Ref Nobody
"""
WAIVERS = [
    Waiver(check="CKV_AWS_18", reason="no logs wanted", owner="team", until="2027-01-01", resource="Bucket"),
    Waiver(check="CKV_AWS_117", reason="no VPC", owner="team", until="2027-01-01"),
    Waiver(check="CKV_AWS_21", reason="over", owner="team", until="2026-01-01"),
    Waiver(check="CKV_AWS_53", reason="hoped for", owner="team", until="2027-01-01", proposed=True),
    Waiver(check="W2531", reason="old", owner="team", until="2027-01-01", resource="Func*"),
    Waiver(check="W2001", reason="for later", owner="team", until="2027-01-01"),
    Waiver(check="E3034", reason="other stack", owner="team", until="2027-01-01", stack="other"),
]
Verdict: TypeAlias = set[tuple[str, str]]


def engine_json(*command: str | Path, cwd: Path) -> Any:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    return json.loads(done.stdout)


def plain_cfn_lint(path: Path, cwd: Path) -> Verdict:
    tool = Path(sys.executable).parent / "cfn-lint"
    found = engine_json(tool, "--format", "json", "--regions", "us-west-2", "--", path, cwd=cwd)
    return {(match["Rule"]["Id"], f"{match['Location']['Start']['LineNumber']} {match['Message']}") for match in found}


def plain_checkov(path: Path, cwd: Path) -> tuple[Verdict, Verdict]:
    tool = checkov_env.find(os.environ)
    assert tool is not None, "run `make setup`"
    options = ("--framework", "cloudformation", "--skip-download", "--output", "json")
    results = engine_json(tool, "--file", path, *options, cwd=cwd)["results"]
    assert not results["parsing_errors"]
    failed, skipped = (
        {(record["check_id"], record["resource"].rpartition(".")[2]) for record in results[which]}
        for which in ("failed_checks", "skipped_checks")
    )
    return failed, skipped


def ours(findings: Iterable[Finding], engine: str, *, waived: bool) -> Verdict:
    found = set()
    for finding in findings:
        excused = finding.waiver is not None and not finding.waiver.proposed
        if finding.engine == engine and excused is waived:
            assert finding.rendered is not None
            message = finding.message.partition(" (waiver of")[0]
            place = f"{finding.rendered.line} {message}" if engine == "cfn-lint" else finding.resource
            found.add((finding.check, str(place)))
    return found


@pytest.mark.slow
def test_the_plain_command_lines_agree_on_the_rendered_file(tmp_path: Path) -> None:
    body = with_metadata(parse(TEXT, "source.yaml").body, WAIVERS, stack=STACK, today=TODAY)
    text = yamltext.dump(body)
    path = tmp_path / "template.yaml"
    path.write_text(text)
    engines = world(tmp_path, "cfn-lint", "checkov")
    findings = run([template(text, stack())], world=engines, waivers=WAIVERS, today=TODAY)

    lint = plain_cfn_lint(path, tmp_path)
    failed, skipped = plain_checkov(path, tmp_path)
    assert ours(findings, "cfn-lint", waived=False) == lint
    assert ours(findings, "checkov", waived=False) == failed
    assert ours(findings, "checkov", waived=True) == skipped

    assert {"E3002", "E3034", "E6101"} <= {check for check, _ in lint}
    assert {("CKV_AWS_18", "Second"), ("CKV_AWS_21", "Second"), ("CKV_AWS_53", "Bucket")} <= failed
    assert skipped == {("CKV_AWS_18", "Bucket"), ("CKV_AWS_117", "Function")}
    assert {check for check, _ in ours(findings, "cfn-lint", waived=True)} == {"W2531", "W2001"}
