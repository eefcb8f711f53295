"""Where the published schema and AWS's documentation disagree on what an update needs: the documentation wins here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.model import Replacement

UPDATE_REQUIRES: Final[Mapping[str, Mapping[str, Replacement]]] = {
    # "Update requires: Replacement" for each; the schema has no create-only property. In fact the update fails:
    # docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html, "Important".
    "AWS::KMS::Key": {
        "KeySpec": Replacement.ALWAYS,
        "KeyUsage": Replacement.ALWAYS,
        "MultiRegion": Replacement.ALWAYS,
        "Origin": Replacement.ALWAYS,
    },
    # "Update requires: Replacement"; the schema says conditionally, for a bus may be named by its name or its ARN:
    # docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
    "AWS::Events::Rule": {"EventBusName": Replacement.ALWAYS},
}

REFUSED: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::KMS::Key": ("KeySpec", "KeyUsage", "MultiRegion", "Origin"),
}
"""Properties whose change makes the update fail, whatever the policies say. Same source as above."""

NAME_SCOPES: Final[Mapping[str, str]] = {
    "AWS::EC2::SecurityGroup": "VpcId",
    "AWS::Logs::MetricFilter": "LogGroupName",
    "AWS::SageMaker::UserProfile": "DomainId",
    "AWS::Events::Rule": "EventBusName",
}
"""Types whose names need to be unique within another resource only, and the property that names it."""

SNAPSHOT_BY_DEFAULT: Final = frozenset({"AWS::RDS::DBCluster", "AWS::RDS::DBInstance"})
"""Types whose default DeletionPolicy is Snapshot (an instance only outside a cluster):
docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html"""
