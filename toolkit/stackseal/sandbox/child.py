"""The child of `Sandbox`: reads requests as JSON lines, answers with JSON lines, and can do nothing else.

Every value that a template prints goes through our `tojson`: anything else is refused by `finalize`, so that no value
of a config can become YAML structure.
"""

from __future__ import annotations

import json
import re
import resource
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jinja2 import DictLoader, StrictUndefined, TemplateError, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

MEMORY: Final = 512 * 1024 * 1024
# Private-use characters cannot come from a config (yamltext refuses them) nor from `tojson` (it escapes non-ASCII).
_LINE, _ORIGIN, _BLOCK, _END, _HINT = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
_MARKER: Final = re.compile(f"([{_LINE}{_ORIGIN}{_BLOCK}{_HINT}])([^{_END}]*){_END}|(\n)")
_SHARED: Final = frozenset({"client", "environment", "tags"})
"""Sections of every config; a product's own section says more about what is printed."""
_BANNED: Final = ("default", "d", "random", "safe", "escape", "e", "forceescape", "xmlattr", "pprint", "urlize")


class _Text(str):
    """A config's text that knows which node it is."""

    __slots__ = ("origin",)
    origin: list[Any]


def _tracked(value: Any, path: list[Any]) -> Any:
    if isinstance(value, str):
        text = _Text(value)
        text.origin = path
        return text
    if isinstance(value, dict):
        return {key: _tracked(item, [*path, key]) for key, item in value.items()}
    if isinstance(value, list):
        return [_tracked(item, [*path, index]) for index, item in enumerate(value)]
    return value


def _origin(value: Any) -> list[Any] | None:
    if isinstance(value, _Text):
        return value.origin
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for item in items if (found := _origin(item)) is not None), None)


def _tojson(value: Any) -> Markup:
    if isinstance(value, Undefined):
        str(value)  # raises with the name that is undefined
    if isinstance(value, Markup):  # text that a block or a macro of the template printed
        value = _MARKER.sub(lambda match: match.group(3) or "", value)
    text = json.dumps(value, ensure_ascii=True, sort_keys=False)
    origin = _origin(value)
    marker = f"{_ORIGIN}{json.dumps(origin)}{_END}" if origin is not None else ""
    return Markup(text + marker)  # noqa: S704 - JSON is what may be printed


def _only_json(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)
    if not isinstance(value, Markup):
        raise TemplateError("a value is printed without `| tojson`")
    return value


class _SourceLines(Extension):
    """Marks where every line of template text begins."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        name = stream.name or ""
        for token in stream:
            if token.type == "variable_begin":
                yield Token(token.lineno, "data", f"{_LINE}{name}:{token.lineno}{_END}")
            if token.type == "data":
                parts = str(token.value).split("\n")
                marked = (f"{_LINE}{name}:{token.lineno + index}{_END}{part}" for index, part in enumerate(parts))
                yield Token(token.lineno, "data", "\n".join(marked))
            else:
                yield token


class _Environment(ImmutableSandboxedEnvironment):
    """Marks what each `{{ }}` prints, and the text below each `if` and `for`, with the names that it reads."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for branch in list(tree.find_all(nodes.If)):
            label = _label(branch.test)
            branch.body = _enclosed(branch.body, label)
            if branch.else_:
                branch.else_ = _enclosed(branch.else_, label)
        for loop in list(tree.find_all(nodes.For)):
            loop.body = _enclosed(loop.body, _label(loop.iter))
        for output in tree.find_all(nodes.Output):
            output.nodes = [item for node in output.nodes for item in _hinted(node)]
        return tree


def _enclosed(body: list[nodes.Node], label: str) -> list[nodes.Node]:
    def data(text: str) -> nodes.Node:
        return nodes.Output([nodes.TemplateData(f"{_BLOCK}{text}{_END}")])

    return [data(f"+{label}"), *body, data("-")]


def _hinted(node: nodes.Expr) -> list[nodes.Expr]:
    """A printed expression and the names that it reads: a number or a concatenated text does not know its node."""
    label = "" if isinstance(node, nodes.TemplateData) else _label(node)
    return [node, nodes.TemplateData(f"{_HINT}{label}{_END}")] if label else [node]


def _label(node: nodes.Node) -> str:
    return " ".join(_chains(node))


def _chains(node: nodes.Node) -> list[str]:
    """The dotted names that an expression reads, `ml_product.tier`; of `a if b else c` those that make its value."""
    steps: list[str] = []
    inner = node
    while isinstance(inner, nodes.Getattr):
        steps.insert(0, inner.attr)
        inner = inner.node
    if isinstance(inner, nodes.Name):
        return [".".join([inner.name, *steps])]
    if isinstance(node, nodes.CondExpr):
        values = [child for child in (node.expr1, node.expr2) if child is not None]
        return [chain for child in values for chain in _chains(child)] or _chains(node.test)
    return [chain for child in node.iter_child_nodes() for chain in _chains(child)]


def _environment(files: Mapping[str, str]) -> _Environment:
    environment = _Environment(
        loader=DictLoader(files),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_only_json,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=[_SourceLines],
    )
    environment.filters = {name: run for name, run in environment.filters.items() if name not in _BANNED}
    environment.filters["tojson"] = _tojson
    environment.globals.pop("lipsum", None)
    return environment


class _Server:
    """Holds the environments that were loaded."""

    def __init__(self) -> None:
        self.environments: dict[str, _Environment] = {}
        self.expressions = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        self.expressions.filters = {k: v for k, v in self.expressions.filters.items() if k not in _BANNED}

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        match request["op"]:
            case "load":
                self.environments[request["bundle"]] = _environment(request["files"])
                return {}
            case "evaluate":
                return self._evaluate(request["expressions"], dict(request["context"]))
            case _:
                return self._render(request)

    def _evaluate(self, expressions: list[list[str]], context: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        origins: dict[str, list[Any]] = {}
        for key, source in expressions:
            try:
                value = self.expressions.compile_expression(source, undefined_to_none=False)(**context)
                if isinstance(value, Undefined):
                    str(value)
                json.dumps(value)
            except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
                return {"error": {"why": f"{error} in `{source}`", "key": key}}
            values[key] = value
            tree = self.expressions.parse("{{" + source + "}}")
            if origin := _decisive(_chains(tree), context, origins):
                origins[key] = origin
            if key.isidentifier():
                context[key] = value
        return {"values": values, "origins": origins}

    def _render(self, request: Mapping[str, Any]) -> dict[str, Any]:
        known = {key: list(path) for key, path in request["origins"].items()}
        context = {}
        for key, value in request["context"].items():
            context[key] = _named(key, value, known) if key in _BY_KEY else _tracked(value, known.get(key, [key]))
        text = self.environments[request["bundle"]].get_template(request["template"]).render(context)
        return _unmark(text, request["context"], known)


_BY_KEY: Final = ("names", "tags")
"""What `catalogue` computes key by key: each has an origin of its own."""


def _named(kind: str, values: Mapping[str, str], known: Mapping[str, list[Any]]) -> dict[str, Any]:
    return {key: _tracked(value, known.get(f"{kind}:{key}", [kind, key])) for key, value in values.items()}


def _decisive(chains: list[str], context: Mapping[str, Any], known: Mapping[str, list[Any]]) -> list[Any]:
    """The config node that an expression depends on most: the product's own before shared ones, then the deepest."""
    found = [path for chain in chains if (path := _resolve(chain, context, known))]
    return max(found, key=lambda path: (path[0] not in _SHARED, len(path)), default=[])


def _resolve(chain: str, context: Mapping[str, Any], known: Mapping[str, list[Any]]) -> list[Any]:
    """The config node of a dotted name: a variable stands for the node that it came from; methods are no nodes."""
    first, *rest = chain.split(".")
    value = context.get(first)
    path = list(known.get(first, [first] if isinstance(value, dict) and rest and first != "names" else []))
    for step in rest if path else ():
        if not isinstance(value, dict) or step not in value:
            break
        value = value[step]
        path.append(step)
    return path


def _unmark(text: str, context: Mapping[str, Any], known: Mapping[str, list[Any]]) -> dict[str, Any]:
    """The text without its markers, and for every line [template, line, config path or null]."""
    pieces: list[str] = []
    lines: list[list[Any]] = []
    blocks: list[list[Any]] = []
    place: list[Any] = ["", 1]
    origin: list[Any] | None = None
    fresh, position = True, 0

    def finish() -> None:
        enclosing = next((block for block in reversed(blocks) if block), None)
        lines.append([*place, origin if origin is not None else enclosing])

    for match in _MARKER.finditer(text):
        pieces.append(text[position : match.start()])
        position = match.end()
        kind, content, newline = match.groups(default="")
        if newline:
            finish()
            pieces.append("\n")
            fresh, origin = True, None
        elif kind == _LINE and fresh:
            name, _, number = content.rpartition(":")
            place, fresh = [name, int(number)], False
        elif kind == _ORIGIN and origin is None:
            origin = json.loads(content)
        elif kind == _HINT and origin is None:
            origin = _decisive(content.split(), context, known) or None
        elif kind == _BLOCK and content.startswith("+"):
            blocks.append(_decisive(content[1:].split(), context, known))
        elif kind == _BLOCK:
            blocks.pop()
    pieces.append(text[position:])
    finish()
    return {"text": "".join(pieces), "lines": lines}


def _failure(error: TemplateError | ArithmeticError | LookupError | TypeError | ValueError) -> dict[str, Any]:
    """What went wrong and on which line of which template, read from the traceback that Jinja rewrites."""
    template, line = getattr(error, "name", None), getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if "__jinja_template__" in trace.tb_frame.f_globals or trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
            template = trace.tb_frame.f_globals.get("name", template)
        trace = trace.tb_next
    return {"error": {"why": str(error) or type(error).__name__, "template": template, "line": line}}


def serve() -> None:
    """Answer requests until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    server = _Server()
    for line in sys.stdin:
        try:
            reply = server.answer(json.loads(line))
        except MemoryError:
            reply = {"error": {"why": "it needs more memory than a template may have"}}
        except RecursionError:
            reply = {"error": {"why": "it calls itself without end"}}
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            reply = _failure(error)  # type: ignore[arg-type]  # AttributeError has the same fields
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
