"""Annotations: on the config lines, the most serious ten of each kind, the rest counted."""

from __future__ import annotations

import dataclasses
import re

import pytest

from stackseal.model import Finding, Level, Report
from stackseal.report import annotations
from unit.report import samples
from unit.report.hostile import ALL


def report_of(*findings: Finding) -> Report:
    return Report(run=samples.RUN, stacks=(dataclasses.replace(samples.updated(), findings=findings),))


def finding(level: Level, n: int = 0, message: str = "m") -> Finding:
    return Finding(
        check=f"C{n:04}", engine="e", level=level, message=message, where=samples.at("configs/a.yaml", n + 1)
    )


def test_findings_stand_on_their_lines_and_waived_ones_do_not() -> None:
    expected = (
        "::error file=configs/techcorp-prod-a001-us-west-2-typo-ml-s3.yaml,line=11,col=3,title=could not be reviewed::"
        "ml_product.tier is 'profesional', which is no tier; use one of starter, professional, enterprise.\n"
        f"::error file={samples.FRAUD},line=14,col=3,title=CKV_AWS_21 ArtifactsBucket::"
        "Ensure the S3 bucket has versioning enabled\n"
        f"::warning file={samples.FRAUD},line=21,col=3,title=W3037 CodeBuildRole::"
        "'s3:GetObjects' is not one of the actions of 's3', the password is (hidden d87d)\n"
        f"::notice file={samples.FRAUD},line=23,col=3,title=dynamic-reference BuildProject::"
        "{{resolve:secretsmanager:db}} has no version: a change of it is not seen by change sets\n"
    )
    assert annotations.render(samples.full()) == expected


def test_nothing_to_say_is_nothing() -> None:
    assert annotations.render(samples.ready()) == ""


def test_a_thousand_findings_are_ten_of_each_kind_and_a_count() -> None:
    every = [finding(level, n) for level in Level for n in range(334)]
    lines = annotations.render(report_of(*every)).splitlines()
    kinds = [line.split(" ")[0] for line in lines]
    assert [kinds.count(kind) for kind in ("::error", "::warning", "::notice")] == [10, 10, 10]
    assert lines[-1] == (
        "::notice title=stackseal::973 findings have no annotation, because GitHub shows ten of each kind; "
        "the review comment and the report list all of them."
    )
    assert "title=C0000" in lines[0]


def test_ten_notices_are_nine_and_a_count() -> None:
    lines = annotations.render(report_of(*(finding(Level.NOTE, n) for n in range(10)))).splitlines()
    assert len(lines) == 10
    assert "1 finding has no annotation" in lines[-1]


def test_what_blocks_comes_before_what_is_only_proposed_to_be_waived() -> None:
    lines = annotations.render(report_of(*(finding(Level.ERROR, n) for n in range(12)))).splitlines()
    assert len(lines) == 11
    assert lines[-1].startswith("::notice title=stackseal::2 findings have")


def test_escapes_are_the_runners_own() -> None:
    (line,) = annotations.render(report_of(finding(Level.ERROR, message="50% a:b,c\nnext"))).splitlines()
    assert line.endswith("title=C0000::50%25 a:b,c%0Anext")


@pytest.mark.parametrize("text", ALL)
def test_no_text_makes_a_second_command_or_another_property(text: str) -> None:
    lines = annotations.render(samples.with_text(text)).split("\n")
    shape = re.compile(r"::(error|warning|notice) file=[^,:]*,line=\d+,col=\d+,title=[^,:]*::.*")
    assert lines.pop() == ""
    assert len(lines) == 4
    assert all(shape.fullmatch(line) for line in lines)
    assert all(len(line.splitlines()) == 1 for line in lines)
    assert "##[" not in "".join(lines)
