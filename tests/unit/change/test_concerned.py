"""Which stacks a change concerns besides its own, and which published values it may change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from stackseal.catalogue import Resolved
from stackseal.change.concerned import Sides, concerned, moves
from stackseal.change.preparation import Prepared
from stackseal.change.subjects import Change, Subject
from stackseal.model import Config, SourceMap, Stack, StackId, Template, canonical_json
from stackseal.settings import Settings
from unit.checks.samples import stack as sample


def prepared(name: str, value: Any, *, reads: Sequence[str] = (), path: str = "", more: str = "") -> Prepared:
    """A stack with a VPC of this range, or of what it reads, that publishes the VPC's id."""
    own = path or f"/{name}"
    parameters = {f"P{index}": read for index, read in enumerate(reads)}
    body: dict[str, Any] = {
        "Parameters": {key: {"Type": "AWS::SSM::Parameter::Value<String>"} for key in parameters},
        "Resources": {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": value}},
            "Published": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": own, "Type": "String", "Value": {"Ref": "Vpc"}, "Description": f"d{more}"},
            },
        },
    }
    stack: Stack = sample(
        id=StackId(account="111122223333", region="us-west-2", name=name),
        config=Config(path=f"configs/{name}.yaml", data={}, marks={}),
        publishes=(own,),
        consumes=tuple(reads),
        tags={},
    )
    source = SourceMap(path=name, lines=(), rendered={}, template={}, config={})
    template = Template(text=canonical_json(body), body=body, parameters=parameters, source=source, stack=stack)
    return Prepared(resolved=Resolved(stack=stack, warnings=(), origins={}), template=template)


def template(*arguments: Any, **more: Any) -> Template:
    return prepared(*arguments, **more).template


PLAIN = template("vpc", "10.0.0.0/16")


@pytest.mark.parametrize(
    ("base", "head", "later", "expected"),
    [
        (None, PLAIN, set(), {"/vpc"}),
        (PLAIN, PLAIN, set(), set()),
        (PLAIN, template("vpc", "10.1.0.0/16"), set(), {"/vpc"}),
        (PLAIN, template("vpc", "10.0.0.0/16", more="another text"), set(), set()),
        (PLAIN, template("vpc", "10.0.0.0/16", path="/other"), set(), {"/other"}),
        (template("b", {"Ref": "P0"}, reads=["/a"]), template("b", {"Ref": "P0"}, reads=["/a"]), {"/a"}, {"/b"}),
        (template("b", {"Ref": "P0"}, reads=["/a"]), template("b", {"Ref": "P0"}, reads=["/a"]), {"/x"}, set()),
        (PLAIN, None, set(), set()),
    ],
)
def test_a_value_moves_when_it_is_new_or_what_it_names_is_replaced(
    base: Template | None, head: Template | None, later: set[str], expected: set[str]
) -> None:
    assert moves(base, head, later) == expected


A = prepared("a", "10.0.0.0/16")
NEW_A = prepared("a", "10.1.0.0/16")
B = prepared("b", {"Ref": "P0"}, reads=["/a"])
C = prepared("c", {"Ref": "P0"}, reads=["/b"])
D = prepared("d", "10.9.0.0/16", reads=["/elsewhere"])


def change(base: Prepared, head: Prepared) -> Change:
    subject = Subject(id=head.stack.id, base=base.resolved, head=head.resolved)
    after = tuple(item.resolved for item in (head, B, C, D))
    return Change(base="b", head="h", settings=Settings(), waivers=(), subjects=(subject,), failures=(), after=after)


def sides(base: Prepared, head: Prepared) -> dict[str, Sides]:
    return {"a": (base, head), **{item.stack.id.name: (item, item) for item in (B, C, D)}}


def test_what_reads_a_value_that_moves_takes_part_and_so_does_what_reads_its_own() -> None:
    known = sides(A, NEW_A)
    found = concerned(change(A, NEW_A), lambda subject: known[subject.id.name])
    assert [(part.subject.id.name, part.wave) for part in found.parts] == [("a", 1), ("b", 2), ("c", 3)]
    assert [[wait.changes for wait in part.waits] for part in found.parts] == [[], [True], [True]]
    a, b, c = found.parts
    assert a.notes[0].startswith("Others read what this change may change (/a by b) and follow in later waves.")
    assert b.notes[0].endswith("it reads what this change may change: /a of a.")
    assert b.notes[1].startswith("Others read what this change may change (/b by c)")
    assert (len(a.notes), len(c.notes)) == (1, 1)


def test_a_change_that_moves_no_value_concerns_nobody_else() -> None:
    quiet = prepared("a", "10.0.0.0/16", more="another text")
    known = sides(A, quiet)
    assert len(concerned(change(A, quiet), lambda subject: known[subject.id.name]).parts) == 1


def test_a_stack_that_cannot_be_prepared_is_left_out_and_asked_once() -> None:
    known, asked = sides(A, NEW_A), list[str]()

    def prepare(subject: Subject) -> Sides | None:
        asked.append(subject.id.name)
        return None if subject.id.name == "b" else known[subject.id.name]

    found = concerned(change(A, NEW_A), prepare)
    assert [part.subject.id.name for part in found.parts] == ["a"]
    assert asked == ["a", "b"]


def test_nothing_is_concerned_by_no_change() -> None:
    empty = Change(base="b", head="h", settings=Settings(), waivers=(), subjects=(), failures=(), after=(B.resolved,))
    assert concerned(empty, lambda _: None).parts == ()
