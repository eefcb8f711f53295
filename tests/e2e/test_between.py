"""Everything that can change between review and deployment: refused, or planned again and found to do no more.

Each row does one thing to a reviewed and merged pull request, then deploys. Whatever is executed is looked at before
CloudFormation begins: never a line that was not sealed, never another template.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pytest

from contract.support import ROOT
from e2e.harness import ACCOUNT, REGION, STARTER, Bench, example
from stackseal import settings
from stackseal.aws.cloudformation import CloudFormation
from stackseal.aws.session import Aws
from stackseal.errors import Refused
from stackseal.model import Outcome, StackId, canonical_json, sha256
from stackseal.plan import change_set, record, seal
from stackseal.plan.record import SealRecord

pytestmark = pytest.mark.e2e
PAGE = ROOT / "docs" / "explanation" / "sealed-plans.md"
STACK = f"{STARTER.removesuffix('-s3')}-stack"
NETWORKED = "globalbank-prod-c001-us-west-2-demand-forecasting-ml-s3-standalone-ssm"
PUBLISHED = {
    "/vpc/globalbank-prod-c001-us-west-2-vpc/VPCId": "vpc-0123456789abcdef0",
    "/vpc/globalbank-prod-c001-us-west-2-vpc/PrivateSubnetIds": "subnet-0123456789abcdef0,subnet-0fedcba9876543210",
}
NOBODY = "no review has sealed exactly this"
"""Why a deployment stops whose inputs are not those of a review."""


@dataclass(kw_only=True)
class Scene:
    """A deployed stack, and a pull request (number 2) that changes it: reviewed, merged, not deployed yet."""

    bench: Bench
    name: str = STARTER
    text: str = field(default_factory=example)
    executed: list[str] = field(default_factory=list)
    """ARNs, once the deployment has begun."""
    wrong: list[str] = field(default_factory=list)
    """What was about to be executed against the seal."""
    foreign: set[str] = field(default_factory=set)
    """Change sets that somebody planted."""

    @property
    def id(self) -> StackId:
        return StackId(account=ACCOUNT, region=REGION, name=f"{re.sub('-s3.*', '', self.name)}-stack")

    @property
    def client(self) -> Any:
        return self.bench.client("cloudformation")

    @cached_property
    def own(self) -> CloudFormation:
        """A connection of the test's own."""
        return CloudFormation(Aws({**self.bench.aws.environ(), "AWS_ACCESS_KEY_ID": ACCOUNT}, region=REGION), REGION)

    @property
    def record(self) -> SealRecord:
        return self.bench.records.of(self.id, 2)[0]

    @property
    def changed(self) -> str:
        return re.sub(r"owner: .*", "owner: another-team", self.text)

    def write(self, text: str) -> None:
        self.bench.write(text, f"{self.name}.yaml")

    def branch(self, number: int, text: str, *, review: bool = True) -> None:
        self.bench.git("switch", "--quiet", "--create", f"pr-{number}", "main")
        self.write(text)
        self.bench.commit(f"Pull request {number}")
        if review:
            assert not self.bench.review(number).failures
        self.bench.git("switch", "--quiet", "main")

    def merge(self, number: int) -> None:
        self.bench.git("merge", "--quiet", "--no-ff", f"pr-{number}", "--message", f"Merge {number}")

    def begin(self) -> Scene:
        """The stack is deployed and the pull request reviewed."""
        self.branch(1, self.text)
        self.merge(1)
        (done,) = self.bench.deploy(1)
        assert done.outcome is Outcome.CREATED, done
        self.branch(2, self.changed)
        assert self.record.operation == "update"
        return self

    def live(self) -> str:
        """The digest of the template that the stack has."""
        return sha256(canonical_json(json.loads(self.own.template(stack=self.id.name))))

    def standing(self) -> dict[str, list[str]]:
        """Every stack with the change sets that wait on it."""
        cfn = self.own
        return {
            state.name: [ref.name for ref in cfn.list_change_sets(state.name) if "EXECUTE" not in ref.execution_status]
            for state in cfn.stacks()
        }

    @contextmanager
    def watched(self, sealed: SealRecord) -> Iterator[None]:
        """Before anything is executed, hold it against what was sealed."""

        def look(params: Any, **_: Any) -> None:
            arn = params["body"]["ChangeSetName"]
            live = change_set.inspect(self.own, arn)
            self.executed.append(arn)
            extra = seal.subset(seal.normalise(live.changes), sealed.lines)
            self.wrong += [f"not sealed: {line}" for line in extra]
            if sha256(canonical_json(json.loads(live.template))) != sealed.template_sha256:
                self.wrong.append("another template")

        self.client.meta.events.register("before-call.cloudformation.ExecuteChangeSet", look)
        yield
        self.client.meta.events.unregister("before-call.cloudformation.ExecuteChangeSet", look)

    def plant(self, name: str, **other: Any) -> str:
        """Somebody's change set in the place of the reviewed one: the same but for what is named; its ARN."""
        ours = self.client.describe_change_set(ChangeSetName=self.record.change_set)
        same = {
            "TemplateBody": self.own.template(change_set=ours["ChangeSetId"]),
            "Parameters": [
                {key: item[key] for key in ("ParameterKey", "ParameterValue")} for item in ours["Parameters"]
            ],
            "Tags": ours["Tags"],
            "Capabilities": ours["Capabilities"],
            "Description": ours["Description"],
        }
        self.client.delete_change_set(ChangeSetName=self.record.change_set)
        arn: str = self.client.create_change_set(
            StackName=self.id.name, ChangeSetName=name, ChangeSetType="UPDATE", **{**same, **other}
        )["Id"]
        self.foreign.add(arn)
        return arn

    def forge(self, **other: Any) -> None:
        """Such a change set, and a record that points to it: whoever could write both."""
        name = self.record.change_set_name or ""
        found = replace(self.record, change_set=self.plant(name, **other))
        self.bench.records.put(found)
        assert record.load(record.dump(found), source="test") == found

    def by_hand(self, body: str, **more: Any) -> None:
        """Somebody updates the stack without a review."""
        self.client.update_stack(
            StackName=self.id.name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"], **more
        )
        self.rest()

    def rest(self) -> None:
        for _ in range(400):
            if not self.client.describe_stacks(StackName=self.id.name)["Stacks"][0]["StackStatus"].endswith("PROGRESS"):
                return
            time.sleep(0.02)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One way in which the world moves on."""

    what: str
    """As the documentation names it."""
    outcome: str
    """As the documentation says it: refused, executed, planned again and executed."""
    why: str = ""
    """What the refusal says."""
    do: Callable[[Scene], None]
    merged: bool = True
    """Whether the pull request is merged before it happens; else `do` merges it."""
    networked: bool = False


REFUSED, SAME, AGAIN, DONE = "refused", "the reviewed one is executed", "planned again, no more than sealed", "nothing"


def push(scene: Scene) -> None:
    scene.bench.git("switch", "--quiet", "pr-2")
    scene.write(scene.changed.replace("another-team", "a-third-team"))
    scene.bench.commit("One more thing")
    scene.bench.git("switch", "--quiet", "main")
    scene.merge(2)


def other_merge(scene: Scene) -> None:
    scene.branch(3, re.sub(r"cost_center: .*", "cost_center: Other", scene.text))
    scene.merge(3)
    (done,) = scene.bench.deploy(3)
    assert done.outcome is Outcome.UPDATED
    scene.bench.git("merge", "--quiet", "--no-ff", "--strategy-option", "theirs", "pr-2", "--message", "Merge 2")
    text = scene.bench.git("show", f"HEAD:configs/{scene.name}.yaml")
    if "Other" not in text:  # Git joins neighbouring lines in one hunk; a person resolves it like this
        scene.write(re.sub(r"cost_center: .*", "cost_center: Other", text) + "\n")
        scene.bench.git("add", "--all")
        scene.bench.git("commit", "--quiet", "--amend", "--no-edit")


def elsewhere(scene: Scene) -> None:
    scene.bench.write("# nothing\n", "README.md")
    scene.bench.commit("Something else on the main branch")
    scene.merge(2)


def edited(pattern: str, text: str) -> Callable[[Scene], None]:
    """The config that is merged is another one than was reviewed."""

    def do(scene: Scene) -> None:
        scene.bench.git("switch", "--quiet", "pr-2")
        scene.write(re.sub(pattern, text, scene.changed))
        scene.bench.commit("Not reviewed")
        scene.bench.git("switch", "--quiet", "main")
        scene.merge(2)

    return do


def other_role(scene: Scene) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/somebody-else"
    ours = f'version: 1\nconfigs: configs\naccounts: {{"{ACCOUNT}": {{execution_role: "{role}"}}}}\n'
    (scene.bench.folder / settings.FILE).write_text(ours, encoding="utf-8")
    scene.bench.commit("Other settings")
    scene.merge(2)


def ssm_value(scene: Scene) -> None:
    name = next(iter(PUBLISHED))
    scene.bench.client("ssm").put_parameter(Name=name, Value="vpc-0fedcba9876543210", Type="String", Overwrite=True)


def body_of(scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scene.own.template(stack=scene.id.name))
    return found


def parameters_of(scene: Scene) -> list[dict[str, str]]:
    found = scene.client.describe_stacks(StackName=scene.id.name)["Stacks"][0].get("Parameters", ())
    return [{key: item[key] for key in ("ParameterKey", "ParameterValue")} for item in found]


def updated(scene: Scene) -> None:
    body = body_of(scene)
    body["Resources"]["BuildProject"]["Properties"]["Description"] = "changed by hand"
    scene.by_hand(json.dumps(body), Parameters=parameters_of(scene))


def updated_the_same(scene: Scene) -> None:
    """Exactly the reviewed change, by hand: there is nothing left to do."""
    found = scene.record
    scene.by_hand(
        scene.own.template(change_set=found.change_set),
        Parameters=parameters_of(scene),
        Tags=[{"Key": key, "Value": value} for key, value in found.tags.items()],
    )


def other_template(scene: Scene) -> str:
    body = json.loads(scene.own.template(change_set=scene.record.change_set))
    body["Resources"]["Backdoor"] = {"Type": "AWS::IAM::User"}
    return json.dumps(body)


def replaced(scene: Scene) -> None:
    scene.plant(scene.record.change_set_name or "", TemplateBody=other_template(scene))


def deleted(scene: Scene) -> None:
    scene.client.delete_change_set(ChangeSetName=scene.record.change_set)


def forged_name(scene: Scene) -> None:
    """A second one that looks like the plan of a later push."""
    body = other_template(scene)
    name = f"seal-pr2-fffffff-{scene.record.input_digest[:12]}"
    arn = scene.client.create_change_set(
        StackName=scene.id.name, ChangeSetName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=parameters_of(scene), Description=f"stackseal {scene.record.input_digest}",
    )["Id"]  # fmt: skip
    scene.foreign.add(arn)


def forged_record(scene: Scene) -> None:
    (path,) = scene.bench.folder.glob(f"ml/seals/{ACCOUNT}/{REGION}/{scene.id.name}/2/*.json")
    data = json.loads(path.read_text())
    data["lines"] = []
    path.write_text(json.dumps(data))


def drift(scene: Scene) -> None:
    path = f"/ml/{scene.id.name.removesuffix('-stack')}/ModelPackageGroupArn"
    scene.bench.client("ssm").put_parameter(Name=path, Value="by-hand", Type="String", Overwrite=True)


def gone(scene: Scene) -> None:
    done = scene.bench.run("delete-product", f"configs/{scene.name}.yaml", "--force", "--delete-data")
    assert done.code == 0


def executed(scene: Scene) -> None:
    scene.client.execute_change_set(ChangeSetName=scene.record.change_set)
    scene.rest()


def broken(scene: Scene) -> None:
    """An update by hand fails, and its rollback, too."""

    def told(parsed: dict[str, Any], **_: Any) -> None:
        for item in parsed.get("Stacks", ()):
            item["StackStatus"] = "UPDATE_ROLLBACK_FAILED"

    scene.client.meta.events.register("after-call.cloudformation.DescribeStacks", told)


def swapped(what: str) -> Callable[[Scene], None]:
    def do(scene: Scene) -> None:
        match what:
            case "template":
                scene.forge(TemplateBody=other_template(scene))
            case "parameter":
                first, *rest = parameters_of(scene)
                scene.forge(Parameters=[{**first, "ParameterValue": f"{first['ParameterValue']}x"}, *rest])
            case "tag":
                scene.forge(Tags=[{"Key": "owner", "Value": "nobody"}])
            case _:
                scene.forge(Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"])

    return do


KINDS = (
    Kind(what="the head moved: another push, merged without a review", outcome=REFUSED, why=NOBODY, do=push,
         merged=False),
    Kind(what="the base moved: another merge changed the same stack", outcome=REFUSED, why=NOBODY, do=other_merge,
         merged=False),
    Kind(what="the base moved: a merge that does not concern the stack", outcome=SAME, do=elsewhere, merged=False),
    Kind(what="the config's template: another shape is merged", outcome=REFUSED, why=NOBODY,
         do=edited("source_control: s3\n.*", "source_control: codecommit"), merged=False),
    Kind(what="a parameter: another value is merged", outcome=REFUSED, why=NOBODY,
         do=edited("s3_prefix: .*", "s3_prefix: techcorp-a001-ml-source/other"), merged=False),
    Kind(what="a tag: another value is merged", outcome=REFUSED, why=NOBODY,
         do=edited("project: .*", "project: Other"), merged=False),
    Kind(what="the execution role of the settings", outcome=REFUSED, why=NOBODY, do=other_role, merged=False),
    Kind(what="the region", outcome=REFUSED, why=NOBODY, do=edited("region: .*", "region: eu-west-1"), merged=False),
    Kind(what="the account", outcome=REFUSED, why=NOBODY,
         do=edited('account_id: .*', 'account_id: "444455556666"'), merged=False),
    Kind(what="an SSM value that the template reads", outcome=REFUSED, why="The SSM value behind VpcId", do=ssm_value,
         networked=True),
    Kind(what="the stack was updated by hand, and the plan would do more now", outcome=REFUSED,
         why=r"Not reviewed: Modify BuildProject", do=updated),
    Kind(what="the stack was updated by hand to what was reviewed", outcome=DONE, do=updated_the_same),
    Kind(what="the change set was replaced by one of the same name", outcome=AGAIN, do=replaced),
    Kind(what="the change set was deleted", outcome=AGAIN, do=deleted),
    Kind(what="the change set was executed by hand", outcome=DONE, do=executed),
    Kind(what="a change set with a forged name stands beside it", outcome=SAME, do=forged_name),
    Kind(what="the record was edited", outcome=REFUSED, why="its checksum does not match", do=forged_record),
    Kind(what="record and change set were forged: another template", outcome=REFUSED,
         why="template is not the reviewed one", do=swapped("template")),
    Kind(what="record and change set were forged: another parameter", outcome=REFUSED,
         why="parameters are not the reviewed ones", do=swapped("parameter")),
    Kind(what="record and change set were forged: another tag", outcome=REFUSED,
         why="tags are not the reviewed ones", do=swapped("tag")),
    Kind(what="record and change set were forged: another capability", outcome=REFUSED,
         why="capabilities are not the reviewed ones", do=swapped("capability")),
    Kind(what="a resource that changes was edited by hand", outcome=REFUSED,
         why="was IN_SYNC at review and is MODIFIED now", do=drift),
    Kind(what="the stack was deleted", outcome=REFUSED, why="would create the stack", do=gone),
    Kind(what="the stack is in a state that allows no update", outcome=REFUSED, why="it is UPDATE_ROLLBACK_FAILED",
         do=broken),
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.what)
def test_nothing_is_executed_against_the_seal(bench: Bench, kind: Kind) -> None:
    scene = Scene(bench=bench)
    if kind.networked:
        for name, value in PUBLISHED.items():
            bench.client("ssm").put_parameter(Name=name, Value=value, Type="StringList" if "," in value else "String")
        text = re.sub(r'account_id: "\d+"', f'account_id: "{ACCOUNT}"', example(NETWORKED))
        scene = Scene(bench=bench, name=NETWORKED, text=text)
    scene.begin()
    sealed = scene.record
    if kind.merged:
        scene.merge(2)
    kind.do(scene)
    known = kind.what != "the stack was deleted"
    before, standing = scene.live() if known else "", scene.standing()
    with scene.watched(sealed):
        outcome = deployed(scene, kind)
    assert scene.wrong == []
    assert outcome == kind.outcome
    if outcome == REFUSED:
        assert scene.executed == []
        assert scene.standing() == standing, "nothing is left behind, and nothing was taken away"
        assert (scene.live() if known else "") == before
        return
    assert scene.live() == sealed.template_sha256
    assert (scene.executed == [sealed.change_set]) == (outcome == SAME)
    left = scene.standing()[scene.id.name]
    assert left == [] or outcome == DONE


def deployed(scene: Scene, kind: Kind) -> str:
    """How the deployment of the merge ended, in the words of the table."""
    if kind.outcome == REFUSED:
        with pytest.raises(Refused, match=kind.why):
            scene.bench.deploy(2)
        return REFUSED
    (done,) = scene.bench.deploy(2)
    assert done.outcome in {Outcome.UPDATED, Outcome.UNCHANGED}, done
    if done.outcome is Outcome.UNCHANGED:
        return DONE
    return SAME if scene.executed == [scene.record.change_set] else AGAIN


def test_the_page_has_the_same_table() -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [row for row in rows if row[1] in {REFUSED, SAME, AGAIN, DONE}] == [
        (kind.what, kind.outcome) for kind in KINDS
    ]
    assert len({kind.do for kind in KINDS if kind.outcome != SAME}) >= 14
