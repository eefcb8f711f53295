"""The same content gives the same bytes, no value becomes structure, and a wrong product is refused at its line."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stackseal import render, yamltext
from stackseal.catalogue import Catalogue
from stackseal.errors import ConfigError
from stackseal.sandbox import Sandbox
from unit.render.samples import CONFIG, ENTERPRISE, EXAMPLES, PRODUCT, TEMPLATE, catalogue, rendered, shipped


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Catalogue, Sandbox]]:
    with shipped() as found:
        yield found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


# --- the same bytes --------------------------------------------------------------------------------------------------


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


@pytest.mark.spec("A24")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_layout_comments_and_order_change_no_byte(path: Path, world: tuple[Catalogue, Sandbox]) -> None:
    products, sandbox = world
    first = rendered(products, path.read_bytes(), sandbox)
    data = yaml.safe_load(path.read_text())
    for seed in range(3 if path == ENTERPRISE else 1):
        mixed = shuffled(data, random.Random(seed))  # noqa: S311 - the same order every time
        flow = yaml.safe_dump(mixed, default_flow_style=bool(seed % 2), sort_keys=False, indent=2 + 2 * seed)
        again = rendered(products, f"# a comment\n\n{flow}\n# the end\n", sandbox)
        assert again.text == first.text
        assert again.canonical == first.canonical
        assert again.sha256 == first.sha256


def test_another_child_gives_the_same_bytes(world: tuple[Catalogue, Sandbox]) -> None:
    products, sandbox = world
    first = rendered(products, ENTERPRISE.read_bytes(), sandbox)
    with Sandbox() as other:
        again = rendered(Catalogue.load(), ENTERPRISE.read_bytes(), other)
    assert (again.text, again.canonical, again.source) == (first.text, first.canonical, first.source)


def test_the_written_text_is_the_body(world: tuple[Catalogue, Sandbox]) -> None:
    products, sandbox = world
    for path in EXAMPLES:
        found = rendered(products, path.read_bytes(), sandbox)
        assert yaml.safe_load(found.text) == found.body
        assert render.read(found.text, "again.yaml").canonical == found.canonical
        assert found.text.isascii()


# --- values are values -----------------------------------------------------------------------------------------------

FREE = (
    "x\n  Policies:",
    "{{7*7}}",
    "{% raw %}",
    ": #",
    "'\"`",
    "- a",
    "---",
    "!!python/object:os.system",
    "${AWS::AccountId}",
    "{{resolve:ssm:/a:1}}",
    "\u00e9\u6f22\U0001f600",
    "</textarea><script>",
    "NO",
    "null",
    "012345670123",
    "a" * 128,
)
TAGS = (
    *("a: b", "- x", "NO", "on", "y", "1e3", "0x1F", "2012-10-17", "22:22", "1_000", "true", "null", "", " lead"),
    *("=x", "@x", "Ωmega", "x:", ": x", "--- x", "007", ".5", "1.", "+1", "/a/b=c"),
)


def described(found: Any, skip: str) -> Any:
    """The shape of a template without one value."""
    if isinstance(found, dict):
        return {key: described(value, skip) for key, value in found.items()}
    if isinstance(found, list):
        return [described(value, skip) for value in found]
    return "SKIPPED" if found == skip else found


@pytest.mark.parametrize("value", FREE, ids=range(len(FREE)))
def test_free_text_stays_one_value(value: str, tmp_path: Path, sandbox: Sandbox) -> None:
    products = catalogue(tmp_path)
    config = CONFIG.replace("Alarms", yaml.safe_dump(value, default_style='"', width=9999).strip())
    found = rendered(products, config.replace("Tech Corp", "T"), sandbox)
    assert found.body["Resources"] == {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "techcorp-topic", "DisplayName": value}}
    }
    assert yaml.safe_load(found.text) == found.body


@pytest.mark.parametrize("value", FREE, ids=range(len(FREE)))
def test_a_companys_name_changes_nothing_but_the_hash(value: str, world: tuple[Catalogue, Sandbox]) -> None:
    products, sandbox = world
    name = yaml.safe_dump(value, default_style='"', width=9999).strip()
    plain = rendered(products, EXAMPLES[-1].read_bytes(), sandbox)
    found = rendered(products, EXAMPLES[-1].read_text().replace("Tech Corp", name), sandbox)
    assert found.stack != plain.stack
    assert found.body == plain.body
    assert found.text.splitlines()[2:] == plain.text.splitlines()[2:]


@pytest.mark.parametrize("value", TAGS)
def test_a_tags_value_stays_one_text(value: str, world: tuple[Catalogue, Sandbox]) -> None:
    products, sandbox = world
    source = EXAMPLES[-1].read_text()
    plain = rendered(products, source, sandbox)
    found = rendered(products, source.replace("Customer Analytics", f'"{value}"'), sandbox)
    tags = found.body["Resources"]["ArtifactsBucket"]["Properties"]["Tags"]
    assert {"Key": "cost_center", "Value": value} in tags
    if value not in {"", "2012-10-17"}:  # these occur elsewhere in the template, too
        assert described(found.body, value) == described(plain.body, "Customer Analytics")
    assert yaml.safe_load(found.text) == found.body


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cf", "Co", "Zl", "Zp"])))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_any_text_that_a_config_can_hold_stays_one_value(value: str) -> None:
    text = yaml.safe_dump({"k": value}, width=9999)
    read = yamltext.parse(yamltext.decode(text.encode(), "x"), "x").data
    assert read == {"k": value} or value in {"y", "n", "Y", "N"} or isinstance(read, dict)
    assert yamltext.parse(yamltext.dump({"k": value}), "x").data == {"k": value}


# --- a wrong product -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "place", "says"),
    [
        ("Resources:\n  A: {{ topic.title }}\n", "template.yaml.j2:2:1", "a value is printed without `| tojson`"),
        ("Resources:\n  A: '{{ topic.title | tojson }}'\n", "template.yaml.j2:2:1", "stands inside quotes or next to"),
        ("Resources:\n  A: x-{{ topic.title | tojson }}\n", "template.yaml.j2:2:1", "stands inside quotes or next to"),
        ("Resources:\n  A: {{ nobody | tojson }}\n", "template.yaml.j2:2:1", "'nobody' is undefined"),
        ("Resources:\n\n  A: {{ topic.tilte | tojson }}\n", "template.yaml.j2:3:1", "has no attribute 'tilte'"),
        ("Resources:\n{% if %}\n", "template.yaml.j2:2:1", "Expected an expression"),
        ("Resources:\n{% include 'nothing.j2' %}\n", "template.yaml.j2:2:1", "nothing.j2"),
        ("- a\n- b\n", "template.yaml.j2:1:1", "The template is not a mapping"),
        ("", "template.yaml.j2:1:1", "The file is empty on line 1 of what is rendered"),
        ("Resources:\n  A: 1\n  A: 2\n", "template.yaml.j2:3:1", "The key 'A' is there twice"),
        (
            "Resources:\n{# two\nlines #}\n  A: [\n",
            "template.yaml.j2:5:1",
            "The file is not valid YAML on line 3 of what",
        ),
        ("{% for x in [1] %}\nA: 1\n{% endfor %}\nA: 2\n", "template.yaml.j2:4:1", "The key 'A' is there twice"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_refused_at_its_line(
    template: str, place: str, says: str, tmp_path: Path, sandbox: Sandbox
) -> None:
    products = catalogue(tmp_path, template=template)
    with pytest.raises(ConfigError) as caught:
        rendered(products, CONFIG, sandbox)
    assert str(caught.value.where).startswith(f"products/topic/{place}")
    assert says in str(caught.value)


def test_a_product_without_its_template_file_says_so(tmp_path: Path, sandbox: Sandbox) -> None:
    products = catalogue(tmp_path, PRODUCT + "template: other.yaml.j2\n")
    with pytest.raises(ConfigError, match=r"other\.yaml\.j2") as caught:
        rendered(products, CONFIG, sandbox)
    assert caught.value.where is not None
    assert caught.value.where.path == "products/topic/product.yaml"


def test_links_in_a_product_are_left_out(tmp_path: Path, sandbox: Sandbox) -> None:
    secret = tmp_path / "secret.yaml.j2"
    secret.write_text("Secret: 1\n")
    products = catalogue(tmp_path, template=TEMPLATE + '{% include "linked.yaml.j2" %}\n')
    (tmp_path / "topic/linked.yaml.j2").symlink_to(secret)
    with pytest.raises(ConfigError, match=r"linked\.yaml\.j2"):
        rendered(products, CONFIG, sandbox)


def test_a_part_of_a_product_is_included_by_its_name(tmp_path: Path, sandbox: Sandbox) -> None:
    products = catalogue(tmp_path, template=TEMPLATE + '{% include "part.yaml.j2" %}\n', part="Metadata: {a: b}\n")
    assert rendered(products, CONFIG, sandbox).body["Metadata"] == {"a": "b"}


# --- anybody's template ----------------------------------------------------------------------------------------------


def test_a_foreign_template_keeps_its_own_lines() -> None:
    text = "Parameters:\n  A: {Type: String, Default: 5}\nResources:\n  B:\n    Type: T\n    Properties: {X: !Ref A}\n"
    found = render.read(text, "theirs.yaml")
    assert found.parameters == {"A": "5"}
    assert str(found.source.blame(("Resources", "B", "Properties", "X"))) == "theirs.yaml:6:21"
    assert found.source.node_at(5) == ("Resources", "B", "Type")
    assert found.stack is None


@pytest.mark.parametrize("text", ["[]", "a: b", "Resources: []", "Resources:", "AWSTemplateFormatVersion: x"])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="The file is not a CloudFormation template"):
        render.read(text, "x.yaml")


@pytest.mark.parametrize(
    ("default", "value"),
    [("true", "true"), ("5", "5"), ("1.5", "1.5"), ("[a, b]", "a,b"), ("'x'", "x"), ("''", ""), ("1e3", "1e3")],
)
def test_a_parameters_default_is_text(default: str, value: str) -> None:
    text = f"Parameters: {{A: {{Type: String, Default: {default}}}, B: {{Type: String}}}}\nResources: {{}}\n"
    assert render.read(text, "x.yaml").parameters == {"A": value}


@pytest.mark.spec("A24")
def test_every_hash_seed_writes_the_same_files(tmp_path: Path) -> None:
    found = []
    for seed in ("0", "1", "42"):
        folder = tmp_path / seed
        folder.mkdir()
        (folder / ENTERPRISE.name).write_bytes(ENTERPRISE.read_bytes())
        program = (
            "import sys; from stackseal.cli import main\n"
            f"sys.exit(any(main([c, {ENTERPRISE.name!r}], {{}}) for c in ('create-prov-template', 'create-policy')))"
        )
        env = {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", program], cwd=folder, env=env, check=True, capture_output=True)
        found.append(
            {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.[jy]*") if path.is_file()}
        )
    assert found[0] == found[1] == found[2]
    assert len(found[0]) > 5
