"""Which change sets a closed pull request leaves, by name, description, state and day."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from stackseal.aws.shapes import ChangeSetRef
from stackseal.hosts.base import Pull
from stackseal.upkeep import cleanup
from stackseal.upkeep.cleanup import Given

DIGEST = "0123456789ab" + "0" * 52
TODAY = date(2026, 11, 20)


def ref(name: str = f"seal-pr7-abcdef0-{DIGEST[:12]}", **changes: str) -> ChangeSetRef:
    usual = {
        "status": "CREATE_COMPLETE",
        "execution_status": "AVAILABLE",
        "description": f"stackseal {DIGEST}",
        "created": "2026-11-01T00:00:00.000000+00:00",
    }
    return ChangeSetRef(name=name, arn=f"arn:{name}", **{**usual, **changes})


@pytest.mark.parametrize(
    "name",
    [
        f"seal-pr7-abcdef0-{DIGEST[:12]}x",
        f"seal-pr07-abcdef0-{DIGEST[:12]}",
        f"seal-pr-abcdef0-{DIGEST[:12]}",
        f"Seal-pr7-abcdef0-{DIGEST[:12]}",
        f"my-seal-pr7-abcdef0-{DIGEST[:12]}",
        f"deploy-abcdef0-{DIGEST[:12]}",
        "seal-pr7-abcdef0-ffffffffffff",
        "seal-pr7",
        "by-hand",
    ],
)
def test_what_no_review_has_named_is_nobodys(name: str) -> None:
    assert cleanup.number_of(ref(name)) is None
    assert cleanup.of_pull(7)([ref(name)]) == ()


@pytest.mark.parametrize("description", ["", "stackseal", f"stackseal {DIGEST} and more", f"other {DIGEST}"])
def test_what_no_review_has_described_is_nobodys(description: str) -> None:
    assert cleanup.number_of(ref(description=description)) is None


@pytest.mark.parametrize(
    ("name", "created", "goes"),
    [
        (f"deploy-abcdef0-{DIGEST[:12]}", "2026-10-01", True),
        (f"deploy-abcdef0-{DIGEST[:12]}", "2026-11-01", False),
        ("deploy-abcdef0-ffffffffffff", "2026-10-01", False),
        (f"deploy-abcdef0-{DIGEST[:12]}x", "2026-10-01", False),
        (f"deploy-{DIGEST[:12]}", "2026-10-01", False),
    ],
)
def test_what_was_planned_for_a_push_goes_when_nobody_can_approve_it_any_more(
    name: str, created: str, goes: bool
) -> None:
    found = ref(name, created=f"{created}T00:00:00.000000+00:00")
    assert cleanup.long_closed(Given(open=()), TODAY)([found]) == ((found,) if goes else ())


def test_a_deployment_takes_the_plans_of_others() -> None:
    refs = [ref(f"seal-pr{number}-abcdef0-{DIGEST[:12]}") for number in (9, 7, 12)]
    refs += [ref(f"seal-pr3-abcdef0-{DIGEST[:12]}", execution_status="OBSOLETE"), ref("by-hand")]
    refs += [ref(f"seal-pr9-abcdef1-{DIGEST[:12]}"), ref(f"deploy-abcdef0-{DIGEST[:12]}")]
    assert cleanup.others(refs, 7) == (9, 12)
    assert cleanup.others(refs, None) == (7, 9, 12)


def test_a_number_is_not_the_beginning_of_another() -> None:
    refs = [ref(f"seal-pr{number}-abcdef0-{DIGEST[:12]}") for number in (7, 70, 77, 17)]
    assert [item.name for item in cleanup.of_pull(7)(refs)] == [refs[0].name]


@pytest.mark.parametrize(
    ("status", "execution", "goes"),
    [
        ("CREATE_COMPLETE", "AVAILABLE", True),
        ("CREATE_COMPLETE", "OBSOLETE", True),
        ("FAILED", "UNAVAILABLE", True),
        ("DELETE_FAILED", "UNAVAILABLE", True),
        ("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", False),
        ("CREATE_COMPLETE", "EXECUTE_COMPLETE", False),
        ("CREATE_COMPLETE", "EXECUTE_FAILED", False),
        ("CREATE_IN_PROGRESS", "UNAVAILABLE", False),
        ("CREATE_PENDING", "UNAVAILABLE", False),
        ("DELETE_IN_PROGRESS", "UNAVAILABLE", False),
    ],
)
def test_what_works_or_was_executed_stays(status: str, execution: str, goes: bool) -> None:
    found = ref(status=status, execution_status=execution)
    assert cleanup.of_pull(7)([found]) == ((found,) if goes else ())


def test_of_an_open_pull_request_the_newest_stays() -> None:
    refs = [
        ref(f"seal-pr7-abcdef{day}-{DIGEST[:12]}", created=f"2026-11-0{day}T00:00:00.000000+00:00") for day in (2, 3, 1)
    ]
    assert [item.created[:10] for item in cleanup.of_pull(7, superseded=True)(refs)] == ["2026-11-01", "2026-11-02"]
    assert cleanup.of_pull(7, superseded=True)(refs[:1]) == ()


def test_a_review_supersedes_what_is_older_than_its_own() -> None:
    refs = [
        ref(f"seal-pr{number}-abcdef{day}-{DIGEST[:12]}", created=f"2026-11-0{day}T00:00:00.000000+00:00")
        for number, day in [(7, 1), (7, 2), (7, 3), (8, 1)]
    ]
    own = {item.name[:16]: item for item in refs}
    assert cleanup.before(7, own["seal-pr7-abcdef2"].arn)(refs) == (own["seal-pr7-abcdef1"],), "a newer one stays, too"
    assert cleanup.before(7, own["seal-pr7-abcdef1"].arn)(refs) == ()
    assert cleanup.before(7, "arn:that-is-gone")(refs) == (), "nobody knows what is older than it"
    assert cleanup.before(7, None)(refs) == tuple(refs[:3]), "nothing is left to change"
    executing = [replace(item, execution_status="EXECUTE_IN_PROGRESS") for item in refs]
    assert cleanup.before(7, None)(executing) == ()


@dataclass(kw_only=True)
class Asked:
    """A forge that remembers what it was asked."""

    known: dict[int, Pull]
    asked: list[int] = field(default_factory=list)

    def pull(self, number: int) -> Pull | None:
        self.asked.append(number)
        return self.known.get(number)


@pytest.mark.parametrize(
    ("pull", "goes"),
    [
        (Pull(number=7, open=True), False),
        (Pull(number=7, open=False, closed=date(2026, 10, 16)), False),
        (Pull(number=7, open=False, closed=date(2026, 10, 15)), True),
        (Pull(number=7, open=False, merged=True, closed=date(2026, 10, 15)), True),
        (Pull(number=7, open=False), False),
        (None, False),
    ],
)
def test_the_sweep_waits_35_days_after_the_close(pull: Pull | None, goes: bool) -> None:
    forge = Asked(known={7: pull} if pull else {})
    refs = [ref(), ref(f"seal-pr7-abcdef1-{DIGEST[:12]}"), ref("by-hand")]
    assert len(cleanup.long_closed(forge, TODAY)(refs)) == (2 if goes else 0)
    assert forge.asked == [7], "once for each pull request, never for what is nobody's"


def test_where_nobody_knows_the_day_the_age_of_the_change_set_counts() -> None:
    old, young = ref(created="2026-10-15T23:59:59.000000+00:00"), ref(created="2026-10-16T00:00:00.000000+00:00")
    assert cleanup.long_closed(Given(open=frozenset()), TODAY)([old, young]) == (old,)
    assert cleanup.long_closed(Given(open={7}), TODAY)([old]) == ()
    assert cleanup.long_closed(Given(open=frozenset()), TODAY)([ref(created="")]) == ()
