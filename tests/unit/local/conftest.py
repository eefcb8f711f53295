"""The accounts and stacks that the tests of this folder work with; every test finds the embedded AWS empty."""

from __future__ import annotations

import pytest

from stackseal.local import EmbeddedAws
from unit.local.driver import Account, Stack


@pytest.fixture
def account(aws: EmbeddedAws) -> Account:
    return Account(aws=aws)


@pytest.fixture
def stack(account: Account) -> Stack:
    return Stack(account=account)
