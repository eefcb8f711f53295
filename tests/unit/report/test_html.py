"""The HTML report: everything in one file that asks nobody for anything."""

from __future__ import annotations

import dataclasses
import itertools
import re
from functools import cache
from html.parser import HTMLParser

import pytest

from stackseal.model import Report
from stackseal.report import compare, html, markdown
from unit.report import samples
from unit.report.hostile import ALL, Page, gfm

QUIET = Report(run=samples.RUN, stacks=(samples.unchanged(),))
VOID = {"meta", "br", "link", "img", "hr", "input"}


@cache
def plain() -> Page:
    return Page(html.render(samples.with_text("x")))


@cache
def plain_since() -> Page:
    return Page(html.render(QUIET, samples.with_text("x")))


@cache
def skeleton(filling: str) -> list[str]:
    """The structure of the Markdown page about a difference, without links."""
    before = dataclasses.replace(samples.with_text(filling), stacks=samples.full().stacks[:2])
    found = Page(gfm(markdown.render(samples.with_text(filling), before))).tags
    return [tag for tag in found if tag not in {"a", "/a"}]


class Strict(HTMLParser):
    """Fails on an element that is not closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.urls: list[str] = []
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attrs:
            assert not name.startswith("on")
            self.ids += [value or ""] if name == "id" else []
            self.urls += [value or ""] if name in {"href", "src", "xlink:href", "action", "data"} else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.names.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def previous() -> Report:
    before = dataclasses.replace(
        samples.updated(), findings=(), policies=(), config_values={"ml_product.tier": '"starter"', "old": "1"}
    )
    run = dataclasses.replace(samples.RUN, commit="ab" * 20)
    return Report(run=run, stacks=(before, dataclasses.replace(samples.deleted())))


@pytest.mark.parametrize(
    "report", [samples.full(), samples.ready(), samples.human(), Report(run=samples.RUN, stacks=())]
)
def test_the_file_is_well_formed_and_offline(report: Report) -> None:
    text = html.render(report, previous())
    found = Strict(text)
    assert found.open == []
    assert found.names.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
    assert all(url.startswith(("#", "https://")) for url in found.urls)
    assert len(found.ids) == len(set(found.ids))
    assert (
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'" in text
    )
    assert not re.search(r"url\((?!#)|@import|src=|\bhttp:", text.replace('xmlns="http://www.w3.org/2000/svg"', ""))


def test_headings_and_tables_can_be_navigated() -> None:
    text = html.render(samples.full())
    levels = Strict(text).headings
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert text.count("<table") == text.count("<thead>")
    assert "<th>" not in text
    assert '<html lang="en">' in text


@pytest.mark.spec("A29")
def test_everything_that_a_review_report_must_hold_is_there() -> None:
    text = html.render(samples.full(), previous())
    for part in (
        "ml_product.use_case",  # config
        "13 resources",  # resource list
        "/ml/customer-churn-ml/RepositoryUrl",
        "IAM statements: execution-policy (3)",  # statements with their reasons
        "s3:PutBucketVersioning",
        "iam:PassedToService",
        "Ensure the S3 bucket has versioning enabled",  # security findings
        "Cost hints",
        "build minutes by compute type",
        "Since the last report",  # what is different
        "59 of 64",  # names and limits
        "techcorp-prod-a001-customer-churn-realtime-sagemaker-execution-role",
        "seal-pr42-4f2a9c1-0c7d5e3f1a2b",
        "known after the deployment",
    ):
        assert part in text, part


@pytest.mark.spec("A29")
def test_the_difference_to_the_last_report() -> None:
    since = compare.compare(previous(), samples.full())
    edge = next(stack for stack in since.stacks if stack.id.name.startswith("edge"))
    assert edge.config[0] == ("ml_product.tier", '"starter"', '"professional"')
    assert ("old", "1", "") in edge.config
    assert any("CKV_AWS_21" in line for line in edge.findings.came)
    role = "arn:aws:iam::123456789012:role/techcorp-prod-a001-customer-churn-codebuild-role"
    assert f"execution-policy: iam:PassRole on {role}" in edge.permissions.came
    assert edge.resources.came == edge.resources.went == ()
    assert [stack.new for stack in since.stacks].count(True) == 2
    text = html.render(samples.full(), previous())
    assert "and said: needs a human" in text
    assert "new here" in text


def test_nothing_different_is_said() -> None:
    assert "Nothing is different." in html.render(samples.ready(), samples.ready())
    assert "Since the last report" not in html.render(samples.ready())
    assert compare.compare(samples.full(), samples.full()).stacks == ()


def test_the_markdown_beside_it_says_the_same() -> None:
    text = markdown.render(samples.full(), previous())
    assert "### Since the last report" in text
    assert "`techcorp-prod-a001-us-west-2-customer-churn-ml-stack` is new here" in text
    assert '  - config `ml_product.tier`: `"starter"` → `"professional"`' in text
    assert "  - new finding: `CKV_AWS_21` ArtifactsBucket Ensure the S3 bucket has versioning enabled" in text
    assert "Since the last report" not in markdown.render(samples.full())
    assert Page(gfm(text)).tags.count("h3") == 4


@pytest.mark.parametrize("text", ALL)
def test_no_text_changes_the_difference_in_markdown(text: str) -> None:
    assert skeleton(text) == skeleton("x_y")


def test_a_stack_that_is_gone_is_said() -> None:
    assert "no longer here" in html.render(samples.ready(), samples.full())


@pytest.mark.parametrize("text", ALL)
def test_no_text_changes_the_page(text: str) -> None:
    page = Page(html.render(samples.with_text(text)))
    assert page.tags == plain().tags
    assert page.links == plain().links


@pytest.mark.parametrize("text", ALL)
def test_no_text_changes_the_difference(text: str) -> None:
    assert Page(html.render(QUIET, samples.with_text(text))).tags == plain_since().tags


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
    assert url not in Page(html.render(samples.with_help(url))).links
    assert (
        "https://docs.prismacloud.io/x" in Page(html.render(samples.with_help("https://docs.prismacloud.io/x"))).links
    )


def test_colour_is_never_the_only_signal() -> None:
    text = html.render(samples.full())
    for sign in ("✕ blocked", "! human", "✓ ready", "+ add", "~ change", "± replace", "− remove", "✕ error"):  # noqa: RUF001
        assert sign in text


def test_the_same_report_is_the_same_bytes() -> None:
    turned = dataclasses.replace(samples.full(), stacks=tuple(reversed(samples.full().stacks)))
    assert html.render(samples.full()) == html.render(turned)
