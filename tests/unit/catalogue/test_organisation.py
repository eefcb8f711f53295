"""What an organisation's products may not say, and that whatever is wrong with them is one sentence at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from stackseal import config, render
from stackseal.catalogue import Catalogue, organisation
from stackseal.catalogue.organisation import Folder
from stackseal.catalogue.product import ProductFile
from stackseal.errors import ConfigError
from stackseal.model import Template, Waiver
from stackseal.sandbox import Sandbox
from unit.render.samples import CONFIG, PRODUCT, TEMPLATE

FILES = {"topic/product.yaml": PRODUCT.encode(), "topic/template.yaml.j2": TEMPLATE.encode()}
WAIVED = (
    PRODUCT
    + """\
waivers:
  - {check: CKV_AWS_26, when: quiet, reason: Nothing secret is sent., owner: news-team}
"""
)
WAIVED = WAIVED.replace("variables:\n", "variables:\n  quiet: topic.days < 30\n")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(seconds=2.0) as running:
        yield running


def full(says: str) -> str:
    """The sentence of an abbreviated expectation."""
    return says.replace(": ^", ": The product is invalid at ").replace(": ~", ": The template cannot be rendered")


def loaded(files: Mapping[str, bytes], *links: str) -> tuple[tuple[ProductFile, ...], tuple[ConfigError, ...]]:
    return organisation.load(Folder(path="products", files=files, links=links), Catalogue.load().products.values())


def only(text: str, template: str = TEMPLATE) -> ProductFile:
    (product,), errors = loaded({"topic/product.yaml": text.encode(), "topic/template.yaml.j2": template.encode()})
    assert errors == ()
    return product


def told(files: Mapping[str, bytes], *links: str) -> str:
    """The one error of a folder without a valid product."""
    products, (error,) = loaded(files, *links)
    assert products == ()
    assert error.remedy
    return f"{error.where}: {error}"


def rendered(product: ProductFile, sandbox: Sandbox, text: str = CONFIG) -> Template:
    products = Catalogue.load().with_own([product])
    resolved = products.resolve(config.parse(text.encode(), "configs/x.yaml"), sandbox)
    return render.render(resolved.stack, resolved.origins, sandbox, path="ml/templates/x.yaml")


def test_a_product_is_read_with_its_lines_and_without_its_folder(sandbox: Sandbox) -> None:
    found = rendered(only(PRODUCT), sandbox)
    assert found.resources["Topic"]["Type"] == "AWS::SNS::Topic"
    assert str(found.source.template[("Resources", "Topic")]) == "products/topic/template.yaml.j2:3:1"
    assert str(found.source.blame(("Outputs",))) == "products/topic/template.yaml.j2:1:1"
    assert str(found.source.blame(("Resources", "Topic", "Properties", "DisplayName"))) == "configs/x.yaml:10:10"


def test_examples_and_notes_are_no_part_of_a_product() -> None:
    assert [
        path
        for path in ("README.md", "x.j2", "a/README.md", "a/examples/product.yaml", "a/product.yaml", "a/b/c.j2")
        if organisation.wanted(path)
    ] == ["a/product.yaml", "a/b/c.j2"]
    assert loaded({"drafts/half.yaml.j2": b"x"}) == ((), ())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("name: topic\n", "name: ml\n", "1:7: ^name: the product's folder is called topic"),
        ("section: topic", "section: ml_product", "3:10: ^section: the shipped product ml has the same"),
        ("section: topic", "section: client", "3:10: ^section: every config has client already"),
        ("section: topic", "section: account", "3:10: ^section: every config has account already"),
        ("  topic_name:", "  account:", "13:12: ^variables.account: every template has account already"),
        ("  topic_name:", "  env:", "13:8: ^variables.env: every template has env already"),
        ("  topic_name:", "  topic:", "13:10: ^variables.topic: every template has topic already"),
        ("variables:", "aliases: {client: title}\nvariables:", "12:19: ^aliases.client: every config has"),
        ("variables:", "aliases: {x: y}\nvariables:", "12:14: ^aliases.x: the schema has no property y"),
        ("title: {type: string}", "title: {$ref: 'file:///etc/passwd'}", "10:19: ^schema.properties.title.$ref"),
        ("title: {type: string}", "title: {type: text}", "10:19: ^schema.properties.title.type"),
        ("title: {type: string}", "title: {pattern: '('}", "10:22: ^schema.properties.title.pattern"),
        ("    title: {type: string}", "    title: 5", "10:12: ^schema.properties.title"),
        ("title: {type: string}", "title: {patternProperties: {}}", "10:13: ^schema.properties.title.pattern"),
        ("slug:", "root: /\nslug:", "14:7: ^root: Extra inputs are not permitted"),
        ("slug:", "before: {}\nslug:", "14:1: ^before: Extra inputs are not permitted"),
        ("slug:", "waivers: [{check: A, reason: because of that}]\nslug:", "14:11: ^waivers.0: somebody"),
        ("title: Topic", "title: \u202eTopic", "2:8: The file holds an invisible character"),
    ],
)
def test_what_could_change_a_judgement_is_refused_at_its_line(old: str, new: str, says: str) -> None:
    assert old in PRODUCT
    files = {**FILES, "topic/product.yaml": PRODUCT.replace(old, new, 1).encode()}
    assert told(files).startswith(full(f"products/topic/product.yaml:{says}"))


def test_a_shipped_name_and_a_name_twice_are_refused() -> None:
    ours = PRODUCT.replace("name: topic", "name: stackseal-roles").encode()
    assert "names that begin with stackseal- are ours" in told({"stackseal-roles/product.yaml": ours})
    ml = PRODUCT.replace("name: topic", "name: ml").encode()
    says = "products/ml/product.yaml:1:7: ^name: the shipped product ml has the same;"
    assert told({"ml/product.yaml": ml}).startswith(full(says))
    twin = PRODUCT.replace("name: topic", "name: twin").encode()
    products, (error,) = loaded({**FILES, "twin/product.yaml": twin})
    assert [product.name for product in products] == ["topic"]
    assert str(error).startswith("The product is invalid at section: the product topic has the same;")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"topic/product.yaml": b"a: ["}, "products/topic/product.yaml:2:1: The file is not valid YAML"),
        ({"topic/product.yaml": b""}, "products/topic/product.yaml:1:1: "),
        ({"topic/product.yaml": b"- 1"}, "products/topic/product.yaml:1:1: The product is not a mapping"),
        ({"topic/product.yaml": b"x" * 300_000}, "products/topic/product.yaml:1:1: The file is too large"),
        (
            {**FILES, "topic/template.yaml.j2": b"\xff"},
            "products/topic/template.yaml.j2:1:1: The file cannot be read as",
        ),
        ({**FILES, "topic/big.j2": b"x" * 1_100_000}, "products/topic/big.j2:1:1: The file is too large"),
        (
            {**FILES, "topic/mark.j2": "\ue000".encode()},
            "products/topic/mark.j2:1:1: The file holds an invisible character",
        ),
        (
            {**FILES, **{f"topic/{n}.j2": b"x" * 900_000 for n in range(3)}},
            "products/topic:1:1: The product's templates are too",
        ),
        ({f"topic/{n}.j2": b"" for n in range(501)}, "products:1:1: The catalogue has too many files"),
    ],
    ids=range(9),
)
def test_broken_and_huge_files_are_one_sentence(files: Mapping[str, bytes], says: str) -> None:
    assert told(files).startswith(full(says))


def test_a_link_is_one_sentence() -> None:
    _, (error,) = loaded(FILES, "products/topic/parts")
    assert f"{error.where}: {error.what}" == (
        "products/topic/parts:1:1: The catalogue holds a symbolic link or a submodule"
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "slug: topic_name",
            "slug: \"'../../x'\"",
            "14:7: The product topic gives no usable slug: '../../x' does not match",
        ),
        (
            "scenario: \"''\"",
            "scenario: \"'/etc/x'\"",
            "16:11: The product topic gives no usable scenario: '/etc/x' does",
        ),
        ("stack: topic_name", "stack: \"'a/..'\" #", "15:8: The product topic gives no usable stack: "),
        (
            "stack: topic_name",
            "stack: \"'stackseal-roles-x'\" #",
            "15:8: The product topic gives no usable stack: names that",
        ),
        ("stack: topic_name", "stack: nothing", "15:8: ~ (stack:name): 'nothing' is undefined"),
        ("limit: 256", "limit: 256, when: sometimes", "19:3: ~ (names:TopicName): 'sometimes'"),
        ("topic_name: client", "topic_name: range(10**9) | list or client", "13:15: ~ (topic_name)"),
        (
            "title: {type: string}",
            "title: {pattern: '^(A|A)*(A|A)*$', const: 5}",
            "5:1: A pattern of the product topic was stopped",
        ),
    ],
)
def test_what_a_product_computes_is_judged_for_every_config(old: str, new: str, says: str, sandbox: Sandbox) -> None:
    assert old in PRODUCT
    text = CONFIG.replace("Alarms", "A" * 60 + "!")
    product = only(PRODUCT.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        rendered(product, sandbox, text)
    assert f"{caught.value.where}: {caught.value}".startswith(full(f"products/topic/product.yaml:{says}"))


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{% include '../secret.j2' %}", ":1:1: ~: ../secret.j2"),
        ("{% include '/etc/passwd' %}", ":1:1: ~: /etc/passwd"),
        ("a: 1\n{% include 'ml/template.yaml.j2' %}", ":2:1: ~: ml/template.yaml.j2"),
        (
            "{% for i in range(99999) %}{% if range(99999) | sum < 0 %}{% endif %}{% endfor %}",
            ":1:1: The template was stopped",
        ),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", ":1:1: ~: it calls itself"),
        ("a: {{ topic.title }}", ":1:1: ~: a value is printed without `| tojson`"),
        ("a: {{ ''.__class__ | tojson }}", ":1:1: ~: access to attribute '__class__'"),
        ("- 1", ":1:1: The template is not a mapping"),
        ("a: [", ":1:1: The template gives no valid YAML"),
    ],
)
def test_a_hostile_template_is_one_sentence_at_its_line(template: str, says: str, sandbox: Sandbox) -> None:
    with pytest.raises(ConfigError) as caught:
        rendered(only(PRODUCT, template), sandbox)
    assert f"{caught.value.where}: {caught.value}".startswith(full(f"products/topic/template.yaml.j2{says}"))


def test_a_schema_that_no_library_expects_is_one_sentence(sandbox: Sandbox) -> None:
    product = only(PRODUCT.replace("    title: {type: string}", "    title: true"))
    assert "Alarms" in rendered(product, sandbox).text
    with pytest.raises(ConfigError, match="The schema of the product topic cannot be used: ") as caught:
        rendered(
            only(PRODUCT.replace("{type: string}", "{type: object, properties: {a: true}}")),
            sandbox,
            CONFIG.replace("title: Alarms", "title: {}"),
        )
    assert str(caught.value.where) == "products/topic/product.yaml:5:1"


# --- what a change does not decide -----------------------------------------------------------------------------------


def waivers(product: ProductFile, sandbox: Sandbox, text: str = CONFIG) -> tuple[Waiver, ...]:
    products = Catalogue.load().with_own([product])
    return products.resolve(config.parse(text.encode(), "configs/x.yaml"), sandbox).stack.product.waivers


def test_a_waiver_that_a_change_brings_is_proposed(sandbox: Sandbox) -> None:
    before, after = only(PRODUCT), only(WAIVED)
    counted = Waiver(check="CKV_AWS_26", reason="Nothing secret is sent.", owner="news-team")
    assert waivers(after, sandbox) == (counted,)
    assert waivers(organisation.changed(after, before), sandbox) == (replace(counted, proposed=True),)
    assert waivers(organisation.changed(after, None), sandbox) == (replace(counted, proposed=True),)
    assert waivers(organisation.changed(after, after), sandbox) == (counted,)


def test_a_waiver_from_before_counts_for_what_it_meant_before(sandbox: Sandbox) -> None:
    """A change can neither widen its condition, through a variable or a default, nor lose it by removing it."""
    before = only(WAIVED)
    many = CONFIG + "  days: 60\n"
    assert [waiver.proposed for waiver in waivers(organisation.changed(only(PRODUCT), before), sandbox)] == [False]
    widened = organisation.changed(only(WAIVED.replace("topic.days < 30", "'true'")), before)
    assert [waiver.proposed for waiver in waivers(widened, sandbox, many)] == [True]
    assert [waiver.proposed for waiver in waivers(widened, sandbox)] == [False]
    late = only(WAIVED.replace("default: 7", "default: 60"))
    filled = organisation.changed(only(WAIVED), late)
    assert [waiver.proposed for waiver in waivers(filled, sandbox)] == [True]


def test_a_waiver_from_before_that_no_longer_makes_sense_does_not_count(sandbox: Sandbox) -> None:
    before = only(WAIVED.replace("topic.days < 30", "topic.gone"))
    assert waivers(organisation.changed(only(PRODUCT), before), sandbox) == ()
