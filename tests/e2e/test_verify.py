"""Where a live stack comes from, told link by link, and honest about each that is missing."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from stackseal.hosts.base import Pull
from stackseal.hosts.local import LocalForge
from stackseal.model import StackId

pytestmark = pytest.mark.e2e
STACK = f"{STARTER.removesuffix('-s3')}-stack"
NAMES = ["template", "seal record", "commit", "pull request", "approvers"]


def merged(bench: Bench, number: int = 7, text: str | None = None) -> str:
    """A reviewed, merged and deployed pull request; returns the commit that was reviewed."""
    bench.git("switch", "--quiet", "--create", f"pr-{number}")
    bench.write(text or example())
    head = bench.commit(f"Change {number}")
    bench.review(number)
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", f"pr-{number}")
    (done,) = bench.deploy(number)
    assert done.outcome.good, done
    return head


def verified(bench: Bench, *more: str) -> tuple[int, dict[str, Any]]:
    done = bench.run("verify", STACK, "--region", REGION, "--account", ACCOUNT, "--format", "json", *more)
    assert done.stdout, done.stderr
    facts = done.facts
    assert [link["name"] for link in facts["links"]] == NAMES
    assert facts["whole"] is (done.code == 0)
    return done.code, {link["name"]: link for link in facts["links"]}


def missing(links: dict[str, Any]) -> list[str]:
    return [name for name, link in links.items() if link["state"] == "missing"]


def test_a_deployed_review_is_a_whole_chain(bench: Bench) -> None:
    head = merged(bench)
    code, links = verified(bench)
    assert code == 0
    assert links["seal record"]["value"] == f"seals/{ACCOUNT}/{REGION}/{STACK}/7/{head}.json"
    assert links["commit"] == {
        "name": "commit", "state": "proven", "value": head, "why": "its config makes exactly this template",
    }  # fmt: skip
    assert links["pull request"]["value"] == "#7"
    assert links["approvers"]["state"] == "not known here"
    (record,) = bench.records.of(StackId(account=ACCOUNT, region=REGION, name=STACK), 7)
    assert links["template"]["value"] == record.template_sha256


def test_the_newest_of_several_pull_requests_is_named(bench: Bench) -> None:
    merged(bench, 7)
    head = merged(bench, 12, example().replace("owner: ml-platform-team", "owner: another-team"))
    code, links = verified(bench)
    assert (code, links["commit"]["value"], links["pull request"]["value"]) == (0, head, "#12")


def test_a_stack_that_somebody_updated_by_hand_has_no_record(bench: Bench) -> None:
    merged(bench)
    cfn = bench.client("cloudformation")
    body = cfn.get_template(StackName=STACK)["TemplateBody"]
    body["Resources"]["BuildProject"]["Properties"]["Description"] = "by hand"
    tags = cfn.describe_stacks(StackName=STACK)["Stacks"][0]["Tags"]
    cfn.update_stack(StackName=STACK, TemplateBody=json.dumps(body), Capabilities=["CAPABILITY_NAMED_IAM"], Tags=tags)
    code, links = verified(bench)
    assert code == 1
    assert missing(links) == NAMES[1:]
    assert "no review has sealed this template" in links["seal record"]["why"]


def test_the_same_template_with_another_parameter_or_tag_is_another_stack(bench: Bench) -> None:
    merged(bench)
    cfn = bench.client("cloudformation")
    tags = cfn.describe_stacks(StackName=STACK)["Stacks"][0]["Tags"]
    changed = [{**tag, "Value": "by hand"} if tag["Key"] == "owner" else tag for tag in tags]
    cfn.update_stack(StackName=STACK, UsePreviousTemplate=True, Capabilities=["CAPABILITY_NAMED_IAM"], Tags=changed)
    code, links = verified(bench)
    assert (code, missing(links)) == (1, NAMES[1:])


def test_a_commit_that_is_not_here_is_a_missing_link(bench: Bench) -> None:
    merged(bench)
    (bench.folder / ".git").rename(bench.folder / "elsewhere")
    bench.git("init", "--quiet", "--initial-branch=main")
    bench.commit("Another history")
    code, links = verified(bench)
    assert (code, missing(links)) == (1, ["commit"])
    assert "fetch it" in links["commit"]["why"]


def test_a_record_that_was_edited_is_refused(bench: Bench) -> None:
    merged(bench)
    (path,) = bench.folder.glob(f"ml/seals/{ACCOUNT}/{REGION}/{STACK}/7/*.json")
    path.write_text(path.read_text().replace('"pull_request": 7', '"pull_request": 8'))
    done = bench.run("verify", STACK, "--region", REGION, "--account", ACCOUNT)
    assert done.code == 4
    assert "its checksum does not match" in done.stderr


def test_a_review_without_a_pull_request_is_not_whole(bench: Bench) -> None:
    bench.git("switch", "--quiet", "--create", "pr-7")
    bench.write(example())
    bench.commit("Change")
    bench.review(None)  # type: ignore[arg-type]  # a review on a laptop has no pull request
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", "pr-7")
    (done,) = bench.deploy(None)  # type: ignore[arg-type]
    assert done.outcome.good
    code, links = verified(bench)
    assert (code, missing(links)) == (1, ["pull request", "approvers"])


class AskedForge(LocalForge):
    """A forge that knows one pull request."""

    def __init__(self, root: Path, pull: Pull | None) -> None:
        super().__init__(root)
        self._pull = pull

    def pull(self, number: int) -> Pull | None:
        return self._pull if number == 7 else None


@pytest.mark.parametrize(
    ("pull", "gaps"),
    [
        (Pull(number=7, open=False, merged=True, approvers=("octocat", "hubot")), []),
        (Pull(number=7, open=False, merged=True, approvers=()), ["approvers"]),
        (Pull(number=7, open=False, merged=False, approvers=("octocat",)), ["pull request"]),
        (None, ["pull request", "approvers"]),
    ],
)
def test_a_forge_that_knows_is_asked(bench: Bench, pull: Pull | None, gaps: list[str]) -> None:
    merged(bench)
    bench.world = replace(bench.world, forge=AskedForge(bench.world.root, pull))
    code, links = verified(bench)
    assert (code, missing(links)) == (1 if gaps else 0, gaps)
    if not gaps:
        assert links["approvers"]["value"] == "octocat, hubot"


def test_what_is_not_deployed_cannot_be_verified(bench: Bench) -> None:
    done = bench.run("verify", STACK, "--region", REGION, "--account", ACCOUNT)
    assert done.code == 2
    assert f"There is no stack {STACK}" in done.stderr
    bench.git("switch", "--quiet", "--create", "pr-7")
    bench.write(example())
    bench.commit("Change")
    bench.review(7)
    done = bench.run("verify", STACK, "--region", REGION, "--account", ACCOUNT)
    assert done.code == 2
    assert "it was never deployed" in done.stderr


class _Words(HTMLParser):
    """The text of a page and the addresses that it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.loads = "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        self.loads += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_chain_is_also_a_page_and_a_table(bench: Bench) -> None:
    head = merged(bench)
    page = bench.folder / "chain.html"
    done = bench.run("verify", STACK, "--region", REGION, "--account", ACCOUNT, "--html", str(page))
    assert done.code == 0
    assert [line.split("  ")[0] for line in done.stdout.splitlines()[1:6]] == NAMES
    assert "the chain is whole" in done.stdout
    words = _Words()
    words.feed(page.read_text(encoding="utf-8"))
    assert words.loads == []
    assert head in words.text
    assert "the chain is whole" in words.text
