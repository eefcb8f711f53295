"""The pipelines on CodeBuild: the product's own projects, deployed, run the shipped build specifications by their own
service roles against the embedded AWS and GitHub's fake; what starts what is read from the deployed rules.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from e2e_github import memory
from e2e_github.harness import checkov, own, toolkit
from fakes.codebuild import Build, CodeBuildFake
from fakes.github.fake import GitHubFake
from fakes.github.repository import Repository
from stackseal import assets
from stackseal.aws.session import Aws

pytestmark = pytest.mark.e2e
CONFIG: Final = f"configs/{STARTER}.yaml"
STACK: Final = f"{STARTER.removesuffix('-s3')}-stack"
STEM: Final = "techcorp-prod-stackseal"
URL: Final = "https://github.com/acme/infra"
SECRET: Final = "stackseal/github"
VERBS: Final = ("plan", "deploy", "drift", "cleanup")
BUCKET: Final = f"stackseal-{ACCOUNT}-{REGION}"
REVIEWS: Final = f"{STEM}-{ACCOUNT}-{REGION}-reviews"
RIGHTS: Final = {"contents": "read", "issues": "write", "pull-requests": "write", "statuses": "write"}


@dataclass(kw_only=True)
class Place:
    """An account with everything in it, a repository on the fake, and CodeBuild."""

    bench: Bench
    github: GitHubFake
    repository: Repository
    builds: CodeBuildFake

    def start(self, stage: str, **more: Any) -> Build:
        return self.builds.start(self.builds.project(f"{STEM}-{stage}"), **more)

    def pull(self, stage: str, number: int, event: str = "PULL_REQUEST_CREATED") -> Build:
        """A build that a pull request's webhook starts."""
        told = {"EVENT": event, "TRIGGER": f"pr/{number}", "BASE_REF": "refs/heads/main", "ACTOR_ACCOUNT_ID": "1000001"}
        return self.start(stage, version=f"pr/{number}", webhook=told, initiator="GitHub-Hookshot/1")

    def push(self, before: str, after: str) -> Build:
        """The deployment of a push."""
        told = {"EVENT": "PUSH", "TRIGGER": "branch/main", "HEAD_REF": "refs/heads/main", "PREV_COMMIT": before}
        return self.start("deploy", version=after, webhook=told, initiator="GitHub-Hookshot/1")

    def follow(self, build: Build) -> Build | None:
        """The build that the account's rules start after another has ended; None where they start none."""
        events = self.bench.client("events")
        for rule in events.list_rules()["Rules"]:
            pattern = json.loads(rule.get("EventPattern") or "{}").get("detail", {})
            told = {"project-name": build.record["projectName"], "build-status": build.status}
            if not pattern or any(told[key] not in wanted for key, wanted in pattern.items()):
                continue
            (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            assert target["InputTransformer"]["InputPathsMap"] == {"build": "$.detail.build-id"}
            text = target["InputTransformer"]["InputTemplate"].replace("<build>", json.dumps(build.record["arn"]))
            given = {item["name"]: item["value"] for item in json.loads(text)["environmentVariablesOverride"]}
            name = target["Arn"].rpartition("/")[2].removeprefix(f"{STEM}-")
            return self.start(name, variables=given, initiator=f"rule/{rule['Name']}")
        return None

    def review(self, number: int, event: str = "PULL_REQUEST_CREATED") -> list[Build]:
        """The three builds of a review, as far as they went."""
        found = [self.pull("render", number, event)]
        while (following := self.follow(found[-1])) is not None:
            found.append(following)
        return found

    def change(self, branch: str, files: Mapping[str, str]) -> int:
        self.repository.push(branch, dict(files))
        return self.repository.open_pull(branch).number

    def marks(self, number: int) -> list[tuple[str, str]]:
        """What the statuses of a pull request's last commit say, oldest first."""
        head = self.repository.pulls[number].head_sha
        found = [status for status in self.repository.statuses if status.sha == head]
        return [(status.context, status.state) for status in found]

    def main(self) -> str:
        found = self.repository.git.resolve("refs/heads/main")
        assert found
        return found

    def change_sets(self) -> list[str]:
        found = self.bench.client("cloudformation").list_change_sets(StackName=STACK)["Summaries"]
        return sorted(item["ChangeSetName"].split("-")[1] for item in found)


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """Every build installs the toolkit anew."""
    with memory.quick(tmp_path) as place:
        yield place


@pytest.fixture
def place(bench: Bench, tmp_path: Path) -> Iterator[Place]:
    account(bench)
    shipped = tmp_path / "toolkit"
    toolkit(shipped)
    with GitHubFake(tmp_path / "github") as github:
        repository = github.repository("acme/infra")
        repository.push("main", {"stackseal.yaml": settings(), ".gitignore": "/ml/\n", "README.md": "Infrastructure\n"})
        token = github.token(permissions=RIGHTS, repository="acme/infra")
        bench.client("secretsmanager").create_secret(Name=SECRET, SecretString=token)
        endpoint = {key: value for key, value in bench.aws.environ().items() if "ACCESS_KEY" not in key}
        image = {**own(tmp_path), **checkov(), "GITHUB_API_URL": github.url, "STACKSEAL_TRACEBACK": "1"}
        builds = CodeBuildFake(
            folder=tmp_path / "builds",
            region=REGION,
            account=ACCOUNT,
            cloud=bench.client,
            endpoint=endpoint,
            image=image,
            origins={URL: repository.git.folder, "https://github.com/stackseal/stackseal": shipped},
        )
        yield Place(bench=bench, github=github, repository=repository, builds=builds)
        assert github.violations == []


def account(bench: Bench) -> None:
    """The account's roles trust the builds' roles; the builds are deployed by the product."""
    shipped = assets.PRODUCTS / "bootstrap" / "examples" / f"stackseal-{ACCOUNT}-{REGION}-bootstrap.yaml"
    rows = "".join(f"    {verb}: arn:aws:iam::{ACCOUNT}:role/{STEM}-{verb}-{REGION}\n" for verb in VERBS)
    text = shipped.read_text(encoding="utf-8").replace("bootstrap:\n", f"bootstrap:\n  codebuild_roles:\n{rows}", 1)
    bench.write(text, shipped.name)
    done = bench.run("bootstrap", f"configs/{shipped.name}", "--force")
    assert done.code == 0, done.stderr
    name = f"techcorp-prod-stackseal-{REGION}-builds.yaml"
    text = (assets.PRODUCTS / "ci_codebuild" / "examples" / name).read_text(encoding="utf-8")
    bench.write(text, name)
    for command in (("create-prov-template", f"configs/{name}"), ("deploy-product", f"configs/{name}", "--force")):
        done = bench.run(*command)
        assert done.code == 0, done.stderr


def settings() -> str:
    roles = "".join(f"      {verb}: arn:aws:iam::{ACCOUNT}:role/stackseal-{verb}-{REGION}\n" for verb in VERBS)
    return (
        f'version: 1\nconfigs: configs\naccounts:\n  "{ACCOUNT}":\n    artifact_bucket: {BUCKET}\n'
        f"    execution_role: arn:aws:iam::{ACCOUNT}:role/stackseal-execution-{REGION}\n    roles:\n{roles}"
    )


def ends(builds: list[Build]) -> list[tuple[str, str]]:
    return [(str(build.record["projectName"]).removeprefix(f"{STEM}-"), build.status) for build in builds]


GOOD: Final = [("render", "SUCCEEDED"), ("plan", "SUCCEEDED"), ("publish", "SUCCEEDED")]


@pytest.mark.spec("D06")
def test_the_life_of_a_change(place: Place) -> None:
    number = is_reviewed(place)
    is_deployed_as_sealed(place, number)
    is_watched(place)
    is_closed_and_swept(place)


def is_reviewed(place: Place) -> int:
    number = place.change("change", {CONFIG: example()})
    done = place.review(number)
    assert ends(done) == GOOD, done[-1].outcome.log
    (comment,) = place.repository.comments_of(number)
    assert "sealed at" in comment.body
    assert place.marks(number) == [("stackseal/review", "success")]
    (tests,) = done[-1].reports.values()
    assert f"{STACK} plan: create" in tests
    assert set(tests.values()) <= {"passed", "skipped"}
    records = place.bench.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="seals/")["Contents"]
    head = place.repository.git.resolve("refs/heads/change")
    assert f"seals/{ACCOUNT}/{REGION}/{STACK}/{number}/{head}.json" in {item["Key"] for item in records}
    # Who read the pull request had no token and no credentials that are good for anything but its bundle.
    assert "GITHUB_TOKEN" not in json.dumps([build.record for build in done[:2]])
    return number


def is_deployed_as_sealed(place: Place, number: int) -> None:
    cfn, before = place.bench.client("cloudformation"), place.main()
    sealed = cfn.list_change_sets(StackName=STACK)["Summaries"][0]["ChangeSetId"]
    after = place.repository.merge(number, "squash")
    done = place.push(before, after)
    assert done.status == "SUCCEEDED", done.outcome.log
    assert cfn.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    assert cfn.describe_change_set(ChangeSetName=sealed)["ExecutionStatus"] == "EXECUTE_COMPLETE"


def is_watched(place: Place) -> None:
    found = place.bench.client("cloudformation").list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    project = next(row["PhysicalResourceId"] for row in found if row["ResourceType"] == "AWS::CodeBuild::Project")
    place.bench.client("codebuild").update_project(name=project, timeoutInMinutes=7)
    done = place.start("drift", initiator=f"rule/{STEM}-drift")
    assert done.status == "SUCCEEDED", done.outcome.log
    titles = [issue.title for issue in place.repository.issues.values() if STACK in issue.title]
    assert len(titles) == 1, done.outcome.log
    assert done.reports == {f"{STEM}-drift-drift": {f"{STACK} drift": "failure"}}


def is_closed_and_swept(place: Place) -> None:
    number = place.change("other", {CONFIG: example().replace("owner: ", "owner: other-")})
    done = place.review(number)
    assert ends(done) == GOOD, done[-1].outcome.log
    assert f"pr{number}" in place.change_sets()
    place.repository.close_issue(number)
    closed = place.pull("cleanup", number, "PULL_REQUEST_CLOSED")
    assert closed.status == "SUCCEEDED", closed.outcome.log
    assert f"pr{number}" not in place.change_sets()
    swept = place.start("cleanup", initiator=f"rule/{STEM}-sweep")
    assert swept.status == "SUCCEEDED", swept.outcome.log


def test_faults_end_where_they_happen(place: Place) -> None:
    """A review that cannot be made stops its builds; nothing is published, planned or deployed in its stead."""
    broken = place.change("broken", {CONFIG: example().replace("env: prod", "env: nowhere")})
    done = place.review(broken)
    assert ends(done) == [*GOOD[:2], ("publish", "FAILED")], done[-1].outcome.log
    (comment,) = place.repository.comments_of(broken)
    assert "blocked" in comment.body.lower()
    assert place.marks(broken) == [("stackseal/review", "failure")]
    assert "error" in next(iter(done[-1].reports.values())).values()

    conflict = place.change("conflict", {"README.md": "Ours\n"})
    place.repository.push("main", {"README.md": "Theirs\n"})
    done = place.review(conflict)
    assert ends(done) == [("render", "FAILED")]
    assert "conflicts with the default branch" in done[0].outcome.log
    assert place.repository.comments_of(conflict) == []

    # A plan is started by nobody for what the first project has not built.
    forged = place.start("plan", variables={"STACKSEAL_BUILD": f"{STEM}-deploy:0"})
    other = place.start("plan", variables={"STACKSEAL_BUILD": str(forged.record["arn"])})
    assert (forged.status, other.status) == ("FAILED", "FAILED")
    assert set(forged.outcome.phases) == {"install", "pre_build"}
    assert set(other.outcome.phases) == {"install", "pre_build"}

    before = place.main()
    place.repository.push("main", {CONFIG: example()})
    refused = place.push(before, place.main())
    assert refused.status == "FAILED"
    assert "no review" in refused.outcome.log or "not reviewed" in refused.outcome.log
    names = [stack["StackName"] for stack in place.bench.client("cloudformation").describe_stacks()["Stacks"]]
    assert STACK not in names


def test_a_fork_is_planned_without_credentials_whoever_let_it_be_built(place: Place) -> None:
    """Its commit is on no branch of the repository. The same commit on a branch was put there by somebody who may."""
    source = place.repository.fork("mallory")
    source.push("change", {CONFIG: example()})
    number = place.repository.open_pull("change", source=source).number
    done = place.review(number)
    assert ends(done) == GOOD, done[-1].outcome.log
    (comment,) = place.repository.comments_of(number)
    assert "predicted, not sealed" in comment.body
    names = [stack["StackName"] for stack in place.bench.client("cloudformation").describe_stacks()["Stacks"]]
    assert STACK not in names
    assert "Contents" not in place.bench.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="seals/")


def test_a_plan_that_is_not_made_leaves_no_older_verdict(place: Place) -> None:
    number = place.change("change", {CONFIG: example()})
    assert ends(place.review(number)) == GOOD
    again, s3 = place.pull("render", number, "PULL_REQUEST_UPDATED"), place.bench.client("s3")
    for item in s3.list_objects_v2(Bucket=REVIEWS, Prefix="render/")["Contents"]:
        s3.delete_object(Bucket=REVIEWS, Key=item["Key"])
    plan = place.follow(again)
    publish = place.follow(plan) if plan else None
    assert plan
    assert publish
    assert ends([plan, publish]) == [("plan", "FAILED"), ("publish", "FAILED")], publish.outcome.log
    assert place.marks(number) == [("stackseal/review", "success"), ("stackseal/review", "error")]
    assert publish.reports == {}


def test_the_build_that_reads_a_pull_request_can_do_nothing_else(place: Place) -> None:
    """Its service role's own credentials, as a command of a pull request would have them."""
    spec = place.builds.project(f"{STEM}-render")
    probe = "\n".join(
        (
            "version: 0.2",
            "env: {shell: bash, exported-variables: [SEEN]}",
            "phases:",
            "  build:",
            "    commands:",
            '      - SEEN="${GITHUB_TOKEN-none} ${AWS_ACCESS_KEY_ID:+keys}"',
            f"      - aws s3 cp s3://{REVIEWS}/plan/x/out/report.json taken",
        )
    )
    done = place.builds.start(replace(spec, buildspec=probe, artifacts={}))
    assert done.outcome.exported == {"SEEN": "none keys"}
    assert done.status == "FAILED"
    assert "AccessDenied" in done.outcome.log
    keys = place.builds._credentials(spec.role, "x:1")
    aws = Aws({**place.builds.endpoint, **keys}, region=REGION)
    for verb in VERBS:
        with pytest.raises(Exception, match=r"AccessDenied|not authorized"):
            aws.assumed(f"arn:aws:iam::{ACCOUNT}:role/stackseal-{verb}-{REGION}", session_name="somebody")
    assert os.environ.get("AWS_ACCESS_KEY_ID") is None
