import os
import time
from pathlib import Path
from typing import Final

import pytest

from stackseal import cli
from stackseal.checks import foreign, run_foreign
from stackseal.errors import ConfigError, UsageError
from stackseal.model import Level, Location
from unit.checks.samples import world

SHORT = """\
Parameters:
  Name: {Type: String, Default: churn}
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Sub "${Name}-topic"
      DisplayName: !GetAtt Other.TopicName
"""


def test_short_functions_become_long_ones_and_defaults_values() -> None:
    found = foreign.parse(SHORT, "a.yaml")
    assert found.resources["Topic"]["Properties"] == {
        "TopicName": {"Fn::Sub": "${Name}-topic"},
        "DisplayName": {"Fn::GetAtt": ["Other", "TopicName"]},
    }
    assert found.parameters == {"Name": "churn"}
    assert found.stack is None
    assert found.text == SHORT


def test_every_node_has_its_line() -> None:
    found = foreign.parse(SHORT, "a.yaml")
    assert found.source.blame(("Resources", "Topic", "Properties", "TopicName", "Fn::Sub")).line == 7
    assert found.source.blame(("Resources", "Topic", "DeletionPolicy")) == found.source.blame(("Resources", "Topic"))
    assert found.source.node_at(6) == ("Resources", "Topic", "Properties")


def test_json_may_be_indented_by_tabs() -> None:
    found = foreign.parse('{\n\t"Resources": {\n\t\t"Topic": {"Type": "AWS::SNS::Topic"}\n\t}\n}\n', "a.json")
    assert list(found.resources) == ["Topic"]
    assert found.source.blame(("Resources", "Topic")).line == 3


@pytest.mark.parametrize("text", ["", "a: 1", "Resources: []", "- Resources"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        foreign.parse(text, "a.yaml")


HOSTILE = {
    "broken.yaml": b"Resources: {A: [\n",
    "twice.yaml": b"Resources:\n  A: {Type: T}\n  A: {Type: T}\n",
    "latin.yaml": b"Resources: {A: {Type: \xe9}}\n",
    "nul.yaml": b"Resources: {A: {Type: \x00}}\n",
    "deep.yaml": b"Resources: " + b"[" * 50_000,
    "large.yaml": b"Resources: {A: {Type: T}}\n" + b"#" * 1_100_000,
    "laughs.yaml": b"a: &a [l, l, l, l, l, l, l, l, l]\n"
    + b"".join(b"%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c]\n" % (i, i, *[i - 1] * 6) for i in range(98, 110))
    + b"Resources: {A: {Type: T}}\n",
    "utf16.yaml": "Resources: {A: {Type: T}}\n".encode("utf-16"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_a_finding_and_quick(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(HOSTILE[name])
    start = time.monotonic()
    (found,) = run_foreign([path], world=world(tmp_path))
    assert time.monotonic() - start < 2
    assert (found.check, found.level, found.where.path) == (foreign.UNREADABLE, Level.ERROR, path.as_posix())
    assert found.blocks


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("Resources: {A: [ # AWS::\n")
    (tmp_path / "good.yaml").write_text("Transform: Mine\nResources: {A: {Type: 'AWS::SNS::Topic'}}\n")
    found = run_foreign([tmp_path / "bad.yaml", tmp_path / "good.yaml"], world=world(tmp_path))
    assert [finding.check for finding in found] == ["unreadable", "transform"]


def test_a_folder_is_searched_for_templates(tmp_path: Path) -> None:
    for name, text in {
        "b/two.yml": "Transform: Two\nResources: {A: {Type: 'AWS::SNS::Topic'}}\n",
        "a.json": '{"Transform": "One", "Resources": {"A": {"Type": "AWS::SNS::Topic"}}}',
        "config.yaml": "name: churn\n",
        "notes.md": "Resources AWS::SNS::Topic",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = run_foreign([tmp_path], world=world(tmp_path))
    assert [Path(finding.where.path).name for finding in found] == ["a.json", "two.yml"]


def test_a_path_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        run_foreign([tmp_path / "none.yaml"], world=world(tmp_path))


def test_a_pipe_is_refused_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(UsageError, match=r"pipe\.yaml cannot be read: it is a pipe or a device, not a file; name a"):
        run_foreign([tmp_path / "pipe.yaml"], world=world(tmp_path))
    assert run_foreign([tmp_path], world=world(tmp_path)) == ()


def test_a_suppression_can_be_made_not_to_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n"
        "    Metadata: {cfn-lint: {config: {ignore_checks: [E3002]}}}\n    Properties: {TopicNam: churn}\n"
    )
    argv = ["check", str(path), "--engines", "cfn-lint"]
    assert cli.main(argv, {}) == 0
    assert "[E3002] waived by the template's own Metadata: no reason given" in capsys.readouterr().out
    assert cli.main([*argv, "--ignore-suppressions"], {}) == 1
    said = capsys.readouterr().out
    assert "[E3002]\n" in said
    assert said.endswith("1 findings, 1 blocking, 0 waived\n")


_PASSES_ANY: Final = """\
Resources:
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Metadata: {metadata}
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{{Effect: Allow, Action: "iam:PassRole", Resource: "arn:aws:iam::111122223333:role/team-*"}}]
"""


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("{stackseal: {skip: [{id: pass-role, comment: ours}]}}", "ours"),
        ("{stackseal: {skip: [{id: pass-role}]}}", "no reason given"),
        ("{stackseal: {skip: [{id: tags, comment: other}]}}", None),
        ("{checkov: {skip: [{id: pass-role, comment: another engine}]}}", None),
        ("{stackseal: {skip: [pass-role, 1, null]}}", None),
        ("{stackseal: {skip: pass-role}}", None),
        ("{stackseal: [skip]}", None),
        ("[]", None),
    ],
)
def test_a_template_may_excuse_itself_from_our_own_checks(tmp_path: Path, metadata: str, reason: str | None) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(_PASSES_ANY.format(metadata=metadata))
    (found,) = [one for one in run_foreign([path], world=world(tmp_path)) if one.check == "pass-role"]
    assert (found.waiver and found.waiver.reason) == reason


def test_an_engines_long_message_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        "Resources:\n  Role:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: p\n      Roles: [r]\n"
        "      PolicyDocument:\n        Version: '2012-10-17'\n        Statement:\n"
        "          - {Effect: Allow, Action: 's3:GetObjekt', Resource: '*'}\n"
    )
    (found,) = [one for one in run_foreign([path], world=world(tmp_path, "cfn-lint")) if one.check == "W3037"]
    assert len(found.message) == 500
    assert "getobjekt" in found.message
    assert found.message.endswith("…")


def test_engines_findings_stand_on_the_files_own_lines_and_it_may_excuse_itself(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(
        "Parameters:\n"
        "  Unused:\n"
        "    Type: String\n"
        "Resources:\n"
        "  Topic:\n"
        "    Type: AWS::SNS::Topic\n"
        "    Metadata: {cfn-lint: {config: {ignore_checks: [E3002]}}}\n"
        "    Properties:\n"
        "      TopicNam: churn\n"
    )
    unused, wrong = run_foreign([path], world=world(tmp_path, "cfn-lint"))
    assert (unused.check, unused.engine, unused.where.line, unused.stack) == ("W2001", "cfn-lint", 2, None)
    assert unused.rendered == Location(path=path.as_posix(), line=2, column=3)
    assert (wrong.check, wrong.where.line, wrong.resource) == ("E3002", 9, "Topic")
    assert wrong.waiver is not None
    assert wrong.waiver.owner == "the template's own Metadata"
    assert not wrong.blocks
