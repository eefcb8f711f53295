"""Asks IAM, in the name of a stack's role or of its caller, for everything that CloudFormation is about to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackseal.local import ministack
from stackseal.local.messages import Place
from stackseal.local.needs import Need, Props, Request, Row, Work, passed, requests
from stackseal.local.requests import TABLE


class Denied(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """IAM says no; the text is AWS's."""


def create(record: Mapping[str, Any], place: Place, type_: str, physical_id: str, props: Props) -> None:
    """Raises `Denied` unless the stack's principal may create the resource and read it back."""
    row = TABLE.get(type_)
    if row is not None:
        work = _work(place, {}, props, physical_id or "*")
        _ask(record, place, [*passed(row, work), *requests(row, _needs(row, "create", "read"), work)])


def update(record: Mapping[str, Any], place: Place, type_: str, physical_id: str, old: Props, new: Props) -> None:
    """Raises `Denied` unless the stack's principal may change the resource."""
    row = TABLE.get(type_)
    if row is not None:
        work = _work(place, old, new, physical_id)
        _ask(record, place, [*passed(row, work), *requests(row, row.update, work)])


def delete(record: Mapping[str, Any], place: Place, type_: str, physical_id: str, props: Props) -> None:
    """Raises `Denied` unless the stack's principal may delete the resource."""
    row = TABLE.get(type_)
    if row is not None:
        work = _work(place, props, {}, physical_id)
        _ask(record, place, list(requests(row, row.delete, work)))


def read(access_key: str, place: Place, type_: str, physical_id: str, props: Props) -> None:
    """Raises `Denied` unless a caller may read the resource: drift detection works with the caller's permissions."""
    row = TABLE.get(type_)
    if row is not None:
        work = _work(place, {}, props, physical_id)
        _ask({"_caller": access_key}, place, list(requests(row, _needs(row, "read", "compare"), work)))


def _needs(row: Row, *operations: str) -> tuple[Need, ...]:
    return tuple(need for operation in operations for need in getattr(row, operation))


def _work(place: Place, old: Props, new: Props, physical_id: str) -> Work:
    attributes: dict[str, Any] = {}
    key = str((new or old).get("TargetKeyId", ""))
    if key:
        prefix = f"arn:{place.partition}:kms:{place.region}:{place.account}:key/"
        attributes["key"] = key if key.startswith("arn:") else prefix + key
    return Work(
        place=place,
        old=old,
        new=new,
        physical_id=physical_id,
        attributes=attributes,
        role_arn=lambda name: ministack.role_arn(name, place),
    )


def _ask(record: Mapping[str, Any], place: Place, asked: list[Request]) -> None:
    principal = ministack.principal(_owner(record), place)
    if principal is None:
        return
    for request in asked:
        denial = principal.denies(request.action, request.resource, request.context)
        if denial:
            raise Denied(denial)


def _owner(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stack whose role counts: a nested stack works with its parent's."""
    while parent := record.get("_parent_stack_name"):
        record = ministack.stack_record(str(parent))
    return record
