"""What must be true before the first resource is created: looked at, never changed (spec A19, A20, A61, §0.2).

Errors name everything that is missing at once, with the order in which the provisioners run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from stackseal.aws import look
from stackseal.aws.errors import AwsFailed
from stackseal.aws.session import Aws
from stackseal.aws.ssm import Parameters
from stackseal.checks import connection
from stackseal.errors import Refused
from stackseal.model import Finding, Stack, StackId, Template
from stackseal.plan.reads import SSM, reads
from stackseal.world import World

ORDER: Final = "vpc-provisioner → sg-provisioner → ml-provisioner"


def run(world: World, template: Template) -> None:
    """Say what looks wrong; stop where the deployment could only fail.

    Raises Refused with all missing parameters, or with the endpoint that is already there and the switch to set.
    """
    stack = template.stack
    if stack is None:
        return
    world.cloudformation(stack.id)  # the account is compared before anything is asked of it
    aws = world.aws(stack.id.account, stack.id.region)
    values = _consumed(aws, stack, template)
    for warning in _bucket(aws, stack):
        world.out.say(f"{stack.config.path}: warning: {warning}", "warning")
    for found in connections(aws, template):
        world.out.say(f"{found.where}: {found.level.value}: {found.message}", "warning")
    _endpoints(aws, template, values)


def missing(aws: Aws, stack: Stack) -> tuple[str, ...]:
    """The SSM paths that the stack reads and nobody has published."""
    parameters = Parameters(aws, stack.id.region)
    return tuple(path for path in stack.consumes if parameters.get(path) is None)


def too_early(stack: StackId, absent: Sequence[str], template: Template) -> Refused:
    """The sentence for a stack that reads what nobody has published.

    Ids of a network come from the provisioners, whose order is told; what else a parameter holds its description says.
    """
    return Refused(
        f"The stack {stack.name} cannot be deployed yet",
        why=f"it reads SSM parameters that do not exist: {', '.join(absent)}",
        remedy=". ".join(dict.fromkeys(_publisher(path, template) for path in absent)),
    )


def _publisher(path: str, template: Template) -> str:
    """What to do about a path that does not exist."""
    declared = template.body.get("Parameters") or {}
    mine = [declared[name] for name, read in reads(template).items() if read == path]
    if any("<AWS::EC2::" in str(item.get("Type")) or "<List<AWS::EC2::" in str(item.get("Type")) for item in mine):
        return f"deploy in this order: {ORDER}"
    said = next((str(item["Description"]).rstrip(".") for item in mine if item.get("Description")), "")
    return f"have {path} written first" + (f": it {said[0].lower()}{said[1:]}" if said else "")


def _consumed(aws: Aws, stack: Stack, template: Template) -> dict[str, str]:
    parameters = Parameters(aws, stack.id.region)
    found = {path: parameters.get(path) for path in stack.consumes}
    if absent := [path for path, value in found.items() if value is None]:
        raise too_early(stack.id, absent, template)
    return {path: value for path, value in found.items() if value is not None}


def connections(aws: Aws, template: Template) -> tuple[Finding, ...]:
    """What is to be said about the connections that the template's pipelines read through.

    Only those of the stack's own account and region are looked at. Who cannot look says so, which is no failure.
    """
    stack = template.stack
    if stack is None:
        return ()
    here = f":{stack.id.region}:{stack.id.account}:"
    found: list[Finding] = []
    for use in connection.uses(template):
        if here not in use.arn:
            found.append(connection.unseen(template, use, "it belongs to another account or region"))
            continue
        try:
            found += connection.judge(template, use, look.connection(aws, stack.id.region, use.arn))
        except AwsFailed as error:
            found.append(connection.unseen(template, use, error.code or error.what))
    return tuple(found)


def _bucket(aws: Aws, stack: Stack) -> Iterator[str]:
    """A source that is not ready is no error: it may be before the first run."""
    if not (bucket := str(stack.context.get("source_bucket") or "")):
        return
    versioning = look.bucket_versioning(aws, stack.id.region, bucket)
    if versioning is None:
        yield f"the source bucket {bucket} is not there; create it before the pipelines run"
    elif versioning != "Enabled":
        yield f"the source bucket {bucket} has no versioning; CodePipeline needs it to see a new object"


def _endpoints(aws: Aws, template: Template, consumed: Mapping[str, str]) -> None:
    """Two interface endpoints of a service with private DNS, or two S3 gateways on a route table, cannot coexist."""
    stack = template.stack
    assert stack is not None  # noqa: S101 - the caller looked
    planned = [
        dict(resource["Properties"])
        for resource in template.resources.values()
        if resource.get("Type") == "AWS::EC2::VPCEndpoint"
    ]
    vpcs = {vpc for item in planned if (vpc := _value(item.get("VpcId"), template, consumed)).startswith("vpc-")}
    there = [endpoint for vpc in sorted(vpcs) for endpoint in look.endpoints(aws, stack.id.region, vpc)]
    for item in planned:
        for endpoint in there:
            if endpoint.service == _service(item, stack.id.region):
                _collision(item, endpoint, template, consumed)


def _collision(
    item: Mapping[str, Any], endpoint: look.Endpoint, template: Template, consumed: Mapping[str, str]
) -> None:
    if item.get("PrivateDnsEnabled") is True and endpoint.private_dns:
        raise Refused(
            f"An interface endpoint for {endpoint.service} is already in the VPC",
            why=f"{endpoint.id} has private DNS, and AWS allows that once in a VPC",
            remedy="set vpc_integration.private_dns: false",
        )
    tables = item.get("RouteTableIds") or []
    wanted = {_value(table, template, consumed) for table in (tables if isinstance(tables, list) else [tables])}
    flat = {part for value in wanted for part in value.split(",")}
    if shared := sorted(flat & set(endpoint.route_tables)):
        raise Refused(
            f"A gateway endpoint for {endpoint.service} is already on {', '.join(shared)}",
            why=f"{endpoint.id} routes it, and AWS allows one for a route table",
            remedy="remove the route table from vpc_integration.route_table_ids",
        )


def _service(item: Mapping[str, Any], region: str) -> str:
    name = item.get("ServiceName")
    text = name.get("Fn::Sub", "") if isinstance(name, Mapping) else name
    return str(text).replace("${AWS::Region}", region)


def _value(node: Any, template: Template, consumed: Mapping[str, str]) -> str:
    """A literal, or what a parameter of the template stands for."""
    if not isinstance(node, Mapping):
        return str(node)
    name = str(node.get("Ref", ""))
    declared = (template.body.get("Parameters") or {}).get(name, {})
    value = template.parameters.get(name, "")
    return consumed.get(value, "") if str(declared.get("Type", "")).startswith(SSM) else value
