"""Records survive a round trip, and nothing else passes for one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stackseal.errors import Refused, UsageError
from stackseal.model import Growth, canonical_json, sha256
from stackseal.plan.record import LocalRecords, belonging, dump, growth, hashed, key, load, newest_first, record
from stackseal.plan.seal import normalise
from unit.plan.plans import HEAD, plan, reviewed, sealed
from unit.plan.templates import STACK


def test_a_record_survives_the_round_trip() -> None:
    assert load(dump(sealed()), source="here") == sealed()
    assert sealed().drift == {"Bucket": "IN_SYNC", "Reader": "MODIFIED"}
    assert dump(sealed()) == dump(load(dump(sealed()), source="here"))


def test_no_value_is_kept_in_clear() -> None:
    found = sealed()
    assert found.parameters == {"Name": sha256("b")}
    assert found.resolved == {"Vpc": sha256("vpc-1")}
    assert "vpc-1" not in dump(found)


def test_only_sealed_plans_are_recorded() -> None:
    with pytest.raises(UsageError, match="without a seal"):
        record(replace(plan(), seal=None), reviewed(), pull_request=1, head=HEAD, base=None, created="")


def forge(change: Callable[[dict[str, Any]], Any], *, checksum: bool) -> str:
    data = json.loads(dump(sealed()))
    del data["checksum"]
    change(data)
    old = json.loads(dump(sealed()))["checksum"]
    return json.dumps({**data, "checksum": sha256(canonical_json(data)) if checksum else old})


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(seal="0" * 64),
        lambda d: d.update(execution_role=None),
        lambda d: d["lines"].clear(),
        lambda d: d["stack"].update(account="999999999999"),
    ],
)
def test_an_edited_record_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(Refused, match="checksum"):
        load(forge(change, checksum=False), source="x.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("lines"),
        lambda d: d.update(extra=1),
        lambda d: d.update(version=2),
        lambda d: d.update(head="main"),
        lambda d: d.update(pull_request="7"),
        lambda d: d.update(seal="short"),
        lambda d: d["lines"][0].update(value="clear text"),
        lambda d: d["lines"][0].update(replacement="Maybe"),
        lambda d: d.update(change_set_name="seal-pr7-0123456-000000000000"),
    ],
)
def test_a_forged_record_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    with pytest.raises(Refused, match="review the pull request again"):
        load(forge(change, checksum=True), source="x.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "[" * 100_000, '{"version": NaN}'])
def test_what_is_no_record_at_all_is_refused(text: str) -> None:
    with pytest.raises(Refused) as raised:
        load(text, source="x.json")
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 4


def test_records_lie_where_the_design_says(tmp_path: Path) -> None:
    where = LocalRecords(tmp_path).put(sealed())
    assert where == str(tmp_path / f"seals/123456789012/us-west-2/{STACK.name}/7/{HEAD}.json")
    assert sorted(path.name for path in Path(where).parent.iterdir()) == [f"{HEAD}.json", "last"]


def test_the_newest_record_of_a_pull_request_comes_first(tmp_path: Path) -> None:
    store = LocalRecords(tmp_path)
    older = replace(sealed(), head="a" * 40, created="2026-11-19T00:00:00+00:00")
    other = replace(sealed(), pull_request=8)
    alone = replace(sealed(), pull_request=None)
    for item in (older, sealed(), other, alone):
        store.put(item)
    assert [item.head for item in store.of(STACK, 7)] == [HEAD, "a" * 40]
    assert store.of(STACK, 8) == (other,)
    assert store.of(STACK, None) == (alone,)
    assert store.of(STACK, 9) == ()
    assert newest_first([older, sealed()])[0].head == HEAD


def test_a_second_write_replaces_the_first(tmp_path: Path) -> None:
    store = LocalRecords(tmp_path)
    store.put(sealed())
    store.put(replace(sealed(), created="2026-11-21T00:00:00+00:00"))
    (found,) = store.of(STACK, 7)
    assert found.created.startswith("2026-11-21")


def test_a_record_in_anothers_place_is_refused(tmp_path: Path) -> None:
    store = LocalRecords(tmp_path)
    path = Path(store.put(sealed()))
    path.rename(path.with_name(f"{'b' * 40}.json"))
    with pytest.raises(Refused, match="another stack, pull request or commit"):
        store.of(STACK, 7)
    assert belonging(sealed(), STACK, 7, HEAD) == sealed()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    store = LocalRecords(tmp_path)
    path = Path(store.put(sealed()))
    real = path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(real)
    with pytest.raises(Refused, match="symbolic link"):
        store.of(STACK, 7)


def test_a_linked_folder_is_neither_written_nor_read(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    where = Path(LocalRecords(outside).put(sealed()))
    root = tmp_path / "root"
    root.mkdir()
    (root / "seals").symlink_to(outside / "seals")
    with pytest.raises(UsageError, match="seals is a symbolic link"):
        LocalRecords(root).put(replace(sealed(), created="2026-11-21T00:00:00+00:00"))
    with pytest.raises(Refused, match="seals is a symbolic link"):
        LocalRecords(root).of(STACK, 7)
    assert load(where.read_text(), source="x") == sealed()


@pytest.mark.parametrize(
    ("stack", "head"),
    [
        (replace(STACK, account="../../x"), HEAD),
        (replace(STACK, account="123"), HEAD),
        (replace(STACK, region="us/west"), HEAD),
        (replace(STACK, name="a/../b"), HEAD),
        (replace(STACK, name="a\n"), HEAD),
        (STACK, "../../../etc/passwd"),
        (STACK, ""),
    ],
)
def test_no_part_of_a_key_can_leave_the_folder(stack: Any, head: str) -> None:
    with pytest.raises(UsageError):
        key(stack, 7, head)


def test_hashes_are_sorted_by_name() -> None:
    assert list(hashed({"b": "1", "a": "2"})) == ["a", "b"]


def test_the_first_plan_has_not_grown_and_says_since_when_it_stands() -> None:
    assert growth(plan(), None, head=HEAD, now="2026-11-20T09:00:00+00:00") == Growth(
        since="2026-11-20T09:00:00+00:00", head=HEAD
    )


def test_an_equal_or_smaller_plan_stands_as_long_as_the_last_one() -> None:
    before = replace(sealed(), since="2026-11-20T08:00:00+00:00", grown=True)
    for smaller in (plan(), replace(plan(), changes=plan().changes[1:]), replace(plan(), changes=())):
        found = growth(smaller, before, head="b" * 40, now="2026-11-20T09:00:00+00:00")
        assert found == Growth(since="2026-11-20T08:00:00+00:00", grown=True, head="b" * 40)


def test_a_plan_that_does_more_says_what() -> None:
    fewer = replace(plan(), changes=plan().changes[1:])
    before = replace(sealed(), lines=normalise(fewer.changes), since="2026-11-20T08:00:00+00:00")
    found = growth(plan(), before, head=HEAD, now="2026-11-20T09:00:00+00:00")
    assert found.grown
    assert found.since == "2026-11-20T09:00:00+00:00"
    gone = plan().changes[0]
    assert found.lines
    assert all(gone.logical_id in line for line in found.lines)
    again = growth(
        plan(), replace(before, lines=normalise(plan().changes), since=found.since, grown=True), head=HEAD, now="x"
    )
    assert (again.lines, again.since, again.grown) == ((), found.since, True)


def test_a_record_keeps_since_when_its_plan_stands() -> None:
    made = replace(plan(), growth=Growth(since="2026-11-20T08:00:00+00:00", grown=True, head=HEAD))
    found = record(made, reviewed(), pull_request=1, head=HEAD, base=None, created="2026-11-20T09:00:00+00:00")
    assert (found.since, found.grown) == ("2026-11-20T08:00:00+00:00", True)
    assert load(dump(found), source="here") == found


def test_the_last_record_is_the_one_that_was_stored_last(tmp_path: Path) -> None:
    records = LocalRecords(tmp_path)
    assert records.last(STACK, sealed().pull_request) is None
    other = replace(sealed(), head="b" * 40)
    for found in (sealed(), other, sealed()):
        records.put(found)
        assert records.last(STACK, found.pull_request) == found
    assert {found.head for found in records.of(STACK, sealed().pull_request)} == {HEAD, "b" * 40}
    where = tmp_path / key(STACK, sealed().pull_request, HEAD)
    where.with_name("last").write_text(dump(replace(sealed(), pull_request=99)))
    with pytest.raises(Refused, match="another stack, pull request or commit"):
        records.last(STACK, sealed().pull_request)
