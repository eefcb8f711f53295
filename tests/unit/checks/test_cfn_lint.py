import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stackseal.checks.base import Job, Raw
from stackseal.checks.engines import cfn_lint
from stackseal.errors import Failed
from stackseal.model import Level
from unit.checks.samples import world

BROKEN = """\
Parameters:
  Unused:
    Type: String
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueNam: churn
"""


def scan(text: str, tmp_path: Path, *, region: str = "us-west-2", informational: bool = False) -> list[Raw]:
    engines = world(tmp_path, "cfn-lint", informational=informational)
    return list(cfn_lint.scan({"key": Job(text=text, region=region, resources=1)}, engines)["key"])


def test_errors_and_warnings_have_their_place_and_level(tmp_path: Path) -> None:
    unused, unknown = scan(BROKEN, tmp_path)
    assert (unused.check, unused.level, unused.line, unused.path) == (
        "W2001",
        Level.WARNING,
        2,
        ("Parameters", "Unused"),
    )
    assert (unknown.check, unknown.level, unknown.line, unknown.column) == ("E3002", Level.ERROR, 8, 7)
    assert unknown.path == ("Resources", "Queue", "Properties", "QueueNam")
    assert unknown.resource == "Queue"
    assert unknown.help_url.startswith("https://github.com/aws-cloudformation/cfn-lint")


def test_informational_rules_are_silent_unless_asked_however_many_texts_came_before(tmp_path: Path) -> None:
    text = "Resources: {Queue: {Type: 'AWS::SQS::Queue'}}"
    assert scan(text, tmp_path) == []
    asked = scan(text, tmp_path, informational=True)
    assert {raw.check for raw in asked} >= {"I3011"}
    assert {raw.level for raw in asked} == {Level.NOTE}
    assert scan(text, tmp_path) == []


def test_the_stacks_region_decides(tmp_path: Path) -> None:
    text = "Resources: {Space: {Type: 'AWS::Cloud9::EnvironmentEC2', Properties: {InstanceType: t3.small, ImageId: x}}}"
    assert not any(raw.check == "E3006" for raw in scan(text, tmp_path, region="us-east-1"))
    assert any(raw.check == "E3006" for raw in scan(text, tmp_path, region="us-gov-west-1"))


def test_a_region_that_does_not_exist_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        Failed, match="Region 'moon-1' cannot be checked: cfn-lint does not know it; correct the region"
    ):
        scan("Resources: {}", tmp_path, region="moon-1")


@pytest.mark.parametrize(
    "text",
    ["", "[", "- a", "Resources: []", "\x00", "Resources: {A: 1}", "a: &a [*a]", "Resources: {Fn::ForEach::A: []}"],
)
def test_what_is_no_template_is_an_error(text: str, tmp_path: Path) -> None:
    assert any(raw.level is Level.ERROR for raw in scan(text, tmp_path))


def test_a_template_on_which_cfn_lint_crashes_is_an_error(tmp_path: Path) -> None:
    (raw,) = scan("Metadata: 3\nResources: {}\n", tmp_path)
    assert (raw.check, raw.level) == (cfn_lint.STOPPED, Level.ERROR)
    assert "AttributeError" in raw.message


def test_a_templates_own_directives_are_reported_and_not_obeyed(tmp_path: Path) -> None:
    everywhere = BROKEN + "Metadata: {cfn-lint: {config: {ignore_checks: [E3], regions: [moon-1]}}}\n"
    assert {raw.check: raw.suppressed for raw in scan(everywhere, tmp_path)} == {"W2001": None, "E3002": ""}
    resource = BROKEN + "    Metadata: {cfn-lint: {config: {ignore_checks: [E3002, W2001]}}}\n"
    assert {raw.check: raw.suppressed for raw in scan(resource, tmp_path)} == {"W2001": None, "E3002": ""}


@pytest.mark.parametrize("directives", ["3", "{config: 3}", "{config: {ignore_checks: 3}}", "null"])
def test_malformed_directives_suppress_nothing(directives: str, tmp_path: Path) -> None:
    raws = scan(BROKEN + f"Metadata: {{cfn-lint: {directives}}}\n", tmp_path)
    assert [raw.suppressed for raw in raws] == [None, None]


def test_the_same_text_gives_the_same_findings_again_and_beside_others(tmp_path: Path) -> None:
    jobs = {str(number): Job(text=BROKEN + "#" * number, region="us-west-2", resources=1) for number in range(3)}
    results = cfn_lint.scan(jobs, world(tmp_path, "cfn-lint"))
    assert results["0"] == results["1"] == results["2"]
    assert len(results["0"]) == 2


def test_names_in_a_message_are_sorted_whatever_the_process(tmp_path: Path) -> None:
    names = [f"Role{number}" for number in range(9)]
    roles = ", ".join(f"{name}: {{Type: 'AWS::IAM::Role', Properties: {{RoleName: a}}}}" for name in names)
    messages = {raw.message for raw in scan(f"Resources: {{{roles}}}", tmp_path) if raw.check == "E3019"}
    (message,) = messages
    assert message.endswith("{" + ", ".join(f"'{name}'" for name in names) + "}")


PROGRAM = """
import json, sys
from pathlib import Path
if sys.argv[1] == "api":
    import cfnlint.config, cfnlint.runner
    cfnlint.runner.Runner(cfnlint.config.ConfigMixIn())
    found = []
else:
    from stackseal.checks.base import Engines, Job
    from stackseal.checks.engines import cfn_lint
    job = Job(text=Path(sys.argv[2]).read_text(), region="us-west-2", resources=1)
    engines = Engines(checkov=None, work=Path("."))
    found = [raw.check for raw in cfn_lint.scan({"key": job}, engines)["key"]]
print(json.dumps(found))
"""


@pytest.mark.parametrize("place", ["cwd", "home"])
def test_a_pull_requests_cfnlintrc_is_not_read(place: str, tmp_path: Path) -> None:
    """The first run proves that the trap works: cfn-lint itself imports what the file names."""
    folders = {name: tmp_path / name for name in ("cwd", "home")}
    for folder in folders.values():
        folder.mkdir()
    rules, sprung = folders[place] / "evil", tmp_path / "sprung"
    rules.mkdir()
    (rules / "evil.py").write_text(f"from pathlib import Path\nPath({str(sprung)!r}).touch()\n")
    (folders[place] / ".cfnlintrc").write_text(f"append_rules: [{rules}]\nignore_checks: [E, W]\n")
    (tmp_path / "template.yaml").write_text(BROKEN)

    def run(which: str) -> list[str]:
        command = [sys.executable, "-c", PROGRAM, which, str(tmp_path / "template.yaml")]
        environment = {"PATH": os.environ["PATH"], "HOME": str(folders["home"])}
        done = subprocess.run(command, cwd=folders["cwd"], env=environment, capture_output=True, text=True, check=True)
        found: list[str] = json.loads(done.stdout)
        return found

    run("api")
    assert sprung.exists()
    sprung.unlink()
    assert run("ours") == ["W2001", "E3002"]
    assert not sprung.exists()
