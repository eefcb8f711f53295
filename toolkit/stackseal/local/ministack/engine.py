"""Puts our resource layer around ministack's CloudFormation engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stackseal.local.ministack.clock import complete_clock
from stackseal.local.ministack.direct import complete_authorization, complete_conditions, complete_endpoints
from stackseal.local.ministack.inside import CFN, module
from stackseal.local.ministack.web_identity import complete_web_identity


def install(hooks: Any) -> None:
    """Puts our resource layer around ministack's; `hooks` is `cloudformation.hooks.Hooks`."""
    provisioners, stacks = module(f"{CFN}.provisioners"), module(f"{CFN}.stacks")
    for target in (provisioners, stacks):
        target._provision_resource = hooks.create
        target._update_resource = hooks.update
        target._delete_resource = hooks.delete
        target._property_recreation = hooks.recreation
    helpers = module(f"{CFN}.helpers")
    if not hasattr(helpers, "_stackseal_resolve_document"):
        helpers._stackseal_resolve_document = helpers._resolve_document
    read = helpers._stackseal_resolve_document

    def read_document(params: Mapping[str, Any], body_key: str, url_key: str, label: str) -> Any:
        urls = [hooks.template_url(url) for url in params.get(url_key, [])]
        return read({**params, url_key: urls} if urls else params, body_key, url_key, label)

    helpers._resolve_document = read_document
    complete_endpoints()
    complete_authorization()
    complete_conditions()
    complete_web_identity()
    complete_clock()
    # Names are refused by the resource that wants them, with the reason in its event.
    provisioners.s3_bucket_name_conflict = lambda _name: None
    # Every resource works on a thread of its own: the loop stays free to answer, so a stack is seen in progress.
    stacks._runs_on_worker_thread = lambda _type: True


def originals() -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """ministack's own create, update and delete, as they were before `install`."""
    provisioners = module(f"{CFN}.provisioners")
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
    provisioners = module(f"{CFN}.provisioners")
    provisioners._RESOURCE_HANDLERS.setdefault(type_, {"create": None, "update": None, "delete": None})
    if name:
        provisioners._CUSTOM_NAME_REPLACEMENT.setdefault(type_, {"name": name})
    if tag_property:
        provisioners._STACK_TAG_PROPERTY[type_] = tag_property


def generation() -> str:
    """A token that ministack changes when it replaces a resource under a generated name; empty before."""
    return str(module(f"{CFN}.provisioners")._NAME_SEED.get())
