"""A stack set's plan, its steps, and the rule that it may shrink and never grow; no AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from stackseal.aws.shapes import InstanceState, StackSetState
from stackseal.errors import Failed
from stackseal.model import (
    STACK_SET,
    Config,
    Group,
    Permissions,
    Plan,
    PlanOperation,
    Product,
    SourceMap,
    Stack,
    StackId,
    StackSet,
    Target,
    Template,
    canonical_json,
    groups,
    targets,
)
from stackseal.plan import stack_set
from stackseal.plan.record import dump, load, record
from stackseal.plan.stack_set import Live
from stackseal.plan.stack_set_steps import against, steps

ROLE = "arn:aws:iam::111122223333:role/admin"
ONE, TWO, THREE = (Target(account=f"{n}" * 12, region="us-west-2") for n in "123")
PARAMETER = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/a", "Type": "String", "Value": "1"}}
BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {}}


def template(
    resources: Mapping[str, Any] | None = None, *, tags: Mapping[str, str] | None = None, **more: Any
) -> Template:
    described = StackSet(**{"permissions": Permissions.SELF_MANAGED, "regions": ("us-west-2",), **more})
    stack = Stack(
        id=StackId(account="999999999999", region="us-west-2", name="base"),
        product=Product(name="base", title="Base", section="base", root=Path(), template=""),
        config=Config(path="configs/base.yaml", data={}, marks={}),
        env="dev",
        slug="base",
        scenario="",
        variant="base",
        names={},
        context={},
        tags=tags or {},
        stack_set=described,
    )
    source = SourceMap(path="base", lines=(), rendered={}, template={}, config={})
    return Template(
        text="", body={"Resources": resources or {"A": PARAMETER}}, parameters={}, source=source, stack=stack
    )


def live(found: Template, *there: Target, status: str = "CURRENT", **more: Any) -> Live:
    """The set as the template makes it, with stacks."""
    state = StackSetState(
        name="base",
        body=canonical_json(found.body),
        permissions="SELF_MANAGED",
        tags=dict(found.stack.tags) if found.stack else {},
        administration_role=ROLE,
        execution_role="AWSCloudFormationStackSetExecutionRole",
    )
    instances = tuple(InstanceState(target=each, status=status) for each in there)
    return Live(state=replace(state, **more), instances=instances)


def planned(now: Live, head: Template, *wanted: Target) -> Plan:
    return stack_set.plan(now, frozenset(wanted), head, role=ROLE)


def lines(found: Plan) -> list[str]:
    return [f"{change.action.value} {change.logical_id}" for change in found.changes]


def other(value: str = "2") -> dict[str, Any]:
    return {"A": {**PARAMETER, "Properties": {**PARAMETER["Properties"], "Value": value}}}  # type: ignore[dict-item]


def test_nothing_differs() -> None:
    found = planned(live(template(), ONE), template(), ONE)
    assert (found.operation, found.changes) == (PlanOperation.NONE, ())


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"administration_role": "arn:aws:iam::111122223333:role/other"}, "AdministrationRoleARN"),
        ({"execution_role": "other"}, "ExecutionRoleName"),
        ({"tags": {"owner": "them"}}, "Tags/owner"),
        ({"parameters": {"P": "1"}}, "Parameters/P"),
        ({"capabilities": ("CAPABILITY_IAM",)}, "Capabilities"),
        ({"body": canonical_json({"Resources": {"A": PARAMETER}, "Outputs": {}})}, "Template"),
    ],
)
def test_what_changes_of_the_set_itself_is_named_and_reaches_every_stack(more: dict[str, Any], path: str) -> None:
    found = planned(live(template(), ONE, TWO, **more), template(), ONE, TWO)

    assert lines(found)[:3] == ["Modify base", f"Modify {ONE}", f"Modify {TWO}"]
    assert [item.path for item in found.changes[0].properties] == [path]


def test_only_stacks_that_are_not_up_to_date_are_tried_again() -> None:
    now = live(template(), ONE)
    stale = InstanceState(target=TWO, status="OUTDATED", detailed="FAILED")

    found = planned(replace(now, instances=(*now.instances, stale)), template(), ONE, TWO)

    assert lines(found) == [f"Modify {TWO}"]
    assert steps(found, None)[0].group == Group(accounts=(TWO.account,), regions=("us-west-2",))


def test_a_hidden_parameter_counts_as_unchanged() -> None:
    head = replace(template(), parameters={"Secret": "1"})
    assert planned(live(template(), ONE, parameters={"Secret": "****"}), head, ONE).changes == ()


def test_what_goes_with_a_stack_is_told_once_for_each() -> None:
    old = template({"A": PARAMETER, "B": BUCKET, "C": {**BUCKET, "DeletionPolicy": "Retain"}})
    found = planned(live(old, ONE, TWO), old, ONE)

    (gone,) = found.consequences
    assert (gone.logical_id, gone.data_loss) == (str(TWO), True)
    assert gone.sentence == (
        "The stack of this account and region is deleted with 2 resources. "
        "1 stay behind, no longer managed: C. Their data are lost."
    )


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (live(template(), ONE, permissions="SERVICE_MANAGED"), "it is SERVICE_MANAGED"),
        (live(template(), ONE, status="INOPERABLE"), f"a deletion failed in {ONE}"),
        (live(template(), ONE, body="Resources: {}"), "is not JSON"),
    ],
)
def test_what_no_update_can_mend_is_said(now: Live, why: str) -> None:
    with pytest.raises(Failed, match=why):
        planned(now, template(), ONE)


def test_steps_name_exactly_the_targets_and_delete_last() -> None:
    found = planned(live(template(), ONE, TWO), template(other()), TWO, THREE)

    assert [(step.kind, step.group and step.group.accounts) for step in steps(found, None)] == [
        ("update", (TWO.account,)),
        ("add", (THREE.account,)),
        ("remove", (ONE.account,)),
    ]


def test_where_every_stack_goes_an_update_that_names_none_comes_after() -> None:
    found = planned(live(template(), ONE), template(other()), TWO)
    assert [step.kind for step in steps(found, None)] == ["remove", "update", "add"]


def test_a_new_set_and_a_deleted_one() -> None:
    made = planned(Live(state=None), template(), ONE)
    gone = stack_set.deletion(live(template(), ONE), template(), role=ROLE)
    nothing = stack_set.deletion(Live(state=None), template(), role=ROLE)

    assert [step.kind for step in steps(made, None)] == ["create", "add"]
    assert [step.kind for step in steps(gone, None)] == ["remove", "delete"]
    assert (nothing.operation, nothing.changes) == (PlanOperation.NONE, ())


def test_groups_name_exactly_what_they_should() -> None:
    east = Target(account=ONE.account, region="us-east-1")
    wanted = {ONE, TWO, THREE, east}

    found = groups(wanted, ("us-west-2", "us-east-1"))

    assert found == (
        Group(accounts=(TWO.account, THREE.account), regions=("us-west-2",)),
        Group(accounts=(ONE.account,), regions=("us-west-2", "us-east-1")),
    )
    assert frozenset().union(*(group.targets for group in found)) == wanted
    assert targets(["1", "2"], ["a"]) == {Target(account="1", region="a"), Target(account="2", region="a")}


def reasons(sealed: Plan, now: Plan, head: Template, *, reviewed: Template | None = None) -> tuple[str, ...]:
    found = record(
        sealed, reviewed or head, pull_request=1, head="a" * 40, base=None, created="2030-01-01T00:00:00+00:00"
    )
    return against(load(dump(found), source="record"), now, head)


def test_a_plan_may_shrink_and_never_grow() -> None:
    head = template(other())
    sealed = planned(live(template(), ONE, TWO), head, ONE, TWO)

    assert reasons(sealed, planned(live(template(), ONE, TWO), head, ONE, TWO), head) == ()
    assert reasons(sealed, planned(live(template(), ONE), head, ONE), head) == ()
    assert reasons(sealed, planned(live(head, ONE, TWO), head, ONE, TWO), head) == ()
    assert reasons(sealed, planned(live(template(), ONE, TWO), head, ONE, TWO, THREE), head) == (
        f"Not reviewed: Add {THREE} (stack in an account).",
    )
    assert reasons(sealed, planned(live(template(), ONE, TWO), head, ONE), head) == (
        f"Not reviewed: Remove {TWO} (stack in an account).",
    )


def test_what_was_begun_may_be_brought_to_its_end() -> None:
    head = template()
    sealed = planned(Live(state=None), head, ONE, TWO)

    rest = planned(live(head, ONE, status="OUTDATED"), head, ONE, TWO)

    assert lines(rest) == [f"Modify {ONE}", f"Add {TWO}"]
    assert reasons(sealed, rest, head) == ()
    assert reasons(sealed, planned(live(head, THREE, status="OUTDATED"), head, THREE), head) != ()


def test_other_targets_operation_or_roles_are_other_inputs() -> None:
    sealed = planned(Live(state=None), template(), ONE)

    for head in (
        template(preferences={"MaxConcurrentCount": 2}),
        template(accounts=("1" * 12,)),
        template(auto_deployment=True),
        template(execution_role="other"),
        template(regions=("us-west-2", "eu-west-1")),
    ):
        assert (
            "are not the reviewed ones"
            in reasons(sealed, planned(Live(state=None), head, ONE), head, reviewed=template())[0]
        )
    gone = stack_set.deletion(live(template(), ONE), template(), role=ROLE)
    assert reasons(sealed, gone, template())[0] == "The plan would delete the stack set; reviewed was: create."


def test_the_set_is_listed_under_its_type() -> None:
    assert planned(Live(state=None), template(), ONE).changes[0].type == STACK_SET
