"""S3: templates over the inline limit, under a key that names their content; and small objects such as records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackseal.aws.errors import AwsFailed, translated
from stackseal.aws.session import Aws
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


class Bucket:
    """Small text objects of one bucket, below a prefix."""

    def __init__(self, aws: Aws, store: Store, region: str | None = None) -> None:
        self._client = aws.client("s3", region)
        self._store = store
        self._prefix = f"{store.prefix.strip('/')}/" if store.prefix.strip("/") else ""

    def __str__(self) -> str:
        return f"s3://{self._store.bucket}/{self._prefix}"

    def put(self, key: str, text: str) -> None:
        """Write an object whole; an older version stays in a versioned bucket."""
        with translated(f"could not write {self}{key}"):
            self._client.put_object(
                Bucket=self._store.bucket,
                Key=f"{self._prefix}{key}",
                Body=text.encode(),
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
            )

    def get(self, key: str) -> str | None:
        """An object's text, None where there is none."""
        try:
            with translated(f"could not read {self}{key}"):
                answer = self._client.get_object(Bucket=self._store.bucket, Key=f"{self._prefix}{key}")
                return answer["Body"].read().decode(errors="replace")
        except AwsFailed as error:
            if error.code == "NoSuchKey":
                return None
            raise

    def keys(self, folder: str) -> tuple[str, ...]:
        """Keys of every object in a folder (`a/b/`), sorted, to the last page."""
        found: list[str] = []
        with translated(f"could not list {self}{folder}"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._store.bucket, Prefix=f"{self._prefix}{folder}"):
                found += [item.get("Key", "").removeprefix(self._prefix) for item in page.get("Contents", ())]
        return tuple(sorted(found))
