"""What the embedded AWS cannot do, or does because we added it: one list for people, commands and the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Where = Literal["only AWS", "shimmed"]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One difference between the embedded AWS, or the emulators in it, and AWS."""

    area: str
    what: str
    consequence: str
    where: Where
    """`only AWS`: it cannot be tried here; `shimmed`: the emulators cannot do it, the embedded AWS can."""


def _only(area: str, what: str, consequence: str) -> Gap:
    return Gap(area=area, what=what, consequence=consequence, where="only AWS")


def _shim(area: str, what: str, consequence: str) -> Gap:
    return Gap(area=area, what=what, consequence=consequence, where="shimmed")


GAPS: Final[tuple[Gap, ...]] = (
    _only(
        "SageMaker",
        "An endpoint that gets another configuration: roll-out, alarms that bring the old one back, DeploymentConfig.",
        "The endpoint is made anew under its name at once; drift detection leaves DeploymentConfig out.",
    ),
    _only(
        "Application Auto Scaling",
        "Tags of a scalable target are accepted and not kept; nothing is scaled.",
        "Drift detection leaves them out.",
    ),
    _only(
        "Step Functions",
        "Calls of SageMaker (`sagemaker:createTrainingJob.sync` and the like) from a state machine.",
        "The state that calls fails; the states around it run as on AWS.",
    ),
    _only(
        "Step Functions",
        "Whether a state machine traces is accepted and not kept.",
        "Drift detection leaves it out.",
    ),
    _only(
        "Drift",
        "Tags of a CloudWatch dashboard are accepted and not kept.",
        "Drift detection leaves them out; a tag that somebody changes is not found.",
    ),
    _only(
        "CloudFormation",
        "Early validation when a change set is made (names that are taken, properties, quotas).",
        "A taken name fails the deployment of its resource, not the change set.",
    ),
    _only(
        "CloudFormation",
        "Change sets and drift detection take no time.",
        "CREATE_PENDING, CREATE_IN_PROGRESS of a change set and DETECTION_IN_PROGRESS are never seen.",
    ),
    _only(
        "CloudFormation",
        "Change sets that revert drift, change sets of nested stacks, DescribeEvents in full, DescribeType.",
        "These calls answer an error or leave the part out; a nested stack is one change of its parent.",
    ),
    _only(
        "StackSets",
        "Accounts go one after another whatever the preferences say; an account that joins an organizational unit gets "
        "nothing by itself; trusted access, delegated administrators, imports, overrides of parameters, account gates "
        "and queued operations.",
        "Concurrency and automatic deployment are not seen; an operation beside another is refused.",
    ),
    _only(
        "StackSets",
        "Conditions in the trust policy of an execution role, and what it may read when drift is detected.",
        "A role that cannot read a resource finds its drift here and not on AWS.",
    ),
    _only(
        "CloudFormation",
        "Import of resources of the types that the embedded AWS adds.",
        "IMPORT works for the types that ministack imports.",
    ),
    _only(
        "CloudFormation",
        "Stack policies, rollback triggers, notifications, hooks and timeouts.",
        "They are taken, stored at most, and have no effect.",
    ),
    _only(
        "CloudFormation",
        "A change set is told in pages of 50 changes, not of 1 MB.",
        "Code that forgets to page fails here sooner than on AWS.",
    ),
    _only(
        "CloudFormation",
        "With property values AWS leaves out changes that it cannot evaluate yet.",
        "Here both views of a change set list the same changes.",
    ),
    _only(
        "Drift",
        "Types outside the products of the catalogue have no reader.",
        "They are listed as NOT_CHECKED unless ministack finds something; AWS checks many and leaves out the others.",
    ),
    _only(
        "Drift",
        "Nobody tells the address of a NAT gateway, or the role and the aggregation interval of a flow log.",
        "They read as in sync; on AWS only a replacement changes them.",
    ),
    _only(
        "Drift",
        "Order counts in no list.",
        "A list whose order matters and was changed reads as in sync.",
    ),
    _only(
        "IAM",
        "A resource type without a row in the table of requests is not enforced for a stack's role.",
        "A role that is too small for such a type deploys here and fails on AWS.",
    ),
    _only(
        "IAM",
        "Reads are asked for as a few calls per type; nested stacks, dynamic references and macros ask for nothing.",
        "A role may lack a read, or cloudformation:CreateStack, that AWS would ask for.",
    ),
    _only(
        "IAM",
        "Calls to services that moto answers are not authorized, nor is iam:PassRole of direct calls to services.",
        "A role may do more than on AWS, outside of stacks.",
    ),
    _only(
        "IAM",
        "Key policies, and permissions on a KMS key that a service asks for on a caller's behalf.",
        "A key that nobody may use deploys; encryption settings are stored, data is not encrypted.",
    ),
    _only(
        "IAM",
        "Organizations' policies, Access Analyzer; permissions that other services learn of late.",
        "A new permission works at once; a new role, too, unless `EmbeddedAws.delay_roles` says otherwise.",
    ),
    _only(
        "IAM",
        "The signature of an account's own key is not checked; those of sessions and users are.",
        "Any secret is right for an account's own key.",
    ),
    _only(
        "STS",
        "The signature of a web identity token (OIDC) is not checked, and `nbf` and the issuer's keys are not read.",
        "Anybody may write a token here; only AWS proves who wrote it.",
    ),
    _only(
        "CodeBuild",
        "Webhooks of a project, their filters and who has to approve are accepted and not kept.",
        "Nothing tries a filter; drift detection leaves them out.",
    ),
    _only(
        "CodeBuild",
        "Nothing is built.",
        "StartBuild knows no project; an action of a pipeline that builds stays InProgress.",
    ),
    _only(
        "CodePipeline",
        "Four kinds of actions run: CodeCommit source, manual approval, Step Functions, and change sets of "
        "CloudFormation that are replaced and executed. A pipeline goes on when somebody asks for it, starts it or "
        "approves.",
        "Other actions (S3, connections, CodeBuild) stay InProgress; retries and disabled transitions do nothing.",
    ),
    _only(
        "CodePipeline",
        "One execution runs at a time, whatever the mode, and artefacts are kept with it, not in the bucket.",
        "SUPERSEDED and PARALLEL are not seen; the role is asked for the artefacts all the same.",
    ),
    _only(
        "EventBridge",
        "Of AWS's own events two are sent: a commit to CodeCommit, a decision about a model package. Conditions of the "
        "trust policy of a target's role are not judged.",
        "Rules for other events start nothing, and neither does a schedule.",
    ),
    _only(
        "CodeConnections",
        "A connection reaches no repository; a person's confirmation in the console is `confirm_connection`.",
        "A pipeline with GitHub as its source is created, told and compared, and no push starts it.",
    ),
    _only(
        "CodeCommit",
        "Repositories have branches and files by CreateCommit; they are no Git.",
        "They cannot be cloned or pushed to, and the property Code is ignored.",
    ),
    _only(
        "EC2",
        "Interface endpoints have no network interfaces and no DNS entries; what is in use can be deleted.",
        "DependencyViolation is not seen for security groups and subnets.",
    ),
    _only(
        "S3",
        "Bucket properties other than names, tags, encryption, versioning, public access block, ownership, lifecycle, "
        "logging, CORS and EventBridge notifications.",
        "They are taken, have no effect, and read as in sync.",
    ),
    _only(
        "CloudWatch, SNS",
        "Alarms with metric math; confirmation of e-mail subscriptions.",
        "Such an alarm fails to deploy; a subscription is confirmed at once.",
    ),
    _only(
        "Everywhere",
        "Quotas, throttling, latency, prices, and partitions other than `aws`.",
        "Limits of services are not met; ARNs of GovCloud and China begin with `arn:aws`.",
    ),
    _shim(
        "CloudFormation",
        "Changes with paths, values before and after, causes, PolicyAction and Replacement by the published schemas.",
        "ministack compares whole properties and knows the replacing properties of some types.",
    ),
    _shim(
        "CloudFormation",
        "Limits of names and descriptions, busy stacks, tokens that repeat a call, several CREATE sets on one shell.",
        "ministack accepts more, or does it twice.",
    ),
    _shim(
        "CloudFormation",
        "Names that are taken, buckets with objects, policies that do not exist, second endpoints for one service.",
        "ministack succeeds silently.",
    ),
    _shim(
        "CloudFormation",
        "Resources work on threads of their own; clean-up after an update has its events.",
        "With ministack alone a stack is never seen in progress.",
    ),
    _shim(
        "CloudFormation",
        "RoleARN is kept, told by DescribeStacks, and what the stack does is judged by it.",
        "No emulator asks the stack's role for anything.",
    ),
    _shim(
        "CloudFormation",
        "Every type of the `ml` family, with what hardened stacks set: encryption, lifecycle, boundaries, keys.",
        "ministack lacks four of the types and many properties of the others.",
    ),
    _shim(
        "StackSets",
        "Sets, instances and operations over real stacks in other accounts and regions, made with the execution role; "
        "failure tolerance, cancelled accounts, drift of every instance.",
        "ministack has no stack sets, and moto's have no stacks.",
    ),
    _shim(
        "Drift",
        "Readers that compare every property that a template sets, tags of the stack included.",
        "ministack reads few properties of few types and calls the rest in sync.",
    ),
    _shim(
        "IAM",
        "Condition keys of CloudFormation and IAM calls (RoleArn, ChangeSetName, PermissionsBoundary, PolicyARN).",
        "ministack does not fill them in, so that a right policy is denied.",
    ),
    _shim(
        "IAM",
        "aws:PrincipalArn of a session is its role, and a call over loopback counts as one over TLS.",
        "ministack compares the session's own ARN, and a bucket that wants TLS refuses everybody.",
    ),
    _shim(
        "STS",
        "A web identity token is judged: its provider and audience, its age, the trust policy with all claims that IAM "
        "offers for GitHub.",
        "ministack gives the trust policy two claims, so that the policies of real roles refuse every token.",
    ),
    _shim(
        "SageMaker, CodeCommit, CodePipeline, CodeBuild",
        "The model registry, repositories, pipelines and projects are stores of our own behind the real APIs.",
        "The emulators lack calls or forget properties; the rest of SageMaker is moto's.",
    ),
    _shim(
        "CodePipeline, EventBridge",
        "A commit to the branch that a rule names starts its pipeline; every call of a run is judged by the pipeline's "
        "role, and the start by the rule's.",
        "No emulator runs a pipeline.",
    ),
    _shim(
        "EC2",
        "VPC endpoints tell and change their policy, security groups and private DNS.",
        "ministack keeps them but does not tell.",
    ),
)

_HEAD: Final = """\
# The embedded AWS

`stackseal.local` runs an AWS inside the process: ministack's CloudFormation engine, moto for services that ministack \
lacks, and our own additions, behind one address on 127.0.0.1. The demo, `--aws local` and the tests use it; real \
boto3 talks to it. It needs the extra `local`, no Docker and no network, writes no files, and is gone when its block \
ends.

```python
from stackseal.local import EmbeddedAws

with EmbeddedAws(account="123456789012", region="us-west-2") as aws:
    environment = aws.environ()  # everything that boto3 needs
```

Other accounts are reached with their 12-digit id as access key, or by assuming a role in them; accounts and regions \
do not see each other. With `enforce=False` everybody may do everything.

This page is generated from `stackseal.local.GAPS`.
"""


def reference() -> str:
    """The page `docs/reference/embedded-aws.md`."""
    parts = [_HEAD]
    for where, title in (
        ("only AWS", "What only AWS can tell"),
        ("shimmed", "What the emulators cannot do and the embedded AWS can"),
    ):
        parts.append(f"\n## {title}\n\n| Area | What | Consequence |\n|---|---|---|\n")
        parts.extend(f"| {gap.area} | {gap.what} | {gap.consequence} |\n" for gap in GAPS if gap.where == where)
    return "".join(parts)
