"""What would run code, or take a template from elsewhere, while a change set is made: refused before one is made."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from e2e.conftest import bench, embedded  # noqa: F401 - fixtures
from e2e.harness import ACCOUNT, Bench, example
from trust.figures import Count

WAIVED: Final = """
version: 1
configs: configs
accounts:
  "{account}": {{artifact_bucket: ours}}
waivers:
  - {{check: transform, reason: nested templates are ours, owner: platform, until: "2099-12-31"}}
"""
LOCATION: Final = {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/x.yaml"}}
HOSTILE: Final[dict[str, dict[str, Any]]] = {
    "a macro": {"Transform": "Evil"},
    "a macro of another account": {"Transform": ["AWS::LanguageExtensions", "123456789012::Evil"]},
    "serverless": {"Transform": "AWS::Serverless-2016-10-31"},
    "an include at the top": {"Transform": LOCATION},
    "an include inside": {"Resources": {"T": {"Type": "AWS::SNS::Topic", "Properties": {"Fn::Transform": LOCATION}}}},
    "a loop over resources": {"Resources": {"Fn::ForEach::X": ["N", ["a"], {"T${N}": {"Type": "AWS::SNS::Topic"}}]}},
    "a module": {"Resources": {"M": {"Type": "My::S3::Bucket::MODULE"}}},
    "a nested template of another's": {"Resources": {"N": ["https://theirs.s3.amazonaws.com/x.json"]}},
    "a nested template anywhere": {"Resources": {"N": ["https://evil.example/ours.s3.amazonaws.com/x.json"]}},
    "a nested template unknown today": {
        "Resources": {"N": [{"Fn::Sub": "https://${AWS::StackName}.s3.amazonaws.com/x"}]}
    },
    "a stack set's template": {"Resources": {"S": ["https://theirs.s3.amazonaws.com/x.json"]}},
}
OUTSIDE: Final = [name for name in HOSTILE if "nested" in name or "set" in name]


def changed(body: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    kinds = {"N": "AWS::CloudFormation::Stack", "S": "AWS::CloudFormation::StackSet"}
    resources = {
        name: {"Type": kinds[name], "Properties": {"TemplateURL": value[0]}} if name in kinds else value
        for name, value in more.get("Resources", {}).items()
    }
    top = {key: value for key, value in more.items() if key != "Resources"}
    return {**body, **top, "Resources": {**body["Resources"], **resources}}


def refused(bench: Bench, more: dict[str, Any]) -> str:  # noqa: F811 - the fixture
    """The failure that the plan job reports of a bundle with such a template; empty where a change set was made."""
    path = bench.folder / "ml" / "bundle.json"
    found = json.loads((bench.folder / "ml" / "clean.json").read_text(encoding="utf-8"))
    sheet = found["pairs"][0]["head"]
    sheet["body"] = json.dumps(changed(json.loads(sheet["body"]), more), sort_keys=True, separators=(",", ":"))
    path.write_text(json.dumps(found), encoding="utf-8")
    parts = ("--from-bundle", str(path), "--to-report", str(bench.folder / "ml" / "report.json"), "--format", "json")
    done = bench.run("review", "--base", "main", "--plan", "sealed", "--pull-request", "1", *parts)
    stacks = bench.client("cloudformation").list_stacks()["StackSummaries"]
    failures = "; ".join(done.facts["failures"])
    return failures if not stacks and done.facts["verdict"] == "blocked" else ""


@pytest.mark.e2e
@pytest.mark.trust
@pytest.mark.parametrize("waived", [False, True], ids=["plain", "waived"])
def test_nothing_is_made_of_it(bench: Bench, waived: bool, count: Count) -> None:  # noqa: F811 - the fixture
    if waived:
        text = WAIVED.format(account=ACCOUNT)
        (bench.folder / "stackseal.yaml").write_text(text, encoding="utf-8")
        bench.commit("Answer for nested templates")
    bench.git("switch", "--quiet", "--create", "pr-1")
    bench.write(example())
    bench.commit("Add a product")
    assert bench.run("review", "--base", "main", "--to-bundle", str(bench.folder / "ml" / "clean.json")).code == 0
    names = OUTSIDE if waived else list(HOSTILE)
    through = [name for name in names if "No change set is made" not in refused(bench, HOSTILE[name])]
    count("templates that come from elsewhere", inputs=len(names), breaks=len(through), detail="refused, waived or not")
    assert through == []
