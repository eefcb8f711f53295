"""An organisation's own products: the same format, but a pull request may have written them, so nothing is trusted.

They arrive as bytes, from the working directory or from a commit. What could make a judgement of ours mean something
else is refused: names and sections of shipped products, the sections of every config, what identifies a stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import jsonschema

from stackseal import naming, yamltext
from stackseal.catalogue.expressions import IDENTITY
from stackseal.catalogue.product import ProductFile, invalid, parse_product
from stackseal.errors import ConfigError
from stackseal.model import JsonPath, Location, canonical_json, sha256

PRODUCT: Final = "product.yaml"
SUFFIX: Final = ".j2"
MOST_FILES: Final = 500
"""Files of all products of an organisation; the largest shipped product has about twenty."""
_MOST_TEXT: Final = 2_097_152
"""Characters of all templates of one product: CloudFormation takes a million bytes of what they become."""
_TAKEN: Final = frozenset(
    {
        "client",
        "environment",
        "stack_set",
        "tags",
        "names",
        "suffix",
        "test",
        "stack_name",
        *(key for key, _ in IDENTITY),
    }
)
"""What templates and expressions see in every product."""


@dataclass(frozen=True, kw_only=True)
class Folder:
    """An organisation's catalogue as it was at one moment."""

    path: str
    """As messages name it, relative to the settings."""
    files: Mapping[str, bytes]
    """`product.yaml` and the templates of every product, by their path below the folder."""
    links: tuple[str, ...] = ()
    """What stands below the folder, or on the way to it, and is no file and no folder."""


def wanted(path: str) -> bool:
    """Whether a file, by its path below the folder, is part of a product: the rest (examples, READMEs) is not read."""
    parts = PurePosixPath(path).parts
    return len(parts) > 1 and (path.endswith(SUFFIX) or parts[1:] == (PRODUCT,))


def too_many(path: str) -> ConfigError:
    """An organisation's catalogue has more files than anybody could review."""
    return ConfigError(
        "The catalogue has too many files",
        why=f"its products have more than {MOST_FILES} files",
        remedy="remove what no config uses",
        where=Location(path=path),
    )


def load(folder: Folder, shipped: Iterable[ProductFile]) -> tuple[tuple[ProductFile, ...], tuple[ConfigError, ...]]:
    """The valid products of the folder, sorted by name, and what is wrong with the others and with the folder."""
    errors = [_link(link) for link in folder.links]
    if len(folder.files) > MOST_FILES:
        return (), (*errors, too_many(folder.path))
    taken = list(shipped)
    found: list[ProductFile] = []
    for name in sorted({PurePosixPath(path).parts[0] for path in folder.files}):
        files = {path.split("/", 1)[1]: raw for path, raw in folder.files.items() if path.split("/", 1)[0] == name}
        if PRODUCT not in files:
            continue  # shared notes and drafts are nobody's product
        try:
            product = _product(f"{folder.path}/{name}", files)
            _distinct(product, taken)
        except ConfigError as error:
            errors.append(error)
        else:
            found.append(product)
            taken.append(product)
    return tuple(found), tuple(errors)


def changed(product: ProductFile, before: ProductFile | None) -> ProductFile:
    """The product as a change has it: what excuses findings comes from before."""
    if before is not None and before.digest == product.digest:
        return product
    return product.model_copy(update={"changed": True, "before": before})


def _product(shown: str, files: Mapping[str, bytes]) -> ProductFile:
    sources = {
        name: yamltext.decode(raw, f"{shown}/{name}", yamltext.TEMPLATE)
        for name, raw in sorted(files.items())
        if name != PRODUCT
    }
    if sum(map(len, sources.values())) > _MOST_TEXT:
        raise ConfigError(
            "The product's templates are too large",
            why=f"together they have more than {_MOST_TEXT:,} characters",
            remedy="split the product",
            where=Location(path=shown),
        )
    ours = {"root": Path(shown), "folder": shown, "sources": sources}
    place = f"{shown}/{PRODUCT}"
    product = parse_product(files[PRODUCT], place, ours, keep=True)
    for path, why in (*_odd(product), *_odd_schema(product)):
        raise invalid(path, why, product.marks, place)
    digest = sha256(canonical_json([files[PRODUCT].decode("utf-8", "replace"), sources]))
    return product.model_copy(update={"digest": digest})


def _odd(product: ProductFile) -> Iterator[tuple[JsonPath, str]]:
    """What a product of an organisation may not say, and why."""
    if product.name != product.root.name:
        yield ("name",), f"the product's folder is called {product.root.name}"
    if product.name.startswith(naming.OURS):
        yield ("name",), f"names that begin with {naming.OURS} are ours"
    if product.section in _TAKEN:
        yield ("section",), f"every config has {product.section} already"
    for key in product.variables:
        if key in _TAKEN or key == product.section:
            yield ("variables", key), f"every template has {key} already"
    known = product.section_schema.get("properties")
    for alias, key in product.aliases.items():
        if alias in _TAKEN or alias == product.section:
            yield ("aliases", alias), f"every config has {alias} already"
        if not isinstance(known, Mapping) or key not in known:
            yield ("aliases", alias), f"the schema has no property {key}"
    for index, waiver in enumerate(product.waivers):
        if "owner" not in waiver.model_fields_set:
            yield ("waivers", index), "somebody has to answer for it: name the owner"


def _odd_schema(product: ProductFile) -> Iterator[tuple[JsonPath, str]]:
    """What is wrong with the schema; a reference could lead to a file or an address."""
    todo: list[tuple[JsonPath, Any]] = [(("schema",), product.section_schema)]
    while todo:
        path, node = todo.pop()
        if isinstance(node, Mapping):
            for key in node:
                if key == "patternProperties" or str(key).startswith("$"):
                    yield (*path, key), f"{key} is not used in schemas of products; write the schema in full"
            todo += [((*path, key), value) for key, value in node.items()]
        elif isinstance(node, list):
            todo += [((*path, index), value) for index, value in enumerate(node)]
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(
            jsonschema.Draft202012Validator.META_SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        ).iter_errors(product.section_schema)
    )
    if error is not None:
        yield ("schema", *error.absolute_path), error.message[:200]


def _distinct(product: ProductFile, taken: Iterable[ProductFile]) -> None:
    """Raises ConfigError where another product has the name, or the section, already."""
    for other in taken:
        kind = "the product" if other.sources is not None else "the shipped product"
        for key, same in (("name", other.name == product.name), ("section", other.section == product.section)):
            if same:
                raise invalid((key,), f"{kind} {other.name} has the same", product.marks, f"{product.folder}/{PRODUCT}")


def _link(path: str) -> ConfigError:
    return ConfigError(
        "The catalogue holds a symbolic link or a submodule",
        why="it can point anywhere, and a review must show what it reads",
        remedy="put the file itself there",
        where=Location(path=path),
    )
