from collections import Counter

import pytest

from stackseal.checks import CHECKS
from stackseal.model import Finding, Level, Location, Name, Stack, Template
from unit.checks.samples import FIXTURES, STACK, TAGS, blamed, stack, template


def fixture(name: str, which: str) -> Template:
    path = FIXTURES / name / f"{which}.yaml"
    return template(path.read_text(), stack(), path=f"{which}.yaml")


def check(name: str, text: str, owner: Stack | None = None) -> list[Finding]:
    return list(CHECKS[name].check(template(text, owner)))


@pytest.mark.parametrize("name", CHECKS)
def test_a_good_template_has_no_finding(name: str) -> None:
    assert list(CHECKS[name].check(fixture(name, "good"))) == []


@pytest.mark.parametrize("name", CHECKS)
def test_a_bad_template_has_its_findings_on_the_lines_that_say_bad(name: str) -> None:
    bad = fixture(name, "bad")
    findings = list(CHECKS[name].check(bad))
    marked = {number for number, line in enumerate(bad.text.splitlines(), 1) if line.endswith("# bad")}
    assert {finding.where.line for finding in findings} == marked
    assert {finding.check for finding in findings} == {name}
    assert {finding.engine for finding in findings} == {"stackseal"}
    assert {finding.level for finding in findings} == {CHECKS[name].LEVEL}
    assert {finding.stack for finding in findings} == {STACK}
    assert all(finding.message.endswith(".") and "\n" not in finding.message for finding in findings)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(
    "body",
    [
        "Resources: {}",
        "Resources: {A: 1, B: [], C: null, D: {Type: 3}}",
        "Resources: {A: {Type: 'AWS::S3::Bucket', Properties: []}}",
        "Resources: {A: {Type: 'AWS::IAM::Role', Properties: {ManagedPolicyArns: 3, Policies: x}}}",
        "Resources: {Fn::ForEach::Many: [X, [a], {}]}",
        "{Parameters: 3, Transform: 4, Resources: {A: {Type: 'AWS::SSM::Parameter', Properties: {Name: [1]}}}}",
    ],
)
def test_no_check_stumbles_over_a_malformed_template(name: str, body: str) -> None:
    for owner in (None, stack(expected_resources=None, publishes=())):
        assert all(finding.check == name for finding in check(name, body, owner))


@pytest.mark.parametrize("name", ["resource-count", "ssm-outputs", "stateful-retention", "tags"])
def test_checks_of_a_products_promise_say_nothing_about_foreign_templates(name: str) -> None:
    bad = fixture(name, "bad")
    assert list(CHECKS[name].check(template(bad.text))) == []


def test_a_finding_stands_on_the_config_line_that_caused_it() -> None:
    text = "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: Upper\n"
    found = blamed(template(text, stack()), {("Resources", "Bucket", "Properties", "BucketName"): 7})
    (finding,) = CHECKS["name-limits"].check(found)
    assert finding.where == Location(path="configs/demo.yaml", line=7)
    assert finding.rendered is not None
    assert finding.rendered.line == 5
    assert finding.resource == "Bucket"


def test_resource_count_says_both_numbers_and_the_variant() -> None:
    (finding,) = check("resource-count", "Resources: {A: {Type: 'AWS::SNS::Topic'}}", stack(expected_resources=13))
    assert "has 1 resources" in finding.message
    assert "demo (starter) promises 13" in finding.message
    assert check("resource-count", "Resources: {}", stack(expected_resources=None)) == []


def test_a_test_stack_retains_nothing() -> None:
    text = "Resources: {A: {Type: 'AWS::S3::Bucket'}}"
    assert len(check("stateful-retention", text, stack())) == 2
    assert check("stateful-retention", text, stack(test=True)) == []


def test_a_computed_name_over_its_limit_is_found_even_if_no_resource_bears_it() -> None:
    name = Name(key="role", value="r" * 65, wanted="r" * 65, limit=64)
    (finding,) = check("name-limits", "Resources: {}", stack(names={"role": name}))
    assert "has 65 characters, the service takes 64" in finding.message


@pytest.mark.parametrize(("length", "count"), [(63, 0), (64, 1)])
def test_a_bucket_name_has_63_characters_at_most(length: int, count: int) -> None:
    text = f"Resources: {{A: {{Type: 'AWS::S3::Bucket', Properties: {{BucketName: {'b' * length}}}}}}}"
    assert len(check("name-limits", text, stack())) == count


def test_tags_name_what_is_missing() -> None:
    (finding,) = check("tags", "Resources: {A: {Type: 'AWS::SNS::Topic'}}", stack())
    assert finding.level is Level.WARNING
    assert ", ".join(sorted(TAGS)) in finding.message


def test_ssm_outputs_name_the_missing_path() -> None:
    (finding,) = check("ssm-outputs", "Resources: {}", stack())
    assert "/ml/demo/BucketName" in finding.message


def test_a_name_that_only_the_deployment_knows_is_not_judged() -> None:
    text = "Resources: {A: {Type: 'AWS::S3::Bucket', Properties: {BucketName: {'Fn::ImportValue': UPPER}}}}"
    assert check("name-limits", text, stack()) == []


def test_pass_role_says_what_is_too_broad() -> None:
    messages = [finding.message for finding in CHECKS["pass-role"].check(fixture("pass-role", "bad"))]
    assert Counter("to any service" in message for message in messages) == {True: 3, False: 3}
    assert any("for *" in message for message in messages)
