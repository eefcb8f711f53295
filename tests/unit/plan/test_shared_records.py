"""Records in a bucket of the embedded AWS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from stackseal.aws.errors import AwsFailed
from stackseal.aws.s3 import Bucket
from stackseal.aws.session import Aws
from stackseal.aws.shapes import Store
from stackseal.errors import Refused
from stackseal.local import EmbeddedAws
from stackseal.plan.record import dump, key
from stackseal.plan.shared_records import SharedRecords
from unit.plan.plans import HEAD, sealed
from unit.plan.templates import STACK


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with EmbeddedAws() as embedded:
        embedded.reset()
        found = Aws(embedded.environ())
        where = {"LocationConstraint": "us-west-2"}
        found.client("s3").create_bucket(Bucket="artifacts", CreateBucketConfiguration=where)
        yield found
        found.close()


@pytest.fixture(params=["", "stackseal/"])
def bucket(aws: Aws, request: pytest.FixtureRequest) -> Bucket:
    client = aws.client("s3")
    for item in client.list_objects_v2(Bucket="artifacts").get("Contents", ()):
        client.delete_object(Bucket="artifacts", Key=item["Key"])
    return Bucket(aws, Store(bucket="artifacts", prefix=request.param))


def test_the_newest_record_comes_first_and_others_stay_apart(bucket: Bucket) -> None:
    store = SharedRecords(bucket)
    older = replace(sealed(), head="a" * 40, created="2026-11-19T00:00:00+00:00")
    other = replace(sealed(), pull_request=71)
    for item in (older, sealed(), other):
        store.put(item)
    assert [item.head for item in store.of(STACK, 7)] == [HEAD, "a" * 40]
    assert store.of(STACK, 71) == (other,)
    assert store.of(STACK, None) == ()


def test_the_address_is_told(bucket: Bucket) -> None:
    where = SharedRecords(bucket).put(sealed())
    assert where == f"{bucket}{key(STACK, 7, HEAD)}"
    assert where.startswith("s3://artifacts/")


def test_a_forged_or_misplaced_record_is_refused(bucket: Bucket) -> None:
    store = SharedRecords(bucket)
    bucket.put(key(STACK, 7, HEAD), dump(sealed()).replace('"operation": "update"', '"operation": "delete"'))
    with pytest.raises(Refused, match="checksum"):
        store.of(STACK, 7)
    bucket.put(key(STACK, 7, HEAD), dump(replace(sealed(), pull_request=8)))
    with pytest.raises(Refused, match="another stack"):
        store.of(STACK, 7)


def test_what_is_not_there_is_none_and_no_bucket_is_an_error(aws: Aws, bucket: Bucket) -> None:
    assert bucket.get("nothing.json") is None
    assert bucket.keys("nothing/") == ()
    with pytest.raises(AwsFailed, match=r"bucket does not exist.*stackseal bootstrap"):
        Bucket(aws, Store(bucket="no-such-bucket")).put("a", "b")
