"""One embedded AWS for this folder; every test finds it empty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stackseal.local import EmbeddedAws
from unit.local.driver import Account, Stack


@pytest.fixture(scope="package")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as running:
        yield running


@pytest.fixture
def account(aws: EmbeddedAws) -> Account:
    aws.reset()
    return Account(aws=aws)


@pytest.fixture
def stack(account: Account) -> Stack:
    return Stack(account=account)
