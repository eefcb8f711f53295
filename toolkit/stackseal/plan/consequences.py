"""What is lost with each resource type, as data. Facts: the AWS documentation of each service.

`LOSSES` is for removed and replaced resources, `TOUCHES` for edits that replace nothing and still destroy something.
Add a type here; a type without a row gets a general sentence that says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple


class Loss(NamedTuple):
    """Sentences for one type."""

    lost: str = ""
    """What goes with the old resource."""
    replaced: str = ""
    """What else a replacement brings."""
    kept: str = ""
    """What to know when the old resource is retained."""


STATEFUL: Final = frozenset(
    {
        "AWS::Backup::BackupVault",
        "AWS::CodeArtifact::Repository",
        "AWS::CodeCommit::Repository",
        "AWS::Cognito::UserPool",
        "AWS::DocDB::DBCluster",
        "AWS::DynamoDB::GlobalTable",
        "AWS::DynamoDB::Table",
        "AWS::EC2::Instance",
        "AWS::EC2::Volume",
        "AWS::ECR::Repository",
        "AWS::EFS::FileSystem",
        "AWS::FSx::FileSystem",
        "AWS::Glue::Database",
        "AWS::Glue::Table",
        "AWS::KMS::Key",
        "AWS::KMS::ReplicaKey",
        "AWS::Kinesis::Stream",
        "AWS::Logs::LogGroup",
        "AWS::Neptune::DBCluster",
        "AWS::OpenSearchService::Domain",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::Redshift::Cluster",
        "AWS::S3::Bucket",
        "AWS::S3Tables::Table",
        "AWS::S3Tables::TableBucket",
        "AWS::SQS::Queue",
        "AWS::SageMaker::Domain",
        "AWS::SageMaker::FeatureGroup",
        "AWS::SageMaker::MlflowTrackingServer",
        "AWS::SageMaker::ModelPackage",
        "AWS::SageMaker::ModelPackageGroup",
        "AWS::SageMaker::NotebookInstance",
        "AWS::SageMaker::Space",
        "AWS::SageMaker::UserProfile",
        "AWS::SecretsManager::Secret",
        "AWS::Timestream::Table",
    }
)
"""Types whose loss is data loss whatever product they belong to."""

LOSSES: Final[Mapping[str, Loss]] = {
    "AWS::S3::Bucket": Loss(
        "Its objects are lost with it; AWS refuses to delete a bucket that is not empty, and the deployment then ends "
        "with the bucket left over.",
        "The new bucket is empty, and whoever uses the old name no longer finds it.",
        "Its name stays taken.",
    ),
    "AWS::S3::BucketPolicy": Loss("Access that only this policy grants or denies changes at once."),
    "AWS::KMS::Key": Loss(
        "The key is scheduled for deletion and disabled at once; after the waiting period everything that is encrypted "
        "with it is unreadable for good.",
        "Data encrypted with the old key are not encrypted again with the new one.",
        "It goes on costing money.",
    ),
    "AWS::KMS::Alias": Loss("Callers that use the alias fail until it exists again."),
    "AWS::CodeCommit::Repository": Loss(
        "The source history is lost: commits, branches and pull requests.",
        "The new repository is empty, clone addresses change.",
        "Its name stays taken.",
    ),
    "AWS::SageMaker::ModelPackageGroup": Loss(
        "Model versions, their approvals and metrics are lost; AWS refuses while the group still holds versions.",
        "The new group is empty, so nothing in it is approved for deployment.",
        "Its name stays taken.",
    ),
    "AWS::SageMaker::Model": Loss(
        "Endpoint configurations that name the model cannot be used for new endpoints.",
        "Running endpoints keep serving the old one until they are updated.",
    ),
    "AWS::SageMaker::EndpointConfig": Loss(
        "Endpoints that use it cannot be updated or scaled back to it.",
        "The endpoint moves to the new configuration: double capacity is needed for the time of the change, and with a "
        "fixed name the replacement fails.",
    ),
    "AWS::SageMaker::Endpoint": Loss(
        "Inference traffic stops: callers of the endpoint fail.",
        "Callers must use the new endpoint's name, and autoscaling targets of the old one are gone.",
    ),
    "AWS::SageMaker::Domain": Loss(
        "Every user's home directory is lost to them: the file system belongs to the Domain, as do user profiles, "
        "spaces and running apps; AWS refuses while apps exist.",
        "The new Domain starts with an empty file system and without users.",
    ),
    "AWS::SageMaker::UserProfile": Loss("The user's home directory, spaces and apps are no longer reachable."),
    "AWS::SageMaker::Space": Loss("The files of the space are lost, running apps end."),
    "AWS::SageMaker::NotebookInstance": Loss("Notebooks and data on the instance's volume are lost."),
    "AWS::SageMaker::FeatureGroup": Loss("The online store's features are lost; the offline store's files stay in S3."),
    "AWS::Logs::LogGroup": Loss(
        "All its log events are lost, with them evidence for audits.",
        "The new log group is empty; metric filters and subscriptions on the old one end.",
        "Its name stays taken.",
    ),
    "AWS::Logs::MetricFilter": Loss(
        "Its metric gets no more values, so alarms on it go silent or to INSUFFICIENT_DATA."
    ),
    "AWS::SSM::Parameter": Loss(
        "Its value and history are lost: stacks and programs that read it fail.",
        "Readers of the old path fail.",
    ),
    "AWS::SNS::Topic": Loss(
        "Its subscriptions go with it: nobody is told any more.",
        "Subscriptions that are not in this stack are lost, e-mail ones must be confirmed again, and publishers need "
        "the new ARN.",
    ),
    "AWS::SNS::Subscription": Loss(
        "The subscriber is told no more.",
        "An e-mail subscription must be confirmed again; until then no message arrives.",
    ),
    "AWS::SNS::TopicPolicy": Loss("Services that publish through this policy can no longer do so."),
    "AWS::IAM::Role": Loss(
        "Whoever assumes it or runs under it fails at once.",
        "Its ARN and internal id change: trust policies, key policies and bucket policies elsewhere that name the old "
        "role no longer match, even with the same name.",
    ),
    "AWS::IAM::ManagedPolicy": Loss(
        "Everyone it is attached to loses these permissions (as a boundary: loses the limit).",
        "Its ARN changes: attachments made outside this stack are lost.",
    ),
    "AWS::IAM::Policy": Loss("The roles it is attached to lose these permissions."),
    "AWS::CodePipeline::Pipeline": Loss(
        "Running executions stop and the execution history is lost.",
        "The new pipeline starts with no history and may run at once from its source.",
    ),
    "AWS::CodeBuild::Project": Loss(
        "Running builds lose their project, build history and webhooks go.",
        "Webhooks must be registered again.",
    ),
    "AWS::Events::Rule": Loss("Its events reach nobody any more, schedules stop.", "Events in between are missed."),
    "AWS::CloudWatch::Alarm": Loss("Nobody is warned any more; its history is lost."),
    "AWS::CloudWatch::Dashboard": Loss("Links to the dashboard break."),
    "AWS::EC2::VPCEndpoint": Loss(
        "Open connections drop; traffic to the service fails or leaves the private network.",
        "A second endpoint with private DNS for the same service in the VPC is refused while the old one exists.",
    ),
    "AWS::EC2::SecurityGroup": Loss(
        "Rules elsewhere that name it stop matching; AWS refuses while a network interface uses it.",
        "Network interfaces outside this stack keep the old group, which then cannot be deleted.",
    ),
    "AWS::EC2::VPC": Loss("Everything in the network must go first; AWS refuses otherwise."),
    "AWS::EC2::Subnet": Loss("Everything in the subnet must go first; AWS refuses otherwise."),
    "AWS::EC2::RouteTable": Loss("Subnets fall back to the main route table."),
    "AWS::EC2::NatGateway": Loss("Connections to the internet drop.", "The public address changes."),
    "AWS::Lambda::Function": Loss(
        "Callers and triggers fail.", "Versions, aliases and triggers outside this stack are lost; the ARN changes."
    ),
    "AWS::Lambda::Permission": Loss("The service that it allows to call the function no longer can."),
    "AWS::StepFunctions::StateMachine": Loss(
        "Running executions are stopped and the history is lost.", "Callers need the new ARN."
    ),
    "AWS::DynamoDB::Table": Loss("All its items are lost.", "The new table is empty."),
    "AWS::RDS::DBInstance": Loss("The database is lost.", "The new database is empty, its address changes."),
    "AWS::RDS::DBCluster": Loss("The database is lost.", "The new database is empty, its address changes."),
    "AWS::EFS::FileSystem": Loss("All its files are lost.", "The new file system is empty."),
    "AWS::ECR::Repository": Loss("All its images are lost; AWS refuses while it holds any.", "The new one is empty."),
    "AWS::SecretsManager::Secret": Loss("Its value can be restored for a waiting period, then it is lost."),
    "AWS::SQS::Queue": Loss("Messages in it are lost.", "Senders need the new address."),
    "AWS::CloudFormation::Stack": Loss("All resources of the nested stack are deleted with it."),
    "AWS::ServiceCatalog::Portfolio": Loss("Its shares, constraints and access grants are lost."),
    "AWS::ServiceCatalog::CloudFormationProduct": Loss("Nobody can launch it any more; provisioned copies stay."),
}


class Touch(NamedTuple):
    """An edit that costs something although the resource stays."""

    when: Callable[[str | None, str | None], bool]
    """Takes the JSON texts before and after."""
    sentence: str
    data_loss: bool


def _number(text: str | None) -> float:
    """A retention in days; none, or what is not known, is for ever."""
    try:
        return float(json.loads(text or ""))
    except (ValueError, TypeError):
        return float("inf")


def _lower(before: str | None, after: str | None) -> bool:
    return _number(after) < _number(before)


def _appears(before: str | None, after: str | None) -> bool:
    return after is not None and before != after


def _says(word: str) -> Callable[[str | None, str | None], bool]:
    return lambda before, after: after is not None and word in after and word not in (before or "")


def _goes(before: str | None, after: str | None) -> bool:
    return before is not None and after is None


TOUCHES: Final[Mapping[tuple[str, str], Touch]] = {
    ("AWS::Logs::LogGroup", "RetentionInDays"): Touch(
        _lower, "the shorter retention deletes older log events for good.", data_loss=True
    ),
    ("AWS::S3::Bucket", "LifecycleConfiguration"): Touch(
        _appears, "the new lifecycle rules also expire or move objects that exist already.", data_loss=True
    ),
    ("AWS::S3::Bucket", "VersioningConfiguration"): Touch(
        _says("Suspended"),
        "without versioning an overwritten or deleted object cannot be brought back.",
        data_loss=False,
    ),
    ("AWS::KMS::Key", "Enabled"): Touch(
        _says("false"), "while the key is disabled nothing encrypted with it can be read.", data_loss=False
    ),
    ("AWS::SNS::Topic", "KmsMasterKeyId"): Touch(
        _goes, "messages are no longer encrypted with the key.", data_loss=False
    ),
}
