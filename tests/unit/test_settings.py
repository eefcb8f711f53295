"""`stackseal.yaml`: what it may say, and the line of what it may not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stackseal import settings
from stackseal.errors import ConfigError
from stackseal.model import Gate, GateNeeds, GateOn, Waiver
from stackseal.settings import Settings

WAIVER = "waivers:\n  - check: E1\n    reason: it is tested elsewhere\n    owner: somebody\n    until: 2030-12-31\n"


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n\n   # accounts:\n", "{}\n", "\ufeff# x\n", "version: 1\n"])
def test_no_content_is_the_defaults(text: str) -> None:
    assert settings.parse(text.encode()) == Settings()


def test_everything_that_it_may_say() -> None:
    text = (
        "version: 1\nconfigs: stacks/live\naccounts:\n  111122223333:\n"
        "    execution_role: arn:aws:iam::111122223333:role/path/execute\n    artifact_bucket: my-bucket\n"
        "    roles:\n      plan: arn:aws:iam::111122223333:role/plan\n  '012345678901': {}\n"
        + WAIVER
        + "drift:\n  ignore:\n    - path: Tags.*\n"
        "      reason: a scheduler writes them\n      owner: somebody\n      until: 2031-01-01\n"
    )
    found = settings.parse(text.encode())
    assert found.configs == "stacks/live"
    assert found.account("111122223333").artifact_bucket == "my-bucket"
    assert found.account("012345678901") == found.account("999999999999")
    assert found.roles("plan") == {"111122223333": "arn:aws:iam::111122223333:role/plan"}
    assert found.roles("deploy") == {}
    (waiver,) = found.waived()
    assert waiver == Waiver(check="E1", reason="it is tested elsewhere", owner="somebody", until="2030-12-31")
    assert found.waived(proposed=True)[0].proposed is True
    assert found.drift.ignore[0].stack == "*"


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("gate: []\n", "1:1", "The settings are invalid at gate"),
        ("gates: all\n", "1:8", "The settings are invalid at gates"),
        ("gates:\n  - needs: approval\n", "2:5", "The settings are invalid at gates.0.on"),
        ("gates:\n  - on: any\n", "2:5", "The settings are invalid at gates.0.needs"),
        ("gates:\n  - on: always\n    needs: approval\n", "2:9", "The settings are invalid at gates.0.on"),
        ("gates:\n  - on: any\n    needs: luck\n", "3:12", "The settings are invalid at gates.0.needs"),
        ("gates:\n  - on: any\n    needs: approval\n    assumed: true\n", "4:14", "gates.0.assumed"),
        ("gates:\n  - on: any\n    needs: approval\n    env: ''\n", "4:10", "gates.0.env"),
        ("version: 2\n", "1:10", "The settings are invalid at version"),
        ("version: one\n", "1:10", "The settings are invalid at version"),
        ("configs: ../out\n", "1:10", "The settings are invalid at configs"),
        ("configs: /etc\n", "1:10", "The settings are invalid at configs"),
        ("catalogue: a/../../b\n", "1:12", "The settings are invalid at catalogue"),
        ("catalogue: /etc\n", "1:12", "The settings are invalid at catalogue"),
        ("catalogue: .\n", "1:12", "The settings are invalid at catalogue"),
        ("configs: ''\n", "1:10", "The settings are invalid at configs"),
        ("accounts:\n  1111: {}\n", "2:3", "The settings are invalid at accounts.1111"),
        ("accounts:\n  111122223333:\n    role: x\n", "3:5", "The settings are invalid at accounts.111122223333.role"),
        ("accounts:\n  111122223333:\n    execution_role: x\n", "3:21", "execution_role"),
        ("accounts:\n  111122223333:\n    artifact_bucket: My_Bucket\n", "3:22", "artifact_bucket"),
        ("accounts:\n  111122223333:\n    roles:\n      plan: x\n", "4:13", "accounts.111122223333.roles.plan"),
        ("accounts:\n  111122223333:\n    roles: {review: x}\n", "3:13", "accounts.111122223333.roles.review"),
        (
            "accounts:\n  111122223333:\n    roles:\n      drift: arn:aws:iam::999988887777:role/drift\n",
            "4:14",
            "at accounts.111122223333.roles.drift: the role is the account 999988887777's",
        ),
        ("accounts: []\n", "1:1", "The settings are invalid at accounts"),
        (WAIVER.replace("it is tested elsewhere", "short"), "3:13", "The settings are invalid at waivers.0.reason"),
        (WAIVER.replace("    owner: somebody\n", ""), "2:5", "The settings are invalid at waivers.0.owner"),
        (WAIVER.replace("2030-12-31", "2030-02-30"), "5:12", "The settings are invalid at waivers.0.until"),
        (WAIVER.replace("2030-12-31", "20301231"), "5:12", "The settings are invalid at waivers.0.until"),
        (WAIVER.replace("2030-12-31", "soon"), "5:12", "The settings are invalid at waivers.0.until"),
        (WAIVER.replace("2030-12-31", "٢٠٣٠-١٢-٣١"), "5:12", "The settings are invalid at waivers.0.until"),
        (WAIVER.replace("check: E1", "check: ''"), "2:12", "The settings are invalid at waivers.0.check"),
        (WAIVER + "    proposed: true\n", "6:15", "The settings are invalid at waivers.0.proposed"),
        ("[]\n", "1:1", "The settings are invalid at the top level"),
        ("false\n", "1:1", "The settings are invalid at the top level"),
        ("0\n", "1:1", "The settings are invalid at the top level"),
        ("version: 1\nversion: 1\n", "2:1", "The key 'version' is there twice"),
        ("configs: &a x\n", "1:10", "The file uses a YAML anchor"),
        ("a: [\n", "2:1", "The file is not valid YAML"),
        ("a: \x00\n", "1:4", "The file holds an invisible character"),
    ],
)
def test_invalid_settings_are_refused_at_their_line(text: str, place: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings.parse(text.encode())
    assert says in str(caught.value)
    assert caught.value.remedy
    line, _, column = place.partition(":")
    assert caught.value.where is not None
    assert caught.value.where.line == int(line)
    if "gates" not in says and ".role" not in says and "proposed" not in says:
        assert caught.value.where.column == int(column)


@pytest.mark.parametrize("version", ["2", '"2"', "one", "0", "null"])
def test_another_version_is_worded_for_people(version: str) -> None:
    with pytest.raises(
        ConfigError, match="invalid at version: this stackseal reads version 1 of the settings; see docs"
    ):
        settings.parse(f"version: {version}\n".encode())


def test_a_working_directory_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    assert settings.load(tmp_path) == Settings()
    (tmp_path / settings.FILE).write_text("configs: live\ncatalogue: infra//products/\n")
    assert settings.load(tmp_path).configs == "live"
    assert settings.load(tmp_path).catalogue == "infra/products"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / settings.FILE
    path.symlink_to("elsewhere.yaml")
    with pytest.raises(ConfigError, match="The settings are a symbolic link"):
        settings.load(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="The settings are not a file"):
        settings.load(tmp_path)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(ConfigError, match="The settings are not a file"):
        settings.load(tmp_path)
    path.unlink()
    path.write_bytes(b"#" * 10_000_000)
    with pytest.raises(ConfigError, match="The file is too large"):
        settings.load(tmp_path)


def test_gates_as_later_stages_see_them() -> None:
    text = b"gates:\n  - env: prod\n    on: data-loss\n    needs: approval\n"
    expected = Gate(env="prod", on=GateOn.DATA_LOSS, needs=GateNeeds.APPROVAL)
    assert settings.parse(text).rules == (expected,)


def test_without_gates_one_is_assumed_and_an_empty_list_is_none() -> None:
    assumed = (Gate(on=GateOn.DESTRUCTIVE, needs=GateNeeds.CODE_OWNER, assumed=True),)
    assert Settings().rules == settings.parse(b"gates:\n").rules == assumed
    assert settings.parse(b"gates: []\n").rules == ()
