"""A file's name tells what is in it; its author hears which token is wrong, and the config still counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from stackseal import cli
from stackseal.catalogue.file_name import mismatch
from stackseal.model import Config, Json
from unit.render.samples import ENTERPRISE, EXAMPLES

TOKENS: Mapping[str, Json] = {
    "file:company_prefix": "techcorp",
    "file:env": "prod",
    "file:tenant_id": "a001",
    "file:region": "us-west-2",
    "file:use_case": "customer-churn",
    "file:ml": "ml",
    "file:source_control": "s3",
    "file:vpc_mode": "standalone",
    "file:vpc_source": "ssm",
    "file:workload": "workload",
    "file:rtb": "rtb",
}
RIGHT = "techcorp-prod-a001-us-west-2-customer-churn-ml-s3-standalone-ssm-workload-rtb"


def warnings(stem: str, values: Mapping[str, Json] = TOKENS) -> tuple[str, ...]:
    return mismatch(Config(path=f"configs/{stem}.yaml", data={}, marks={}), values)


@pytest.mark.spec("A07")
@pytest.mark.parametrize(
    ("token", "right", "wrong"),
    [
        ("company_prefix", "techcorp-", "edge-"),
        ("env", "-prod-", "-dev-"),
        ("tenant_id", "-a001-", "-a002-"),
        ("region", "-us-west-2-", "-us-east-1-"),
        ("use_case", "-customer-churn-", "-fraud-detection-"),
        ("ml", "-ml-", "-xx-"),
        ("source_control", "-s3-", "-codecommit-"),
        ("vpc_mode", "-standalone-", "-sgprov-"),
        ("vpc_source", "-ssm-", "-direct-"),
        ("workload", "-workload-", "-job-"),
    ],
)
def test_the_wrong_token_is_named(token: str, right: str, wrong: str) -> None:
    assert RIGHT.count(right) == 1
    (warning,) = warnings(RIGHT.replace(right, wrong))
    assert f"the token {token} is {wrong.strip('-')!r} where the content says {right.strip('-')!r}" in warning
    assert f"rename it to {RIGHT}.yaml, or correct the content" in warning


@pytest.mark.spec("A07")
def test_missing_and_surplus_tokens_are_named() -> None:
    assert warnings(RIGHT) == ()
    (missing,) = warnings(RIGHT.replace("-a001", ""))
    assert "the token tenant_id is '' where the content says 'a001'" in missing
    (last,) = warnings(RIGHT.removesuffix("-rtb"))
    assert "the token rtb is '' where the content says 'rtb'" in last
    (more,) = warnings(RIGHT + "-old")
    assert "it goes on with 'old' where the content has nothing more" in more
    without = {**TOKENS, "file:rtb": "", "file:workload": ""}
    (surplus,) = warnings(RIGHT, without)
    assert "it goes on with 'workload-rtb'" in surplus
    assert len(warnings(RIGHT.replace("prod", "dev").replace("-s3-", "-codecommit-"))) == 2
    assert warnings("anything", {}) == ()


@pytest.mark.spec("A05", "A07")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_has_the_name_of_its_content(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / path.name).write_bytes(path.read_bytes())
    assert cli.main(["validate-config", path.name, "--format", "json"], {}) == 0
    (facts,) = json.loads(capsys.readouterr().out)["configs"]
    assert facts["valid"] is True
    assert not [warning for warning in facts["warnings"] if "file's name" in warning]
    for name in facts["names"].values():
        assert len(name["value"]) <= name["limit"]


@pytest.mark.spec("A07")
def test_a_wrong_name_is_a_warning_and_the_config_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = ENTERPRISE.name.replace("-c001-", "-d009-")
    (tmp_path / name).write_bytes(ENTERPRISE.read_bytes())
    assert cli.main(["validate-config", name], {}) == 0
    said = capsys.readouterr()
    (line,) = [line for line in said.err.splitlines() if "file's name" in line]
    assert line.startswith(f"{name}:1:1: warning: ")
    assert "the token tenant_id is 'd009' where the content says 'c001'" in line
    assert f"{name}: valid" in said.out
