"""Stage 3, Stack → Template: sandboxed Jinja, then data, then one canonical text with a map back to the config.

What Jinja prints is parsed at once; the file that people read is written from the data. So the same values give the
same bytes whatever the layout of the config or of the template, and every line of the file is a node with a path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from stackseal import __version__, assets, yamltext
from stackseal.errors import ConfigError
from stackseal.model import Json, JsonPath, Location, Product, SourceMap, Stack, Template, nearest
from stackseal.sandbox import Bundle, Rendered, Sandbox

Decorate = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What is written into a template besides what its product says, e.g. the waivers."""

_SUFFIX: Final = ".j2"


def render(
    stack: Stack,
    origins: Mapping[str, JsonPath],
    sandbox: Sandbox,
    *,
    path: str,
    decorate: Decorate | None = None,
) -> Template:
    """The CloudFormation template of a stack; `path` is what findings call the rendered file.

    Raises ConfigError at the template's line for whatever cannot be rendered or parsed.
    """
    name = stack.product.template
    files = bundle(stack.product)
    if name not in files.files:
        raise ConfigError(
            f"The product {stack.product.name} has no template",
            why=f"there is no file {name} in its folder",
            remedy="write it, or correct `template` in product.yaml",
            where=Location(path=f"{_folder(stack.product)}/product.yaml"),
        )
    rendered = sandbox.render(files, name, stack.context, origins)
    where = files.paths[name]
    parsed = _parsed(rendered, where)
    if not isinstance(parsed.data, dict):
        raise ConfigError("The template is not a mapping", remedy="mend the product", where=Location(path=where))
    if line := yamltext.torn(rendered.text, rendered.values):
        raise ConfigError(
            "The template cannot be rendered",
            why="a printed value stands inside quotes or next to other text, where it could become structure",
            remedy="let it be a value of its own: key: {{ value | tojson }}",
            where=rendered.lines[line - 1].template,
        )
    body = cast("Mapping[str, Any]", parsed.data)
    body = decorate(body) if decorate else body
    text = _header(stack) + yamltext.dump(body)
    return Template(
        text=text,
        body=body,
        parameters=_parameters(body),
        source=_source(stack, path, parsed.data, text, parsed.marks, rendered),
        stack=stack,
    )


def read(text: str, path: str) -> Template:
    """Anybody's template, YAML or JSON, as data with a map to its own lines.

    Raises ConfigError with the line for what is not a CloudFormation template.
    """
    parsed = yamltext.parse(text, path, limits=yamltext.TEMPLATE, tags=yamltext.CLOUDFORMATION_TAGS)
    body = parsed.data
    if not isinstance(body, dict) or not isinstance(body.get("Resources"), dict):
        raise ConfigError(
            "The file is not a CloudFormation template",
            why="it has no Resources mapping",
            remedy="give the path of a template in YAML or JSON",
            where=Location(path=path),
        )
    marks = parsed.marks
    source = SourceMap(path=path, lines=_lines(text, marks), rendered=marks, template=marks, config={})
    return Template(text=text, body=body, parameters=_parameters(body), source=source)


def bundle(product: Product) -> Bundle:
    """A product's template files and the shared partials; links are left out. Paths are shown from the catalogue on."""
    files = _files(assets.PARTIALS)
    paths = {name: f"partials/{name}" for name in files}
    own = _files(product.root) if product.sources is None else product.sources
    shown = {name: f"{_folder(product)}/{name}" for name in own}
    return Bundle(files={**files, **own}, paths={**paths, **shown})


def _folder(product: Product) -> str:
    return product.folder or f"products/{product.root.name}"


def _files(folder: Path) -> dict[str, str]:
    """The template files below a folder by name, links left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob(f"*{_SUFFIX}"))
        if not path.is_symlink() and path.resolve().is_relative_to(folder.resolve())
    }


def _parsed(rendered: Rendered, where: str) -> yamltext.Document:
    """What Jinja printed as data; an error is told at the line of the template, not of the text that nobody sees."""
    try:
        return yamltext.parse(rendered.text, where, limits=yamltext.TEMPLATE, tags=yamltext.CLOUDFORMATION_TAGS)
    except ConfigError as error:
        line = min(error.where.line if error.where else 1, len(rendered.lines))
        raise ConfigError(
            "The template gives no valid YAML",
            why=f"{error.what} on line {line} of what is rendered ({error.why})",
            remedy="mend the product's template",
            where=rendered.lines[line - 1].template,
        ) from error


def _header(stack: Stack) -> str:
    return (
        f"# Rendered by stackseal {__version__} from the product {stack.product.name}.\n"
        f"# config sha256:{stack.config.digest}\n"
    )


def _parameters(body: Mapping[str, Any]) -> dict[str, str]:
    """The Defaults: the written file carries the config's values and deploys on its own."""
    declared: Mapping[str, Any] = body.get("Parameters") or {}
    return {
        name: _parameter(parameter["Default"])
        for name, parameter in declared.items()
        if isinstance(parameter, Mapping) and "Default" in parameter
    }


def _parameter(value: Json) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _source(
    stack: Stack, path: str, body: Json, text: str, marks: Mapping[JsonPath, Location], rendered: Rendered
) -> SourceMap:
    """Rendered line → node → line of Jinja's output → template line and config line."""
    written = yamltext.parse(text, path, limits=yamltext.TEMPLATE).marks
    template: dict[JsonPath, Location] = {}
    # Nobody can mend a shipped template in a pull request, but an organisation's own: its line is told then.
    shipped = stack.product.sources is None
    config: dict[JsonPath, Location] = {(): stack.config.at(stack.product.section)} if shipped else {}
    sections = {(section,) for section in stack.config.data}
    for node, mark in marks.items():
        line = rendered.lines[mark.line - 1]
        template[node] = line.template
        if line.config is not None and line.config[:1] in sections:
            config[node] = stack.config.at(*line.config)
    config |= _through_parameters(body, config)
    return SourceMap(
        path=path, lines=_lines(text, written), rendered=written, template=template, config=_inherited(config, marks)
    )


def _through_parameters(body: Json, config: Mapping[JsonPath, Location]) -> dict[JsonPath, Location]:
    """Nodes below Resources that are a Ref of a parameter, with the config line of the parameter's Default."""
    found: dict[JsonPath, Location] = {}
    waiting: list[tuple[JsonPath, Any]] = [(("Resources",), body.get("Resources") if isinstance(body, dict) else None)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(name := node.get("Ref"), str) and (place := config.get(("Parameters", name, "Default"))):
                found[path] = place
            waiting += [((*path, key), value) for key, value in node.items()]
        elif isinstance(node, list):
            waiting += [((*path, index), value) for index, value in enumerate(node)]
    return found


def _inherited(config: Mapping[JsonPath, Location], marks: Mapping[JsonPath, Location]) -> dict[JsonPath, Location]:
    """A resource without a value of its own is blamed on the first of its nodes that has one; its tags say nothing."""
    found = dict(config)
    for node in sorted(marks, key=len):
        if len(node) == 2 and node not in found:
            below = [path for path in config if path[:2] == node and path[2:4] != ("Properties", "Tags")]
            if below:
                found[node] = config[min(below, key=lambda path: _position(marks, path))]
    return found


def _position(marks: Mapping[JsonPath, Location], path: JsonPath) -> Location:
    return nearest(marks, path) or Location(path="")


def _lines(text: str, marks: Mapping[JsonPath, Location]) -> tuple[JsonPath, ...]:
    """For every line the path of the first node on it; a line without one belongs to the node above."""
    first: dict[int, JsonPath] = {}
    for path, mark in sorted(marks.items(), key=lambda item: (item[1].line, item[1].column, len(item[0]))):
        if path:
            first.setdefault(mark.line, path)
    lines: list[JsonPath] = []
    current: JsonPath = ()
    for number in range(1, text.count("\n") + 2):
        current = first.get(number, current)
        lines.append(current)
    return tuple(lines)
