"""Every call to AWS of every kind of review: few operations, and nothing is changed that is not the pull request's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from contract.support import ROOT
from e2e import crowd
from e2e.crowd import Crowd, commit
from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from e2e.recording import READS, REVIEW_CALLS, WRITES, Log, recorded
from e2e.test_connection import text as github
from e2e.test_network import NAT, SHOP
from stackseal import assets, settings
from stackseal.model import PlanKind, PlanOperation, Report, Verdict

pytestmark = pytest.mark.e2e
BUCKET = f"stackseal-{ACCOUNT}-{REGION}"
STACK = f"{STARTER.removesuffix('-s3')}-stack"
TEXT = example()
CHANGED = TEXT.replace("owner: ml-platform-team", "owner: another-team")
PAGE = ROOT / "docs" / "explanation" / "sealed-plans.md"


@dataclass(kw_only=True)
class Watched:
    """A repository, its account, and the log of the reviews of one pull request."""

    bench: Bench
    log: Log = field(default_factory=Log)
    number: int = 7

    def review(self, text: str | None, *more: str) -> Report:
        """Push to the pull request, None for a removed config, and review it with every call written down."""
        if not self.bench.git("branch", "--list", f"pr-{self.number}"):
            self.bench.git("branch", f"pr-{self.number}", "main")
        self.bench.git("switch", "--quiet", f"pr-{self.number}")
        self.change(text, *more)
        report = recorded(self.bench, self.log).review(self.number)
        self.bench.git("switch", "--quiet", "main")
        return report

    def change(self, text: str | None, *more: str) -> None:
        for name, content in [(f"{STARTER}.yaml", text), *((f"other-{n}.yaml", each) for n, each in enumerate(more))]:
            if content is None:
                (self.bench.folder / "configs" / name).unlink()
            else:
                self.bench.write(content, name)
        self.bench.commit("Push")

    def standing(self, text: str) -> None:
        """The stack is deployed from the main branch."""
        other = Watched(bench=self.bench, number=1)
        other.review(text)
        self.bench.git("merge", "--quiet", "--ff-only", "pr-1")
        (done,) = self.bench.deploy(1)
        assert done.outcome.good


def created(found: Watched) -> None:
    report = found.review(TEXT)
    assert report.stacks[0].plan
    assert report.stacks[0].plan.operation is PlanOperation.CREATE


def updated(found: Watched) -> None:
    found.standing(TEXT)
    report = found.review(CHANGED)
    assert report.stacks[0].plan
    assert report.stacks[0].plan.operation is PlanOperation.UPDATE


def removed(found: Watched) -> None:
    found.standing(TEXT)
    report = found.review(None)
    assert report.stacks[0].plan
    assert report.stacks[0].plan.operation is PlanOperation.DELETE


def unchanged(found: Watched) -> None:
    found.standing(TEXT)
    found.bench.write(CHANGED)
    found.bench.commit("On the main branch, but not deployed")
    report = found.review(TEXT)
    assert report.stacks[0].plan
    assert report.stacks[0].plan.operation is PlanOperation.NONE


def blocked(found: Watched) -> None:
    assert found.review(TEXT, "ml_product: {}\n").verdict is Verdict.BLOCKED


def superseded(found: Watched) -> None:
    found.standing(TEXT)
    for team in ("b-team", "c-team", "d-team"):
        assert not found.review(TEXT.replace("ml-platform-team", team)).failures
    assert "cloudformation:DeleteChangeSet" in found.log.names


def nothing_left(found: Watched) -> None:
    found.standing(TEXT)
    found.review(CHANGED)
    found.bench.write(CHANGED)
    found.bench.commit("On the main branch, but not deployed")
    found.bench.git("switch", "--quiet", "pr-7")
    found.bench.git("merge", "--quiet", "main", "--message", "Merge")
    found.bench.git("switch", "--quiet", "main")
    assert not found.review(TEXT).failures


def failed(found: Watched) -> None:
    """CloudFormation does not accept the template."""
    lost = replace(crowd.template("x"), body={"Resources": {"A": {"Type": "AWS::SNS::Topic", "DependsOn": "B"}}})
    report = Crowd(bench=recorded(found.bench, found.log)).review(7, commit(7, 1), lost)
    assert "could not create the change set" in report.failures[0].message


def large(found: Watched) -> None:
    """More than fits into a request."""
    ours = settings.Settings.model_validate({"accounts": {ACCOUNT: {"artifact_bucket": BUCKET}}})
    one = Crowd(bench=recorded(found.bench, found.log), ours=ours)
    body = {**crowd.template("x").body, "Metadata": {"Text": "x" * 60_000}}
    assert not one.review(7, commit(7, 1), replace(crowd.template("x"), body=body)).failures
    assert len([call for call in found.log.calls if call.name == "s3:PutObject"]) == 3  # template, record, last


def repeated(found: Watched) -> None:
    for _ in range(2):
        assert not Crowd(bench=recorded(found.bench, found.log)).review(7, commit(7, 1), "a").failures


def awaiting(found: Watched) -> None:
    """A network and the groups that read its parameters, which do not exist yet."""
    texts = [(assets.PRODUCTS / f"{name}.yaml").read_text(encoding="utf-8") for name in (NAT, SHOP)]
    report = found.review(TEXT, *texts)
    assert not report.failures
    assert PlanKind.DEFERRED in {stack.plan.kind for stack in report.stacks if stack.plan}
    assert "ssm:GetParameter" in found.log.names


def connected(found: Watched) -> None:
    """A product whose pipelines read through a connection that nobody has confirmed."""
    made = found.bench.client("codeconnections").create_connection(ProviderType="GitHub", ConnectionName="churn")
    other = github(str(made["ConnectionArn"])).replace("use_case: customer-churn", "use_case: invoices")
    report = found.review(TEXT, other)
    assert not report.failures
    assert [each.check for stack in report.stacks for each in stack.findings if each.check == "connection"]


PATHS: dict[str, Callable[[Watched], None]] = {
    each.__name__.replace("_", " "): each
    for each in (
        created,
        updated,
        removed,
        unchanged,
        blocked,
        superseded,
        nothing_left,
        failed,
        large,
        repeated,
        awaiting,
        connected,
    )
}


@pytest.fixture(params=["files", "bucket"])
def found(request: pytest.FixtureRequest, bench: Bench) -> Watched:
    """With records in files, and with records and large templates in the account's bucket."""
    bench.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    if request.param == "bucket":
        ours = f'version: 1\nconfigs: configs\naccounts: {{"{ACCOUNT}": {{artifact_bucket: {BUCKET}}}}}\n'
        (bench.folder / settings.FILE).write_text(ours, encoding="utf-8")
        bench.commit("Name the bucket")
    return Watched(bench=bench)


def picture(bench: Bench) -> dict[str, Any]:
    """All that a review must leave as it is: stacks with what is in them, other people's change sets, objects."""
    client = bench.client("cloudformation")
    stacks = {item["StackName"]: item for item in client.describe_stacks()["Stacks"]}
    real = {name: item for name, item in stacks.items() if item["StackStatus"] != "REVIEW_IN_PROGRESS"}
    foreign = {
        item["ChangeSetName"]
        for name in stacks
        for item in client.list_change_sets(StackName=name)["Summaries"]
        if not item["ChangeSetName"].startswith("seal-pr7-")
    }
    return {
        "stacks": {name: (item["StackStatus"], str(item.get("LastUpdatedTime"))) for name, item in real.items()},
        "templates": {name: str(client.get_template(StackName=name)["TemplateBody"]) for name in real},
        "protected": {name: item.get("EnableTerminationProtection") for name, item in real.items()},
        "change sets": foreign,
    }


@pytest.mark.parametrize("path", PATHS)
def test_a_review_asks_little_and_changes_only_its_own(found: Watched, path: str) -> None:
    PATHS[path](found)
    assert found.log.calls
    assert found.log.names <= REVIEW_CALLS
    assert {name for name in found.log.names if not name.partition(":")[2].startswith(READS)} <= WRITES
    made: set[str] = set()
    for call in found.log.calls:
        match call.name:
            case "cloudformation:CreateChangeSet":
                assert re.fullmatch(r"seal-pr7-[0-9a-f]{7}-[0-9a-f]{12}", call.sent["ChangeSetName"])
                made.add(str(call.answer.get("Id")))
            case "cloudformation:DeleteChangeSet":
                assert call.sent["ChangeSetName"] in made, "a change set that this pull request did not make"
            case "s3:PutObject":
                record = rf"seals/{ACCOUNT}/{REGION}/[a-z0-9-]+/7/([0-9a-f]{{40}}\.json|last)"
                assert re.fullmatch(rf"{record}|templates/[0-9a-f]{{64}}\.json", call.sent["Key"])


@pytest.mark.parametrize("path", ["updated", "removed", "superseded"])
def test_what_was_there_before_is_there_afterwards(bench: Bench, path: str) -> None:
    found = Watched(bench=bench)
    seen: list[dict[str, Any]] = []
    inner = found.standing

    def standing(text: str) -> None:
        inner(text)
        bench.client("cloudformation").create_change_set(
            StackName=STACK, ChangeSetName="by-hand", TemplateBody=crowd.template("x").canonical
        )
        seen.append(picture(bench))

    found.standing = standing  # type: ignore[method-assign] # the same, and a look around
    PATHS[path](found)
    assert picture(bench) == seen[0]


@pytest.mark.parametrize("found", ["bucket"], indirect=True)
def test_the_page_says_what_is_asked_and_nothing_more(found: Watched) -> None:
    superseded(found)
    awaiting(found)
    found.number = 8
    connected(found)
    assert found.log.names == REVIEW_CALLS
    rows = re.findall(r"^\| `([a-z0-9]+:[A-Za-z0-9]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == sorted(REVIEW_CALLS)
    assert len(REVIEW_CALLS) <= 15
    assert all(name.partition(":")[2].startswith(READS) for name in REVIEW_CALLS - WRITES)
