"""An organisation's own product: reviewed, deployed and changed by pull requests, which may be hostile."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from e2e.harness import Bench
from stackseal.change import preparation
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.model import Outcome, Report, Verdict, canonical_json, sha256
from stackseal.upkeep import verify

pytestmark = pytest.mark.e2e
PRODUCTS = Path(__file__).parents[1] / "products"
CONFIG = (PRODUCTS / "archive/examples/techcorp-prod-invoices-archive.yaml").read_text(encoding="utf-8")
NAMES = ("invoices", "letters")
SETTINGS = "version: 1\nconfigs: configs\ncatalogue: products\n"
BUCKET = "products/archive/parts/bucket.yaml.j2"
RETAINED = "{{ retention(test) }}\n"


@pytest.fixture
def house(bench: Bench) -> Bench:
    """A repository whose main branch has a product of its own and no config yet."""
    shutil.copytree(PRODUCTS, bench.folder / "products")
    (bench.folder / "stackseal.yaml").write_text(SETTINGS, encoding="utf-8")
    bench.commit("Add our product")
    return bench


def propose(bench: Bench, branch: str = "change") -> Report:
    """The review of a branch with everything that was written."""
    bench.git("switch", "--quiet", "--create", branch)
    bench.commit("Change")
    return bench.review(1)


def merge(bench: Bench, branch: str = "change") -> tuple[Outcome, ...]:
    bench.git("switch", "--quiet", "main")
    bench.git("merge", "--quiet", "--ff-only", branch)
    bench.git("branch", "--quiet", "--delete", branch)
    return tuple(done.outcome for done in bench.deploy(1))


def stand(bench: Bench) -> None:
    """Two deployed stacks of the product."""
    for name in NAMES:
        bench.write(CONFIG.replace("invoices", name), f"techcorp-prod-{name}-archive.yaml")
    report = propose(bench)
    assert (report.failures, [stack.product for stack in report.stacks]) == ((), ["archive"] * 2)
    assert merge(bench) == (Outcome.CREATED,) * 2


def edit(bench: Bench, name: str, old: str, new: str) -> None:
    path = bench.folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def days(bench: Bench, name: str) -> Any:
    rules = bench.client("s3").get_bucket_lifecycle_configuration(Bucket=f"techcorp-prod-{name}-archive")["Rules"]
    return rules[0]["NoncurrentVersionExpiration"]["NoncurrentDays"]


def test_an_edited_template_changes_every_stack_of_the_product(house: Bench) -> None:
    stand(house)
    assert [days(house, name) for name in NAMES] == [90, 90]
    edit(house, BUCKET, "{{ archive.days | tojson }}", "30")
    report = propose(house)
    assert [stack.id.name for stack in report.stacks] == [f"techcorp-prod-{name}-archive-stack" for name in NAMES]
    changes = [change for stack in report.stacks if stack.plan for change in stack.plan.changes]
    assert [change.logical_id for change in changes] == ["Bucket"] * 2
    assert merge(house) == (Outcome.UPDATED,) * 2
    assert [days(house, name) for name in NAMES] == [30, 30]
    for name in NAMES:
        drift = house.run("check-drift", f"configs/techcorp-prod-{name}-archive.yaml", "--format", "json")
        assert drift.code == 0, drift.stdout + drift.stderr


def test_a_file_that_is_no_part_of_the_product_changes_no_stack(house: Bench) -> None:
    stand(house)
    (house.folder / "products/archive/README.md").write_text("For auditors.\n", encoding="utf-8")
    assert propose(house).stacks == ()


def test_a_removed_stack_is_rendered_with_the_products_of_before(house: Bench) -> None:
    stand(house)
    shutil.rmtree(house.folder / "products")
    for name in NAMES:
        (house.folder / f"configs/techcorp-prod-{name}-archive.yaml").unlink()
    report = propose(house)
    assert report.failures == ()
    assert all(stack.plan and stack.plan.changes for stack in report.stacks)
    assert merge(house) == (Outcome.DELETED,) * 2


def test_a_waiver_of_the_products_own_file_does_not_count_in_the_pull_request_that_brings_it(house: Bench) -> None:
    stand(house)
    edit(house, BUCKET, RETAINED, "")
    waiver = "  - {check: stateful-retention, reason: We can do without them., owner: bob}\n"
    edit(house, "products/archive/product.yaml", "\nwaivers:\n", f"\nwaivers:\n{waiver}")
    report = propose(house)
    found = [item for stack in report.stacks for item in stack.findings if item.check == "stateful-retention"]
    assert len(found) >= len(NAMES)
    assert all(item.waiver is not None and item.waiver.proposed and item.blocks for item in found)
    assert str(found[0].where).startswith("products/archive/") or found[0].where.path.startswith("configs/")
    assert report.verdict is Verdict.BLOCKED


def test_what_was_stateful_before_is_lost_data_still(house: Bench) -> None:
    stand(house)
    edit(house, "products/archive/product.yaml", "stateful: [AWS::S3::Bucket]", "stateful: []")
    edit(house, BUCKET, RETAINED, "")
    report = propose(house)
    assert [item.check for stack in report.stacks for item in stack.findings if item.blocks][:1] == [
        "stateful-retention"
    ]


def test_a_catalogue_that_the_pull_request_names_does_not_count(bench: Bench) -> None:
    shutil.copytree(PRODUCTS, bench.folder / "products")
    (bench.folder / "stackseal.yaml").write_text(SETTINGS, encoding="utf-8")
    bench.write(CONFIG, "techcorp-prod-invoices-archive.yaml")
    report = propose(bench)
    assert [failure.message.split(":")[0] for failure in report.failures] == ["The config chooses no product"]
    assert report.proposed == (
        "The pull request changes `catalogue:` in stackseal.yaml: the base's products count until it is merged.",
    )


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("template.yaml.j2", "{% include '../../../stackseal.yaml' %}", "cannot be rendered: ../../../stackseal.yaml"),
        ("template.yaml.j2", "x" * 1_100_000, "The file is too large: it has more than 1,048,576 bytes"),
        (
            "template.yaml.j2",
            "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
            "The template ",  # time or memory, whichever ends first
        ),
        ("template.yaml.j2", None, "The catalogue holds a symbolic link or a submodule"),
        ("product.yaml", None, "The catalogue holds a symbolic link or a submodule"),
        ("product.yaml", "name: archive\nsection: ml_product\n", "The product is invalid at title: Field required"),
    ],
    ids=["path", "huge", "loop", "link", "linked-product", "incomplete"],
)
def test_a_hostile_product_is_one_sentence_and_nothing_is_deployed(
    name: str, text: str | None, says: str, house: Bench
) -> None:
    house.write(CONFIG, "techcorp-prod-invoices-archive.yaml")
    propose(house)
    assert merge(house) == (Outcome.CREATED,)
    path = house.folder / "products/archive" / name
    if text is None:
        path.unlink()
        path.symlink_to("/etc/passwd")
    else:
        path.write_text(text, encoding="utf-8")
    report = propose(house)
    assert report.verdict is Verdict.BLOCKED
    told = [f"{failure.where}: {failure.message}" for failure in report.failures]
    assert any(line.startswith(f"products/archive/{name}:1:1: ") and says in line for line in told), told
    shown = house.run("show-product", "techcorp-prod-invoices-archive.yaml")
    assert (shown.code, "Traceback" in shown.stderr) == (2, False)
    assert says in house.run("show-product", "configs/techcorp-prod-invoices-archive.yaml").stderr
    with pytest.raises((ConfigError, ConfigErrors)):
        merge(house)
    if name == "product.yaml" or text is None:
        assert house.run("doctor").stdout.count("wrong: products/archive/") == 1
    assert days(house, "invoices") == 90


def test_the_jobs_of_a_review_hand_an_organisations_product_on(house: Bench) -> None:
    stand(house)
    edit(house, BUCKET, "{{ archive.days | tojson }}", "30")
    house.git("switch", "--quiet", "--create", "change")
    house.commit("Change")
    bundle = house.folder / "ml/bundle.json"
    drawn = house.run("review", "--base", "main", "--head", "HEAD", "--to-bundle", str(bundle))
    assert drawn.code == 0, drawn.stderr
    report = house.folder / "ml/report.json"
    house.git("switch", "--quiet", "--detach", "main")
    planned = house.run(
        "review", "--base", "main", "--from-bundle", str(bundle), "--plan", "sealed", "--pull-request", "1",
        "--to-report", str(report), "--format", "json",
    )  # fmt: skip
    assert planned.code == 0, planned.stderr
    assert '"archive"' in report.read_text(encoding="utf-8")
    assert merge(house) == (Outcome.UPDATED,) * 2, "what the plan job sealed is what the deployment renders"


def test_a_live_stack_is_verified_with_the_products_of_its_commit(house: Bench) -> None:
    stand(house)
    edit(house, BUCKET, "{{ archive.days | tojson }}", "30")
    waiver = "  - {check: tags, reason: We can do without them., owner: bob}\n"
    edit(house, "products/archive/product.yaml", "\nwaivers:\n", f"\nwaivers:\n{waiver}")
    propose(house)
    assert merge(house) == (Outcome.UPDATED,) * 2
    head = house.git("rev-parse", "HEAD")
    edit(house, BUCKET, "30", "20")
    house.commit("Go on")
    resolved = preparation.resolve(house.world, ["configs/techcorp-prod-invoices-archive.yaml"])
    digest = verify.rendered(house.world, resolved[0].stack.id, head)
    live = house.client("cloudformation").get_template(StackName=resolved[0].stack.id.name)["TemplateBody"]
    assert digest == sha256(canonical_json(live if isinstance(live, dict) else json.loads(live)))


def test_the_commands_know_the_organisations_products(house: Bench) -> None:
    config = "configs/techcorp-prod-invoices-archive.yaml"
    house.write(CONFIG, "techcorp-prod-invoices-archive.yaml")
    listed = house.run("list-products", "--format", "json").facts["products"]
    assert {"product": "archive", "section": "archive", "variant": "plain", "resources": [2]} in listed
    assert house.run("validate-config", config).code == 0
    shown = house.run("show-product", config, "--format", "json").facts
    assert (shown["count"], shown["publishes"]) == (2, ["/archive/techcorp-prod-invoices-archive/BucketName"])
    assert "archive" in str(house.run("schema").facts["anyOf"][-1]["properties"].keys())
    made = house.run("create-policy", config, "--format", "json")
    assert made.code == 0, made.stderr
    assert "3 of" not in house.run("doctor").stdout
    assert "ok, 1 of them your own" in house.run("doctor").stdout
    wrong = house.write(CONFIG.replace("invoices", "In"), "wrong.yaml")
    assert f"configs/{wrong.name}:10:12" in house.run("validate-config", f"configs/{wrong.name}").stderr


def test_a_finding_without_a_config_line_is_told_at_the_organisations_line(house: Bench) -> None:
    edit(
        house, "products/archive/template.yaml.j2", "Resources:\n", "Resources:\n  Extra:\n    Type: AWS::SNS::Topic\n"
    )
    house.commit("Add a topic")
    house.write(CONFIG, "techcorp-prod-invoices-archive.yaml")
    report = propose(house)
    (count,) = [item for stack in report.stacks for item in stack.findings if item.check == "resource-count"]
    assert count.blocks
    assert {str(row.where) for stack in report.stacks for row in stack.resources if row.logical_id == "Extra"} == {
        "products/archive/template.yaml.j2:13:1"
    }
