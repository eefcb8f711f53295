"""The comment: its order, its limits, its determinism, and that no text in it does anything."""

from __future__ import annotations

import dataclasses
import re
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stackseal.model import (
    Action,
    Change,
    Consequence,
    Failure,
    Plan,
    PlanKind,
    PlanOperation,
    PolicyDelta,
    Reason,
    Replacement,
    Report,
    Risk,
    Role,
    Run,
    StackReport,
    Verdict,
)
from stackseal.report import encode, html, markdown, marker
from stackseal.report.view import view
from stackseal.report.view.effects import Counts
from unit.report import samples
from unit.report.hostile import ALL, Page, gfm


def comment(report: Report) -> str:
    (text,) = markdown.render_parts(report, key="ml")
    return text


def whole(text: str) -> str:
    """A comment in full detail, whatever its length, with one text in every slot."""
    (found,) = markdown.render_parts(samples.with_text(text), limit=10**7)
    return found


def without_links(page: Page) -> list[str]:
    return [tag for tag in page.tags if tag not in {"a", "/a"}]


@cache
def plain() -> list[str]:
    return without_links(Page(gfm(whole("x_y"))))


def destroying(count: int, sentence: str = "Removing it deletes everything in it.", name: str = "s") -> StackReport:
    ids = [f"Bucket{n:04}" for n in range(count)]
    plan = Plan(
        stack=samples.stack_id(name),
        kind=PlanKind.CHANGE_SET,
        operation=PlanOperation.UPDATE,
        template_sha256="aa",
        changes=tuple(Change(action=Action.REMOVE, logical_id=one, type="AWS::S3::Bucket") for one in ids),
        consequences=tuple(
            Consequence(logical_id=one, type="AWS::S3::Bucket", sentence=sentence, data_loss=True) for one in ids
        ),
        seal="cd" * 32,
    )
    empty = dataclasses.replace(samples.unchanged(), id=samples.stack_id(name), edges=(), resources=())
    return dataclasses.replace(empty, plan=plan)


def test_the_order_is_what_a_reviewer_needs_first() -> None:
    text = comment(samples.full())
    places = [
        text.index(part)
        for part in (
            "<!-- stackseal {",
            "## 🔴 Blocked",
            "**4 stacks** · 14 to add, 1 to change, 2 to replace, 14 to remove",
            "### ⚠️ Data loss and replacement",
            "### ❌ Could not be reviewed",
            "### Stacks",
            "<details>",
            "**Permissions**",
            "**Changes**",
            "**Findings**",
            "**Cost-relevant**",
            "```mermaid",
            "**On merge**",
            "**To waive**",
            "**To plan again**",
        )
    ]
    assert places == sorted(places)
    assert places[0] == 0


@pytest.mark.parametrize(
    ("report", "heading", "why"),
    [
        (samples.full(), "## 🔴 Blocked", "Blocked because 1 file could not be reviewed and 1 finding blocks."),
        (samples.human(), "## 🟡 Needs a human", "something that exists goes away or may go away and permissions grow"),
        (samples.ready(), "## 🟢 Ready", "sealed at `4f2a9c1d7be0`"),
    ],
)
def test_the_verdict_and_its_reason(report: Report, heading: str, why: str) -> None:
    text = comment(report)
    assert text.split("\n")[1] == heading
    assert why in text


def test_the_marker_says_what_the_comment_is_about() -> None:
    found = marker.read(comment(samples.ready()))
    assert found is not None
    assert {name: found[name] for name in found if name != "inputs"} == {
        "v": 1,
        "kind": "review",
        "id": "ml",
        "head": samples.COMMIT,
        "seal": view(samples.ready()).seal,
    }
    assert found["inputs"] == [stack.plan.word for stack in samples.ready().stacks if stack.plan]
    assert len(view(samples.ready()).seal) == 64


def test_a_review_with_an_unsealed_stack_has_no_seal() -> None:
    assert view(samples.human()).seal == ""
    assert "predicted, not sealed at `4f2a9c1d7be0`" in comment(samples.human())


def test_the_words_for_a_queue_are_all_there_or_none() -> None:
    ready = samples.ready().stacks
    one = dataclasses.replace(ready[0], id=samples.stack_id("one-more"))
    many = Report(run=samples.RUN, stacks=(one,) * (markdown.WORDS + 1))
    unsealed = Report(run=samples.RUN, stacks=(*ready, samples.created(kind=PlanKind.PREDICTED)))
    for report in (many, unsealed, Report(run=samples.RUN, stacks=())):
        assert "inputs" not in (marker.read(comment(report)) or {"inputs": "unreadable"})
    most = Report(run=samples.RUN, stacks=(one,) * markdown.WORDS)
    assert len((marker.read(comment(most)) or {})["inputs"]) == markdown.WORDS  # type: ignore[arg-type]


def test_one_unsealed_stack_unseals_the_review() -> None:
    mixed = Report(run=samples.RUN, stacks=(samples.updated(), samples.created(kind=PlanKind.PREDICTED)))
    assert view(Report(run=samples.RUN, stacks=(samples.updated(),))).seal
    assert view(mixed).seal == ""


def test_a_stack_without_changes_needs_no_seal_but_a_predicted_one_does() -> None:
    quiet = samples.unchanged()
    assert quiet.plan is not None
    bare = dataclasses.replace(quiet, plan=dataclasses.replace(quiet.plan, seal=None))
    guess = dataclasses.replace(quiet, plan=dataclasses.replace(quiet.plan, seal=None, kind=PlanKind.PREDICTED))
    assert view(Report(run=samples.RUN, stacks=(samples.updated(), bare))).seal
    assert not view(Report(run=samples.RUN, stacks=(samples.updated(), guess))).seal


def test_data_loss_comes_first_and_names_stack_resource_and_loss() -> None:
    lines = [line for line in comment(samples.full()).split("\n") if line.startswith("- 🔴 **removed**, **data loss**")]
    assert lines[0] == (
        "- 🔴 **removed**, **data loss**: `ModelDeployRepository` (`AWS::CodeCommit::Repository`) in "
        "`edge-prod-b001-us-west-2-fraud-detection-ml-stack`. "
        "Removing the repository deletes its whole history; clones are the only copies left."
    )
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("action", "policy", "said"),
    [
        (Action.REMOVE, "Delete", ", is deleted"),
        (Action.REMOVE, "Retain", ", is kept, no longer managed"),
        (Action.REMOVE, "Snapshot", ", is deleted, a snapshot is kept"),
        (Action.MODIFY, "ReplaceAndDelete", ", the old one is deleted"),
        (Action.MODIFY, "ReplaceAndRetain", ", the old one is kept, no longer managed"),
        (Action.MODIFY, "ReplaceAndSnapshot", ", the old one is deleted, a snapshot is kept"),
        (Action.REMOVE, "Archive", ", CloudFormation says `Archive`"),
        (Action.REMOVE, None, ""),
    ],
)
def test_what_becomes_of_the_old_resource_is_said_in_words(action: Action, policy: str | None, said: str) -> None:
    stack = destroying(1)
    assert stack.plan is not None
    replacement = Replacement.ALWAYS if action is Action.MODIFY else Replacement.NEVER
    (change,) = stack.plan.changes
    change = dataclasses.replace(change, action=action, replacement=replacement, policy_action=policy)
    plan = dataclasses.replace(stack.plan, changes=(change,))
    report = Report(run=samples.RUN, stacks=(dataclasses.replace(stack, plan=plan),))
    assert f"`Bucket0000` `AWS::S3::Bucket`{said}\n" in comment(report)
    page = html.render(report)
    assert said.removeprefix(", ").replace("`Archive`", "Archive") in page
    assert "the old one:" not in page


def test_something_that_goes_away_without_a_sentence_is_named_all_the_same() -> None:
    stack = samples.updated()
    assert stack.plan is not None
    silent = dataclasses.replace(stack.plan, consequences=(), retained=("ArtifactsBucket",))
    text = comment(Report(run=samples.RUN, stacks=(dataclasses.replace(stack, plan=silent),)))
    assert "🔴 **removed**: `ModelDeployRepository`" in text
    assert "no more is known about this type" in text
    assert (
        "`ArtifactsBucket` (`AWS::S3::Bucket`) in `edge-prod-b001-us-west-2-fraud-detection-ml-stack`. It stays" in text
    )


def test_one_sentence_does_not_cover_two_resources_of_one_name() -> None:
    stack = destroying(1)
    assert stack.plan is not None
    nested = dataclasses.replace(stack.plan.changes[0], nested=("Child",))
    plan = dataclasses.replace(stack.plan, changes=(*stack.plan.changes, nested))
    found = view(Report(run=samples.RUN, stacks=(dataclasses.replace(stack, plan=plan),)))
    assert [danger.sentence != "" for danger in found.dangers] == [True, False]


def test_one_sentence_about_many_resources_is_said_once_unless_data_is_lost() -> None:
    found = view(Report(run=samples.RUN, stacks=(samples.deleted(),)))
    sizes = {(danger.sentence, danger.data_loss): len(danger.resources) for danger in found.dangers}
    assert sizes["Removing it deletes its configuration.", False] == 9
    assert [len(danger.resources) for danger in found.dangers if danger.data_loss] == [1, 1, 1]
    assert sum(len(danger.resources) for danger in found.dangers if danger.whole is None) == 13


def test_a_long_list_of_names_is_taken_apart_and_not_cut() -> None:
    stack = destroying(3000)
    assert stack.plan is not None
    silent = dataclasses.replace(stack.plan, consequences=())
    report = Report(run=samples.RUN, stacks=(dataclasses.replace(stack, plan=silent),))
    assert len(view(report).dangers) == 1
    parts = markdown.render_parts(report)
    assert all(len(part) <= 65_000 for part in parts)
    assert re.findall(r"`(Bucket\d{4})`", "".join(parts)) == [f"Bucket{n:04}" for n in range(3000)]


def test_a_sentence_that_begins_with_the_name_needs_none_in_front() -> None:
    stack = destroying(1, "Bucket0000 (S3::Bucket b-1) is deleted. Its objects are lost.")
    line = next(one for one in comment(Report(run=samples.RUN, stacks=(stack,))).split("\n") if one.startswith("- 🔴"))
    assert line == (
        "- 🔴 **removed**, **data loss** in `s`: `Bucket0000` (`S3::Bucket b-1`) is deleted. Its objects are lost."
    )


def test_many_dangers_without_data_loss_are_folded_below_those_with() -> None:
    loss, stack = destroying(2), destroying(20, "It goes.", "t")
    assert stack.plan is not None
    harmless = tuple(
        dataclasses.replace(one, data_loss=False, sentence=f"{one.logical_id} goes.") for one in stack.plan.consequences
    )
    quiet = dataclasses.replace(stack, plan=dataclasses.replace(stack.plan, consequences=harmless))
    text = comment(Report(run=samples.RUN, stacks=(loss, quiet)))
    assert "<summary>20 more things go or may go away, without data loss</summary>" in text
    assert text.count("**data loss**") == 2
    assert text.index("**data loss**") < text.index("<summary>20 more") < text.index("`Bucket0019` goes.")
    assert Page(gfm(text)).tags.count("li") >= 22


def gone(count: int, env: str = "prod", *, retained: tuple[str, ...] = (), name: str = "gone") -> StackReport:
    """A planned deletion whose resources hold no data, each with a sentence of its own."""
    stack = destroying(count, "x", name)
    assert stack.plan is not None
    consequences = tuple(
        dataclasses.replace(one, data_loss=False, sentence=f"{one.logical_id} goes.") for one in stack.plan.consequences
    )
    plan = dataclasses.replace(stack.plan, operation=PlanOperation.DELETE, consequences=consequences, retained=retained)
    return dataclasses.replace(stack, plan=plan, env=env)


def dangers_of(text: str) -> tuple[str, str]:
    """The open and the folded part of the section about what goes away."""
    section = text.partition("### ⚠️ Data loss and replacement")[2].partition("\n### ")[0]
    above, _, folded = section.partition("<details>")
    return above, folded


@pytest.mark.parametrize(
    ("stack", "sentence"),
    [
        (
            gone(12, retained=("Bucket0001", "Bucket0003")),
            (
                "- 🔴 **The whole production stack `gone` is deleted**: 10 resources go, "
                "2 stay behind (`Bucket0001`, `Bucket0003`)."
            ),
        ),
        (gone(1, "dev"), "- 🔴 **The whole stack `gone` is deleted**: 1 resource goes, nothing stays behind."),
    ],
)
def test_a_deleted_stack_is_said_first_and_never_folded(stack: StackReport, sentence: str) -> None:
    above, folded = dangers_of(comment(Report(run=samples.RUN, stacks=(destroying(1), stack))))
    lines = [line for line in above.split("\n") if line.startswith("- ")]
    assert lines[0] == sentence
    assert lines[1].startswith("- 🔴 **removed**, **data loss**")
    assert ("In detail: 12 things go or may go away, without data loss" in folded) is (stack.env == "prod")
    assert " more " not in folded


def test_a_deleted_stack_is_named_in_the_page_and_on_many_pages() -> None:
    stacks = tuple(gone(9, name=f"s{number:03}", retained=("Bucket0000",)) for number in range(400))
    report = Report(run=samples.RUN, stacks=stacks)
    parts = markdown.render_parts(report)
    assert all(len(part) <= 65_000 for part in parts)
    assert "".join(parts).count("**The whole production stack `s") == 400
    assert html.render(report).count("<b>The whole production stack s") == 400


@pytest.mark.parametrize("count", [8, 9, 30])
def test_the_fold_never_leaves_the_visible_part_empty(count: int) -> None:
    stack = gone(count)
    assert stack.plan is not None
    update = dataclasses.replace(stack.plan, operation=PlanOperation.UPDATE)
    report = Report(run=samples.RUN, stacks=(dataclasses.replace(stack, plan=update),))
    above, folded = dangers_of(comment(report))
    assert above.count("\n- 🔴") == 8
    assert folded.count("\n- 🔴") == count - 8
    assert (f"<summary>{count - 8} more thing" in folded) is (count > 8)
    assert (f"<summary>{count - 8} more thing" in html.render(report)) is (count > 8)


def test_failures_are_counted_by_file_and_their_commands_stay_whole() -> None:
    where = samples.FAILURE.where
    failures = (
        Failure(
            message="churn: the stack churn cannot be planned: it is ROLLBACK_COMPLETE",
            remedy="delete the stack with `stackseal delete-product CONFIG --force` (retained resources stay), then "
            "run `stackseal recover x --region r`.",
            where=where,
        ),
        Failure(message="another", remedy="", where=dataclasses.replace(where, line=3)),
        Failure(message="a third", remedy="`x` <b>y</b> @someone `", where=dataclasses.replace(where, path="b.yaml")),
    )
    text = comment(Report(run=samples.RUN, stacks=(samples.unchanged(),), failures=failures))
    assert "Blocked because 2 files could not be reviewed." in text
    assert (
        "; delete the stack with `stackseal delete-product CONFIG --force` (retained resources stay), then run "
        "`stackseal recover x --region r`.\n" in text
    )
    assert "<b>" not in Page(gfm(text)).outside
    assert "@someone" not in Page(gfm(text)).outside
    page = html.render(Report(run=samples.RUN, stacks=(), failures=failures))
    assert "<code>stackseal delete-product CONFIG --force</code> (retained" in page


def test_a_conditional_or_cascading_replacement_is_not_called_certain() -> None:
    text = comment(Report(run=samples.RUN, stacks=(samples.updated(),)))
    assert "🟡 **may be replaced**: `BuildPipeline`" in text
    assert "*Only if another resource's change carries over.*" in text
    assert "*(cascade only)*" in text


def test_a_predicted_plan_says_so_everywhere() -> None:
    text = comment(samples.human())
    assert "**Predicted** from the templates of base and head" in text
    assert "(predicted)" in text
    assert "*Predicted, certain.*" in text
    assert "What is shown here is predicted and not sealed" in text


def test_a_removed_config_is_a_removed_stack_with_what_stays() -> None:
    text = comment(Report(run=samples.RUN, stacks=(samples.deleted(),)))
    assert "**stack removed**: \N{MINUS SIGN}13" in text
    assert "Stays behind, no longer managed: `ArtifactsBucket`." in text


def test_a_stack_without_a_plan_says_so() -> None:
    bare = dataclasses.replace(samples.created(), plan=None)
    text = comment(Report(run=samples.RUN, stacks=(bare,)))
    assert "| not planned |" in text
    assert "There is no plan" in text


def test_findings_stand_with_their_config_line_and_their_waiver() -> None:
    text = comment(samples.full())
    row = next(line for line in text.split("\n") if "CKV_AWS_21" in line)
    assert f"[line 14](https://github.com/techcorp/ml-infrastructure/blob/{samples.COMMIT}/{samples.FRAUD}#L14)" in row
    assert "Waived by `ml-platform` until `2027-03-31`: CloudTrail data events" in text
    assert "Proposed waiver, does not count yet by `ml-platform`" in text


def test_permissions_stand_with_risk_and_reason() -> None:
    text = comment(samples.full())
    row = next(line for line in text.split("\n") if "iam:PassRole" in line)
    assert "⚠️ permissions" in row
    assert "<br>only where `iam:PassedToService` `StringEquals` `codebuild.amazonaws.com`<br>only where `aws:" in row
    assert "`BuildProject` `create` [line 12]" in row


def test_permissions_are_counted_by_policy_and_risk() -> None:
    text = comment(Report(run=samples.RUN, stacks=(samples.created(),)))
    assert "**Permissions** (+8 \N{MINUS SIGN}0 different actions)" in text
    assert "| `execution-policy` | +1 \N{MINUS SIGN}0 | +7 \N{MINUS SIGN}0 | \N{EN DASH} | \N{EN DASH} |" in text


def test_many_permissions_are_the_most_risky_ones_and_a_count() -> None:
    where = samples.at(samples.CHURN, 9)
    reads = [samples.statement(f"R{n:03}", f"s3:Get{n}", "*", Risk.READ, "B", where) for n in range(60)]
    risky = samples.statement("Z", "iam:PassRole", "*", Risk.PERMISSIONS, "B", where)
    deltas = (
        PolicyDelta(role=Role.OPERATOR, added=(*reads, risky), removed=()),
        PolicyDelta(role=Role.EXECUTION, added=(*reads, risky), removed=()),
    )
    text = comment(Report(run=samples.RUN, stacks=(dataclasses.replace(samples.created(), policy_deltas=deltas),)))
    rows = [line for line in text.split("\n") if line.startswith("| \N{HEAVY PLUS SIGN}")]
    assert len(rows) == 25
    assert "execution-policy" in rows[0]
    assert "iam-policy" in rows[1]
    assert all("iam:PassRole" in row for row in rows[:2])
    assert "And 97 more statements of lower risk, left out here for length." in text
    assert "permissions +61 \N{MINUS SIGN}0" in text


def test_reasons_and_resources_of_one_statement_are_gathered_and_shortened() -> None:
    operations = ("create", "read", "update", "delete")
    one = dataclasses.replace(
        samples.EXECUTION.statements[0],
        resources=tuple(f"arn:{n}" for n in range(9)),
        because=tuple(
            Reason(resource=f"B{n}", operation=operation, where=samples.at(samples.CHURN, 9))
            for n in range(6)
            for operation in operations
        ),
    )
    delta = PolicyDelta(role=Role.EXECUTION, added=(one,), removed=())
    report = Report(run=samples.RUN, stacks=(dataclasses.replace(samples.created(), policy_deltas=(delta,)),))
    row = next(line for line in comment(report).split("\n") if line.startswith("| \N{HEAVY PLUS SIGN}"))
    assert row.count("create, read, update, delete") == 4
    assert "`arn:3`<br>and 5 more" in row
    assert "<br>and 2 more |" in row
    assert "`arn:8`" in markdown.render(report)


def test_values_stand_before_and_after() -> None:
    text = comment(samples.full())
    assert (
        '- Environment/ComputeType: "BUILD_GENERAL1_SMALL"\n+ Environment/ComputeType: "BUILD_GENERAL1_LARGE"' in text
    )
    assert "+ Artifacts/Location: known after the deployment  (because of ArtifactsBucket)" in text


def test_cost_is_types_and_sizes_without_prices() -> None:
    text = comment(samples.full())
    assert '`Environment/ComputeType` `"BUILD_GENERAL1_SMALL"` → `"BUILD_GENERAL1_LARGE"`' in text
    assert not re.search(r"[$€]\s?\d", text)


def test_the_graph_is_coloured_and_signed() -> None:
    text = comment(Report(run=samples.RUN, stacks=(samples.updated(),)))
    graph = text.split("```mermaid\n")[1].split("```")[0]
    assert 'n0["± ArtifactsBucket<br/>S3 Bucket"]:::replace' in graph
    assert '(["edge-prod-b001-us-west-2-scoring-stack"]):::same' in graph
    assert "classDef remove fill:" in graph


def test_no_links_where_the_run_has_no_page() -> None:
    local = Run(host="local", repository="", commit="")
    page = Page(gfm(comment(Report(run=local, stacks=(samples.created(), samples.updated())))))
    assert all(link.startswith(encode.HELP_HOSTS) for link in page.links)


def test_the_same_report_is_the_same_bytes_in_any_order_of_its_stacks() -> None:
    report = samples.full()
    turned = dataclasses.replace(report, stacks=tuple(reversed(report.stacks)))
    assert comment(report) == comment(report) == comment(turned)


def test_the_summary_is_the_comment_without_a_marker() -> None:
    assert comment(samples.full()).split("\n", 1)[1] == markdown.render_summary(samples.full())


# --- nothing that is written by others does anything ------------------------------------------------------------------

OURS = re.compile(
    rf"https://github\.com/techcorp/ml-infrastructure/(blob/{samples.COMMIT}/[^()\s]*#L\d+|actions/runs/7312)"
    r"|https://docs\.prismacloud\.io/[a-z0-9/-]+|https://github\.com/aws-cloudformation/[A-Za-z0-9/.#-]+"
)


@pytest.mark.parametrize("text", ALL)
def test_no_text_in_any_slot_changes_the_page(text: str) -> None:
    page = Page(gfm(whole(text)))
    # A path without a sound address has its name without a link, so links are compared by where they lead.
    assert without_links(page) == plain()
    assert all(OURS.fullmatch(link) for link in page.links)
    assert "img" not in page.tags
    assert not re.search(r"@\w|https?:|www\.|#\d", page.outside)


@settings(max_examples=25, deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_no_generated_text_changes_the_page(text: str) -> None:
    page = Page(gfm(whole(text)))
    assert without_links(page) == plain()
    assert all(OURS.fullmatch(link) for link in page.links)


@pytest.mark.parametrize("text", ["@org/team", "a|b`c", "</details>\n\n# x"])
def test_the_run_itself_is_foreign_too(text: str) -> None:
    run = Run(host=text, repository=text, commit=text, base=text, actor=text, url=text)
    page = Page(gfm(comment(Report(run=run, stacks=(samples.updated(),)))))
    assert all(link.startswith(encode.HELP_HOSTS) for link in page.links)
    assert page.tags.count("h1") == 0


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/help",
        "https://docs.aws.amazon.com.evil.example/",
        "javascript:alert(1)",
        "https://docs.aws.amazon.com/a)[b](https://evil.example",
    ],
)
def test_a_report_carries_nobodys_links(url: str) -> None:
    links = Page(gfm(comment(samples.with_help(url)))).links
    assert not any("evil" in link or "alert" in link for link in links)
    good = "https://docs.aws.amazon.com/x.html"
    assert good in Page(gfm(comment(samples.with_help(good)))).links


# --- limits -----------------------------------------------------------------------------------------------------------


def big(stacks: int, wide: str = "x") -> Report:
    """Many stacks with everything in them; `wide` fills the values."""
    every = []
    for n in range(stacks):
        stack = samples.updated()
        assert stack.plan is not None
        first = dataclasses.replace(
            stack.plan.changes[1],
            properties=tuple(samples.prop(f"/Properties/P{i}", None, f'"{wide * 80}"') for i in range(12)),
        )
        plan = dataclasses.replace(stack.plan, changes=(stack.plan.changes[0], first, *stack.plan.changes[2:]))
        name = f"stack-{n:04}"
        every.append(dataclasses.replace(stack, id=samples.stack_id(name), plan=plan))
    return Report(run=samples.RUN, stacks=tuple(every))


@pytest.mark.parametrize("wide", ["x", "語", "👩"])
@pytest.mark.parametrize("stacks", [1, 9, 60, 130])
def test_a_comment_fits_and_keeps_the_verdict_and_every_danger(stacks: int, wide: str) -> None:
    report = big(stacks, wide)
    parts = markdown.render_parts(report)
    assert all(len(part) <= 65_000 for part in parts)
    assert all(len(part.encode()) <= 262_144 for part in parts)
    assert "## 🔴 Blocked" in parts[0]
    assert sum(part.count("\n- 🔴 **removed**") for part in parts) == stacks
    assert sum(part.count("\n- 🟡 **replaced**") for part in parts) == stacks
    assert sum(part.count("\n- 🟡 **may be replaced**") for part in parts) == stacks
    assert parts[0].rstrip().endswith("actions/runs/7312).")


def test_detail_goes_in_the_stated_order() -> None:
    unlimited = markdown.render_parts(big(9), limit=10**7)[0]
    assert "<details>" in unlimited
    sizes = [len(markdown.render_parts(big(3), limit=limit)[0]) for limit in (65_000, 30_000, 14_000, 8_000)]
    assert sizes == sorted(sizes, reverse=True)
    small = markdown.render_parts(big(12), limit=40_000)[0]
    assert "left out here for length" in small
    assert "stack-0011" in small


def test_unchanged_stacks_lose_their_sections_first() -> None:
    quiet = [dataclasses.replace(samples.unchanged(), id=samples.stack_id(f"quiet-{n:03}")) for n in range(60)]
    report = Report(run=samples.RUN, stacks=(samples.updated(), *quiet))
    (text,) = markdown.render_parts(report, limit=30_000)
    assert "```diff" in text
    assert "Stacks without changes and findings have no section here" in text
    assert text.count("<details>") == 1
    assert "`quiet-059`" in text


def test_dangers_that_fill_more_than_one_comment_go_on_in_the_next() -> None:
    report = Report(run=samples.RUN, stacks=(destroying(900),))
    parts = markdown.render_parts(report, key="k")
    assert len(parts) > 1
    assert all(len(part) <= 65_000 for part in parts)
    found = re.findall(r"`(Bucket\d{4})`", "".join(parts))
    assert found == [f"Bucket{n:04}" for n in range(900)]
    marks = [marker.read(part) for part in parts]
    assert [mark and (mark["part"], mark["parts"], mark["id"], mark["head"]) for mark in marks] == [
        (n, len(parts), "k", samples.COMMIT) for n in range(1, len(parts) + 1)
    ]
    assert "The list goes on in the next comment." in parts[0]
    assert "goes on" not in parts[-1]
    assert "## 🟡 Needs a human" in parts[0]


def test_a_sentence_that_no_comment_holds_is_split_and_not_cut() -> None:
    sentence = " ".join(f"word{n}" for n in range(30_000))
    parts = markdown.render_parts(Report(run=samples.RUN, stacks=(destroying(1, sentence),)))
    assert all(len(part) <= 65_000 for part in parts)
    text = "".join(Page(gfm(part)).text for part in parts)
    pieces = "".join(re.findall(r"in s\. (.*)", text))
    assert pieces.replace(" ", "") == sentence.replace(" ", "")


def test_the_worst_characters_still_fit() -> None:
    report = Report(run=samples.RUN, stacks=(destroying(120, "\U000e0041`" * 300),))
    assert all(len(part) <= 65_000 for part in markdown.render_parts(report))


def test_a_summary_stays_under_its_bytes() -> None:
    report = big(130, "語")
    assert len(markdown.render(report).encode()) > 300_000
    text = markdown.render_summary(report, limit=100_000)
    assert len(text.encode()) <= 100_000
    assert "## 🔴 Blocked" in text
    tiny = markdown.render_summary(Report(run=samples.RUN, stacks=(destroying(900),)), limit=20_000)
    assert len(tiny.encode()) <= 20_000
    assert tiny.endswith("\n")


def test_megabytes_are_rendered_in_seconds() -> None:
    report = big(100, "語" * 20)
    started = time.perf_counter()
    parts = markdown.render_parts(report)
    assert time.perf_counter() - started < 30
    assert len(markdown.render(report).encode()) > 4_000_000
    assert sum(part.count("\n- 🔴 **removed**") for part in parts) == 100


# --- counting ---------------------------------------------------------------------------------------------------------


def test_counts_add_up() -> None:
    assert Counts(add=1, change=2) + Counts(remove=3, replace=4) == Counts(add=1, change=2, replace=4, remove=3)
    assert view(samples.full()).counts == Counts(add=14, change=1, replace=2, remove=14)


@pytest.mark.parametrize("replacement", [Replacement.CONDITIONAL, Replacement.ALWAYS])
def test_every_stack_has_its_own_status(replacement: Replacement) -> None:
    found = view(samples.full())
    assert [stack.status for stack in found.stacks] == [
        Verdict.BLOCKED,
        Verdict.HUMAN,
        Verdict.HUMAN,
        Verdict.READY,
    ]
    stack = samples.updated()
    assert stack.plan is not None
    change = dataclasses.replace(stack.plan.changes[4], action=Action.MODIFY, replacement=replacement)
    plan = dataclasses.replace(stack.plan, changes=(change,), consequences=())
    one = view(Report(run=samples.RUN, stacks=(dataclasses.replace(stack, plan=plan, findings=()),)))
    assert one.verdict is Verdict.HUMAN
    assert len(one.dangers) == 1
