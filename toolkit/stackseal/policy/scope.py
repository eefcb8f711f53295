"""The ARNs on which an action is called for a resource: its own, what it refers to, else a pattern; never more.

`()` means that the action is not called at all, `("*",)` that IAM cannot scope it (or that a listing must see all).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from stackseal import facts
from stackseal.facts import ActionFacts
from stackseal.policy.atoms import own_service, skeleton
from stackseal.policy.physical import expand
from stackseal.policy.scene import Resource, Scene
from stackseal.policy.tables import BY_REFERENCE, GENERIC, LINKED, OPTIONAL, TARGETED, TRIGGERS
from stackseal.policy.values import UNKNOWN, choice, strings

EVERYTHING: Final = ("*",)


def scope(action: ActionFacts, resource: Resource, scene: Scene) -> tuple[str, ...]:
    """Sorted ARN patterns for one action of one resource."""
    service = action.name.partition(":")[0]
    if (special := _special(service, action, resource, scene)) is not None:
        return special
    if not action.resources or action.name in OPTIONAL or _lists(action):
        return EVERYTHING
    targets = _targets(service, action)
    own = {arn for target, pattern in targets for arn in _own(target, pattern, resource, scene)}
    if own and (action.reads or "t" in action.levels):
        return _spelled(action, own)
    exact = own.union(*(_involved(target, pattern, resource, scene) for target, pattern in targets))
    missing = [pattern for target, pattern in targets if target in action.required and not _covers(pattern, exact)]
    if not exact and not missing:
        missing = [pattern for _, pattern in targets]
    return _spelled(action, exact.union(*(_pattern(pattern, resource, scene) for pattern in missing)))


def _special(service: str, action: ActionFacts, resource: Resource, scene: Scene) -> tuple[str, ...] | None:
    """The ARNs of what no ARN template tells; None where one does."""
    if action.name == "iam:CreateServiceLinkedRole":
        return scene.resolver.fixed_arn(f"iam::${{Account}}:role/aws-service-role/{linked_service(resource)}/*")
    if service == "apigateway" and resource.namespace.startswith("ApiGateway"):
        return _collection(resource, scene)
    if service != resource.namespace.lower() and _elsewhere(service, resource):
        return ()
    if _foreign(service, resource) and service in BY_REFERENCE:
        return _referred(service, action, resource, scene)
    if resource.namespace == "ApplicationAutoScaling" and service == "cloudwatch" and not action.reads:
        return _tracking(resource, scene)
    return None


def _collection(resource: Resource, scene: Scene) -> tuple[str, ...]:
    """API Gateway is scoped by the path of its own API: the collection that is posted to, and what is in it.

    Tags have a path of their own (API Gateway Guide, "Control access to API Gateway actions").
    """
    known = facts.of_type(resource.kind)
    usual = "apis" if resource.namespace == "ApiGatewayV2" else "restapis"
    mapped = "domainnames" if resource.kind.endswith(("PathMapping", "PathMappingV2", "ApiMapping")) else usual
    root = known.arn.partition("::/")[2].partition("/")[0] if known and "::/" in known.arn else mapped
    paths = (root, f"{root}/*", "tags/*")
    return tuple(sorted(arn for path in paths for arn in scene.resolver.fixed_arn(f"apigateway:${{Region}}::/{path}")))


def _tracking(resource: Resource, scene: Scene) -> tuple[str, ...]:
    """The alarms that target tracking makes, named after what is scaled (Application Auto Scaling Guide)."""
    tracked = strings(property_value("ResourceId", resource) or UNKNOWN)
    names = (f"cloudwatch:${{Region}}:${{Account}}:alarm:TargetTracking-{each}-*" for each in tracked)
    return tuple(sorted(arn for name in names for arn in scene.resolver.fixed_arn(name)))


def linked_service(resource: Resource) -> str:
    """The principal of the service-linked role that a resource's service may create, as a pattern."""
    prefix = own_service(resource.kind)
    return LINKED.get(prefix, f"{prefix}.amazonaws.com")


def _foreign(service: str, resource: Resource) -> bool:
    return service != own_service(resource.kind)


def _elsewhere(service: str, resource: Resource) -> bool:
    """Whether the ARN that says which service is called names another one."""
    named = [text.split(":")[2:3] for key, text in resource.references if key == TARGETED.get(resource.kind)]
    return bool(named) and not any(found in ([], [service], [UNKNOWN]) for found in named)


def _lists(action: ActionFacts) -> bool:
    """A listing of the whole kind (`DescribeAlarms`, `ListAliases`): AWS checks it against all or nothing."""
    match = re.match(r"(?:Describe|List)(\w+)$", action.name.partition(":")[2])
    if match is None or not action.reads:
        return False
    names = {target.replace("-", "").lower() for target in action.resources}
    plurals = {plural for name in names for plural in (f"{name}s", f"{name}es", re.sub("y$", "ies", name))}
    return match[1].lower() in plurals - names


@cache
def _service_arns(service: str) -> Mapping[str, tuple[str, ...]]:
    known = facts.service(service)
    return known.arns if known else {}


def _targets(service: str, action: ActionFacts) -> list[tuple[str, str]]:
    """Resource type and ARN template of everything that an action acts on.

    The reference forgets types that can be tagged: tagging acts on all of a service's.
    """
    arns = _service_arns(service)
    targets = arns if "t" in action.levels else action.resources
    return [(target, pattern) for target in targets for pattern in arns.get(target, ())]


def _own(target: str, pattern: str, resource: Resource, scene: Scene) -> tuple[str, ...]:
    """The resource's own ARN where the template is that of its type, else nothing."""
    if not _is_own(target, pattern, resource.kind):
        return ()
    known = facts.of_type(resource.kind)
    if known and known.arn:
        return scene.resolver.arns(resource.logical_id)
    return scene.resolver.fill(pattern, resource.logical_id)


@cache
def _is_own(target: str, pattern: str, kind: str) -> bool:
    known = facts.of_type(kind)
    if known and known.arn:
        return skeleton(known.arn) == skeleton(pattern)
    return known is not None and target.replace("-", "").partition("/")[0].lower() == kind.rpartition("::")[2].lower()


def _involved(target: str, pattern: str, resource: Resource, scene: Scene) -> tuple[str, ...]:
    """What the resource refers to, or the template filled by its properties; empty: not involved, or its own."""
    if _is_own(target, pattern, resource.kind):
        return ()
    matches = _matcher(pattern)
    referred = {arn for arn in _references(resource, scene) if matches(arn)}
    return tuple(sorted(referred)) or _filled(pattern, resource, scene)


def _references(resource: Resource, scene: Scene) -> tuple[str, ...]:
    return tuple(arn for _, text in resource.references for arn in scene.arns_of(text))


def _filled(pattern: str, resource: Resource, scene: Scene) -> tuple[str, ...]:
    """The template with each variable taken from a property of that name; empty unless every variable has one."""
    found = {name: property_value(name, resource) or _own_name(name, resource, scene) for name in _variables(pattern)}
    if not found or None in found.values():
        return ()
    return expand(pattern, lambda name: scene.resolver.fixed(name) or found[name])


def _own_name(variable: str, resource: Resource, scene: Scene) -> Any:
    """The resource's name for `${RuleName}` of a rule, which stands in other ARNs than its own too."""
    same = variable.lower() == f"{resource.kind.rpartition('::')[2]}Name".lower()
    return scene.resolver.name(resource.logical_id) if same else None


@cache
def _variables(pattern: str) -> tuple[str, ...]:
    return tuple(
        name for name in re.findall(r"\$\{([^}]+)\}", pattern) if name not in {"Partition", "Region", "Account"}
    )


def property_value(variable: str, resource: Resource) -> Any:
    """What the properties say of an ARN template's variable (`SubnetId` ← `SubnetIds`); None where nothing does."""
    texts = [text for key, text in resource.references if _is_named(_meant(key, resource), variable)]
    plain = [UNKNOWN if ":" in text else text for text in texts]
    return choice(plain) if plain else None


def _meant(key: str, resource: Resource) -> str:
    """The name of what a key refers to, where another property says what it is."""
    name, kind, names = GENERIC.get(resource.kind, ("", "", {}))
    return names.get(str(resource.properties.get(kind)), key) if key == name else key


@cache
def _is_named(key: str, variable: str) -> bool:
    key, variable = key.lower(), variable.lower()
    base = variable.removesuffix("withpath").removesuffix("name")
    if key in {variable, f"{variable}s", base, f"{base}s"}:
        return True
    return len(variable) > 4 and key.endswith((variable, f"{variable}s"))


def _pattern(pattern: str, resource: Resource, scene: Scene) -> tuple[str, ...]:
    """The template with what is known; the rest is unknown."""

    def variable(name: str) -> Any:
        fixed = scene.resolver.fixed(name)
        return fixed if fixed is not None else (property_value(name, resource) or UNKNOWN)

    return expand(pattern, variable)


def _referred(service: str, action: ActionFacts, resource: Resource, scene: Scene) -> tuple[str, ...]:
    """ARNs of another service that the resource refers to; a pattern where it refers to something unknown."""
    targets = _targets(service, action)
    found: set[str] = set()
    for _, pattern in targets:
        matches = _matcher(pattern)
        found.update(arn for arn in _references(resource, scene) if matches(arn))
    if not found and (objects := set(_objects(resource, scene))) and service == "s3":
        found = objects
    if not found and _mentions(service, resource):
        found = {arn for _, pattern in targets for arn in _pattern_unless_open(pattern, resource, scene)}
    return _spelled(action, found)


def _mentions(service: str, resource: Resource) -> bool:
    """Whether a property that makes a type call the service is set to something unknown or to a plain identifier."""
    triggers = TRIGGERS.get(service, ())
    return any(any(trigger in key.lower() for trigger in triggers) for key, _ in resource.references)


def _pattern_unless_open(pattern: str, resource: Resource, scene: Scene) -> tuple[str, ...]:
    if pattern.startswith("arn:${Partition}:kms:") and pattern.endswith(":key/${KeyId}"):
        return scene.resolver.fixed_arn("kms:${Region}:${Account}:key/*")
    return _filled(pattern, resource, scene)


def _objects(resource: Resource, scene: Scene) -> Iterator[str]:
    """S3 objects that are named by a bucket and a key side by side."""
    buckets = [text for key, text in resource.references if key.lower() in {"s3bucket", "bucket", "bucketname"}]
    keys = [text for key, text in resource.references if key.lower() in {"s3key", "key", "objectkey"}]
    for bucket in buckets:
        for key in keys or [UNKNOWN]:
            yield scene.resolver.arn(f"s3:::{bucket}/{key}")


@cache
def _matcher(pattern: str) -> Callable[[str], bool]:
    """Whether an ARN (or ARN pattern) is one that the template describes."""
    variable = "[^:/]" if ":s3:::" in pattern else "[^:]"
    parts = re.split(r"(\$\{[^}]+\})", pattern)
    last = len(parts) - 2
    written = [re.escape(part) if index % 2 == 0 else f"{variable}*" for index, part in enumerate(parts)]
    if last > 0:
        written[last] = "[^:]+" if "/" in pattern else f"{variable}+"
    # One service, whose ARNs and actions may carry either name.
    text = "".join(written).replace(re.escape("codestar-connections"), "codeconnections")
    text = text.replace("codeconnections", "(?:codeconnections|codestar-connections)")
    compiled = re.compile(f"{text}(?::\\*)?$")
    return lambda arn: compiled.match(arn) is not None


def _covers(pattern: str, found: set[str]) -> bool:
    matches = _matcher(pattern)
    return any(matches(arn) for arn in found)


def _spelled(action: ActionFacts, arns: set[str]) -> tuple[str, ...]:
    """Sorted, with the second form under which some services check the same thing.

    A log group is checked with `:*` at its end by most calls and without by tagging (CloudWatch Logs Guide, "IAM"); a
    subscription's ARN is its topic's and an id (Amazon SNS API).
    """
    service, _, verb = action.name.partition(":")
    twice = {arn for arn in arns if ":log-group:" in arn and not arn.endswith(":*") and ":log-stream:" not in arn}
    if service == "sns" and ("Subscription" in verb or verb == "Unsubscribe") and not verb.endswith("ByTopic"):
        twice = {arn for arn in arns if not arn.endswith("*")}
    return tuple(sorted(arns | {f"{arn}:*" for arn in twice}))


def described(action: ActionFacts) -> tuple[str, ...]:
    """The ARN templates of every kind of resource that an action acts on.

    The Service Authorization Reference leaves out transforms, on which change sets are created too (CloudFormation
    Guide, "Control access with IAM"), and of the actions that both versions of API Gateway share the kinds of one.
    """
    service = action.name.partition(":")[0]
    if service == "apigateway":
        return tuple(pattern for patterns in _service_arns(service).values() for pattern in patterns)
    found = tuple(pattern for _, pattern in _targets(service, action))
    return (*found, _TRANSFORM) if action.name == "cloudformation:CreateChangeSet" else found


_TRANSFORM: Final = "arn:${Partition}:cloudformation:${Region}:${Account}:transform/${TransformName}"


def describes(action: ActionFacts, arn: str) -> bool:
    """Whether an ARN (or a pattern of one) is of a kind that the action acts on."""
    return any(_matcher(pattern)(arn) for pattern in described(action))
