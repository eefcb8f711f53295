"""The build specifications: well formed, safe, and the product's own; projects part who reads from who may do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml

from contract.support import BIN, ROOT
from stackseal.commands.init import builds
from stackseal.errors import UsageError

SPECS: Final = sorted((ROOT / "buildspecs").glob("*.yml"))
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCHEMA: Final = json.loads((ROOT / "tests" / "contract" / "buildspec.schema.json").read_text(encoding="utf-8"))
STAGES: Final = ("Render", "Plan", "Publish", "Deploy", "Drift", "Cleanup")
TOKEN: Final = {"Publish", "Deploy", "Drift", "Cleanup"}
READS: Final = {"Render", "Cleanup"}
"""Started by a pull request's webhook."""


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def commands(path: Path) -> list[str]:
    phases = load(path)["phases"].values()
    return [command for phase in phases for command in (*phase["commands"], *phase.get("finally", ()))]


@cache
def template() -> dict[str, Any]:
    """The product's template as the golden files hold it."""
    case = "techcorp-prod-stackseal-us-west-2-builds"
    path = ROOT / "tests" / "golden" / "ci_codebuild" / case / "template.yaml"
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def resource(name: str) -> dict[str, Any]:
    found: dict[str, Any] = template()["Resources"][name]["Properties"]
    return found


def test_there_is_one_for_each_project() -> None:
    assert [path.stem for path in SPECS] == sorted(stage.lower() for stage in STAGES)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_build_specification_is_one(path: Path) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(load(path))
    for command in commands(path):
        subprocess.run(["bash", "-n"], input=command, text=True, check=True, capture_output=True)
    assert '"$CODEBUILD_SRC_DIR_toolkit/scripts/uv.sh"' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "wrong",
    [
        {"phase": {}},
        {"phases": {"prebuild": {"commands": ["true"]}}},
        {"phases": {"build": {"command": ["true"]}}},
        {"phases": {"build": {"commands": ["true", 1]}}},
        {"env": {"shell": "/bin/sh"}},
        {"env": {"shell": "bash", "variables": {"CODEBUILD_X": "1"}}},
        {"artifacts": {"files": []}},
        {"version": 0.1},
        {"reports": {"review": {"base-directory": ".", "files": ["a.xml"], "file-format": "JUNIT"}}},
        {"reports": {"a report": {"base-directory": ".", "files": ["a.xml"], "file-format": "JUNITXML"}}},
    ],
    ids=str,
)
def test_the_schema_finds_what_is_misspelt(wrong: dict[str, Any]) -> None:
    good = {"version": 0.2, "env": {"shell": "bash"}, "phases": {"build": {"commands": ["true"]}}}
    jsonschema.Draft202012Validator(SCHEMA).validate(good)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate({**good, **wrong})


def shellcheck(script: str) -> str:
    """What ShellCheck finds in a script of bash that ends at the first failure."""
    command = [BIN / "shellcheck", "--shell", "bash", "--format", "gcc", "-"]
    done = subprocess.run(command, input=script, text=True, capture_output=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_shellcheck_finds_nothing_in_the_commands(path: Path) -> None:
    """All of them together, because they share one shell; the sources' folders CodeBuild sets."""
    given = ': "${CODEBUILD_SRC_DIR_toolkit:=}" "${CODEBUILD_SRC_DIR_base:=}"'
    assert shellcheck("\n".join(["set -e", given, *commands(path)])) == ""
    assert not any(re.search(r"\b(eval|curl|wget|sudo)\b", command) for command in commands(path))


def test_shellcheck_finds_what_is_not_quoted() -> None:
    assert "SC2086" in shellcheck("echo $1")


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_shellcheck_finds_nothing_in_the_steps(path: Path) -> None:
    document = load(path)
    steps = [step for job in document.get("jobs", {}).values() for step in job.get("steps", ())]
    for step in [*steps, *document.get("runs", {}).get("steps", ())]:
        if "run" in step:
            assert shellcheck(step["run"]) == "", step["name"]


def test_shellcheck_finds_nothing_in_the_script_that_every_pipeline_begins_with() -> None:
    assert shellcheck((ROOT / "scripts" / "uv.sh").read_text(encoding="utf-8")) == ""


def test_the_product_holds_the_same_text() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "buildspecs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    for path in SPECS:
        source = resource(f"{path.stem.capitalize()}Project")["Source"]
        assert source["BuildSpec"] == path.read_text(encoding="utf-8"), path.stem


def test_no_build_takes_its_specification_from_a_repository() -> None:
    for stage in STAGES:
        text = resource(f"{stage}Project")["Source"]["BuildSpec"]
        assert text.count("\n") > 5, "a path would be read from the source"


def test_only_a_build_without_token_and_roles_reads_what_is_proposed() -> None:
    for stage in STAGES:
        names = {item["Name"] for item in resource(f"{stage}Project")["Environment"]["EnvironmentVariables"]}
        assert ("GITHUB_TOKEN" in names) is (stage in TOKEN), stage
        sids = {item["Sid"] for item in resource(f"{stage}Role")["Policies"][0]["PolicyDocument"]["Statement"]}
        assert ("Token" in sids) is (stage in TOKEN), stage
        assert ("RolesOfTheAccounts" in sids) is (stage not in {"Render", "Publish"}), stage
    render = {item["Sid"] for item in resource("RenderRole")["Policies"][0]["PolicyDocument"]["Statement"]}
    assert render == {"BuildLogs", "KeyOfWhatIsHandedOn", "HandOnTheBundle"}


def test_webhooks_are_filtered() -> None:
    """By the whole id of who did it, the base, and for forks by a person."""
    for stage in STAGES:
        triggers = resource(f"{stage}Project").get("Triggers")
        assert (triggers is not None) is (stage in {*READS, "Deploy"}), stage
        if stage in READS:
            (group,) = triggers["FilterGroups"]
            patterns = {item["Type"]: item["Pattern"] for item in group}
            assert set(patterns) == {"EVENT", "BASE_REF", "ACTOR_ACCOUNT_ID"}
            actors = re.compile(patterns["ACTOR_ACCOUNT_ID"])
            assert all(actors.search(actor) for actor in ("1000001", "1000002"))
            assert not any(actors.search(actor) for actor in ("11000001", "10000012", "1000003", "1000001\n1", ""))
            policy = triggers["PullRequestBuildPolicy"]
            assert policy["RequiresCommentApproval"] == "FORK_PULL_REQUESTS"
            assert "GITHUB_READ" not in policy["ApproverRoles"]


def test_what_init_writes() -> None:
    """The same texts, and a config whose toolkit is the one that was named."""
    files = builds(f"my-org/stackseal@{'a' * 40}")
    (config,) = [text for path, text in files.items() if path.suffix == ".yaml"]
    assert yaml.safe_load(config)["ci_codebuild"]["toolkit"] == {
        "repository": "https://github.com/my-org/stackseal",
        "commit": "a" * 40,
    }
    specs = {path: text for path, text in files.items() if path.suffix == ".yml"}
    assert sorted(specs) == [Path("buildspecs") / path.name for path in SPECS]
    assert all(text == (ROOT / path).read_text(encoding="utf-8") for path, text in specs.items())
    with pytest.raises(UsageError, match="full commit"):
        builds("my-org/stackseal@main")
