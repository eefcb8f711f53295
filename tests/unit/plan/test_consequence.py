"""Every destructive change of a stateful type is called data loss; nothing harmless is."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from stackseal import facts
from stackseal.model import Action, Change, PropertyChange, Replacement
from stackseal.plan.consequence import consequences, protected, retained
from stackseal.plan.consequences import LOSSES, STATEFUL, TOUCHES
from unit.plan.templates import template

DESTRUCTIVE = [
    (Action.REMOVE, Replacement.NEVER),
    (Action.MODIFY, Replacement.ALWAYS),
    (Action.MODIFY, Replacement.CONDITIONAL),
    (Action.DYNAMIC, Replacement.NEVER),
]
HARMLESS = [(Action.ADD, Replacement.NEVER), (Action.MODIFY, Replacement.NEVER), (Action.IMPORT, Replacement.NEVER)]


def change(type_: str, action: Action, replacement: Replacement, policy: str | None = None, path: str = "") -> Change:
    properties = (PropertyChange(path=path, before=None, after=None, replacement=replacement),) if path else ()
    return Change(
        action=action,
        logical_id="R",
        type=type_,
        physical_id="old-name",
        replacement=replacement,
        policy_action=policy,
        properties=properties,
    )


@pytest.mark.parametrize(("type_", "kind"), list(product(sorted(STATEFUL), DESTRUCTIVE)))
@pytest.mark.parametrize("policy", [None, "Delete", "ReplaceAndDelete"])
def test_no_data_loss_is_missed(type_: str, kind: tuple[Action, Replacement], policy: str | None) -> None:
    found = consequences([change(type_, *kind, policy)])
    assert [item.data_loss for item in found] == [True]
    assert found[0].sentence.startswith("R (")


@pytest.mark.parametrize("kind", DESTRUCTIVE)
def test_a_products_own_stateful_types_count(kind: tuple[Action, Replacement]) -> None:
    weather = change("AWS::IoT::Thing", *kind)
    assert [item.data_loss for item in consequences([weather], {"AWS::IoT::Thing"})] == [True]
    assert [item.data_loss for item in consequences([weather])] == [False]


@pytest.mark.parametrize(("type_", "kind"), list(product(sorted(STATEFUL), HARMLESS)))
def test_nothing_harmless_is_called_loss(type_: str, kind: tuple[Action, Replacement]) -> None:
    assert consequences([change(type_, *kind)]) == ()


@pytest.mark.parametrize("type_", sorted(LOSSES))
def test_what_is_retained_is_not_lost_and_is_named(type_: str) -> None:
    removed = change(type_, Action.REMOVE, Replacement.NEVER, "Retain")
    replaced = change(type_, Action.MODIFY, Replacement.ALWAYS, "ReplaceAndRetain", "Name")
    for found in (consequences([removed])[0], consequences([replaced])[0]):
        assert not found.data_loss
        assert "stays behind as old-name, no longer managed" in found.sentence
    assert retained([removed]) == ("R",)
    assert "because of Name" in consequences([replaced])[0].sentence


def test_the_template_tells_the_policy_of_a_possible_replacement() -> None:
    maybe = change("AWS::DynamoDB::Table", Action.MODIFY, Replacement.CONDITIONAL)
    assert [item.data_loss for item in consequences([maybe], kept={"R"})] == [False]
    assert [item.data_loss for item in consequences([maybe], kept={"Other"})] == [True]
    inside = replace(maybe, nested=("R",))
    assert [item.data_loss for item in consequences([inside], kept={"R"})] == [True]
    body = {"R": {"Type": "AWS::S3::Bucket", "UpdateReplacePolicy": "Retain"}, "S": {"Type": "AWS::S3::Bucket"}}
    assert protected(template(body)) == {"R"}


def test_a_snapshot_is_said() -> None:
    (found,) = consequences([change("AWS::RDS::DBInstance", Action.REMOVE, Replacement.NEVER, "Snapshot")])
    assert "last snapshot is kept" in found.sentence
    assert not found.data_loss


def test_an_unknown_type_gets_an_honest_sentence() -> None:
    (found,) = consequences([change("Custom::Thing", Action.REMOVE, Replacement.NEVER)])
    assert "is not known for this type" in found.sentence


@pytest.mark.parametrize("type_", sorted({*LOSSES, *STATEFUL, *(type_ for type_, _ in TOUCHES)}))
def test_every_row_names_a_type_that_exists(type_: str) -> None:
    assert type_ in facts.types()


@pytest.mark.parametrize("type_", sorted(LOSSES))
def test_sentences_are_sentences(type_: str) -> None:
    for text in LOSSES[type_]:
        assert text == "" or (text[0].isupper() and text.endswith(".") and "\n" not in text)


@pytest.mark.parametrize(
    ("type_", "path", "before", "after", "loss"),
    [
        ("AWS::Logs::LogGroup", "RetentionInDays", "365", "30", True),
        ("AWS::Logs::LogGroup", "RetentionInDays", None, "30", True),
        ("AWS::Logs::LogGroup", "RetentionInDays", "30", "365", None),
        ("AWS::Logs::LogGroup", "RetentionInDays", '"30"', None, None),
        ("AWS::S3::Bucket", "LifecycleConfiguration/Rules/0/ExpirationInDays", "90", "30", True),
        ("AWS::S3::Bucket", "VersioningConfiguration/Status", '"Enabled"', '"Suspended"', False),
        ("AWS::S3::Bucket", "VersioningConfiguration/Status", '"Suspended"', '"Enabled"', None),
        ("AWS::KMS::Key", "Enabled", "true", "false", False),
        ("AWS::S3::Bucket", "/DeletionPolicy", '"Retain"', None, False),
        ("AWS::S3::Bucket", "/UpdateReplacePolicy", '"Retain"', '"Delete"', False),
        ("AWS::S3::Bucket", "/DeletionPolicy", None, '"Retain"', None),
        ("AWS::S3::Bucket", "/DeletionPolicy", '"Retain"', '"RetainExceptOnCreate"', None),
        ("AWS::SNS::Topic", "DisplayName", '"a"', '"b"', None),
    ],
)
def test_edits_in_place_that_cost_something(
    type_: str, path: str, before: str | None, after: str | None, loss: bool | None
) -> None:
    item = PropertyChange(path=path, before=before, after=after)
    edited = Change(action=Action.MODIFY, logical_id="R", type=type_, properties=(item,))
    assert [found.data_loss for found in consequences([edited])] == ([] if loss is None else [loss])


def test_data_loss_comes_first_and_nothing_twice() -> None:
    bucket = change("AWS::S3::Bucket", Action.REMOVE, Replacement.NEVER)
    role = Change(action=Action.REMOVE, logical_id="A", type="AWS::IAM::Role")
    found = consequences([role, bucket, bucket])
    assert [item.logical_id for item in found] == ["R", "A"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            change("AWS::SNS::Topic", Action.REMOVE, Replacement.NEVER),
            "R (SNS::Topic old-name) is deleted. Its subscriptions go with it: nobody is told any more.",
        ),
        (
            change("AWS::KMS::Key", Action.REMOVE, Replacement.NEVER, "Retain"),
            (
                "R (KMS::Key old-name) leaves the stack. It stays behind as old-name, no longer managed by the stack. "
                "It goes on costing money."
            ),
        ),
        (
            change("AWS::Lambda::Permission", Action.MODIFY, Replacement.ALWAYS, "ReplaceAndDelete", "Action"),
            (
                "R (Lambda::Permission old-name) is replaced because of Action. The service that it allows "
                "to call the function no longer can."
            ),
        ),
        (
            change("AWS::DynamoDB::Table", Action.MODIFY, Replacement.CONDITIONAL),
            "R (DynamoDB::Table old-name) may be replaced. All its items are lost. The new table is empty.",
        ),
        (
            change("AWS::S3::Bucket", Action.MODIFY, Replacement.ALWAYS, "ReplaceAndRetain", "BucketName"),
            (
                "R (S3::Bucket old-name) is replaced because of BucketName. The old one stays behind as "
                "old-name, no longer managed by the stack. Its name stays taken. The new bucket is empty, "
                "and whoever uses the old name no longer finds it."
            ),
        ),
        (
            Change(action=Action.DYNAMIC, logical_id="R", type="AWS::SQS::Queue"),
            (
                "R (SQS::Queue) may be removed, replaced or changed; CloudFormation decides while it "
                "deploys. Messages in it are lost. Senders need the new address."
            ),
        ),
        (
            Change(action=Action.REMOVE, logical_id="R", type="AWS::Timestream::Table"),
            "R (Timestream::Table) is deleted. Its data are lost.",
        ),
    ],
)
def test_the_sentences_word_for_word(given: Change, sentence: str) -> None:
    assert [item.sentence for item in consequences([given])] == [sentence]


@pytest.mark.parametrize(
    ("path", "before", "after", "sentence"),
    [
        (
            "/DeletionPolicy",
            '"Snapshot"',
            '"Delete"',
            "R (S3::Bucket) loses its DeletionPolicy: nothing is deleted now, but its next removal deletes its data.",
        ),
        (
            "/UpdateReplacePolicy",
            '"Retain"',
            None,
            (
                "R (S3::Bucket) loses its UpdateReplacePolicy: nothing is deleted now, but its next "
                "replacement deletes its data."
            ),
        ),
        ("/DeletionPolicy", '"Retain"', '"Snapshot"', None),
        ("/DeletionPolicy", '"Snapshot"', '"Retain"', None),
    ],
)
def test_a_lost_policy_word_for_word(path: str, before: str, after: str | None, sentence: str | None) -> None:
    item = PropertyChange(path=path, before=before, after=after)
    edited = Change(action=Action.MODIFY, logical_id="R", type="AWS::S3::Bucket", properties=(item,))
    assert [found.sentence for found in consequences([edited])] == ([sentence] if sentence else [])


def test_a_certain_replacement_without_a_policy_is_not_softened_by_the_template() -> None:
    sure = change("AWS::DynamoDB::Table", Action.MODIFY, Replacement.ALWAYS)
    assert [item.data_loss for item in consequences([sure], kept={"R"})] == [True]
