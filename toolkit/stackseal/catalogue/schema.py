"""A config against its product's JSON Schema, every error as one sentence with the line that the person wrote.

The same schema serves editors (`stackseal schema`). `x-message` in a schema node replaces our wording for that node;
it may be a text, or a mapping from keyword to text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from typing import Any, Final, cast

import jsonschema
from jsonschema.protocols import Validator

from stackseal import assets, yamltext
from stackseal.catalogue.product import ProductFile
from stackseal.catalogue.stack_set import SECTION
from stackseal.errors import ConfigError, ConfigErrors
from stackseal.model import Config, Json, JsonPath, Location
from stackseal.sandbox import Sandbox

_COMMON: Final = "config.schema.yaml"
_STACK_SET: Final = "stack_set.schema.yaml"
_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "empty",
    "number": "a number",
}


def validate(config: Config, product: ProductFile, sandbox: Sandbox) -> None:
    """Nothing, if the config is what its product's schema says; an organisation's patterns are tried in the sandbox.

    Raises ConfigErrors (one error alone as ConfigError) in the order of the file's lines.
    """
    search = partial(_tried, sandbox, product) if product.sources is not None else _search
    with _answering(product):
        validator = _validator(document(product), search)
        errors = {str(error) + str(error.where): error for error in _errors(config, validator)}
    found = sorted(errors.values(), key=lambda error: (error.where or Location(path=config.path), str(error)))
    if len(found) == 1:
        raise found[0]
    if found:
        raise ConfigErrors(found)


def document(product: ProductFile) -> dict[str, Any]:
    """The schema of a whole config of this product."""
    common = _shared(_COMMON)
    properties = {**common["properties"], product.section: product.section_schema}
    required = [*common["required"], product.section]
    if product.everywhere:
        properties[SECTION] = _shared(_STACK_SET)
        required.append(SECTION)
    for alias, key in product.aliases.items():
        properties[alias] = product.section_schema["properties"][key]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": product.title,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def editor(products: Iterable[ProductFile]) -> dict[str, Any]:
    """One schema for the configs of all products: the section that is there decides."""
    every = [document(product) for product in products]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "stackseal config",
        "anyOf": [{key: value for key, value in schema.items() if key != "$schema"} for schema in every],
    }


def with_defaults(config: Config, product: ProductFile) -> dict[str, Json]:
    """The config's sections with the schema's defaults where the person wrote nothing."""
    with _answering(product):
        whole = document(product)
        return {
            section: _filled(config.data.get(section, {}), node)
            for section, node in whole["properties"].items()
            if section in config.data or section not in product.aliases
        }


@contextmanager
def _answering(product: ProductFile) -> Iterator[None]:
    """Whatever a strange schema causes in a library is told at the schema's line."""
    try:
        yield
    except (ConfigError, ConfigErrors):
        raise
    except Exception as error:
        raise ConfigError(
            f"The schema of the product {product.name} cannot be used",
            why=" ".join(f"{type(error).__name__}: {error}".split())[:200],
            remedy="mend it: every node is a mapping of JSON Schema 2020-12",
            where=product.at("schema"),
        ) from error


def _filled(value: Any, schema: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    filled = dict(value)
    for key, node in schema.get("properties", {}).items():
        if key in filled:
            filled[key] = _filled(filled[key], node)
        elif "default" in node:
            filled[key] = node["default"]
    return filled


@cache
def _shared(name: str) -> dict[str, Any]:
    path = assets.TEMPLATES / name
    parsed = yamltext.parse(path.read_text(encoding="utf-8"), path.as_posix())
    return cast("dict[str, Any]", parsed.data)


def _search(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def _tried(sandbox: Sandbox, product: ProductFile, pattern: str, text: str) -> bool:
    """The same for a pattern that a pull request may have written: one can take years."""
    try:
        return sandbox.search(pattern, text, where=product.at("schema"))
    except ConfigError as error:
        raise ConfigError(
            f"A pattern of the product {product.name} was stopped",
            why=f"{pattern[:80]}: {error.why}",
            remedy="write one without repetitions inside repetitions",
            where=error.where,
        ) from error


def _validator(schema: Mapping[str, Any], search: Callable[[str, str], bool]) -> Validator:
    """What reads a schema, and nothing beside it: a reference to somewhere else is not followed."""
    return _reader(search)(schema)


@lru_cache(maxsize=8)
def _reader(search: Callable[[str, str], bool]) -> Callable[[Mapping[str, Any]], Validator]:
    """The library's reader with our patterns; to make one takes longer than to read a config."""

    def pattern(_: Validator, pattern: str, instance: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
        # JSON Schema's `$` is the end of the text; Python's also matches before a last newline.
        if isinstance(instance, str) and not search(re.sub(r"\$\Z", r"\\Z", pattern), instance):
            yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")

    extend = cast("Callable[..., Callable[..., Validator]]", jsonschema.validators.extend)
    return extend(jsonschema.Draft202012Validator, {"pattern": pattern})


def _errors(config: Config, validator: Validator) -> Iterator[ConfigError]:
    leaves = [leaf for error in validator.iter_errors(config.data) for leaf in _leaves(error)]
    wrong_kind = {_path(leaf) for leaf in leaves if leaf.validator == "type"}
    faulty = {path for leaf in leaves if not _deciding(leaf, validator) for path in _faulty(leaf)}
    for leaf in leaves:
        if leaf.validator != "type" and _path(leaf) in wrong_kind:
            continue  # what its text or number should be does not matter yet
        if not faulty.intersection(_deciding(leaf, validator)):
            yield from _worded(config, leaf)


def _path(error: jsonschema.ValidationError) -> JsonPath:
    return tuple(error.absolute_path)


def _faulty(error: jsonschema.ValidationError) -> set[JsonPath]:
    """The nodes that an error is about."""
    path = _path(error)
    if error.validator == "required":
        return {(*path, key) for key in cast("Sequence[str]", error.validator_value)}
    return {path}


def _deciding(error: jsonschema.ValidationError, validator: Validator) -> set[JsonPath]:
    """The nodes that decided for the `then` or `else` that an error comes from; none for any other error.

    Where one of them is itself invalid the error may be a mere consequence.
    """
    node: Any = validator.schema
    conditions: Mapping[str, Any] = {}
    for step in error.absolute_schema_path:
        if step in {"then", "else"} and "if" in node:
            conditions = node["if"].get("properties", {})
        node = node[step]
    path = _path(error)
    parent = path if error.validator == "required" else path[:-1]
    return {(*parent, key) for key in conditions}


def _leaves(error: jsonschema.ValidationError) -> Iterator[jsonschema.ValidationError]:
    """The errors inside an `anyOf` or `oneOf` say what is wrong; the outer one only that something is."""
    if error.validator in {"anyOf", "oneOf"} and error.context and not _own_message(error):
        yield min(error.context, key=lambda inner: (len(inner.path) * -1, str(inner.message)))
    else:
        yield error


def _worded(config: Config, error: jsonschema.ValidationError) -> Iterator[ConfigError]:
    path: JsonPath = tuple(error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = sorted(_node(error).get("properties", {}))
        for key in error.instance:
            if key not in known:
                yield _unknown(config, path, key, known)
    elif error.validator == "required" and isinstance(error.instance, dict):
        for key in cast("Sequence[str]", error.validator_value):
            if key not in error.instance:
                yield _missing(config, path, key, error)
    else:
        why = _own_message(error) or _wording(error)
        yield ConfigError(
            f"{_dotted(path) or 'The config'} is not valid",
            why=why,
            remedy=_remedy(error),
            where=config.at(*path),
        )


def _unknown(config: Config, path: JsonPath, key: str, known: Sequence[str]) -> ConfigError:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    return ConfigError(
        f"{_dotted((*path, key))} is not known",
        why=f"the keys here are {', '.join(known)}",
        remedy=f"did you mean {close[0]}?" if close else "remove it",
        where=config.at(*path, key),
    )


def _missing(config: Config, path: JsonPath, key: str, error: jsonschema.ValidationError) -> ConfigError:
    return ConfigError(
        f"{_dotted((*path, key))} is missing",
        why=_own_message(error) or "it is required",
        remedy=f"add {key}",
        where=config.at(*path),
    )


def _own_message(error: jsonschema.ValidationError) -> str:
    message = _node(error).get("x-message")
    if isinstance(message, dict):
        message = message.get(error.validator)
    return message or ""


def _node(error: jsonschema.ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


_WORDINGS: Final[Mapping[str, Callable[[Any, Any], str]]] = {
    "type": lambda kinds, value: f"it must be {_kinds(kinds)}, and it is {_kind(value)}",
    "enum": lambda known, value: f"{_shown(value)} is none of {', '.join(str(item) for item in known)}",
    "const": lambda wanted, _: f"it must be {wanted}",
    "pattern": lambda pattern, value: f"{_shown(value)} does not match {pattern}",
    "minItems": lambda least, value: f"it needs at least {least} entries and has {len(value)}",
    "maxItems": lambda most, value: f"it may have {most} entries and has {len(value)}",
    "minLength": lambda least, value: f"it has {len(value)} characters where at least {least} are needed",
    "maxLength": lambda most, value: f"it has {len(value)} characters where {most} are allowed",
    "minimum": lambda least, value: f"{value} is below the minimum of {least}",
    "maximum": lambda most, value: f"{value} is above the maximum of {most}",
    "uniqueItems": lambda _, __: "an entry is there twice",
    "not": lambda _, __: "it is not allowed here",
}


def _wording(error: jsonschema.ValidationError) -> str:
    wording = _WORDINGS.get(str(error.validator))
    return wording(error.validator_value, error.instance) if wording else error.message


def _kinds(kinds: str | Sequence[str]) -> str:
    return " or ".join(_TYPES.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _remedy(error: jsonschema.ValidationError) -> str:
    expects_text = error.validator == "type" and error.validator_value == "string"
    if expects_text and isinstance(error.instance, int | float) and not isinstance(error.instance, bool):
        return f'quote it: "{error.instance}"'
    if error.validator == "not":
        return "remove it"
    return "correct it"


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "empty" if value is None else f"{'text' if isinstance(value, str) else 'a number'} ({_shown(value)})"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _dotted(path: JsonPath) -> str:
    return ".".join(str(step) for step in path)
