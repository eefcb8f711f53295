"""What a destructive change means, in sentences: the text that a reviewer reads first and that is never cut."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from stackseal.model import Action, Change, Consequence, PropertyChange, Replacement, Template
from stackseal.plan.body import resources
from stackseal.plan.consequences import LOSSES, STATEFUL, TOUCHES, Loss

_KEEPS = frozenset({"Retain", "ReplaceAndRetain"})
_SNAPSHOTS = frozenset({"Snapshot", "ReplaceAndSnapshot"})


def consequences(
    changes: Iterable[Change], stateful: Collection[str] = (), kept: Collection[str] = ()
) -> tuple[Consequence, ...]:
    """A sentence for every destructive change, and for harmless-looking edits that destroy data.

    `stateful` are the product's types whose loss is data loss; ours come on top. `kept` are logical ids that a
    replacement retains (`protected`). Sorted: data loss first.
    """
    found = dict.fromkeys(item for change in changes for item in _of(_informed(change, kept), stateful))
    return tuple(sorted(found, key=lambda item: (not item.data_loss, item.logical_id, item.sentence)))


def retained(changes: Iterable[Change]) -> tuple[str, ...]:
    """Logical ids of the resources that stay behind, no longer managed."""
    return tuple(sorted(change.logical_id for change in changes if change.policy_action in _KEEPS))


def holds_data(type_: str, stateful: Collection[str] = ()) -> bool:
    """Whether losing a resource of the type loses data."""
    return type_ in stateful or type_ in STATEFUL


def protected(template: Template) -> frozenset[str]:
    """Logical ids whose UpdateReplacePolicy retains the old resource."""
    return frozenset(
        name for name, raw in resources(template.body).items() if raw.get("UpdateReplacePolicy") == "Retain"
    )


def _informed(change: Change, kept: Collection[str]) -> Change:
    """CloudFormation tells no policy where a replacement is only possible; the template does."""
    possible = change.action is Action.MODIFY and change.replacement is Replacement.CONDITIONAL
    if possible and change.policy_action is None and not change.nested and change.logical_id in kept:
        return replace(change, policy_action="ReplaceAndRetain")
    return change


def _of(change: Change, stateful: Collection[str]) -> list[Consequence]:
    found = [_edit(change, item, stateful) for item in change.properties]
    edits = [item for item in found if item is not None]
    return [_destruction(change, stateful), *edits] if change.destructive else edits


def _destruction(change: Change, stateful: Collection[str]) -> Consequence:
    kept, snapshot = change.policy_action in _KEEPS, change.policy_action in _SNAPSHOTS
    loss = LOSSES.get(change.type, Loss())
    lost = holds_data(change.type, stateful) and not kept and not snapshot
    parts = [f"{_verb(change)}."]
    if kept:
        subject = "It" if change.action is Action.REMOVE else "The old one"
        parts.append(f"{subject} stays behind as {_name(change)}, no longer managed by the stack.")
        parts.append(loss.kept)
    elif snapshot:
        parts.append("A last snapshot is kept.")
    else:
        parts.append(loss.lost or _generic(change, stateful))
    if change.action is not Action.REMOVE:
        parts.append(loss.replaced)
    return Consequence(
        logical_id=change.logical_id,
        type=change.type,
        sentence=" ".join(part for part in parts if part),
        data_loss=lost,
    )


def _verb(change: Change) -> str:
    what = _what(change)
    if change.action is Action.DYNAMIC:
        return f"{what} may be removed, replaced or changed; CloudFormation decides while it deploys"
    if change.action is Action.REMOVE:
        kept = change.policy_action in _KEEPS
        return f"{what} leaves the stack" if kept else f"{what} is deleted"
    return f"{what} {'is' if change.replacement is Replacement.ALWAYS else 'may be'} replaced{_because(change)}"


def _because(change: Change) -> str:
    paths = [item.path for item in change.properties if item.replacement is not Replacement.NEVER]
    return f" because of {', '.join(paths)}" if paths else ""


def _what(change: Change) -> str:
    name = f" {change.physical_id}" if change.physical_id else ""
    return f"{change.logical_id} ({change.type.removeprefix('AWS::')}{name})"


def _name(change: Change) -> str:
    return change.physical_id or change.logical_id


def _generic(change: Change, stateful: Collection[str]) -> str:
    if holds_data(change.type, stateful):
        return "Its data are lost."
    return "What depends on it stops working; whether it holds data of its own is not known for this type."


def _edit(change: Change, item: PropertyChange, stateful: Collection[str]) -> Consequence | None:
    """A sentence for an edit that replaces nothing and still costs something."""
    if item.path in {"/DeletionPolicy", "/UpdateReplacePolicy"} and holds_data(change.type, stateful):
        return _unprotected(change, item)
    touch = TOUCHES.get((change.type, item.path.split("/")[0]))
    if touch is None or not touch.when(item.before, item.after):
        return None
    sentence = f"{_what(change)}: {touch.sentence}"
    return Consequence(logical_id=change.logical_id, type=change.type, sentence=sentence, data_loss=touch.data_loss)


def _unprotected(change: Change, item: PropertyChange) -> Consequence | None:
    before, after = item.before or "", item.after or ""
    if not ("Retain" in before or "Snapshot" in before) or "Retain" in after or "Snapshot" in after:
        return None
    policy = item.path.lstrip("/")
    event = "removal" if policy == "DeletionPolicy" else "replacement"
    sentence = f"{_what(change)} loses its {policy}: nothing is deleted now, but its next {event} deletes its data."
    return Consequence(logical_id=change.logical_id, type=change.type, sentence=sentence, data_loss=False)
