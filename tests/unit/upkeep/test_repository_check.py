"""What a repository lacks, decided from values: each thing that is not there, wrong, or not to be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stackseal.commands.init import callers
from stackseal.hosts.repository_setup import PROTECTED, Environment, RepositorySetup, Rules, Subject, Unseen
from stackseal.upkeep import repository_check

SHA = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    **{path.as_posix(): text for path, text in callers(f"my-org/stackseal@{SHA}").items()},
    "stackseal.yaml": "version: 1\n",
    ".github/CODEOWNERS": "* @techcorp/platform\n",
}
GOOD = RepositorySetup(
    name="techcorp/infra",
    branch="main",
    rules=Rules(checks=frozenset({"review / verdict", "lint"}), owners=True),
    environments={"production": Environment(name="production", branches=("main",), reviewers=True)},
    granted="read",
    subject=Subject(default=True),
    files=FILES,
)
HIDDEN = Unseen(why="the token lacks the permission administration: read")


def status(setup: RepositorySetup, what: str) -> str:
    found = {row[0]: row[2] for row in repository_check.rows(setup)}
    return found[what]


def with_file(path: str, text: str | None) -> RepositorySetup:
    files = {**FILES, **({path: text} if text is not None else {})}
    return replace(GOOD, files={name: body for name, body in files.items() if text is not None or name != path})


def environment(**changes: Any) -> RepositorySetup:
    found = Environment(**{"name": "production", "branches": ("main",), "reviewers": True, **changes})
    return replace(GOOD, environments={"production": found})


def test_what_init_writes_and_the_how_to_asks_for_is_all_that_is_needed() -> None:
    rows = list(repository_check.rows(GOOD))
    assert len(rows) == 14
    assert [row for row in rows if not row[2].startswith("ok")] == []


DEPLOY = ".github/workflows/stackseal-deploy.yml"
REVIEW = ".github/workflows/stackseal-review.yml"


@pytest.mark.parametrize(
    ("setup", "what", "says"),
    [
        (with_file(DEPLOY, None), "workflow deploy", "missing: no workflow calls deploy.yml"),
        (with_file(DEPLOY, "- no\n- mapping\n"), "workflow deploy", "missing"),
        (with_file(DEPLOY, "a: [\n"), "workflow deploy", "missing"),
        (with_file(DEPLOY, FILES[DEPLOY].replace(SHA, "v1")), "workflow deploy", "wrong: v1 can be moved"),
        (with_file(DEPLOY, FILES[DEPLOY].replace(SHA, SHA[:39])), "workflow deploy", "wrong"),
        (with_file(DEPLOY, FILES[DEPLOY].replace(SHA, "f" * 40)), "versions", "wrong: let all workflows"),
        (with_file("stackseal.yaml", None), "stackseal.yaml", "missing: `stackseal init`"),
        (with_file("stackseal.yaml", "version: 2\n"), "stackseal.yaml", "wrong: stackseal.yaml:1:10: The settings"),
        (with_file(".github/dependabot.yml", None), "Dependabot", "missing"),
        (
            with_file(".github/dependabot.yml", "# package-ecosystem: github-actions\nupdates: []\n"),
            "Dependabot",
            "missing",
        ),
        (with_file(".github/CODEOWNERS", None), "CODEOWNERS", "missing: name the owners"),
        (
            replace(GOOD, rules=Rules(owners=True)),
            "required check review / verdict",
            "missing: require it in the rules",
        ),
        (
            replace(GOOD, rules=Rules(checks=frozenset({"verdict", "review"}))),
            "required check review / verdict",
            "missing",
        ),
        (replace(GOOD, rules=Rules(hidden="x")), "required check review / verdict", "unknown: no ruleset asks for it"),
        (replace(GOOD, rules=Rules()), "review by code owners", "missing"),
        (replace(GOOD, rules=Rules(hidden="x")), "review by code owners", "unknown"),
        (replace(GOOD, environments={}), "environment production", "missing: a job would make it without any rule"),
        (environment(branches=None), "environment production", "missing: limit its deployment branches to main"),
        (environment(branches=()), "environment production", "missing: no branch may deploy"),
        (environment(branches=("main", "release/*")), "environment production", "wrong: release/* may deploy, too"),
        (environment(branches=("*",)), "environment production", "wrong: * may deploy, too"),
        (environment(branches=(PROTECTED,)), "environment production", "ok"),
        (environment(reviewers=False), "environment production", "ok"),
        (replace(GOOD, granted="write"), "workflow permissions", "wrong: set Settings"),
        (replace(GOOD, subject=Subject(default=False, claims=("repo",))), "sub of the jobs' identity", "wrong"),
    ],
)
def test_each_thing_that_is_not_as_it_should_be_is_said(setup: RepositorySetup, what: str, says: str) -> None:
    assert status(setup, what).startswith(says)
    others = [row for row in repository_check.rows(setup) if row[0] != what and row[2].startswith(("missing", "wrong"))]
    assert len(others) <= 1, "one thing is wrong, so one thing is said; without rules two are"


@pytest.mark.parametrize(
    ("field", "rows"),
    [
        ("rules", {"required check review / verdict", "review by code owners"}),
        ("environments", {"environment production"}),
        ("granted", {"workflow permissions"}),
        ("subject", {"sub of the jobs' identity"}),
        ("files", {"files"}),
    ],
)
def test_what_is_not_seen_is_unknown_and_never_ok(field: str, rows: set[str]) -> None:
    found = {row[0]: row[2] for row in repository_check.rows(replace(GOOD, **{field: HIDDEN}))}
    assert {what for what, said in found.items() if said.startswith("unknown: the token lacks")} == rows


def test_an_unsealed_environment_needs_reviewers_and_branches() -> None:
    def said(**changes: Any) -> str:
        found = Environment(**{"name": "production-unsealed", "branches": ("main",), "reviewers": True, **changes})
        both = {**environment().environments, found.name: found}  # type: ignore[dict-item]  # it is a mapping here
        return status(replace(GOOD, environments=both), "environment production-unsealed")

    assert said() == "ok"
    assert said(reviewers=False).startswith("missing: required reviewers")
    assert said(branches=None).startswith("missing: limit its deployment branches")
    assert status(GOOD, "environment production-unsealed").startswith("ok: not used")
    asking = with_file(DEPLOY, FILES[DEPLOY].replace("unsealed: false", "unsealed: true"))
    assert status(asking, "environment production-unsealed").startswith("missing: make it with required reviewers")


def test_every_review_of_a_repository_with_several_folders_is_required() -> None:
    text = FILES[REVIEW].replace("  review:\n    name: review", "  other:\n    name: networks")
    found = {row[0]: row[2] for row in repository_check.rows(with_file(REVIEW.replace("review", "networks"), text))}
    assert found["required check review / verdict"] == "ok"
    assert found["required check networks / verdict"].startswith("missing")


def test_code_owners_are_asked_for_where_a_gate_needs_them() -> None:
    """Without the key there is a gate that nobody wrote; an empty list is none."""
    bare = replace(GOOD, rules=replace(Rules(), checks=frozenset({"review / verdict"})))
    by_hand = "version: 1\ngates:\n  - {on: any, needs: approval}\n"
    for text, says in (
        ("version: 1\n", "missing"),
        ("version: 1\ngates: []\n", "ok: no gate"),
        (by_hand, "ok: no gate"),
    ):
        setup = replace(bare, files={**FILES, "stackseal.yaml": text})
        assert status(setup, "review by code owners").startswith(says)
    assert status(replace(bare, files=HIDDEN), "review by code owners").startswith("missing")
    assert status(replace(bare, files={**FILES, "stackseal.yaml": "version: 2\n"}), "CODEOWNERS") == "ok"
