"""What creating, changing and deleting resources of S3 asks of IAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stackseal.local.needs import Row
from stackseal.local.requests.words import OBSERVED, SAR, TAGS, of

_BUCKET: Final = "arn:{partition}:s3:::"

ROWS: Final[Mapping[str, Row]] = {
    "AWS::S3::Bucket": Row(
        arn=f"{_BUCKET}{{id}}",
        sources=(f"{SAR}amazons3.html", OBSERVED),
        create=(
            *of("s3:CreateBucket"),
            # CloudFormation tags every bucket with its stack, in the call that makes it.
            *of("s3:TagResource", tags=True),
            *of("s3:PutBucketTagging", when=TAGS),
            *of("s3:PutEncryptionConfiguration", when=("BucketEncryption",)),
            *of("s3:PutBucketVersioning", when=("VersioningConfiguration",)),
            *of("s3:PutBucketPublicAccessBlock", when=("PublicAccessBlockConfiguration",)),
            *of("s3:PutBucketOwnershipControls", when=("OwnershipControls",)),
            *of("s3:PutLifecycleConfiguration", when=("LifecycleConfiguration",)),
            *of("s3:PutBucketLogging", when=("LoggingConfiguration",)),
            *of("s3:PutBucketCORS", when=("CorsConfiguration",)),
            *of("s3:PutBucketNotification", when=("NotificationConfiguration",)),
        ),
        read=(
            *of("s3:GetEncryptionConfiguration", when=("BucketEncryption",)),
            *of("s3:GetBucketVersioning", when=("VersioningConfiguration",)),
            *of("s3:GetBucketPublicAccessBlock", when=("PublicAccessBlockConfiguration",)),
            *of("s3:GetBucketOwnershipControls", when=("OwnershipControls",)),
            *of("s3:GetLifecycleConfiguration", when=("LifecycleConfiguration",)),
            *of("s3:GetBucketLogging", when=("LoggingConfiguration",)),
        ),
        compare=(
            *of("s3:GetBucketTagging", when=TAGS),
            *of("s3:GetBucketCORS", when=("CorsConfiguration",)),
            *of("s3:GetBucketNotification", when=("NotificationConfiguration",)),
        ),
        update=(
            *of("s3:PutBucketTagging", when=TAGS),
            *of("s3:PutEncryptionConfiguration", when=("BucketEncryption",)),
            *of("s3:PutBucketVersioning", when=("VersioningConfiguration",)),
            *of("s3:PutBucketPublicAccessBlock", when=("PublicAccessBlockConfiguration",)),
            *of("s3:PutBucketOwnershipControls", when=("OwnershipControls",)),
            *of("s3:PutLifecycleConfiguration", when=("LifecycleConfiguration",)),
            *of("s3:PutBucketLogging", when=("LoggingConfiguration",)),
            *of("s3:PutBucketCORS", when=("CorsConfiguration",)),
            *of("s3:PutBucketNotification", when=("NotificationConfiguration",)),
        ),
        delete=of("s3:DeleteBucket"),
    ),
    "AWS::S3::BucketPolicy": Row(
        arn=f"{_BUCKET}{{Bucket}}",
        sources=(f"{SAR}amazons3.html", OBSERVED),
        create=of("s3:PutBucketPolicy"),
        read=of("s3:GetBucketPolicy"),
        update=of("s3:PutBucketPolicy"),
        delete=of("s3:DeleteBucketPolicy"),
    ),
}
