"""S3: templates over the inline limit, under a key that names their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackseal.aws.errors import translated
from stackseal.aws.shapes import Store
from stackseal.model import sha256

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def upload(client: S3Client, store: Store, body: str) -> str:
    """Put a template under `{prefix}/templates/{sha256}.json` and return the address for TemplateURL.

    The same content always has the same key, so nothing that was reviewed can be overwritten with something else.
    """
    key = "/".join(part for part in (store.prefix.strip("/"), "templates", f"{sha256(body)}.json") if part)
    with translated(f"could not store the template in the bucket {store.bucket}"):
        client.put_object(
            Bucket=store.bucket,
            Key=key,
            Body=body.encode(),
            ContentType="application/json",
            ChecksumAlgorithm="SHA256",
        )
    return f"{client.meta.endpoint_url}/{store.bucket}/{key}"
