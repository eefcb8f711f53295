"""The child of `Sandbox`: reads requests as JSON lines, answers with JSON lines, and can do nothing else.

A template may print the result of our `tojson` and of its macros, nothing else, and the places of what was printed go
back with the text: who asked sees that each of them is one whole value, so that none can become YAML structure.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from jinja2 import FunctionLoader, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from stackseal.sandbox.marks import BLOCK, END, HINT, LINE, MARKER, ORIGIN, VALUE, decisive, unmark

MEMORY: Final = 512 * 1024 * 1024
LIFETIME: Final = 30
"""Seconds after which a request ends the process by itself; who asks is less patient."""
_ESCAPED: Final = re.compile("[^\x20-\x7e\U00010000-\U0010ffff]")
"""What JSON need not escape but we do. Characters beyond U+FFFF stay: YAML does not know JSON's pairs of escapes."""
_BANNED: Final = ("default", "d", "random", "safe", "escape", "e", "forceescape", "xmlattr", "pprint", "urlize")


_NOT_JSON: Final = "a value is printed without `| tojson`"


class _Text(str):
    """A config's text that knows which node it is; templates cannot see what begins with an underscore."""

    __slots__ = ("_origin",)
    _origin: list[Any]


def _tracked(value: Any, path: list[Any]) -> Any:
    if isinstance(value, str):
        text = _Text(value)
        text._origin = path
        return text
    if isinstance(value, dict):
        return {key: _tracked(item, [*path, key]) for key, item in value.items()}
    if isinstance(value, list):
        return [_tracked(item, [*path, index]) for index, item in enumerate(value)]
    return value


def _origin(value: Any) -> list[Any] | None:
    if isinstance(value, _Text):
        return value._origin
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for item in items if (found := _origin(item)) is not None), None)


def _tojson(value: Any) -> Markup:
    if isinstance(value, Undefined):
        str(value)  # raises with the name that is undefined
    if isinstance(value, Markup):  # text that a block or a macro of the template printed
        value = MARKER.sub(lambda match: match.group(3) or "", value)
    text = _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))
    origin = _origin(value)
    marker = f"{ORIGIN}{json.dumps(origin)}{END}" if origin is not None else ""
    begin = f"{VALUE}{len(text)}{END}" if isinstance(value, str | dict | list | tuple) else ""
    return Markup(begin + text + marker)  # noqa: S704 - JSON is what may be printed


def _only_json(value: Any) -> Any:
    if isinstance(value, Undefined):
        str(value)
    if not isinstance(value, Markup):
        raise TemplateError(_NOT_JSON)
    return value


def _printable(node: nodes.Expr) -> bool:
    """Whether an expression ends in `tojson` or is the call of a macro; nothing can be joined to either."""
    if isinstance(node, nodes.CondExpr):
        return _printable(node.expr1) and (node.expr2 is None or _printable(node.expr2))
    return isinstance(node, nodes.TemplateData | nodes.Call) or (
        isinstance(node, nodes.Filter) and node.name == "tojson"
    )


class _SourceLines(Extension):
    """Marks where every line of template text begins."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        name = stream.name or ""
        for token in stream:
            if token.type == "variable_begin":
                yield Token(token.lineno, "data", f"{LINE}{name}:{token.lineno}{END}")
            if token.type == "data":
                parts = str(token.value).split("\n")
                marked = (f"{LINE}{name}:{token.lineno + index}{END}{part}" for index, part in enumerate(parts))
                yield Token(token.lineno, "data", "\n".join(marked))
            else:
                yield token


class _Environment(ImmutableSandboxedEnvironment):
    """Marks what each `{{ }}` prints, and the text below each `if` and `for`, with the names that it reads."""

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as Jinja calls it
        """Only what the template wrote may be printed as it is; `("" | tojson).join(…)` gives plain text."""
        value = super().call(__context, __obj, *args, **kwargs)
        written = isinstance(__obj, Macro | LoopContext | BlockReference)
        return str.__str__(value) if isinstance(value, Markup) and not written else value

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for block in tree.find_all(nodes.FilterBlock):
            raise TemplateSyntaxError("a filter around a block changes what was printed", block.lineno, name, filename)
        for node in (node for output in tree.find_all(nodes.Output) for node in output.nodes):
            if not _printable(node):
                raise TemplateSyntaxError(_NOT_JSON, node.lineno, name, filename)
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
        return nodes.Output([nodes.TemplateData(f"{BLOCK}{text}{END}")])

    return [data(f"+{label}"), *body, data("-")]


def _hinted(node: nodes.Expr) -> list[nodes.Expr]:
    """A printed expression and the names that it reads: a number or a concatenated text does not know its node."""
    label = "" if isinstance(node, nodes.TemplateData) else _label(node)
    return [node, nodes.TemplateData(f"{HINT}{label}{END}")] if label else [node]


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
        # The name doubles as file name, so that a traceback tells which of the files it was.
        loader=FunctionLoader(lambda name: (files[name], name, None) if name in files else None),
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
        self.known: dict[str, tuple[Callable[..., Any], list[str]]] = {}
        self.expressions = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        self.expressions.filters = {k: v for k, v in self.expressions.filters.items() if k not in _BANNED}

    def warm(self) -> None:
        """Load what Jinja and Python load only when it is needed, errors included."""
        text = "{{ 'a' | wordwrap(1) | striptags | tojson }}{% for i in [1] %}{{ x | tojson }}{% endfor %}"
        bundle = {"x": text}
        self.answer({"op": "load", "bundle": "", "files": bundle})
        try:
            self.answer({"op": "render", "bundle": "", "template": "x", "context": {}, "origins": {}})
        except TemplateError as error:
            _failure(error)

    def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        match request["op"]:
            case "load":
                self.environments[request["bundle"]] = _environment(request["files"])
                return {}
            case "search":
                return {"found": re.search(request["pattern"], request["text"]) is not None}
            case "evaluate":
                return self._evaluate(request["expressions"], dict(request["context"]))
            case _:
                return self._render(request)

    def _evaluate(self, expressions: list[list[str]], context: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        origins: dict[str, list[Any]] = {}
        for key, source in expressions:
            try:
                run, chains = self._compiled(source)
                value = run(**context)
                if isinstance(value, Undefined):
                    str(value)
                json.dumps(value)
            except Exception as error:  # noqa: BLE001 - whatever an expression causes, its author hears of it
                return {"error": {"why": f"{str(error) or type(error).__name__} in `{source}`", "key": key}}
            values[key] = value
            if origin := decisive(chains, context, origins):
                origins[key] = origin
            if key.isidentifier():
                context[key] = value
        return {"values": values, "origins": origins}

    def _compiled(self, source: str) -> tuple[Callable[..., Any], list[str]]:
        """An expression of a product and the names that it reads; the same ones come for every config."""
        if source not in self.known:
            run = self.expressions.compile_expression(source, undefined_to_none=False)
            self.known[source] = run, _chains(self.expressions.parse("{{" + source + "}}"))
        return self.known[source]

    def _render(self, request: Mapping[str, Any]) -> dict[str, Any]:
        known = {key: list(path) for key, path in request["origins"].items()}
        context = {}
        for key, value in request["context"].items():
            context[key] = _named(key, value, known) if key in _BY_KEY else _tracked(value, known.get(key, [key]))
        text = self.environments[request["bundle"]].get_template(request["template"]).render(context)
        return unmark(text, request["context"], known)


_BY_KEY: Final = ("names", "tags")
"""What `catalogue` computes key by key: each has an origin of its own."""


def _named(kind: str, values: Mapping[str, str], known: Mapping[str, list[Any]]) -> dict[str, Any]:
    return {key: _tracked(value, known.get(f"{kind}:{key}", [kind, key])) for key, value in values.items()}


def _failure(error: Exception) -> dict[str, Any]:
    """What went wrong and on which line of which template, read from the traceback that Jinja rewrites."""
    template, line = getattr(error, "name", None), getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            template, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return {"error": {"why": str(error) or type(error).__name__, "template": template, "line": line}}


def _confine() -> None:
    """No memory, no file to write, no file to open beyond the three pipes, no core dump."""

    for limit, value in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(limit, (value, value))


def serve() -> None:
    """Answer requests until the input ends."""
    server = _Server()
    server.warm()
    _confine()
    for line in sys.stdin:
        signal.alarm(LIFETIME)  # whoever asked may be gone and cannot end us
        try:
            reply = server.answer(json.loads(line))
        except MemoryError:
            reply = {"error": {"why": "it needs more memory than a template may have"}}
        except RecursionError:
            reply = {"error": {"why": "it calls itself without end"}}
        except Exception as error:  # noqa: BLE001 - whatever a template causes, its author hears of it
            reply = _failure(error)
        signal.alarm(0)
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()
