"""What engines said is kept, and only what is whole, current and trusted counts."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from stackseal.checks import cache, checkov_env, digest, run
from stackseal.checks.base import Engines, Raw
from stackseal.checks.cache import Cache
from stackseal.checks.engines import cfn_lint, checkov
from stackseal.checks.raws import decode, encode
from stackseal.errors import Failed
from stackseal.model import Finding, JsonPath, Level, StackId, sha256
from stackseal.workers import Workers
from unit.checks.samples import blamed, stack, template, world

TODAY = date(2026, 11, 20)
BAD = """\
# Rendered by stackseal 0.1.0 from the product demo.
# config sha256:{digest}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueNam: churn
"""
RAWS = (
    Raw(check="E3002", level=Level.ERROR, message="m", path=("Resources", "Q", 0), line=7, column=3, help_url="u"),
    Raw(check="W1", level=Level.WARNING, message="", suppressed="because"),
)
KEY = sha256("key")


@pytest.fixture
def hands() -> Iterator[Workers]:
    with Workers() as found:
        yield found


def test_results_survive_the_way_through_json() -> None:
    assert decode(json.loads(json.dumps(encode(RAWS)))) == RAWS


@pytest.mark.parametrize(
    "rows",
    [
        None,
        {},
        [3],
        [[]],
        [["E1", "error", "m", [], 0, 1, ""]],
        [["E1", "fatal", "m", [], 0, 1, "", None]],
        [["E1", "error", "m", "path", 0, 1, "", None]],
        [["E1", "error", "m", [True], 0, 1, "", None]],
        [["E1", "error", "m", [1.5], 0, 1, "", None]],
        [["E1", "error", None, [], 0, 1, "", None]],
        [["E1", "error", "m", [], "0", 1, "", None]],
        [["E1", "error", "m", [], 0, 1, "", 3]],
    ],
)
def test_rows_of_another_shape_are_refused(rows: object) -> None:
    with pytest.raises(ValueError, match=r"shape|list"):
        decode(rows)


def kept(folder: Path) -> tuple[Cache, Path]:
    """A cache with one entry, and the entry's file."""
    found = Cache(folder=folder, writes=True)
    found.write(KEY, RAWS)
    (path,) = folder.rglob("*.json")
    return found, path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    found, _ = kept(tmp_path)
    assert found.read(KEY) == RAWS
    assert found.read(sha256("other")) is None
    found.write(KEY, ())
    assert found.read(KEY) == ()
    assert len(list(tmp_path.rglob("*"))) == 2, "a folder and a file, nothing that was left on the way"


def sealed(content: str) -> bytes:
    return f"{sha256(content)}\n{content}".encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"no checksum",
        sealed("no json"),
        sealed("[]"),
        sealed("3"),
        sealed("{}"),
        sealed(json.dumps({"key": sha256("other"), "raws": []})),
        sealed(json.dumps({"key": KEY, "raws": [["E1"]]})),
        sealed(json.dumps({"key": KEY, "raws": []})).replace(b"raws", b"rows"),
        sealed("[" * 100_000),
    ],
)
def test_what_is_damaged_or_foreign_is_as_good_as_none(content: bytes, tmp_path: Path) -> None:
    found, path = kept(tmp_path)
    path.write_bytes(content)
    assert found.read(KEY) is None


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    found, path = kept(tmp_path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert found.read(KEY) is None, place


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = Cache(folder=tmp_path / "file" / "cache", writes=True)
    found.write(KEY, RAWS)
    assert found.read(KEY) is None


def linted(config: str, line: int, engines: Engines, region: str = "us-west-2") -> Finding:
    """What cfn-lint finds in a template of this config, whose faulty value stands on that line."""
    path: JsonPath = ("Resources", "Queue", "Properties", "QueueNam")
    owner = stack(id=StackId(account="1", region=region, name=config), tags={}, publishes=(), expected_resources=1)
    found = blamed(template(BAD.format(digest=sha256(config)), owner), {path: line})
    (finding,) = (each for each in run([found], world=engines, today=TODAY) if each.engine == "cfn-lint")
    return finding


def test_configs_that_render_to_one_text_share_what_was_found_on_their_own_lines(
    tmp_path: Path, hands: Workers
) -> None:
    said = Cache(folder=tmp_path / "c", writes=True)
    engines = world(tmp_path, "cfn-lint", hands=hands, cache=said)
    first = linted("one", 3, engines)
    hands.close()  # from now on nothing can be linted
    second = linted("two", 8, engines)
    assert (first.where.line, second.where.line) == (3, 8)
    assert replace(second, where=first.where, stack=first.stack) == first
    with pytest.raises(Failed, match="cfn-lint did not start"):
        linted("two", 8, engines, region="us-east-1")


def test_a_full_hit_neither_looks_for_checkov_nor_starts_anything(tmp_path: Path, hands: Workers) -> None:
    engines = world(tmp_path, "checkov", hands=hands, cache=Cache(folder=tmp_path / "c", writes=True))
    text = template("Resources: {Queue: {Type: 'AWS::SQS::Queue'}}", stack())
    first = run([text], world=engines, today=TODAY)
    assert "CKV_AWS_27" in {finding.check for finding in first}
    hands.close()

    def install() -> Path:
        raise Failed("checkov was looked for")

    assert run([text], world=replace(engines, checkov=None, install=install), today=TODAY) == first
    other = template("Resources: {Queue: {Type: 'AWS::SQS::Queue', Properties: {}}}", stack())
    with pytest.raises(Failed, match="checkov was looked for"):
        run([text, other], world=replace(engines, checkov=None, install=install), today=TODAY)


def test_a_run_that_may_not_write_does_not(tmp_path: Path, hands: Workers) -> None:
    engines = world(tmp_path, "cfn-lint", hands=hands, cache=Cache(folder=tmp_path / "c", writes=False))
    linted("one", 3, engines)
    assert not (tmp_path / "c").exists()


def entry(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "c").rglob("*.json")
    return path


def test_verifying_reads_anew_and_fails_where_what_is_kept_is_wrong(tmp_path: Path, hands: Workers) -> None:
    engines = world(tmp_path, "cfn-lint", hands=hands, cache=Cache(folder=tmp_path / "c", writes=True))
    first = linted("one", 3, engines)
    verifying = replace(engines, cache=Cache(folder=tmp_path / "c", writes=True, verifies=True))
    assert linted("one", 3, verifying) == first
    content = canonical(entry(tmp_path), raws=[])
    entry(tmp_path).write_bytes(sealed(content))
    with pytest.raises(ValueError, match="not enough values"):  # a planted entry hides the finding
        linted("one", 3, engines)
    with pytest.raises(Failed, match="The cache of findings is wrong: cfn-lint says something else now of 1 of 1"):
        linted("one", 3, verifying)


def canonical(path: Path, **changes: object) -> str:
    return json.dumps({**json.loads(path.read_text().partition("\n")[2]), **changes})


def test_a_bad_day_of_an_engine_is_not_kept(tmp_path: Path, hands: Workers) -> None:
    engines = world(tmp_path, "cfn-lint", hands=hands, cache=Cache(folder=tmp_path / "c", writes=True))
    stopped = template("Metadata: 3\nResources: {}\n")
    assert cfn_lint.STOPPED in {finding.check for finding in run([stopped], world=engines, today=TODAY)}
    assert not (tmp_path / "c").exists()


def test_an_engine_is_what_it_is_made_of(tmp_path: Path, hands: Workers) -> None:
    """Its results are kept under its versions; where those are not known, nothing is kept."""
    engines = world(tmp_path, "cfn-lint", "checkov", hands=hands)
    lint = str(cfn_lint.identity(engines))
    assert "cfn-lint==1." in lint
    assert lint != cfn_lint.identity(replace(engines, informational=True))
    assert cfn_lint.identity(replace(engines, hands=None)) is None
    locked = checkov.identity(engines)
    lock = tmp_path / "lock.txt"
    lock.write_text("checkov==1.0")
    assert locked
    assert locked != digest.of_checkov({}, lock)
    found = checkov_env.find(os.environ)
    assert found is not None
    named = digest.of_checkov({"STACKSEAL_CHECKOV": str(found)}, lock)
    assert named == digest.of_checkov({"STACKSEAL_CHECKOV": str(found)}, checkov_env.LOCK), "its packages count"
    assert named != locked
    script = tmp_path / "bin" / "checkov"
    assert digest.of_checkov({"STACKSEAL_CHECKOV": str(script)}, lock) is None
    assert cache.scanned(cfn_lint, {}, engines) == {}
