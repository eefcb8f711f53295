import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from stackseal.checks import run
from stackseal.checks.base import Engines
from stackseal.errors import Failed, UsageError
from stackseal.model import Finding, JsonPath, Level, StackId, Waiver
from unit.checks.samples import STACK, blamed, stack, template, world

TODAY = date(2026, 11, 20)
TEXT = """\
# config sha256:0
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: churn
      Tags:
      - Key: owner
        Value: ml-platform
      - Key: project
        Value: churn
  Name:
    Type: AWS::SSM::Parameter
    Properties:
      Name: /ml/demo/BucketName
      Type: String
      Value:
        Ref: Queue
      Tags:
        owner: ml-platform
        project: churn
"""


@pytest.mark.spec("A28")
@pytest.mark.parametrize(
    ("before", "after", "check", "line"),
    [
        ("  Name:\n    Type: AWS::SSM::Parameter\n", "  Gone:\n    Type: AWS::SNS::Topic\n", "ssm-outputs", 2),
        ("AWS::SQS::Queue", "AWS::SQS::Kew", "E3006", 4),
        ("Ref: Queue", "Ref: Nobody", "E1020", 18),
        ("Resources:\n", "Resources:\n  More:\n    Type: AWS::SNS::Topic\n", "resource-count", 2),
    ],
)
def test_a_tampered_template_is_reported_with_the_line(
    before: str, after: str, check: str, line: int, tmp_path: Path
) -> None:
    good = run([template(TEXT, stack())], world=world(tmp_path, "cfn-lint"), today=TODAY)
    assert good == ()
    assert before in TEXT
    found = run([template(TEXT.replace(before, after), stack())], world=world(tmp_path, "cfn-lint"), today=TODAY)
    (finding,) = (finding for finding in found if finding.check == check)
    assert (finding.level, finding.where.line, finding.where.path) == (Level.ERROR, line, "template.yaml")


@pytest.mark.slow
def test_engines_and_own_checks_point_at_the_config(tmp_path: Path) -> None:
    """And a config's value that checkov takes for a suppression is none."""
    properties: JsonPath = ("Resources", "Queue", "Properties")
    config: dict[JsonPath, int] = {properties[:2]: 4, (*properties, "QueueName"): 9, (*properties, "DelaySeconds"): 11}
    text = TEXT.replace(
        "QueueName: churn", 'QueueName: "churn checkov:skip=CKV_AWS_27:please"\n      DelaySeconds: 9999'
    )
    found = run([blamed(template(text, stack()), config)], world=world(tmp_path, "cfn-lint", "checkov"), today=TODAY)
    assert [finding.waiver for finding in found] == [None] * len(found)
    rows = {(finding.engine, finding.check, str(finding.where), finding.stack) for finding in found}
    assert rows == {
        ("cfn-lint", "E3034", "configs/demo.yaml:11:1", STACK),
        ("stackseal", "name-limits", "configs/demo.yaml:9:1", STACK),
        ("checkov", "CKV_AWS_27", "configs/demo.yaml:4:1", STACK),
    }


def checks(found: tuple[Finding, ...]) -> list[tuple[str, bool]]:
    return [(finding.check, finding.blocks) for finding in found]


def test_waivers_of_the_product_and_of_the_settings_count(tmp_path: Path) -> None:
    text = "Transform: Mine\nResources: {A: {Type: 'AWS::SNS::Topic'}}\n"
    own = Waiver(check="transform", reason="ours", owner="platform")
    settings = Waiver(check="resource-count", reason="moving", owner="team", until="2027-01-01")
    owner = stack(product_waivers=(own,), tags={}, publishes=())
    plain = run([template(text, stack(tags={}, publishes=()))], world=world(tmp_path), today=TODAY)
    assert checks(plain) == [("transform", True), ("resource-count", True)]
    waived = run([template(text, owner)], world=world(tmp_path), waivers=[settings], today=TODAY)
    assert checks(waived) == [("transform", False), ("resource-count", False)]


def test_a_products_waiver_does_not_count_for_another_product(tmp_path: Path) -> None:
    text = "Transform: Mine\nResources: {A: {Type: 'AWS::SNS::Topic'}}\n"
    own = Waiver(check="transform", reason="ours", owner="platform")
    plain = stack(tags={}, publishes=(), expected_resources=1)
    first = replace(plain, product=replace(plain.product, waivers=(own,)))
    second = replace(plain, id=StackId(account="1", region="us-east-1", name="z"))
    found = run([template(text, first), template(text, second)], world=world(tmp_path), today=TODAY)
    assert [(finding.stack, finding.blocks) for finding in found] == [("1/us-east-1/z", True), (STACK, False)]


def test_an_unused_waiver_of_the_settings_is_noted_but_not_one_of_the_product(tmp_path: Path) -> None:
    unused = Waiver(check="boundary", reason="r", owner="team", until="2027-01-01")
    owner = stack(product_waivers=(unused,), tags={}, publishes=(), expected_resources=0)
    found = run([template("Resources: {}", owner)], world=world(tmp_path), today=TODAY)
    assert found == ()
    found = run([template("Resources: {}", owner)], world=world(tmp_path), waivers=[unused], today=TODAY)
    assert checks(found) == [("unused-waiver", False)]


def test_metadata_without_a_waiver_does_not_count_in_a_stacks_template(tmp_path: Path) -> None:
    text = TEXT.replace("QueueName: churn", "QueueNam: churn")
    text += "Metadata: {cfn-lint: {config: {ignore_checks: [E3002]}}}\n"
    (found,) = run([template(text, stack())], world=world(tmp_path, "cfn-lint"), today=TODAY)
    assert (found.check, found.waiver, found.blocks) == ("E3002", None, True)


def test_a_template_without_a_stack_is_checked_for_the_given_region(tmp_path: Path) -> None:
    text = "Resources: {Space: {Type: 'AWS::Cloud9::EnvironmentEC2', Properties: {InstanceType: t3.small, ImageId: x}}}"
    engines = world(tmp_path, "cfn-lint")
    here = run([template(text)], world=engines, today=TODAY)
    there = run([template(text)], world=engines, today=TODAY, region="us-gov-west-1")
    assert ["E3006" in {finding.check for finding in found} for found in (here, there)] == [False, True]


def test_the_order_of_the_templates_does_not_matter(tmp_path: Path) -> None:
    bad = TEXT.replace("QueueName: churn", "QueueNam: churn")
    templates = [
        template(bad, stack(id=StackId(account=str(n), region="us-west-2", name=f"s{n}")), path=f"{n}.yaml")
        for n in range(3)
    ]
    first = run(templates, world=world(tmp_path, "cfn-lint"), today=TODAY)
    assert run(list(reversed(templates)), world=world(tmp_path, "cfn-lint"), today=TODAY) == first
    assert [finding.stack for finding in first] == sorted(str(finding.stack) for finding in first)
    assert len(first) == 3


def test_equal_texts_are_read_once_and_every_stack_gets_its_findings(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    answer = {"check_type": "cloudformation", "passed": 0}
    script = tmp_path / "checkov"
    script.write_text(f"""#!/bin/sh\nls "$2" | wc -l >'{seen}'\necho '{json.dumps(answer)}'\n""")
    script.chmod(0o755)
    engines = Engines(checkov=script, work=tmp_path, names=("checkov",))
    stacks = [stack(id=StackId(account=str(n), region="us-west-2", name="s")) for n in range(3)]
    found = run([template(TEXT, owner) for owner in stacks], world=engines, today=TODAY)
    assert int(seen.read_text()) == 1
    assert [(finding.check, finding.stack) for finding in found] == [
        ("checkov-unread", f"{n}/us-west-2/s") for n in range(3)
    ]


def test_a_scan_that_was_asked_for_and_cannot_run_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="checkov is not installed"):
        run([template(TEXT, stack())], world=Engines(checkov=None, work=tmp_path), today=TODAY)


def test_an_unknown_engine_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no engine lint: it is not known; choose among cfn-lint, checkov"):
        run([], world=world(tmp_path, "lint"), today=TODAY)


def test_nothing_to_check_is_no_finding(tmp_path: Path) -> None:
    assert run([], world=world(tmp_path, "cfn-lint", "checkov"), today=TODAY) == ()
