"""Where an organisation's products are read from: a working directory or a commit, and nothing outside of either."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stackseal.catalogue import Catalogue
from stackseal.change import offered
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.hosts.git import Repository
from unit.hosts.repositories import Scratch
from unit.render.samples import PRODUCT, TEMPLATE

FILES = {"products/topic/product.yaml": PRODUCT, "products/topic/template.yaml.j2": TEMPLATE}
SHIPPED = Catalogue.load()


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "repo")


def here(scratch: Scratch, root: str = "products") -> list[str]:
    """The names of the organisation's products of the working directory."""
    return own(offered.here(scratch.folder, root, SHIPPED))


def own(found: Catalogue) -> list[str]:
    return [product.name for product in found.products.values() if product.sources is not None]


def told(scratch: Scratch, root: str = "products") -> str:
    with pytest.raises(ConfigError) as caught:
        here(scratch, root)
    return f"{caught.value.where}: {caught.value}"


def test_without_the_setting_there_are_the_shipped_products(scratch: Scratch) -> None:
    head = scratch.commit(FILES)
    assert offered.here(scratch.folder, None, SHIPPED) is SHIPPED
    assert offered.at(Repository(scratch.folder), head, None, SHIPPED) == (SHIPPED, ())


def test_the_working_directory_and_the_commit_give_the_same_product(scratch: Scratch) -> None:
    head = scratch.commit({**FILES, "products/README.md": "x", "products/topic/examples/x.yaml": "x"})
    local = offered.here(scratch.folder, "products", SHIPPED)
    committed, errors = offered.at(Repository(scratch.folder), head, "products", SHIPPED)
    assert (errors, own(local)) == ((), ["topic"])
    assert local == committed
    assert list(local.products["topic"].sources or {}) == ["template.yaml.j2"]


def test_each_commit_has_its_own_products(scratch: Scratch) -> None:
    first = scratch.commit(FILES)
    second = scratch.commit({"products/topic/template.yaml.j2": TEMPLATE + "# more\n"})
    third = scratch.commit({"products/topic/product.yaml": None})
    repository = Repository(scratch.folder)
    found = [offered.at(repository, commit, "products", SHIPPED)[0] for commit in (first, second, third)]
    assert [own(each) for each in found] == [["topic"], ["topic"], []]
    digests = [each.products["topic"].digest for each in found[:2]]
    assert len(set(digests)) == 2
    assert own(offered.at(repository, first, "elsewhere", SHIPPED)[0]) == []


def test_what_is_wrong_at_a_commit_leaves_the_other_products(scratch: Scratch) -> None:
    broken = {"products/bad/product.yaml": "name: bad\n", "products/worse/product.yaml": "["}
    head = scratch.commit({**FILES, **broken})
    found, errors = offered.at(Repository(scratch.folder), head, "products", SHIPPED)
    assert own(found) == ["topic"]
    assert [error.where.path for error in errors if error.where] == [
        "products/bad/product.yaml",
        "products/worse/product.yaml",
    ]
    with pytest.raises(ConfigErrors, match="2 problems"):
        here(scratch)


def test_a_missing_folder_is_said_where_a_person_works(scratch: Scratch) -> None:
    assert told(scratch).startswith("stackseal.yaml:1:1: The catalogue 'products' was not found: `catalogue` in")


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("products", "elsewhere"),
        ("products/topic", "../elsewhere/topic"),
        ("products/topic/parts", "/etc"),
        ("products/topic/template.yaml.j2", "/etc/passwd"),
        ("products/topic/product.yaml", "../../elsewhere/topic/product.yaml"),
        ("products/more/x", "/nowhere"),
    ],
)
def test_a_link_is_refused_here_and_at_a_commit(link: str, target: str, scratch: Scratch) -> None:
    scratch.commit({name.replace("products", "elsewhere"): text for name, text in FILES.items()})
    if link != "products":
        scratch.commit({name: text for name, text in FILES.items() if not name.startswith(link)} | {"products/x": ""})
    (scratch.folder / link).parent.mkdir(exist_ok=True)
    (scratch.folder / link).symlink_to(target)
    head = scratch.commit({})
    assert told(scratch).startswith(f"{link}:1:1: The catalogue holds a symbolic link")
    _, errors = offered.at(Repository(scratch.folder), head, "products", SHIPPED)
    assert [f"{error.where}: {error.what}" for error in errors] == [
        f"{link}:1:1: The catalogue holds a symbolic link or a submodule"
    ]


def test_a_pipe_does_not_block_and_is_refused(scratch: Scratch) -> None:
    scratch.commit({"products/topic/product.yaml": PRODUCT})
    os.mkfifo(scratch.folder / "products/topic/template.yaml.j2")
    assert told(scratch).startswith("products/topic/template.yaml.j2:1:1: The product is not a file: it is a pipe")


def test_more_files_than_anybody_reviews_are_refused(scratch: Scratch) -> None:
    head = scratch.commit({f"products/topic/{n}.j2": "" for n in range(501)})
    assert told(scratch).startswith("products:1:1: The catalogue has too many files")
    _, (error,) = offered.at(Repository(scratch.folder), head, "products", SHIPPED)
    assert str(error).startswith("The catalogue has too many files")


def test_a_folder_of_a_repository_has_a_catalogue_of_its_own(scratch: Scratch) -> None:
    head = scratch.commit({f"infra/{name}": text for name, text in FILES.items()})
    found, errors = offered.at(Repository(scratch.folder / "infra"), head, "products", SHIPPED)
    assert (own(found), errors) == (["topic"], ())
    assert str(found.products["topic"].at("slug")) == "products/topic/product.yaml:14:7"
