"""Templates that others wrote, all of them: through the policies, through our checks, through both commands."""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import pytest

from contract.support import script
from stackseal import cli, render
from stackseal.checks import foreign
from trust import corpora
from trust.figures import Count
from unit.policy import public
from unit.policy.public import STACK

pytestmark = [pytest.mark.trust, pytest.mark.spec("A23")]
PLACE = ["--stack-name", STACK.name, "--account", STACK.account, "--region", STACK.region]
LEAST = 200
PRIVILEGE = script("privilege")
DENIED = 0.95


def test_there_are_enough_of_three_collections(count: Count) -> None:
    groups = corpora.read("templates")
    count("public templates", inputs=len(public.templates()), breaks=0, detail=", ".join(sorted(groups)))
    assert len(public.templates()) >= LEAST
    assert len(groups) == 3


def test_policies_of_public_templates(count: Count) -> None:
    found = public.tried(list(public.templates()))
    documents = sorted(found.documents)
    detail = (
        f"median {statistics.median(found.seconds) * 1000:.0f} ms each, {found.resources:,} resources, "
        f"{documents[int(len(documents) * 0.9)]} documents at p90, findings in "
        + ", ".join(f"{number} {check}" for check, number in sorted(found.named.items()))
    )
    count("policies of public templates", inputs=len(found.seconds), breaks=len(found.breaks), detail=detail)
    assert found.breaks == []
    assert len(found.seconds) == len(public.templates())
    for kind, asked in found.asked.items():
        part = found.denied[kind] / asked
        count(
            f"requests for another {kind} on public templates",
            inputs=asked,
            breaks=int(part < DENIED),
            detail=f"{part:.2%} denied",
        )
        assert part >= DENIED, kind
    assert found.asked.keys() == {"account", "name", "region", "service"}
    page = PRIVILEGE.PAGE.read_text(encoding="utf-8")
    assert page == PRIVILEGE.inserted(page, PRIVILEGE.corpus(found), PRIVILEGE.CORPUS), "run: make docs"


def test_json_is_read_as_everybody_reads_it(count: Count) -> None:
    texts = {name: text for name, text in public.templates().items() if name.endswith(".json")}
    other = [name for name, text in texts.items() if render.read(text, name).body != json.loads(text)]
    count("public templates read as JSON", inputs=len(texts), breaks=len(other))
    assert other == []


def test_the_command_policy_prints_a_document_or_says_why_not(
    count: Count, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks = []
    for number, (name, text) in enumerate(public.templates().items()):
        path = tmp_path / f"{number}{Path(name).suffix}"
        path.write_text(text, encoding="utf-8")
        code = cli.main(["policy", str(path), *PLACE], {"PATH": "/usr/bin"})
        said = capsys.readouterr()
        blocked = ": error: " in said.err
        printed = json.loads(said.out) if said.out.startswith(("{", "[")) else None
        if printed is None or "Traceback" in said.err or code != int(blocked):
            breaks.append(f"{name}: {code} {said.err[-300:]}")
    count("public templates through `stackseal policy`", inputs=len(public.templates()), breaks=len(breaks))
    assert breaks == []


def test_the_command_check_reads_them_all(count: Count, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, (name, text) in enumerate(public.templates().items()):
        (tmp_path / f"{number}{Path(name).suffix}").write_text(text, encoding="utf-8")
    command = ["check", str(tmp_path), "--engines", "", "--region", STACK.region, "--format", "json"]
    code = cli.main(command, {"PATH": "/usr/bin"})
    said = capsys.readouterr()
    found = json.loads(said.out)["findings"]
    unread = [item for item in found if item["check"] == foreign.UNREADABLE]
    breaks = len(unread) + ("Traceback" in said.err) + (code not in {0, 1})
    count(
        "public templates through `stackseal check`",
        inputs=len(public.templates()),
        breaks=breaks,
        detail=f"{len(found):,} findings of our own checks",
    )
    assert unread == []
    assert code in {0, 1}
    assert "Traceback" not in said.err
