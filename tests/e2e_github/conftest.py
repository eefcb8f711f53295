"""The consumer and its AWS. Folders lie in memory, where there is room; what a failed run said is in its message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import ACCOUNT, REGION
from e2e_github import memory
from e2e_github.harness import BUCKET, SETTINGS, Hub, hub
from fakes.github.fake import GitHubFake
from stackseal.cli import connector
from stackseal.local import EmbeddedAws
from stackseal.world import EMBEDDED


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """As everywhere, only quicker."""
    with memory.quick(tmp_path) as place:
        yield place


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[Hub]:
    with GitHubFake(tmp_path / "github") as github:
        yield hub(tmp_path, github)
        assert github.violations == []


@pytest.fixture
def cloud(consumer: Hub) -> Iterator[Any]:
    """CloudFormation of the embedded AWS, which the consumer's jobs reach, too; its bucket is there."""
    with EmbeddedAws(account=ACCOUNT, region=REGION) as aws:
        aws.reset()
        consumer.env = {**aws.environ(), EMBEDDED: "1"}
        session = connector(consumer.env)(ACCOUNT, REGION)
        location = {"LocationConstraint": REGION}
        session.client("s3", REGION).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
        consumer.repository.push("main", {"stackseal.yaml": SETTINGS})
        yield session.client("cloudformation", REGION)
