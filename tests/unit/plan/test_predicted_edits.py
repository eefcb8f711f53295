"""The predicted plan against what AWS documents, edit by edit; the table's own health first."""

from __future__ import annotations

import pytest

from stackseal import facts
from stackseal.model import Action, Certainty, Replacement
from stackseal.plan.predicted import predict
from unit.plan.edits import BASES, EDITS, Edit
from unit.plan.templates import template


def test_the_table_is_wide_enough() -> None:
    assert len(EDITS) >= 40
    assert {edit.type for edit in EDITS} == set(BASES)
    assert set(BASES) <= facts.types()
    assert {edit.replacement for edit in EDITS} == set(Replacement)


@pytest.mark.parametrize("edit", EDITS, ids=str)
def test_an_edit_does_what_aws_documents(edit: Edit) -> None:
    before = {"R": {"Type": edit.type, "Properties": BASES[edit.type]}}
    properties = {**BASES[edit.type], edit.property: edit.after}
    if edit.after is None:
        del properties[edit.property]
    after = {"R": {"Type": edit.type, "Properties": properties}}

    plan = predict(template(before), template(after))

    assert [change.action for change in plan.changes] == [Action.MODIFY]
    (change,) = plan.changes
    assert change.replacement is edit.replacement
    assert change.certainty is Certainty.CERTAIN
    assert {item.path.split("/")[0] for item in change.properties} == {edit.property}
    assert change.policy_action == ("ReplaceAndDelete" if edit.replacement is Replacement.ALWAYS else None)
