"""What a template says once its parameters are known, as far as that can be known without AWS.

Literals and everything computed from them become plain values. What only the deployment tells stays as a `Marker`; two
equal markers mean "the same unknown".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stackseal.model import KNOWN_AFTER_APPLY, JsonPath, StackId, Template
from stackseal.plan.reads import SSM

ABSENT: Final = object()
"""AWS::NoValue: the node is not there."""


@dataclass(frozen=True)
class Marker:
    """Something that only the deployment tells."""

    kind: str
    """`ref`, `getatt`, `ssm` (argument: a name), `later` (the same, whose value will be another one), `concat` (texts
    and markers) or `fn` (an intrinsic function)."""
    argument: Any


class Resolver:
    """One template with its parameters' values, seen as one stack. `later` are SSM paths that will get new values."""

    def __init__(self, template: Template, stack: StackId | None = None, later: Collection[str] = ()) -> None:
        self._body = template.body
        self._parameters = template.parameters
        self._stack = stack or (template.stack.id if template.stack else None)
        self._later = frozenset(later)
        self._conditions: dict[str, bool | None] = {}

    def exists(self, resource: Mapping[str, Any]) -> bool | None:
        """Whether a resource's Condition holds; None where it depends on something unknown."""
        name = resource.get("Condition")
        return True if name is None else self.condition(str(name))

    def condition(self, name: str) -> bool | None:
        """The value of a named condition, None where unknown."""
        if name not in self._conditions:
            self._conditions[name] = None  # breaks a circle, which CloudFormation refuses anyway
            body = self._body.get("Conditions") or {}
            try:
                self._conditions[name] = self._truth(body.get(name))
            except (TypeError, KeyError, IndexError, AttributeError):
                self._conditions[name] = None  # misused; the checks say so
        return self._conditions[name]

    def value(self, node: Any) -> Any:
        """A node with everything known filled in; `ABSENT` for AWS::NoValue."""
        if isinstance(node, Mapping):
            name = str(next(iter(node))) if len(node) == 1 else ""
            if name in _FUNCTIONS or name.startswith("Fn::"):
                return self._call(name, node[name])
            found = {key: self.value(item) for key, item in node.items()}
            return {key: item for key, item in found.items() if item is not ABSENT}
        if isinstance(node, Sequence) and not isinstance(node, str):
            return [item for item in (self.value(item) for item in node) if item is not ABSENT]
        return node

    def _call(self, name: str, argument: Any) -> Any:
        try:
            return (
                _FUNCTIONS[name](self, argument) if name in _FUNCTIONS else Marker("fn", {name: self.value(argument)})
            )
        except (TypeError, KeyError, IndexError, AttributeError):
            return Marker("fn", {name: argument})  # misused; the checks say so, here it is just unknown

    def parameter(self, name: str) -> Any:
        """A parameter's value: text, a list of texts, or a marker for what SSM holds."""
        declared = (self._body.get("Parameters") or {})[name]
        kind = str(declared.get("Type", "String"))
        text = self._parameters.get(name, declared.get("Default"))
        if text is None:
            return Marker("fn", {"Parameter": name})
        if kind.startswith(SSM):
            return Marker("later" if str(text) in self._later else "ssm", str(text))
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [item.strip() for item in str(text).split(",")]
        return str(text)

    def ref(self, name: str) -> Any:
        if name in (self._body.get("Parameters") or {}):
            return self.parameter(name)
        if name.startswith("AWS::"):
            return self._pseudo(name)
        return Marker("ref", name)

    def _pseudo(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return ABSENT
        if self._stack is None:
            return Marker("fn", {"Ref": name})
        partition, suffix = _partition(self._stack.region)
        known = {
            "AWS::AccountId": self._stack.account,
            "AWS::Region": self._stack.region,
            "AWS::StackName": self._stack.name,
            "AWS::Partition": partition,
            "AWS::URLSuffix": suffix,
        }
        return known.get(name, Marker("fn", {"Ref": name}))

    def _get_att(self, argument: Any) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else list(argument)
        attribute = self.value(parts[1])
        if not isinstance(attribute, str):
            return Marker("fn", {"Fn::GetAtt": [parts[0], attribute]})
        return Marker("getatt", f"{parts[0]}.{attribute}")

    def _sub(self, argument: Any) -> Any:
        text, local = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
        return _concat([self._sub_part(part, local) for part in _sub_parts(text)])

    def _sub_part(self, part: tuple[str, bool], local: Mapping[str, Any]) -> Any:
        text, variable = part
        if not variable:
            return text
        if text in local:
            return self.value(local[text])
        return self._get_att(text) if "." in text else self.ref(text)

    def _join(self, argument: Any) -> Any:
        delimiter, items = argument[0], self.value(argument[1])
        if not isinstance(items, list):
            return Marker("fn", {"Fn::Join": [delimiter, items]})
        parts: list[Any] = []
        for index, item in enumerate(items):
            parts.extend([delimiter, item] if index else [item])
        return _concat(parts)

    def _select(self, argument: Any) -> Any:
        index, items = self.value(argument[0]), self.value(argument[1])
        if isinstance(items, list) and str(index).isdigit() and int(index) < len(items):
            return items[int(index)]
        return Marker("fn", {"Fn::Select": [index, items]})

    def _split(self, argument: Any) -> Any:
        delimiter, text = argument[0], self.value(argument[1])
        return text.split(delimiter) if isinstance(text, str) else Marker("fn", {"Fn::Split": [delimiter, text]})

    def _if(self, argument: Any) -> Any:
        held = self.condition(argument[0])
        if held is None:
            branches = [self.value(argument[1]), self.value(argument[2])]
            shown = [{"Ref": "AWS::NoValue"} if branch is ABSENT else branch for branch in branches]
            return Marker("fn", {"Fn::If": [argument[0], *shown]})
        return self.value(argument[1] if held else argument[2])

    def _find_in_map(self, argument: Any) -> Any:
        keys = [self.value(item) for item in argument[:3]]
        node: Any = self._body.get("Mappings") or {}
        for key in keys:
            if not isinstance(key, str) or not isinstance(node, Mapping) or key not in node:
                return Marker("fn", {"Fn::FindInMap": keys})
            node = node[key]
        return self.value(node)

    def _truth(self, node: Any) -> bool | None:
        if not isinstance(node, Mapping) or len(node) != 1:
            return None
        name, argument = next(iter(node.items()))
        if name == "Condition":
            return self.condition(argument)
        if name == "Fn::Equals":
            left, right = self.value(argument[0]), self.value(argument[1])
            return None if unknown(left) or unknown(right) else same(left, right)
        return _combined(name, [self._truth(item) for item in argument] if isinstance(argument, list) else [])


def _combined(name: str, parts: list[bool | None]) -> bool | None:
    """Not, And, Or over three values: one part may decide although others are unknown."""
    if name == "Fn::Not" and parts:
        return None if parts[0] is None else not parts[0]
    decided = {"Fn::And": False, "Fn::Or": True}.get(name)
    if decided is None or decided in parts:
        return decided
    return None if None in parts else not decided


_FUNCTIONS: Final[Mapping[str, Any]] = {
    "Ref": Resolver.ref,
    "Fn::GetAtt": Resolver._get_att,
    "Fn::Sub": Resolver._sub,
    "Fn::Join": Resolver._join,
    "Fn::Select": Resolver._select,
    "Fn::Split": Resolver._split,
    "Fn::If": Resolver._if,
    "Fn::FindInMap": Resolver._find_in_map,
}


def unknown(node: Any) -> bool:
    """Whether the node contains a marker anywhere."""
    return next(markers(node), None) is not None


def markers(node: Any, path: JsonPath = ()) -> Iterator[tuple[JsonPath, Marker]]:
    """Every marker in a value except `concat`, with the path of the node that holds it."""
    if isinstance(node, Marker):
        if node.kind in {"concat", "fn"}:
            yield from ((path, inner) for _, inner in markers(node.argument))
        if node.kind != "concat":
            yield path, node
    elif isinstance(node, Mapping):
        for key, item in node.items():
            yield from markers(item, (*path, key))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield from markers(item, (*path, index))


def shown(node: Any) -> Any:
    """The value as a person reads it: references as `${Name.Attribute}` inside text."""
    if isinstance(node, Marker):
        if node.kind == "concat":
            return "".join(part if isinstance(part, str) else str(shown(part)) for part in node.argument)
        if node.kind == "later":
            return KNOWN_AFTER_APPLY
        if node.kind == "ssm":
            return f"{{{{resolve:ssm:{node.argument}}}}}"
        return shown(node.argument) if node.kind == "fn" else f"${{{node.argument}}}"
    if isinstance(node, Mapping):
        return {key: shown(item) for key, item in node.items()}
    return [shown(item) for item in node] if isinstance(node, list) else node


def same(left: Any, right: Any) -> bool:
    """Whether CloudFormation sees one value: it compares scalars as text, so `300` is "300" and `true` is "true"."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(left, Marker) and isinstance(right, Marker):
        return left == right
    if isinstance(left, Mapping | list | Marker) or isinstance(right, Mapping | list | Marker):
        return False
    return _text(left) == _text(right)


def _text(scalar: Any) -> str:
    return str(scalar).lower() if isinstance(scalar, bool) else str(scalar)


def _concat(parts: list[Any]) -> Any:
    """Text where all parts are known, else a marker with neighbouring texts joined."""
    flat: list[Any] = []
    for part in parts:
        for item in part.argument if isinstance(part, Marker) and part.kind == "concat" else [part]:
            text = item if isinstance(item, Mapping | list | Marker) else _text(item)
            if isinstance(text, str) and flat and isinstance(flat[-1], str):
                flat[-1] += text
            elif text != "":
                flat.append(text)
    if len(flat) <= 1:
        return flat[0] if flat else ""
    return Marker("concat", flat)


def _sub_parts(text: str) -> Iterator[tuple[str, bool]]:
    """The literal and the variable parts of an Fn::Sub text; `${!x}` is the literal `${x}`."""
    while text:
        before, opened, rest = text.partition("${")
        name, closed, after = rest.partition("}")
        if not opened or not closed:
            yield text, False
            return
        if before:
            yield before, False
        yield (f"${{{name[1:]}}}", False) if name.startswith("!") else (name.strip(), True)
        text = after


def _partition(region: str) -> tuple[str, str]:
    if region.startswith("cn-"):
        return "aws-cn", "amazonaws.com.cn"
    return ("aws-us-gov" if region.startswith("us-gov-") else "aws"), "amazonaws.com"
