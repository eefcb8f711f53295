"""The section `stack_set`: what it may say, what is wrong with it at which line, and which products have it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from stackseal import assets, config
from stackseal.catalogue import Catalogue
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.model import Permissions, Stack
from stackseal.sandbox import Sandbox

SELF, SERVICE = sorted((assets.PRODUCTS / "guardrails_baseline" / "examples").glob("*.yaml"))
ACCOUNTS = 'accounts: ["222233334444", "333344445555"]'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def resolved(text: str, sandbox: Sandbox, *, suffix: str = "") -> Stack:
    parsed = config.parse(text.encode(), f"configs/{SELF.name}")
    return Catalogue.load().resolve(parsed, sandbox, suffix=suffix).stack


def test_a_self_managed_set(sandbox: Sandbox) -> None:
    found = resolved(SELF.read_text(), sandbox).stack_set
    assert found
    assert found.permissions is Permissions.SELF_MANAGED
    assert (found.accounts, found.units) == (("222233334444", "333344445555"), ())
    assert found.regions == ("us-west-2", "eu-west-1")
    assert found.preferences == {
        "ConcurrencyMode": "SOFT_FAILURE_TOLERANCE",
        "MaxConcurrentCount": 2,
        "RegionConcurrencyType": "SEQUENTIAL",
    }
    assert found.execution_role == "AWSCloudFormationStackSetExecutionRole"


def test_a_service_managed_set(sandbox: Sandbox) -> None:
    found = resolved(SERVICE.read_text(), sandbox).stack_set
    assert found
    assert (found.permissions, found.units) == (Permissions.SERVICE_MANAGED, ("ou-ab12-34cd56ef",))
    assert (found.auto_deployment, found.retain_on_removal, found.delegated) == (True, True, False)


def test_a_test_copy_is_an_ordinary_stack(sandbox: Sandbox) -> None:
    assert resolved(SELF.read_text(), sandbox, suffix="-test-ab12cd").stack_set is None


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (ACCOUNTS, 'accounts: ["22223333444"]', 11, "an account id has exactly twelve digits"),
        (ACCOUNTS, "accounts: [222233334444]", 11, "an account id is text"),
        (ACCOUNTS, "", 9, "SELF_MANAGED needs accounts or organizational_units"),
        (ACCOUNTS, f"{ACCOUNTS}\n  organizational_units: [ou-ab12-34cd56ef]", 12, "and not both"),
        (ACCOUNTS, "organizational_units: [ml]", 11, "an organizational unit looks like ou-ab12-34cd56ef"),
        (ACCOUNTS, f"{ACCOUNTS}\n  auto_deployment: true", 12, "only SERVICE_MANAGED has automatic deployments"),
        (ACCOUNTS, f"{ACCOUNTS}\n  retain_on_account_removal: true", 12, "only auto_deployment removes stacks"),
        (ACCOUNTS, f"{ACCOUNTS}\n  execution_role: a/b", 12, "a role's name has 1 to 64 letters"),
        ("SELF_MANAGED", "SERVICE_MANAGED", 9, "SERVICE_MANAGED deploys to organizational units"),
        ("SELF_MANAGED", "MANAGED", 10, "is none of SELF_MANAGED, SERVICE_MANAGED"),
        ("[us-west-2, eu-west-1]", "[]", 12, "it needs at least 1 entries"),
        ("[us-west-2, eu-west-1]", "[us-west-2, us-west-2]", 12, "an entry is there twice"),
        ("[us-west-2, eu-west-1]", "[us-west-2, us-gov-west-1]", 12, "are of different partitions"),
        ("max_concurrent_count: 2", "max_concurrent_count: 0", 14, "below the minimum of 1"),
        (
            "max_concurrent_count: 2",
            "max_concurrent_count: 2\n    max_concurrent_percentage: 9",
            15,
            "max_concurrent_count is given already",
        ),
        ("max_concurrent_count: 2", "concurrency: 2", 14, "is not known"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(old: str, new: str, line: int, says: str, sandbox: Sandbox) -> None:
    text = SELF.read_text()
    assert old in text
    with pytest.raises((ConfigError, ConfigErrors)) as caught:
        resolved(text.replace(old, new, 1), sandbox)
    errors = caught.value.errors if isinstance(caught.value, ConfigErrors) else (caught.value,)
    found = {error.where.line: str(error) for error in errors if error.where}
    assert says in found.get(line, ""), found


def test_a_product_of_one_account_has_no_such_section(sandbox: Sandbox) -> None:
    example = next((assets.PRODUCTS / "sg" / "examples").glob("*.yaml")).read_text()
    with pytest.raises(ConfigError, match="stack_set is not known"):
        resolved(example + "stack_set: {}\n", sandbox)


def test_an_organisations_product_needs_it(sandbox: Sandbox) -> None:
    text = SELF.read_text()
    without = text[: text.index("stack_set:")] + text[text.index("guardrails_baseline:") :]
    with pytest.raises(ConfigError, match="stack_set is missing"):
        resolved(without, sandbox)
