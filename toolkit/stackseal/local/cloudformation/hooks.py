"""The resource layer around ministack's engine: our handlers, taken names, AWS's rules of replacement, enforcement."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from stackseal import facts
from stackseal.local import enforcement, ministack
from stackseal.local.clients import Clients
from stackseal.local.resources import REGISTRY
from stackseal.local.resources.kind import Context, Kind, Props, tag_map

Made = tuple[str, dict[str, Any]]


class Hooks:
    """What ministack calls instead of its own create, update and delete of a resource."""

    def __init__(self, clients: Clients, *, enforce: bool) -> None:
        self.clients, self._enforce = clients, enforce
        self._create, self._update, self._delete = ministack.originals()
        for type_, kind in REGISTRY.items():
            ministack.register(type_, kind.name, (kind.tags, kind.tag_shape) if kind.tags else None)

    def context(self, record: Mapping[str, Any], logical_id: str) -> Context:
        """What a handler of a stack's resource works with."""
        return Context(
            place=ministack.here(),
            stack_name=str(record["StackName"]),
            stack_id=str(record["StackId"]),
            logical_id=logical_id,
            clients=self.clients,
            generation=ministack.generation(),
            siblings=record.get("_resources", {}),
        )

    def create(self, type_: str, logical_id: str, props: Props, stack_name: str) -> Made:
        record = ministack.stack_record(stack_name)
        kind, context = REGISTRY.get(type_), self.context(record, logical_id)
        with reasons(context, type_):
            if self._enforce:
                named = _named(kind, context, props)
                enforcement.create(record, context.place, type_, _expected_id(kind, context, named), named)
            if kind is not None:
                _refuse_taken(type_, kind, context, props)
                if kind.guard is not None:
                    kind.guard(context, props)
                if kind.create is not None:
                    return kind.create(context, props)
            made: Made = self._create(type_, logical_id, props, stack_name)
        return _completed(kind, made, props)

    def update(
        self,
        type_: str,
        physical_id: str,
        old: Props,
        new: Props,
        stack_name: str,
        logical_id: str | None = None,
        old_attributes: dict[str, Any] | None = None,
    ) -> Made:
        if old == new:
            return physical_id, old_attributes or {}
        record, kind = ministack.stack_record(stack_name), REGISTRY.get(type_)
        context, in_place = self.context(record, logical_id or physical_id), not self._replaces(type_, old, new)
        with reasons(context, type_):
            # A replacement is a creation, which asks for itself, and a deletion after the update.
            if self._enforce and in_place:
                named = _named(kind, context, old), _named(kind, context, new)
                enforcement.update(record, context.place, type_, physical_id, *named)
            if kind is not None and kind.update is not None and in_place:
                return physical_id, kind.update(context, physical_id, old, new)
            made: Made = self._update(type_, physical_id, old, new, stack_name, logical_id, old_attributes)
        return _completed(kind, made, new)

    def delete(
        self, type_: str, physical_id: str, props: Props, stack_name: str | None = None, logical_id: str | None = None
    ) -> None:
        kind, record = REGISTRY.get(type_), ministack.stack_record(stack_name or "")
        context = self.context(record, logical_id or physical_id)
        with reasons(context, type_), _cleanup(record, type_, physical_id, logical_id or physical_id):
            if self._enforce:
                named = _named(kind, context, props)
                enforcement.delete(record, context.place, type_, physical_id, named)
            if kind is not None and kind.in_use is not None:
                kind.in_use(context, physical_id)
            if kind is not None and kind.delete is not None:
                kind.delete(context, physical_id, props)
            else:
                self._delete(type_, physical_id, props, stack_name, logical_id)

    def may_read(self, access_key: str, context: Context, type_: str, physical_id: str, props: Props) -> None:
        """Raises `enforcement.Denied` unless a caller may read a resource."""
        if self._enforce:
            named = _named(REGISTRY.get(type_), context, props)
            enforcement.read(access_key, context.place, type_, physical_id, named)

    def template_url(self, url: str) -> str:
        """A template's URL as ministack reads it."""
        return path_style(url)

    def recreation(self, type_: str, name: str) -> str:
        """Whether a change of a property replaces the resource: `Never`, `Conditionally` or `Always`."""
        return recreation(type_, name)

    def _replaces(self, type_: str, old: Props, new: Props) -> bool:
        names = old.keys() | new.keys()
        return any(recreation(type_, name) == "Always" for name in names if old.get(name) != new.get(name))


_DOCUMENTED: Final[Mapping[str, frozenset[str]]] = {
    "AWS::Events::Rule": frozenset({"EventBusName"}),
    "AWS::KMS::Key": frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"}),
}
"""Documented as "Update requires: Replacement" in the template reference, and not create-only in the schema."""


def recreation(type_: str, path: str) -> str:
    """The same for a path such as `DnsOptions/PrivateDnsPreference`; from the schema's createOnlyProperties."""
    found = facts.of_type(type_)
    if found is None:
        return "Conditionally"
    if (
        path in _DOCUMENTED.get(type_, ())
        or path in found.create_only
        or any(path.startswith(f"{only}/") for only in found.create_only)
    ):
        return "Always"
    below = any(only.startswith(f"{path}/") for only in (*found.create_only, *found.conditional_create_only))
    return "Conditionally" if below or path.partition("/")[0] in found.conditional_create_only else "Never"


def path_style(url: str) -> str:
    """A template's URL with the bucket in its path, which is the only form that ministack reads."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    found = re.match(r"(.+)\.s3[.-][a-z0-9.-]*amazonaws\.com(\.cn)?\Z", host) or re.match(r"(.+)\.(localhost)\Z", host)
    return f"https://s3.amazonaws.com/{found[1]}{parts.path}" if found else url


def _completed(kind: Kind | None, made: Made, props: Props) -> Made:
    """What ministack made, with the attributes that it leaves out."""
    physical_id, attributes = made
    more = kind.attributes(physical_id, props) if kind is not None and kind.attributes is not None else {}
    return physical_id, {**more, **attributes}


def _named(kind: Kind | None, context: Context, props: Props) -> Props:
    """What permissions are asked for: with the generated name, without the tags of CloudFormation itself."""
    if kind is None:
        return props
    if kind.tags and kind.tags in props:
        mine = {key: value for key, value in tag_map(props[kind.tags]).items() if not key.startswith("aws:")}
        props = {**props, kind.tags: mine}
    if not kind.name or props.get(kind.name):
        return props
    deployed = context.siblings.get(context.logical_id)
    if deployed is None:
        return {**props, kind.name: context.name(None, limit=kind.name_limit, lowercase=kind.lowercase)}
    last = str(deployed["PhysicalResourceId"]).rpartition("/")[2].rpartition(":")[2]
    return {**props, kind.name: (deployed.get("Attributes") or {}).get("Name") or last}


def _expected_id(kind: Kind | None, context: Context, props: Props) -> str:
    """The physical id that a resource will have, as far as its name tells."""
    return kind.physical(context, props) if kind is not None and kind.physical else ""


def _refuse_taken(type_: str, kind: Kind, context: Context, props: Props) -> None:
    physical_id = kind.physical(context, props) if kind.physical and (not kind.name or props.get(kind.name)) else ""
    if physical_id and kind.read(context, physical_id, props) is not None:
        label = str(props.get(kind.name) or physical_id)
        raise ValueError(
            f"Resource of type '{type_}' with identifier '{label}' already exists. "
            f"(RequestToken: {context.stack_id.rpartition('/')[2]}, HandlerErrorCode: AlreadyExists)"
        )


_HANDLER_ERRORS: Final = {
    "AccessDenied": "AccessDenied",
    "AccessDeniedException": "AccessDenied",
    "EntityAlreadyExists": "AlreadyExists",
    "NoSuchEntity": "NotFound",
    "ResourceAlreadyExistsException": "AlreadyExists",
    "ResourceNotFoundException": "NotFound",
}


@contextlib.contextmanager
def reasons(context: Context, type_: str) -> Iterator[None]:
    """A service's error as CloudFormation words it in an event."""
    from botocore.exceptions import ClientError

    try:
        yield
    except enforcement.Denied as denied:
        raise ValueError(
            f'Resource handler returned message: "{denied}" '
            f"(RequestToken: {context.stack_id.rpartition('/')[2]}, HandlerErrorCode: AccessDenied)"
        ) from denied
    except ClientError as error:
        answer: Mapping[str, Any] = error.response
        code, status = answer["Error"]["Code"], answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
        message = answer["Error"].get("Message") or code
        raise ValueError(
            f'Resource handler returned message: "{message} (Service: {_service(type_)}, Status Code: {status}, '
            f'Error Code: {code})" (RequestToken: {context.stack_id.rpartition("/")[2]}, '
            f"HandlerErrorCode: {_HANDLER_ERRORS.get(code, 'GeneralServiceException')})"
        ) from error


def _service(type_: str) -> str:
    """A type's service as CloudFormation's messages name it: `S3`, `Iam`, `CodeBuild`."""
    name = type_.split("::")[1]
    return name.capitalize() if name.isupper() and name.isalpha() else name


class _cleanup:  # noqa: N801 - reads as a function
    """Records the deletions after an update, which ministack does silently."""

    def __init__(self, record: dict[str, Any], type_: str, physical_id: str, logical_id: str) -> None:
        self._record, self._type, self._physical_id, self._logical_id = record, type_, physical_id, logical_id
        self._after_update = (
            str(record.get("StackStatus", "")).startswith("UPDATE_") and "ROLLBACK" not in record["StackStatus"]
        )

    def __enter__(self) -> None:
        if not self._after_update:
            return
        if self._record["StackStatus"] == "UPDATE_IN_PROGRESS":
            self._record["StackStatus"] = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
            ministack.add_event(
                self._record,
                self._record["StackName"],
                "AWS::CloudFormation::Stack",
                "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
                physical_id=self._record["StackId"],
            )
        self._event("DELETE_IN_PROGRESS")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._after_update and kind is None:
            self._event("DELETE_COMPLETE")

    def _event(self, status: str) -> None:
        ministack.add_event(self._record, self._logical_id, self._type, status, physical_id=self._physical_id)
