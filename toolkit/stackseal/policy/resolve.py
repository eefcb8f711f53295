"""What a template's intrinsic functions come to before anything is deployed: patterns in which `*` is "not known yet".

Everything that the template and its parameters fix is computed; generated names keep the part that is known. A branch
that hangs on an unknown condition becomes a `Choice`, so that no permission of either branch is missed.

What `Ref` and `GetAtt` return is the facts' primary identifier or reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from stackseal import facts
from stackseal.model import StackId
from stackseal.policy.physical import (
    ARN_NAMED,
    SPELLED,
    STACK_NAMED,
    expand,
    generated,
    is_name,
    name_property,
    partition,
)
from stackseal.policy.values import NOTHING, UNKNOWN, choice, concatenate, mapping, options, strings, text


class Resolver:
    """Values of one template in one account and region.

    `parameters` holds the value of every parameter that is known; for an SSM type the path, whose content is not.
    """

    def __init__(self, body: Mapping[str, Any], parameters: Mapping[str, str], stack: StackId) -> None:
        self.stack = stack
        self._resources: Mapping[str, Any] = mapping(body.get("Resources"))
        self._declared: Mapping[str, Any] = mapping(body.get("Parameters"))
        self._conditions: Mapping[str, Any] = mapping(body.get("Conditions"))
        self._mappings: Mapping[str, Any] = mapping(body.get("Mappings"))
        self._given = parameters
        self._physical: dict[str, Any] = {}
        self._arns: dict[str, tuple[str, ...]] = {}
        self._fixed = {"Partition": partition(stack.region), "Region": stack.region, "Account": stack.account}
        self._busy: set[str] = set()
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find,
            "Fn::Base64": self.value,
            "Fn::GetAZs": lambda _: [UNKNOWN],
            "Fn::Cidr": lambda _: [UNKNOWN],
        }
        self._pseudo: Mapping[str, Any] = {
            "AWS::AccountId": stack.account,
            "AWS::Region": stack.region,
            "AWS::Partition": partition(stack.region),
            "AWS::StackName": stack.name,
            "AWS::StackId": self.arn(f"cloudformation:{stack.region}:{stack.account}:stack/{stack.name}/*"),
            "AWS::URLSuffix": "amazonaws.com.cn" if partition(stack.region) == "aws-cn" else "amazonaws.com",
            "AWS::NotificationARNs": [UNKNOWN],
            "AWS::NoValue": NOTHING,
        }

    def arn(self, rest: str) -> str:
        """An ARN of the stack's partition."""
        return f"arn:{self._fixed['Partition']}:{rest}"

    def value(self, node: Any) -> Any:
        """A node with its intrinsic functions computed."""
        if isinstance(node, Mapping):
            if len(node) == 1 and (key := next(iter(node))) in self._functions:
                return _undisclosed(self._call(key, node[key]))
            if len(node) == 1 and str(key).startswith("Fn::"):
                return UNKNOWN
            found = {key: self.value(item) for key, item in node.items()}
            return {key: item for key, item in found.items() if item is not NOTHING}
        if isinstance(node, Sequence) and not isinstance(node, str):
            return [item for item in map(self.value, node) if item is not NOTHING]
        return _undisclosed(node)

    def _call(self, function: str, argument: Any) -> Any:
        try:
            return self._functions[function](argument)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return UNKNOWN  # a malformed call: the linter says so, here it only means that nothing is known

    # --- conditions ---------------------------------------------------------------------------------------------------

    def exists(self, logical_id: str) -> bool:
        """Whether the resource's condition lets it exist; an undecidable one does."""
        condition = self._resources[logical_id].get("Condition")
        return condition is None or self.condition(str(condition)) is not False

    def condition(self, name: str) -> bool | None:
        """True, False, or None where only the deployment can tell."""
        if f"?{name}" in self._busy or name not in self._conditions:
            return None
        self._busy.add(f"?{name}")
        try:
            return self._test(self._conditions[name])
        finally:
            self._busy.discard(f"?{name}")

    def _test(self, node: Any) -> bool | None:
        if not isinstance(node, Mapping) or len(node) != 1:
            return None
        ((key, argument),) = node.items()
        if key == "Condition":
            return self.condition(str(argument))
        if not isinstance(argument, list) or not argument:
            return None
        if key == "Fn::Equals":
            return self._equal(*argument) if len(argument) == 2 else None
        return _combine(key, [self._test(item) for item in argument])

    def _equal(self, left: Any, right: Any) -> bool | None:
        found = [strings(self.value(side)) for side in (left, right)]
        if any(len(side) != 1 or UNKNOWN in side[0] for side in found):
            return None
        return bool(found[0] == found[1])

    # --- functions ----------------------------------------------------------------------------------------------------

    def _ref(self, name: Any) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._resources:
            return self.physical(name)
        return self._parameter(str(name))

    def _parameter(self, name: str) -> Any:
        declared = mapping(self._declared.get(name))
        kind = str(declared.get("Type", "String"))
        listed = "List" in kind
        given = self._given.get(name, declared.get("Default"))
        if given is None or kind.startswith("AWS::SSM::Parameter::Value"):
            return [UNKNOWN] if listed else UNKNOWN
        return [item.strip() for item in str(given).split(",")] if listed else text(given)

    def _get_att(self, argument: Any) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else list(argument)
        if len(parts) != 2 or parts[0] not in self._resources:
            return UNKNOWN
        logical_id, attribute = str(parts[0]), parts[1]
        kind = self.kind(logical_id)
        if attribute in {"Arn", f"{kind.rpartition('::')[2]}Arn"}:
            return choice(self.arns(logical_id))
        if attribute == name_property(kind):
            return self.name(logical_id)
        return UNKNOWN

    def _sub(self, argument: Any) -> Any:
        written, local = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
        if not isinstance(written, str):
            return UNKNOWN
        parts: list[Any] = []
        for index, piece in enumerate(re.split(r"\$\{([^!][^}]*)\}", written)):
            if index % 2 == 0:
                parts.append(piece.replace("${!", "${"))
            elif piece in local:
                parts.append(self.value(local[piece]))
            else:
                parts.append(self._get_att(piece) if "." in piece else self._ref(piece))
        return concatenate(parts)

    def _join(self, argument: Any) -> Any:
        delimiter, items = argument[0], self.value(argument[1])
        if not isinstance(items, list):
            return UNKNOWN
        parts = [part for item in items for part in (delimiter, item)][1:]
        return concatenate(parts)

    def _select(self, argument: Any) -> Any:
        index, items = text(self.value(argument[0])), self.value(argument[1])
        if not isinstance(items, list) or not index.isdigit() or int(index) >= len(items):
            return UNKNOWN
        return items[int(index)]

    def _split(self, argument: Any) -> Any:
        found = strings(self.value(argument[1]))
        return found[0].split(argument[0]) if len(found) == 1 and UNKNOWN not in found[0] else [UNKNOWN]

    def _if(self, argument: Any) -> Any:
        known = self.condition(str(argument[0]))
        if known is not None:
            return self.value(argument[1 if known else 2])
        return choice([self.value(argument[1]), self.value(argument[2])])

    def _find(self, argument: Any) -> Any:
        node: Any = self._mappings
        for key in argument[:3]:
            found = strings(self.value(key))
            node = node.get(found[0]) if len(found) == 1 and isinstance(node, Mapping) else None
        return UNKNOWN if node is None else node

    # --- resources ----------------------------------------------------------------------------------------------------

    def physical(self, logical_id: str) -> Any:
        """What `Ref` returns: a name, an ARN, or unknown."""
        if logical_id not in self._physical:
            if logical_id in self._busy:
                return UNKNOWN
            self._busy.add(logical_id)
            self._physical[logical_id] = self._reference(logical_id)
            self._busy.discard(logical_id)
        return self._physical[logical_id]

    def _reference(self, logical_id: str) -> Any:
        kind = self.kind(logical_id)
        known = facts.of_type(kind)
        returned = (known.reference or known.primary_identifier) if known else ()
        if kind in ARN_NAMED or (returned and returned[-1].endswith("Arn")):
            return choice(self.arns(logical_id))
        by_name = name_property(kind) in returned or kind == "AWS::SQS::Queue"  # a queue's URL ends with its name
        if by_name or (known and not returned):
            return self.name(logical_id)
        return UNKNOWN

    def properties(self, logical_id: str) -> Mapping[str, Any]:
        """The resource's properties, computed."""
        return mapping(self.value(self._given_properties(logical_id)))

    def name(self, logical_id: str) -> Any:
        """The physical name, or the pattern of a generated one."""
        kind = self.kind(logical_id)
        key = name_property(kind)
        if not key:
            return generated(kind, logical_id, self.stack.name) if kind in STACK_NAMED else UNKNOWN
        given = self.value(self._given_properties(logical_id).get(key, NOTHING))
        made = generated(kind, logical_id, self.stack.name)
        return choice([made if option is NOTHING else option for option in options(given)])

    def kind(self, logical_id: str) -> str:
        """The resource's type."""
        return str(self._resources[logical_id].get("Type", ""))

    def _given_properties(self, logical_id: str) -> Mapping[str, Any]:
        return mapping(self._resources[logical_id].get("Properties"))

    def arns(self, logical_id: str) -> tuple[str, ...]:
        """Patterns of the resource's own ARN; empty where AWS publishes no template for the type."""
        if logical_id not in self._arns:
            known = facts.of_type(self.kind(logical_id))
            found = self.fill(known.arn, logical_id) if known and known.arn else ()
            if logical_id in self._busy:
                return found  # seen from inside its own name: less is known now than later
            self._arns[logical_id] = found
        return self._arns[logical_id]

    def fill(self, template: str, logical_id: str) -> tuple[str, ...]:
        """An ARN template with its variables replaced by what is known of the resource that it stands for."""
        return expand(template, lambda variable: self._variable(variable, logical_id))

    def _variable(self, variable: str, logical_id: str) -> Any:
        kind = self.kind(logical_id)
        given = self._given_properties(logical_id)
        if (fixed := self.fixed(variable)) is not None:
            return fixed
        if variable in given and variable != name_property(kind):
            return self.value(given[variable])
        name = self.name(logical_id)
        if variable.endswith("WithPath"):
            path = text(self.value(given.get("Path", "/"))).strip("/")
            return concatenate([f"{path}/" if path else "", name])
        if variable in SPELLED:
            return choice([SPELLED[variable](found) for found in strings(name)])
        return name if is_name(variable, kind) else UNKNOWN

    def fixed_arn(self, rest: str) -> tuple[str, ...]:
        """An ARN of the stack's partition in which only region and account are variables."""
        return expand(self.arn(rest), lambda variable: self.fixed(variable) or UNKNOWN)

    def fixed(self, variable: str) -> str | None:
        """Partition, region and account, which every ARN template may name."""
        return self._fixed.get(variable)


def _undisclosed(value: Any) -> Any:
    """A text without its `{{resolve:…}}`: what those come to is known only when the stack is deployed."""
    return _DYNAMIC.sub(UNKNOWN, value) if isinstance(value, str) and "{{resolve:" in value else value


_DYNAMIC: Final = re.compile(r"\{\{resolve:[^{}]*\}\}")


def _combine(function: str, results: Sequence[bool | None]) -> bool | None:
    """`Fn::Not`, `Fn::And` or `Fn::Or` of results of which some may be unknown."""
    if function == "Fn::Not":
        return None if results[0] is None else not results[0]
    decisive = function == "Fn::Or"
    if decisive in results:
        return decisive
    return None if None in results or function not in {"Fn::And", "Fn::Or"} else not decisive
