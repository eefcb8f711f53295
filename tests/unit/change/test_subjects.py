"""Which stacks a change concerns: by what they are, not by what their files are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from stackseal.catalogue import Catalogue
from stackseal.change import subjects
from stackseal.change.subjects import Change
from stackseal.errors import ConfigError
from stackseal.hosts.git import Repository
from stackseal.sandbox import Sandbox
from stackseal.settings import Settings
from unit.hosts.repositories import Scratch
from unit.render.samples import CONFIG, PRODUCT, TEMPLATE, catalogue

WAIVER = """\
waivers:
  - check: CKV_AWS_1
    reason: it is tested elsewhere
    owner: somebody
    until: 2030-01-01
"""
OTHER = CONFIG.replace("techcorp", "edge")
NAME = "111122223333/us-west-2/techcorp-topic-stack"
OTHER_NAME = "111122223333/us-west-2/edge-topic-stack"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "repo")


@pytest.fixture
def products(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path)


Files = Mapping[str, str | None]


def change(scratch: Scratch, products: Catalogue, sandbox: Sandbox, before: Files, after: Files) -> Change:
    base = scratch.commit(before)
    head = scratch.commit(after)
    found = subjects.between(Repository(scratch.folder), base, head, products, sandbox)
    assert (found.base, found.head) == (base, head)
    return found


def shown(found: Change) -> list[tuple[str, bool, bool]]:
    """Identity, and whether the stack is there before and after."""
    return [(str(item.id), item.base is not None, item.head is not None) for item in found.subjects]


def test_an_added_config_is_a_new_stack(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    found = change(scratch, products, sandbox, {"configs/a.yaml": CONFIG}, {"configs/b.yaml": OTHER})
    assert shown(found) == [(OTHER_NAME, False, True)]
    assert found.subjects[0].path == "configs/b.yaml"
    assert (found.failures, found.waivers, found.settings) == ((), (), Settings())


def test_a_changed_config_is_a_changed_stack(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    files = {"configs/a.yaml": CONFIG, "configs/b.yaml": OTHER}
    found = change(scratch, products, sandbox, files, {"configs/a.yaml": CONFIG.replace("Alarms", "Alerts")})
    assert shown(found) == [(NAME, True, True)]


@pytest.mark.parametrize(
    "after",
    [
        {"configs/a.yaml": None, "configs/renamed.yaml": CONFIG},
        {"configs/a.yaml": None, "configs/sub/a.yml": CONFIG},
        {"configs/a.yaml": "# why\n" + CONFIG.replace("Alarms", '"Alarms"')},
        {"configs/a.yaml": None, "configs/renamed.yaml": "# moved\n" + CONFIG},
        {"README.md": "text", "configs/notes.txt": "text"},
    ],
)
def test_a_rename_a_comment_and_other_files_change_no_stack(
    after: Files, scratch: Scratch, products: Catalogue, sandbox: Sandbox
) -> None:
    found = change(scratch, products, sandbox, {"configs/a.yaml": CONFIG}, after)
    assert (shown(found), found.failures) == ([], ())


def test_a_renamed_and_changed_config_is_one_changed_stack(
    scratch: Scratch, products: Catalogue, sandbox: Sandbox
) -> None:
    after = {"configs/a.yaml": None, "configs/b.yaml": CONFIG.replace("Alarms", "Alerts")}
    found = change(scratch, products, sandbox, {"configs/a.yaml": CONFIG}, after)
    assert shown(found) == [(NAME, True, True)]
    assert found.subjects[0].path == "configs/b.yaml"


def test_a_removed_config_is_a_removed_stack(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    files = {"configs/a.yaml": CONFIG, "configs/b.yaml": OTHER}
    found = change(scratch, products, sandbox, files, {"configs/a.yaml": None})
    assert shown(found) == [(NAME, True, False)]
    assert found.subjects[0].path == "configs/a.yaml"


@pytest.mark.parametrize(
    ("old", "new"),
    [("techcorp", "edge"), ("us-west-2", "eu-west-1"), ("111122223333", "444455556666")],
)
def test_an_edited_identity_is_a_removal_and_an_addition(
    old: str, new: str, scratch: Scratch, products: Catalogue, sandbox: Sandbox
) -> None:
    after = {"configs/a.yaml": CONFIG.replace(old, new)}
    found = change(scratch, products, sandbox, {"configs/a.yaml": CONFIG}, after)
    assert sorted(shown(found)) == sorted([(NAME, True, False), (NAME.replace(old, new), False, True)])


# --- settings --------------------------------------------------------------------------------------------------------


def test_settings_of_the_head_only_propose(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    after = {"stackseal.yaml": WAIVER + "configs: elsewhere\n"}
    found = change(scratch, products, sandbox, {"configs/a.yaml": CONFIG}, after)
    assert found.settings == Settings()
    assert [(waiver.check, waiver.proposed) for waiver in found.waivers] == [("CKV_AWS_1", True)]
    assert found.settings.configs == "configs"
    assert shown(found) == [(NAME, True, True)]


def test_settings_of_the_base_count_and_new_ones_are_proposed(
    scratch: Scratch, products: Catalogue, sandbox: Sandbox
) -> None:
    more = WAIVER.replace("CKV_AWS_1", "CKV_AWS_2").removeprefix("waivers:\n")
    before = {"configs/a.yaml": CONFIG, "stackseal.yaml": WAIVER}
    found = change(scratch, products, sandbox, before, {"stackseal.yaml": WAIVER + more})
    assert [waiver.check for waiver in found.settings.waivers] == ["CKV_AWS_1"]
    assert [(waiver.check, waiver.proposed) for waiver in found.waivers] == [("CKV_AWS_1", False), ("CKV_AWS_2", True)]
    assert shown(found) == [(NAME, True, True)], "changed settings concern every stack"


def test_a_waiver_that_the_head_removes_still_counts(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    before = {"configs/a.yaml": CONFIG, "stackseal.yaml": WAIVER}
    found = change(scratch, products, sandbox, before, {"stackseal.yaml": None})
    assert [(waiver.check, waiver.proposed) for waiver in found.waivers] == [("CKV_AWS_1", False)]


def test_the_bases_folder_of_configs_is_read(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    before = {"stackseal.yaml": "configs: stacks/live\n", "stacks/live/a.yaml": CONFIG, "configs/b.yaml": OTHER}
    found = change(scratch, products, sandbox, before, {"stacks/live/a.yaml": None, "configs/b.yaml": None})
    assert shown(found) == [(NAME, True, False)]


def test_invalid_settings_of_the_head_are_a_failure(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    found = change(scratch, products, sandbox, {"configs/a.yaml": CONFIG}, {"stackseal.yaml": "gate: []\n"})
    (failure,) = found.failures
    assert str(failure.where) == "stackseal.yaml:1:1"
    assert "The settings are invalid at gate" in failure.message


def test_gates_of_the_head_are_proposals(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    written = "gates:\n  - on: any\n    needs: approval\n"
    found = change(scratch, products, sandbox, {"stackseal.yaml": written}, {"stackseal.yaml": "gates: []\n"})
    assert [gate.on.value for gate in found.settings.rules] == ["any"]
    assert "those of the base count until it is merged" in found.proposed[0]
    same = {"stackseal.yaml": written + "version: 1\n"}
    assert change(scratch, products, sandbox, {"stackseal.yaml": written}, same).proposed == ()


def test_invalid_settings_of_the_base_stop_everything(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    with pytest.raises(ConfigError, match="The settings are invalid"):
        change(scratch, products, sandbox, {"stackseal.yaml": "version: 2\n"}, {"stackseal.yaml": "version: 1\n"})


# --- an organisation's products ---------------------------------------------------------------------------------------

SETTINGS = "catalogue: products\n"
OWN = {
    "stackseal.yaml": SETTINGS,
    "products/topic/product.yaml": PRODUCT,
    "products/topic/template.yaml.j2": TEMPLATE,
    "configs/a.yaml": CONFIG,
    "configs/b.yaml": OTHER,
}
SHIPPED = Catalogue.load()


def test_a_products_files_concern_all_of_its_stacks(scratch: Scratch, sandbox: Sandbox) -> None:
    found = change(scratch, SHIPPED, sandbox, OWN, {"products/topic/template.yaml.j2": TEMPLATE + "# more\n"})
    assert shown(found) == [(OTHER_NAME, True, True), (NAME, True, True)]
    (base, head) = (found.subjects[0].base, found.subjects[0].head)
    assert base is not None
    assert head is not None
    assert base.stack.product.sources != head.stack.product.sources


@pytest.mark.parametrize("name", ["products/topic/README.md", "products/topic/examples/a.yaml", "products/notes.md"])
def test_what_is_no_part_of_a_product_concerns_no_stack(name: str, scratch: Scratch, sandbox: Sandbox) -> None:
    found = change(scratch, SHIPPED, sandbox, OWN, {name: "text"})
    assert (shown(found), found.failures) == ([], ())


def test_a_broken_product_is_one_failure_and_no_removal(scratch: Scratch, sandbox: Sandbox) -> None:
    found = change(scratch, SHIPPED, sandbox, OWN, {"products/topic/product.yaml": "name: topic\n"})
    assert [str(failure.where) for failure in found.failures] == ["products/topic/product.yaml:1:1"]
    assert shown(found) == []


def test_a_mended_product_counts_as_new(scratch: Scratch, sandbox: Sandbox) -> None:
    broken = {**OWN, "products/topic/product.yaml": "name: topic\n"}
    found = change(scratch, SHIPPED, sandbox, broken, {"products/topic/product.yaml": PRODUCT})
    assert (shown(found), found.failures) == ([(OTHER_NAME, False, True), (NAME, False, True)], ())


def test_a_removed_product_leaves_configs_that_choose_none(scratch: Scratch, sandbox: Sandbox) -> None:
    gone = {"products/topic/product.yaml": None, "products/topic/template.yaml.j2": None}
    found = change(scratch, SHIPPED, sandbox, OWN, gone)
    assert [failure.where.path for failure in found.failures] == ["configs/a.yaml", "configs/b.yaml"]
    assert shown(found) == []


def test_the_bases_catalogue_is_read(scratch: Scratch, sandbox: Sandbox) -> None:
    found = change(scratch, SHIPPED, sandbox, OWN, {"stackseal.yaml": "catalogue: elsewhere\n"})
    assert (shown(found), found.failures) == ([(OTHER_NAME, True, True), (NAME, True, True)], ())
    assert "changes `catalogue:` in stackseal.yaml" in found.proposed[0]


def test_what_was_stateful_still_is(scratch: Scratch, sandbox: Sandbox) -> None:
    before = {**OWN, "products/topic/product.yaml": PRODUCT + "stateful: [AWS::SNS::Topic]\n"}
    found = change(scratch, SHIPPED, sandbox, before, {"products/topic/product.yaml": PRODUCT})
    heads = [item.head for item in found.subjects if item.head is not None]
    assert [head.stack.product.stateful for head in heads] == [frozenset({"AWS::SNS::Topic"})] * 2


# --- invalid and hostile configs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (CONFIG.replace("env: prod", "env: live"), "7:8"),
        ("a: [\n", "2:1"),
        ("", "1:1"),
        ("\x00", "1:1"),
        ("[" * 60_000, "1:33"),
        ("x: 1\n", "1:1"),
    ],
    ids=range(6),
)
def test_an_invalid_config_of_the_head_is_a_failure_and_no_removal(
    text: str, place: str, scratch: Scratch, products: Catalogue, sandbox: Sandbox
) -> None:
    files = {"configs/a.yaml": CONFIG, "configs/b.yaml": OTHER}
    after = {"configs/a.yaml": text, "configs/b.yaml": OTHER.replace("Alarms", "Alerts")}
    found = change(scratch, products, sandbox, files, after)
    assert [str(failure.where) for failure in found.failures] == [f"configs/a.yaml:{place}"]
    assert all(failure.remedy for failure in found.failures)
    assert shown(found) == [(OTHER_NAME, True, True)]


def test_every_error_of_the_head_is_a_failure_of_its_own(
    scratch: Scratch, products: Catalogue, sandbox: Sandbox
) -> None:
    text = CONFIG.replace("env: prod", "env: live").replace("a001", "A")
    found = change(scratch, products, sandbox, {"configs/b.yaml": OTHER}, {"configs/a.yaml": text})
    assert [failure.where.line for failure in found.failures] == [5, 7]


def test_a_mended_config_is_a_new_stack(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    found = change(scratch, products, sandbox, {"configs/a.yaml": "a: ["}, {"configs/a.yaml": CONFIG})
    assert (shown(found), found.failures) == ([(NAME, False, True)], ())


def test_two_configs_of_one_stack_are_a_failure(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    found = change(scratch, products, sandbox, {"configs/a.yaml": CONFIG}, {"configs/b.yaml": "# copy\n" + CONFIG})
    (failure,) = found.failures
    assert failure.where.path == "configs/b.yaml"
    assert "configs/a.yaml and configs/b.yaml both are" in failure.message


def test_links_submodules_and_strange_names_are_no_crash(
    scratch: Scratch, products: Catalogue, sandbox: Sandbox
) -> None:
    base = scratch.commit({"configs/a.yaml": CONFIG, "outside.yaml": OTHER})
    (scratch.folder / "configs/link.yaml").symlink_to("../outside.yaml")
    (scratch.folder / "configs/folder.yaml").mkdir()
    (scratch.folder / "configs/folder.yaml/b\nc.yaml").write_text(OTHER)
    head = scratch.commit({})
    scratch.git("update-index", "--add", "--cacheinfo", f"160000,{head},configs/module.yaml")
    head = scratch.seal()
    found = subjects.between(Repository(scratch.folder), base, head, products, sandbox)
    assert shown(found) == [(OTHER_NAME, False, True)]
    assert found.failures == ()


def test_subjects_are_sorted_by_identity(scratch: Scratch, products: Catalogue, sandbox: Sandbox) -> None:
    after = {f"configs/{n}.yaml": CONFIG.replace("techcorp", name) for n, name in enumerate(("zeta", "beta", "eta"))}
    found = change(scratch, products, sandbox, {"README.md": "x"}, after)
    assert [item.id.name.split("-")[0] for item in found.subjects] == ["beta", "eta", "zeta"]


CALLER = "on: pull_request\njobs:\n  review:\n    uses: stackseal/stackseal/.github/workflows/review.yml@{}\n"
ACTION = "jobs:\n  a:\n    steps:\n      - uses: 'acme/stackseal@{}' # v1\n"
OLD, NEW = "a" * 40, "b" * 40
REVIEW = ".github/workflows/stackseal.yml"


@pytest.mark.parametrize("text", [CALLER, ACTION], ids=["workflow", "action"])
def test_another_version_in_the_workflows_concerns_every_stack(
    scratch: Scratch, products: Catalogue, sandbox: Sandbox, text: str
) -> None:
    before = {"configs/a.yaml": CONFIG, "configs/b.yaml": OTHER, REVIEW: text.format(OLD)}
    found = change(scratch, products, sandbox, before, {REVIEW: text.format(NEW)})
    assert shown(found) == [(OTHER_NAME, True, True), (NAME, True, True)]
    assert "another version of stackseal (bbbbbbbbbbbb after aaaaaaaaaaaa)" in found.everyone


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CALLER.format(OLD), CALLER.format(OLD) + "    with: {id: other}\n"),
        (CALLER.format(OLD), None),
        (None, CALLER.format(NEW)),
        ("uses: actions/checkout@v6\n", "uses: actions/checkout@v7\n"),
        ("uses: acme/ci/.github/workflows/build.yml@v1\n", "uses: acme/ci/.github/workflows/build.yml@v2\n"),
    ],
    ids=["edited", "removed", "first", "another action", "another workflow"],
)
def test_workflows_of_the_same_version_or_of_others_concern_no_stack(
    scratch: Scratch, products: Catalogue, sandbox: Sandbox, before: str | None, after: str | None
) -> None:
    first: Files = {"configs/a.yaml": CONFIG, "README.md": "a", **({REVIEW: before} if before else {})}
    found = change(scratch, products, sandbox, first, {REVIEW: after, "README.md": "b"})
    assert (shown(found), found.everyone) == ([], "")


def test_workflows_lie_at_the_top_of_a_repository_with_several_folders(
    scratch: Scratch, products: Catalogue, sandbox: Sandbox
) -> None:
    base = scratch.commit({"team/configs/a.yaml": CONFIG, REVIEW: CALLER.format(OLD)})
    head = scratch.commit({REVIEW: CALLER.format(NEW)})
    found = subjects.between(Repository(scratch.folder / "team"), base, head, products, sandbox)
    assert shown(found) == [(NAME, True, True)]
