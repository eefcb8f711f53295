"""Property values as a diff: short ones side by side, long ones line by line."""

from __future__ import annotations

import json

from stackseal.model import KNOWN_AFTER_APPLY, Action, Change, PropertyChange
from stackseal.report.diff import diff, property_name
from unit.report.samples import prop

LONG = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": f"s3:Get{n}"} for n in range(12)]}


def lines(*properties: PropertyChange) -> list[str]:
    change = Change(action=Action.MODIFY, logical_id="R", type="T", properties=properties)
    return diff(change, because="because of", later="later").split("\n")


def test_a_short_value_is_one_line_each() -> None:
    assert lines(prop("/Properties/Size", "1", "2")) == ["- Size: 1", "+ Size: 2"]


def test_what_was_or_will_be_nothing_has_one_side() -> None:
    assert lines(prop("A", None, '"x"')) == ['+ A: "x"']
    assert lines(prop("A", '"x"', None)) == ['- A: "x"']
    assert lines(prop("A", None, None)) == [""]


def test_the_cause_stands_once_and_last() -> None:
    assert lines(prop("A", "1", f'"{KNOWN_AFTER_APPLY}"', cause="Key.Arn")) == [
        "- A: 1",
        "+ A: later  (because of Key.Arn)",
    ]


def test_long_values_are_compared_line_by_line() -> None:
    after = json.loads(json.dumps(LONG))
    after["Statement"][6]["Action"] = "s3:*"
    found = lines(prop("Policy", json.dumps(LONG), json.dumps(after), cause="Role"))
    assert found[0] == "@@ Policy  (because of Role) @@"
    assert [line.replace(" ", "") for line in found if line[0] in "-+"] == ['-"Action":"s3:Get6"', '+"Action":"s3:*"']
    assert len(found) == 9


def test_two_places_are_two_hunks() -> None:
    after = json.loads(json.dumps(LONG))
    after["Statement"][0]["Effect"] = after["Statement"][11]["Effect"] = "Deny"
    assert lines(prop("Policy", json.dumps(LONG), json.dumps(after))).count("@@ Policy @@") == 2


def test_a_long_value_against_a_short_one_is_listed() -> None:
    found = lines(prop("Policy", json.dumps(LONG), "{}"))
    assert found[-1] == "+ Policy: {}"
    assert all(line.startswith("- ") for line in found[:-1])


def test_values_that_only_look_different_are_listed() -> None:
    found = lines(prop("Policy", json.dumps(LONG), json.dumps(LONG, indent=4)))
    assert found[0].startswith("- Policy: {")
    assert any(line.startswith("+ Policy: {") for line in found)


def test_very_long_values_are_listed_without_comparing() -> None:
    one, two = json.dumps(list(range(3000))), json.dumps(list(range(1, 3001)))
    assert lines(prop("A", one, two))[0] == "- A: ["


def test_names_of_properties() -> None:
    assert property_name("/Properties/Tags/0/Value") == "Tags/0/Value"
    assert property_name("/TimeoutInMinutes") == "TimeoutInMinutes"
    assert property_name("Tags") == "Tags"
