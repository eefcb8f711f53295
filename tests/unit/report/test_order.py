"""The order between the stacks of a change, in every format: waves, who waits for whom, what is known later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stackseal.model import Because, Plan, PlanKind, PlanOperation, Report, StackId, StackReport, Wait
from stackseal.report import FORMATS, graph, markdown
from stackseal.report import json as report_json
from stackseal.report.view import view
from unit.report import samples
from unit.report.hostile import ALL


def identity(name: str) -> StackId:
    return samples.stack_id(name)


def stack(name: str, wave: int, *waits: Wait, kind: PlanKind = PlanKind.CHANGE_SET) -> StackReport:
    plan = Plan(
        stack=identity(name),
        kind=kind,
        operation=PlanOperation.CREATE,
        changes=(),
        template_sha256="ab" * 32,
        awaits=tuple(wait for wait in waits if wait.changes),
        seal="cd" * 32,
    )
    return replace(samples.unchanged(), id=identity(name), wave=wave, waits=waits, plan=plan)


def reads(name: str, path: str, *, changes: bool = True) -> Wait:
    return Wait(stack=identity(name), path=path, changes=changes)


def ordered(*more: StackReport) -> Report:
    waiting = stack("ml", 2, reads("vpc", "/vpc/id"), reads("sg", "/sg/app", changes=False), kind=PlanKind.DEFERRED)
    return Report(run=samples.full().run, stacks=(waiting, stack("vpc", 1), stack("sg", 1), *more))


def test_the_comment_has_the_waves_and_what_is_waited_for() -> None:
    (text,) = markdown.render_parts(ordered())
    assert "### Order\n\n2 waves: the stacks of one go at the same time" in text
    assert "| 2 | `ml` | `vpc`: publishes `/vpc/id` (known after its deployment)<br>`sg`: publishes `/sg/app` |" in text
    assert "\n| 1 | `vpc` | " in text
    assert "**Sealed without its change set**" in text
    assert "held to what is sealed here. A plan that has grown since is refused" in text
    assert "\n**To plan again**" in text
    assert "predicted, not sealed" not in text


def test_the_graph_points_from_what_comes_first_to_what_comes_after() -> None:
    found = graph.order(view(ordered(stack("alone", 1))))
    assert [(edge.source, edge.target) for edge in found.edges] == [("ml", "sg"), ("ml", "vpc")]
    assert graph.mermaid(found).splitlines()[1:] == [
        '  n0(["+ alone<br/>wave 1"]):::add',
        '  n1(["+ ml<br/>wave 2"]):::add',
        '  n2(["+ sg<br/>wave 1"]):::add',
        '  n3(["+ vpc<br/>wave 1"]):::add',
        "  n2 --> n1",
        "  n3 --> n1",
        "  classDef add fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    ]
    small = graph.order(view(ordered(stack("alone", 1))), limit=3)
    assert ({node.name for node in small.nodes}, small.hidden) == ({"ml", "sg", "vpc"}, 1)


def test_stacks_of_one_name_in_two_accounts_are_two_nodes() -> None:
    other = replace(stack("vpc", 1), id=samples.stack_id("vpc", "999999999999"))
    assert len({node.name for node in graph.order(view(ordered(other))).nodes}) == 4


def test_one_wave_needs_no_order() -> None:
    report = Report(run=samples.full().run, stacks=(stack("a", 1), stack("b", 1)))
    assert not [name for name in ("markdown", "html") if "Order" in FORMATS[name].render(report)]


def test_a_deletion_waits_until_nobody_reads() -> None:
    gone = Wait(stack=identity("ml"), path="/vpc/id", because=Because.RELEASES)
    report = Report(run=samples.full().run, stacks=(stack("vpc", 2, gone), stack("ml", 1)))
    assert "| 2 | `vpc` | `ml`: has to stop reading `/vpc/id` |" in markdown.render(report)
    assert "has to stop reading <code>/vpc/id</code>" in FORMATS["html"].render(report)


@pytest.mark.parametrize("because", Because)
def test_every_reason_to_wait_has_its_words_in_every_format(because: Because) -> None:
    role = Wait(stack=identity("first"), path="arn:role", because=because)
    report = Report(run=samples.full().run, stacks=(stack("second", 2, role), stack("first", 1)))
    words = {
        Because.READS: "publishes",
        Because.RELEASES: "has to stop reading",
        Because.GRANTS: "holds the role",
        Because.USES: "is deleted with the role",
    }
    assert f"| 2 | `second` | `first`: {words[because]} `arn:role` |" in markdown.render(report)
    assert f"{words[because]} <code>arn:role</code>" in FORMATS["html"].render(report)


def test_html_has_the_picture_and_json_gives_everything_back() -> None:
    text = FORMATS["html"].render(ordered())
    assert 'aria-label="Order of the stacks"' in text
    assert text.count('marker-end="url(#tip-order)"') == 2
    assert report_json.loads(report_json.dumps(ordered())).stacks[0].waits == ordered().stacks[0].waits
    data = report_json.loads(report_json.dumps(ordered())).stacks[0]
    assert (data.wave, [wait.changes for wait in data.waits]) == (2, [True, False])


@pytest.mark.parametrize("text", ALL)
def test_no_text_breaks_out_of_the_order(text: str) -> None:
    report = ordered(stack("x", 3, reads("vpc", text)))
    plain = markdown.render(ordered(stack("x", 3, reads("vpc", "/a/b"))))
    found = markdown.render(report)
    assert found.count("\n|") == plain.count("\n|")
    drawn = graph.mermaid(graph.order(view(ordered(replace(stack(text, 3, reads("vpc", "/a")), id=identity(text))))))
    assert all(line.startswith(("  n", "  classDef ", "flowchart LR")) for line in drawn.splitlines())


def test_a_thousand_stacks_in_a_hundred_waves_still_fit_a_comment() -> None:
    many = [
        stack(f"stack-{n:04}", 3 + n // 10, *(reads(f"stack-{n - 10 - m:04}", f"/p/{m}") for m in range(9) if n > 20))
        for n in range(1000)
    ]
    assert all(len(part) <= markdown.LIMIT for part in markdown.render_parts(ordered(*many)))
