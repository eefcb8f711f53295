"""A wrong product.yaml is refused at its line, an organisation's own product works like a shipped one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stackseal import config
from stackseal.catalogue import Catalogue, schema
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.sandbox import Sandbox
from unit.render.samples import CONFIG, EXAMPLES, PRODUCT, catalogue, rendered


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("title: Topic\n", "", 1, "The product is invalid at title: Field required"),
        ("name: topic", "name: Topic!", 1, "The product is invalid at name"),
        ("section: topic", "section: my-topic", 3, "The product is invalid at section"),
        ("scenario: \"''\"", "scenari: \"''\"", 1, "The product is invalid at scenario: Field required"),
        ("limit: 256", "limit: 5", 19, "The product is invalid at names.TopicName.limit"),
        ("limit: 256", "limit: many", 19, "The product is invalid at names.TopicName.limit"),
        ("limit: 256", "lenght: 256", 19, "The product is invalid at names.TopicName"),
        ("count: 1", "count: 501", 23, "The product is invalid at resources.0.count"),
        ("topic_name: client", "Topic-Name: client", 13, "The product is invalid at variables"),
        ("variants: [plain]", "variants: plain", 4, "The product is invalid at variants"),
        ("name: topic\n", "name: topic\nname: topic\n", 2, "The key 'name' is there twice"),
        ("  type: object\n", "\ttype: object\n", 6, "The file is not valid YAML"),
        ("name: topic\n", "name: &a topic\n", 1, "The file uses a YAML anchor"),
    ],
)
def test_a_wrong_product_is_refused_at_its_line(old: str, new: str, line: int, says: str, tmp_path: Path) -> None:
    assert old in PRODUCT
    with pytest.raises(ConfigError) as caught:
        catalogue(tmp_path, PRODUCT.replace(old, new, 1))
    assert says in str(caught.value)
    assert caught.value.where is not None
    assert caught.value.where.path.endswith("topic/product.yaml")
    assert caught.value.where.line == line


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("client.company_prefix ~", "client.prefix ~", "(topic_name): 'dict object' has no attribute 'prefix'"),
        ("client.company_prefix ~", "klient ~", "(topic_name): 'klient' is undefined"),
        ("client.company_prefix ~ '-topic'", "client.company_prefix ~", "(topic_name): "),
        ("client.company_prefix ~ '-topic'", "1 / 0", "(topic_name): division by zero"),
        ("client.company_prefix ~ '-topic'", "(1).x + 1", "(topic_name): "),
        ("slug: topic_name", "slug: topic_nam", "(stack:slug): 'topic_nam' is undefined"),
        ("limit: 256", "limit: 256, when: sometimes", "(names:TopicName): 'sometimes' is undefined"),
        ("when: 'true'", "when: maybe", "(count:0): 'maybe' is undefined"),
        ("\"'topic'\"", "nothing.here", "(tags:stackseal:product): 'nothing' is undefined"),
        ("scenario: \"''\"", "scenario: range(3)", "(stack:scenario): "),
        ("scenario: \"''\"", "scenario: client.__class__", "(stack:scenario): access to attribute '__class__'"),
    ],
)
def test_a_wrong_expression_names_its_key(old: str, new: str, says: str, tmp_path: Path, sandbox: Sandbox) -> None:
    assert old in PRODUCT
    products = catalogue(tmp_path, PRODUCT.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        products.resolve(config.parse(CONFIG.encode(), "x.yaml"), sandbox)
    assert str(caught.value).startswith(f"The template cannot be rendered {says}")
    assert str(caught.value.where) == "products/topic/product.yaml:1:1"


def test_two_products_cannot_claim_one_section(tmp_path: Path) -> None:
    catalogue(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/product.yaml").write_text(PRODUCT.replace("name: topic", "name: other", 1))
    with pytest.raises(ConfigError, match="Two products claim the section 'topic': other and topic have the same"):
        Catalogue.load([tmp_path])


def test_a_config_with_two_products_is_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    catalogue(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/product.yaml").write_text(PRODUCT.replace("topic\n", "other\n"))
    products = Catalogue.load([tmp_path])
    text = CONFIG + "other:\n  title: Too\n"
    with pytest.raises(ConfigError, match="it has the sections topic and other; write one file") as caught:
        products.resolve(config.parse(text.encode(), "x.yaml"), sandbox)
    assert str(caught.value.where) == "x.yaml:11:1"


def test_defaults_are_filled_in_and_names_follow_the_config(tmp_path: Path, sandbox: Sandbox) -> None:
    found = rendered(catalogue(tmp_path), CONFIG, sandbox)
    assert found.stack is not None
    assert found.stack.context["topic"] == {"title": "Alarms", "days": 7}
    assert found.stack.names["TopicName"].value == "techcorp-topic"
    assert found.stack.expected_resources == 1
    assert found.stack.tags == {"stackseal:product": "topic"}


def test_a_test_stack_has_suffixed_names_that_fit(tmp_path: Path, sandbox: Sandbox) -> None:
    products = catalogue(tmp_path, PRODUCT.replace("limit: 256", "limit: 24"))
    resolved = products.resolve(config.parse(CONFIG.encode(), "x.yaml"), sandbox, suffix="-test-ab12cd")
    name = resolved.stack.names["TopicName"]
    assert len(name.value) <= 24
    assert name.value.endswith("-test-ab12cd")
    assert name.shortened
    assert (resolved.stack.test, resolved.stack.protected) == (True, False)


@pytest.mark.parametrize("keyword", ["then", "else", "if", "required", "properties"])
def test_a_key_may_be_called_like_a_keyword_of_the_schema(keyword: str, tmp_path: Path, sandbox: Sandbox) -> None:
    product = PRODUCT.replace("{type: string}", "{type: string}\n    " + keyword + ": {enum: [a]}")
    products = catalogue(tmp_path, product)
    with pytest.raises(ConfigError, match=f"topic.{keyword} is not valid: 'b' is none of a"):
        products.resolve(config.parse((CONFIG + f"  {keyword}: b\n").encode(), "x.yaml"), sandbox)


def test_an_invalid_deciding_key_hides_its_consequences_and_nothing_else(tmp_path: Path, sandbox: Sandbox) -> None:
    """`kind: c` is one error, not two; the wrong number beside it is told all the same."""
    rule = (
        "    kind: {enum: [a, b]}\n"
        "  allOf:\n"
        "    - if: {properties: {kind: {const: a}}, required: [kind]}\n"
        "      then: {required: [days]}\n"
        "      else: {properties: {days: {not: {}}}}\n"
    )
    product = PRODUCT.replace("variables:", rule + "variables:")
    products = catalogue(tmp_path, product)

    def errors(more: str) -> list[str]:
        try:
            products.resolve(config.parse((CONFIG + more).encode(), "x.yaml"), sandbox)
        except ConfigErrors as several:
            return [f"{error.where} {error.what}" for error in several.errors]
        except ConfigError as error:
            return [f"{error.where} {error.what}"]
        return []

    assert errors("  kind: b\n") == []
    assert errors("  kind: a\n") == ["x.yaml:9:1 topic.days is missing"]
    assert errors("  kind: b\n  days: 1\n") == ["x.yaml:12:9 topic.days is not valid"]
    assert errors("  kind: c\n  days: 1\n") == ["x.yaml:11:9 topic.kind is not valid"]
    assert errors("  kind: c\n  days: x\n") == [
        "x.yaml:11:9 topic.kind is not valid",
        "x.yaml:12:9 topic.days is not valid",
    ]


def test_the_editors_schema_has_every_product_and_is_one(tmp_path: Path) -> None:
    import jsonschema

    shipped = Catalogue.load()
    found = schema.editor(shipped.products.values())
    jsonschema.Draft202012Validator.check_schema(found)
    validator = jsonschema.Draft202012Validator(found)
    for path in EXAMPLES:
        assert validator.is_valid(dict(config.parse(path.read_bytes(), path.name).data)), path.name
    assert not validator.is_valid({"client": {}})
