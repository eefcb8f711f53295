"""The only module that touches ministack: how it is started, called, hooked and read.

ministack 1.5.33 has no public extension points; what we use is named in `SYMBOLS` and guarded by a contract test, and
the pin in pyproject.toml is exact. Everything else in `local/` goes through the functions here.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import copy
import dataclasses
import importlib
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from stackseal.local.messages import Place, Request, Response, ServiceError

_CFN: Final = "ministack.services.cloudformation"
SYMBOLS: Final[Mapping[str, tuple[str, ...]]] = {
    "ministack.app": ("app", "AUTH", "_reset_all_state"),
    "ministack.core.responses": ("get_account_id", "get_region", "request_scope", "_account_from_sts_session"),
    "ministack.core.iam_evaluator": (
        "EvalContext",
        "_gather_role_policies",
        "_permissions_boundary",
        "AuthError",
        "enforce",
        "evaluate",
        "is_root_access_key",
        "parse_policy_document",
        "resolve_principal",
    ),
    "ministack.core.iam_actions": ("extract_resource_arn", "request_tag_context"),
    "ministack.services.iam": ("_roles",),
    "ministack.services.ec2": (
        "_ACTION_MAP",
        "_modify_vpc_endpoint",
        "_parse_member_list",
        "_vpc_endpoints",
        "_vpce_fields_xml",
    ),
    _CFN: ("_stacks", "_stack_events", "_change_sets", "_exports"),
    f"{_CFN}.engine": ("_NO_VALUE", "_evaluate_conditions", "_resolve_refs", "_intrinsic_references"),
    f"{_CFN}.provisioners": (
        "_RESOURCE_HANDLERS",
        "_STACK_TAG_PROPERTY",
        "_CUSTOM_NAME_REPLACEMENT",
        "_NAME_SEED",
        "_property_recreation",
        "_provision_resource",
        "_update_resource",
        "_delete_resource",
        "s3_bucket_name_conflict",
    ),
    f"{_CFN}.stacks": (
        "_add_event",
        "_deploy_stack_async",
        "_property_recreation",
        "_provision_resource",
        "_update_resource",
        "_delete_resource",
        "_runs_on_worker_thread",
    ),
    f"{_CFN}.changesets": ("_resolve_refs",),
}
"""Module -> the names in it that we read, call or replace."""

_ENVIRONMENT: Final[Mapping[str, str]] = {
    "AUTH": "true",
    "LOG_LEVEL": "CRITICAL",
    "PERSIST_STATE": "0",
    "S3_PERSIST": "0",
    "SFTP_ENABLED": "0",
    "IOT_MTLS_ENABLED": "0",
    "MINISTACK_HOST": "127.0.0.1",
}
_REAPER: Final = "dynamodb-ttl-reaper"
_import_guard = threading.RLock()


class _Thread(threading.Thread):
    """Refuses to start the thread that importing ministack's DynamoDB leaves behind for good."""

    def start(self) -> None:
        if self.name != _REAPER:
            super().start()


def module(name: str) -> Any:
    """One of ministack's modules; imported once, without leaving our settings, its log handlers or a thread behind."""
    if name in sys.modules:
        return sys.modules[name]
    root = logging.getLogger()
    with _import_guard, _environment(_ENVIRONMENT), _without_docker(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        level, handlers, thread = root.level, list(root.handlers), threading.Thread
        setattr(threading, "Thread", _Thread)  # noqa: B010 - mypy forbids to assign to a class of the library
        try:
            return importlib.import_module(name)
        finally:
            setattr(threading, "Thread", thread)  # noqa: B010
            root.setLevel(level)
            root.handlers[:] = handlers
            _silence()


def _silence() -> None:
    """Keeps ministack's loggers, which have names such as `s3`, off stderr."""
    for name, found in list(sys.modules.items()):
        if name.startswith("ministack."):
            for logger in (getattr(found, "logger", None), getattr(found, "_log", None)):
                if isinstance(logger, logging.Logger):
                    logger.setLevel(logging.CRITICAL + 1)


@contextlib.contextmanager
def _without_docker() -> Iterator[None]:
    """ministack looks for a Docker daemon and leaves the socket open; without the library it does not look."""
    absent = object()
    before: Any = sys.modules.get("docker", absent)
    sys.modules["docker"] = None  # type: ignore[assignment]  # Python's way to say "not importable"
    try:
        yield
    finally:
        if before is absent:
            del sys.modules["docker"]
        else:
            sys.modules["docker"] = before


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Loop:
    """ministack's event loop on a thread of its own; `call` is safe from any other thread."""

    def __init__(self, *, enforce: bool) -> None:
        self._app = module("ministack.app")
        self._app.AUTH = enforce
        self._loop = asyncio.new_event_loop()
        self._pool = concurrent.futures.ThreadPoolExecutor(max_workers=8, thread_name_prefix="embedded-aws")
        self._loop.set_default_executor(self._pool)
        self._thread = threading.Thread(target=self._run, name="embedded-aws-loop")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Cancels what is still running and joins the thread."""
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._pool.shutdown(wait=True)
        self._loop.close()

    async def _drain(self) -> None:
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if running:
            await asyncio.wait(running, timeout=10)
        await self._cancel_all()

    async def _cancel_all(self) -> None:
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def call(self, request: Request) -> Response:
        """ministack's answer to a request, as it would give it over HTTP."""
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result(timeout=120)

    def reset(self) -> None:
        """Waits for what is running, then empties every service that was used."""
        asyncio.run_coroutine_threadsafe(self._drain(), self._loop).result(timeout=30)
        with _import_guard, _without_docker():
            self._app._reset_all_state()
        _silence()

    async def _answer(self, request: Request) -> Response:
        head: dict[str, Any] = {}
        body = bytearray()
        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await self._app.app(_scope(request), receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.get("headers", [])}
        return Response(status=int(head.get("status", 500)), headers=headers, body=bytes(body))


def _scope(request: Request) -> dict[str, Any]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": request.method,
        "path": unquote(request.raw_path),
        "raw_path": request.raw_path.encode("latin-1"),
        "query_string": request.query.encode("latin-1"),
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }


# --- who and where ----------------------------------------------------------------------------------------------------


def account_of(access_key: str, default: str) -> str:
    """The account that a key works in: the key itself where it is one, its session's, or the default."""
    if len(access_key) == 12 and access_key.isdigit():
        return access_key
    found = module("ministack.core.responses")._account_from_sts_session(access_key)
    return str(found) if found else default


def here() -> Place:
    """The place in whose name ministack is working on this thread."""
    responses = module("ministack.core.responses")
    return Place(account=str(responses.get_account_id()), region=str(responses.get_region()))


def at(place: Place) -> contextlib.AbstractContextManager[None]:
    """Works in a place: the stores below then show its content."""
    found: contextlib.AbstractContextManager[None] = module("ministack.core.responses").request_scope(
        place.account, place.region
    )
    return found


# --- CloudFormation's records -----------------------------------------------------------------------------------------


def stack(name: str) -> dict[str, Any] | None:
    """The record of a stack by name or ARN in the current place; a deleted stack only by ARN."""
    stacks = module(_CFN)._stacks
    found: dict[str, Any] | None = stacks.get(name)
    if found is not None:
        _claim(found)
    if found is not None and found.get("StackStatus") != "DELETE_COMPLETE":
        return found
    for record in list(stacks.values()):
        if record.get("StackId") == name:
            by_id: dict[str, Any] = record
            return by_id
    return None


def stack_record(name: str) -> dict[str, Any]:
    """The record of a stack that exists, by the name under which the engine works on it."""
    found: dict[str, Any] = module(_CFN)._stacks[name]
    _claim(found)
    return found


_expected: dict[tuple[str, str, str], dict[str, str]] = {}
"""Role and caller of a CreateStack whose record does not exist yet, by account, region and stack name."""


def expect(stack_name: str, role: str, caller: str) -> None:
    """Notes role and caller of a stack that is about to be created."""
    place = here()
    _expected[place.account, place.region, stack_name] = {"RoleARN": role, "_caller": caller}


def _claim(record: dict[str, Any]) -> None:
    place = here()
    record.update(_expected.pop((place.account, place.region, record["StackName"]), {}))


def forget(change_set: Mapping[str, Any], *, stack_too: bool) -> None:
    """Takes back a change set, and the shell that was made for it."""
    change_sets().pop(change_set["ChangeSetId"], None)
    if stack_too:
        module(_CFN)._stacks.pop(change_set["StackName"], None)


def move_events(old_id: str, new_id: str) -> None:
    """Gives a stack's history another id."""
    events = module(_CFN)._stack_events
    events[new_id] = [*events.get(new_id, []), *({**event, "StackId": new_id} for event in events.pop(old_id, []))]


def change_sets() -> Any:
    """Change-set records by ARN in the current place."""
    return module(_CFN)._change_sets


def add_event(
    record: Mapping[str, Any], logical_id: str, type_: str, status: str, *, reason: str = "", physical_id: str = ""
) -> None:
    """Appends to a stack's history."""
    module(f"{_CFN}.stacks")._add_event(
        record["StackId"], record["StackName"], logical_id, type_, status, reason, physical_id
    )


def conditions(template: Mapping[str, Any], parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The truth of a template's conditions."""
    found: Mapping[str, Any] = module(f"{_CFN}.engine")._evaluate_conditions(template, parameters)
    return found


def ordered(resources: Mapping[str, Any], conditions: Mapping[str, Any]) -> list[str]:
    """Logical ids, a resource after what it refers to."""
    found: list[str] = module(f"{_CFN}.engine")._topological_sort(resources, conditions)
    return found


def references(value: Any) -> list[tuple[str, str | None]]:
    """Each (name, attribute) that a value refers to; the attribute is None for `Ref`."""
    return [(str(name), attribute) for name, attribute in module(f"{_CFN}.engine")._intrinsic_references(value)]


def resolve(
    value: Any,
    resources: Mapping[str, Any],
    parameters: Mapping[str, Any],
    conditions: Mapping[str, Any],
    mappings: Mapping[str, Any],
    record: Mapping[str, Any],
) -> Any:
    """A value with its intrinsic functions evaluated, properties that are `AWS::NoValue` left out."""
    engine = module(f"{_CFN}.engine")
    found = engine._resolve_refs(
        copy.deepcopy(value), resources, parameters, conditions, mappings, record["StackName"], record["StackId"]
    )
    if isinstance(found, dict):
        return {key: inner for key, inner in found.items() if inner is not engine._NO_VALUE}
    return found


def takes_stack_tags(type_: str) -> bool:
    """Whether the stack's tags reach resources of a type."""
    return type_ in module(f"{_CFN}.provisioners")._STACK_TAG_PROPERTY


# --- the engine's hooks -----------------------------------------------------------------------------------------------


def install(hooks: Any) -> None:
    """Puts our resource layer around ministack's; `hooks` is `cloudformation.hooks.Hooks`."""
    provisioners, stacks = module(f"{_CFN}.provisioners"), module(f"{_CFN}.stacks")
    for target in (provisioners, stacks):
        target._provision_resource = hooks.create
        target._update_resource = hooks.update
        target._delete_resource = hooks.delete
        target._property_recreation = hooks.recreation
    helpers = module(f"{_CFN}.helpers")
    if not hasattr(helpers, "_stackseal_resolve_document"):
        helpers._stackseal_resolve_document = helpers._resolve_document
    read = helpers._stackseal_resolve_document

    def read_document(params: Mapping[str, Any], body_key: str, url_key: str, label: str) -> Any:
        urls = [hooks.template_url(url) for url in params.get(url_key, [])]
        return read({**params, url_key: urls} if urls else params, body_key, url_key, label)

    helpers._resolve_document = read_document
    complete_endpoints()
    complete_authorization()
    # Names are refused by the resource that wants them, with the reason in its event.
    provisioners.s3_bucket_name_conflict = lambda _name: None
    # Every resource works on a thread of its own: the loop stays free to answer, so a stack is seen in progress.
    stacks._runs_on_worker_thread = lambda _type: True


def originals() -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """ministack's own create, update and delete, as they were before `install`."""
    provisioners = module(f"{_CFN}.provisioners")
    if not hasattr(provisioners, "_stackseal_originals"):
        provisioners._stackseal_originals = (
            provisioners._provision_resource,
            provisioners._update_resource,
            provisioners._delete_resource,
        )
    found: tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]] = provisioners._stackseal_originals
    return found


def register(type_: str, name: str, tag_property: tuple[str, str] | None) -> None:
    """Makes a type of ours known to the engine: its custom-name property and where the stack's tags go."""
    provisioners = module(f"{_CFN}.provisioners")
    provisioners._RESOURCE_HANDLERS.setdefault(type_, {"create": None, "update": None, "delete": None})
    if name:
        provisioners._CUSTOM_NAME_REPLACEMENT.setdefault(type_, {"name": name})
    if tag_property:
        provisioners._STACK_TAG_PROPERTY[type_] = tag_property


def generation() -> str:
    """A token that ministack changes when it replaces a resource under a generated name; empty before."""
    return str(module(f"{_CFN}.provisioners")._NAME_SEED.get())


_CFN_KEYS: Final = (("RoleARN", "RoleArn"), ("TemplateURL", "TemplateUrl"))
_NAMED_SETS: Final = frozenset({"CreateChangeSet", "DeleteChangeSet", "ExecuteChangeSet"})
_BOUND: Final = frozenset(
    {
        "AttachRolePolicy",
        "CreateRole",
        "DeleteRolePolicy",
        "DetachRolePolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
    }
)


def complete_authorization() -> None:
    """Lets ministack's check of direct calls know what it asks of CloudFormation and IAM calls on AWS.

    Keys and resources: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
    and list_awsidentityandaccessmanagementiam.html.
    """
    actions = module("ministack.core.iam_actions")
    if hasattr(actions, "_stackseal_resource"):
        return
    actions._stackseal_resource, actions._stackseal_context = actions.extract_resource_arn, actions.request_tag_context

    def resource(service: str, method: str, path: str, headers: Any, body: bytes, params: Any, *where: Any) -> str:
        if service == "cloudformation":
            return stack_arn(_form(body, params))
        return str(actions._stackseal_resource(service, method, path, headers, body, params, *where))

    def context(service: str, action: str, body: bytes, params: Any) -> dict[str, Any]:
        found: dict[str, Any] = actions._stackseal_context(service, action, body, params)
        if service == "cloudformation":
            found.update(_stack_context(action, _form(body, params)))
        if service == "iam":
            found.update(_iam_context(action, _form(body, params)))
        return found

    actions.extract_resource_arn, actions.request_tag_context = resource, context


def _form(body: bytes, params: Any) -> dict[str, str]:
    given = {**dict(params or {}), **parse_qs(body.decode(errors="replace"), keep_blank_values=True)}
    return {key: value[0] if isinstance(value, list) and value else str(value) for key, value in given.items()}


def stack_arn(form: Mapping[str, str]) -> str:
    """The stack that a call is about; `*` for a call about none."""
    change_set = change_sets().get(form.get("ChangeSetName", ""))
    if change_set is not None:
        return str(change_set["StackId"])
    name = form.get("StackName", "")
    if not name or name.startswith("arn:"):
        return name or "*"
    record, place = stack(name), here()
    fallback = f"arn:{place.partition}:cloudformation:{place.region}:{place.account}:stack/{name}/*"
    return str(record["StackId"]) if record else fallback


def _stack_context(action: str, form: Mapping[str, str]) -> dict[str, str]:
    found = {f"cloudformation:{key}": form[name] for name, key in _CFN_KEYS if form.get(name)}
    if action.partition(":")[2] in _NAMED_SETS and form.get("ChangeSetName"):
        name = form["ChangeSetName"]
        found["cloudformation:ChangeSetName"] = name.split("/")[1] if name.startswith("arn:") else name
    return found


def _iam_context(action: str, form: Mapping[str, str]) -> dict[str, str]:
    found = {"iam:PolicyARN": form["PolicyArn"]} if form.get("PolicyArn") else {}
    role = module("ministack.services.iam")._roles.get(form.get("RoleName", "")) or {}
    boundary = form.get("PermissionsBoundary") or role.get("PermissionsBoundary")
    if boundary and action.partition(":")[2] in _BOUND:
        found["iam:PermissionsBoundary"] = str(boundary)
    return found


def complete_endpoints() -> None:
    """Lets DescribeVpcEndpoints tell, and ModifyVpcEndpoint change, what ministack keeps but does not show."""
    ec2 = module("ministack.services.ec2")
    if hasattr(ec2, "_stackseal_endpoint"):
        return
    ec2._stackseal_endpoint, modify = ec2._vpce_fields_xml, ec2._modify_vpc_endpoint

    def fields(endpoint: Mapping[str, Any], tag: str = "item") -> str:
        policy = endpoint.get("PolicyDocument") or ""
        groups = "".join(f"<item><groupId>{escape(g)}</groupId></item>" for g in endpoint.get("SecurityGroupIds", []))
        more = (
            f"<groupSet>{groups}</groupSet>"
            f"<privateDnsEnabled>{str(endpoint.get('PrivateDnsEnabled', False)).lower()}</privateDnsEnabled>"
            f"<policyDocument>{escape(policy if isinstance(policy, str) else json.dumps(policy))}</policyDocument>"
        )
        return str(ec2._stackseal_endpoint(endpoint, tag)).strip().removesuffix(f"</{tag}>") + more + f"</{tag}>"

    def change(params: Mapping[str, Any]) -> Any:
        answer, endpoint = modify(params), ec2._vpc_endpoints.get((params.get("VpcEndpointId") or [""])[0])
        if endpoint is not None:
            gone = set(ec2._parse_member_list(params, "RemoveSecurityGroupId"))
            groups = [group for group in endpoint.get("SecurityGroupIds", []) if group not in gone]
            endpoint["SecurityGroupIds"] = groups + ec2._parse_member_list(params, "AddSecurityGroupId")
            if "PrivateDnsEnabled" in params:
                endpoint["PrivateDnsEnabled"] = params["PrivateDnsEnabled"][0] == "true"
        return answer

    ec2._vpce_fields_xml = fields
    ec2._ACTION_MAP["ModifyVpcEndpoint"] = change


# --- IAM --------------------------------------------------------------------------------------------------------------


def authorize(
    access_key: str,
    place: Place,
    action: str,
    resource: str,
    context: Mapping[str, Any] | None = None,
    *,
    code: str = "AccessDeniedException",
) -> None:
    """Raises AWS's error unless the caller may do an action; the account's own key may do everything."""
    evaluator = module("ministack.core.iam_evaluator")
    with at(place):
        denied = evaluator.enforce(
            access_key, action, action.partition(":")[0], place.region, resource, dict(context or {})
        )
    if denied is None:
        return
    if isinstance(denied, evaluator.AuthError):
        raise ServiceError(denied.code, denied.message, 403)
    raise ServiceError(code, denial(denied.principal_arn, action, resource, denied.decision), 403)


@dataclasses.dataclass(frozen=True)
class Principal:
    """Somebody with policies."""

    arn: str
    kind: str
    place: Place
    policies: list[Any]
    limits: list[Any]
    keys: Mapping[str, Any]

    def denies(self, action: str, resource: str, context: Mapping[str, Any]) -> str:
        """AWS's sentence when the principal may not; empty when it may."""
        evaluator = module("ministack.core.iam_evaluator")
        asked = evaluator.EvalContext(
            principal_arn=self.arn,
            principal_type=self.kind,
            principal_account=self.place.account,
            action=action,
            resource_arn=resource,
            region=self.place.region,
            service_context={key.lower(): value for key, value in context.items()},
            principal_keys=dict(self.keys),
        )
        result = evaluator.evaluate(asked, self.policies, *self.limits)
        if result.decision == "Allow":
            return ""
        by_boundary = result.decision != "Deny" and evaluator.evaluate(asked, self.policies).decision == "Allow"
        return denial(self.arn, action, resource, "Boundary" if by_boundary else result.decision)


def principal(record: Mapping[str, Any], place: Place) -> Principal | None:
    """In whose name CloudFormation works on a stack: its role, else its caller; None for the account's own key."""
    evaluator, iam = module("ministack.core.iam_evaluator"), module("ministack.services.iam")
    role_arn = str(record.get("RoleARN") or "")
    with at(place):
        if role_arn:
            name = role_arn.rpartition("/")[2]
            return Principal(
                arn=f"arn:{place.partition}:sts::{place.account}:assumed-role/{name}/AWSCloudFormation",
                kind="AssumedRole",
                place=place,
                policies=evaluator._gather_role_policies(name, place.account),
                limits=evaluator._permissions_boundary(iam._roles, name, place.account),
                keys={},
            )
        caller = str(record.get("_caller") or "")
        if not caller or evaluator.is_root_access_key(caller):
            return None
        found = evaluator.resolve_principal(caller, place.account)
    if isinstance(found, evaluator.AuthError):
        raise ServiceError(found.code, found.message, 403)
    if found.policies is None:
        return None
    return Principal(found.arn, found.type, place, found.policies, found.limits, found.keys)


def role_arn(name: str, place: Place) -> str:
    """ARN of a role by name; what it would be where there is none."""
    role = module("ministack.services.iam")._roles.get_scoped(place.account, None, name)
    return str(role["Arn"]) if role else f"arn:{place.partition}:iam::{place.account}:role/{name}"


def trusts(role_arn: str, service: str, place: Place) -> bool:
    """Whether a role exists in the account and lets a service assume it."""
    role = module("ministack.services.iam")._roles.get_scoped(place.account, None, role_arn.rpartition("/")[2])
    if role is None or role.get("Arn") != role_arn:
        return False
    trust = role.get("AssumeRolePolicyDocument") or {}
    document = json.loads(trust) if isinstance(trust, str) else trust
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and service in ([services] if isinstance(services, str) else services):
            return True
    return False


def denial(principal: str, action: str, resource: str, decision: str) -> str:
    """AWS's sentence for a denied request."""
    because = {
        "Boundary": f"because no permissions boundary allows the {action} action",
        "Deny": "with an explicit deny in an identity-based policy",
    }.get(decision, f"because no identity-based policy allows the {action} action")
    return f"User: {principal} is not authorized to perform: {action} on resource: {resource} {because}"
