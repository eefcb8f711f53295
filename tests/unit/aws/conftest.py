"""A CloudFormation that answers what a test says, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from stackseal.aws.session import Aws


@pytest.fixture
def stub(aws: Aws) -> Iterator[Stubber]:
    """For the client of the `aws` that each file has, of an account of its own."""
    with Stubber(aws.client("cloudformation")) as found:
        yield found
        found.assert_no_pending_responses()
