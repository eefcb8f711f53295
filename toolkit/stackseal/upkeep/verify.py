"""Where a live stack comes from: template → seal record → commit → pull request → approvers. It joins AWS and Git.

Each link is proven, missing, or not known here, and says which; a chain is whole when no link is missing.
"""

from __future__ import annotations

import enum
import html
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from stackseal import config, settings
from stackseal.aws.s3 import Bucket
from stackseal.change import offered, preparation
from stackseal.errors import ConfigError, ConfigErrors, UsageError
from stackseal.hosts.base import KnowsPulls
from stackseal.hosts.git import Repository
from stackseal.model import PlanOperation, StackId, canonical_json, sha256
from stackseal.plan.record import SealRecord, hashed, key, newest_first
from stackseal.review import planning

if TYPE_CHECKING:
    from stackseal.aws.cloudformation import CloudFormation
    from stackseal.aws.shapes import StackState
    from stackseal.catalogue import Catalogue
    from stackseal.world import World

_HIDDEN: Final = "*"
"""NoEcho parameters come back as asterisks: nobody can compare them."""


class State(enum.Enum):
    """How much is known of a link."""

    PROVEN = "proven"
    MISSING = "missing"
    UNKNOWN = "not known here"


@dataclass(frozen=True, kw_only=True)
class Link:
    """One step from the stack to the people who approved it."""

    name: str
    state: State
    value: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Chain:
    """All links of one stack, from what runs to who agreed."""

    stack: StackId
    links: tuple[Link, ...]

    @property
    def whole(self) -> bool:
        return all(link.state is not State.MISSING for link in self.links)


@dataclass(frozen=True, kw_only=True)
class Live:
    """What runs."""

    state: StackState
    template: str
    """Canonical, as CloudFormation gives it back."""

    @property
    def digest(self) -> str:
        return sha256(self.template)


def chain(world: World, cfn: CloudFormation, stack: StackId) -> Chain:
    """The chain of a stack that exists.

    Raises UsageError where there is none, and Refused for a record that was tampered with.
    """
    live = _live(cfn, stack)
    ours = settings.load(world.here)
    found = match(live, all_records(world, stack, ours.account(stack.account)))
    links = [_template(live), _record(live, found)]
    if found is not None:
        links.append(_commit(found, live, lambda: rendered(world, stack, found.head)))
        links += _people(world, found)
    else:
        names = ("commit", "pull request", "approvers")
        links += [_missing(name, "", "no record says where the template comes from") for name in names]
    return Chain(stack=stack, links=tuple(links))


def match(live: Live, records: Sequence[SealRecord]) -> SealRecord | None:
    """The newest record of exactly what runs: the template, its parameters and the tags."""
    return next((item for item in records if not differences(live, item)), None)


def differences(live: Live, record: SealRecord) -> tuple[str, ...]:
    """What of the stack is not what a record holds, in words."""
    if record.operation == PlanOperation.DELETE.value:
        return ("it is the record of a deletion",)
    if record.blocked:
        return ("it is the record of a blocked review",)
    found = ["the template"] if record.template_sha256 != live.digest else []
    shown = {name: value for name, value in live.state.parameters.items() if value.strip(_HIDDEN)}
    sealed = {name: digest for name, digest in record.parameters.items() if name in shown}
    if live.state.parameters.keys() != record.parameters.keys() or hashed(shown) != sealed:
        found.append("the parameters")
    if dict(record.tags) != dict(live.state.tags):
        found.append("the tags")
    return tuple(found)


def all_records(world: World, stack: StackId, account: settings.Account) -> tuple[SealRecord, ...]:
    """Every record of a stack, whatever its pull request, newest first."""
    records = planning.records_of(world, stack, account)
    folder = key(stack, None, "0" * 40).rpartition("/")[0].rpartition("/")[0]
    store = planning.store_of(account)
    if store is None:
        names = [path.name for path in (world.root / folder).glob("*") if path.is_dir()]
    else:
        keys = Bucket(world.aws(stack.account, stack.region), store, stack.region).keys(f"{folder}/")
        names = [name.removeprefix(f"{folder}/").partition("/")[0] for name in keys]
    numbers = {int(name) for name in names if name.isascii() and name.isdigit()}
    pulls: list[int | None] = [*sorted(numbers), *([None] if "local" in names else [])]
    pushed = records.of(stack, None, unsealed=True) if "unsealed" in names else ()
    return newest_first([*(item for pull in pulls for item in records.of(stack, pull)), *pushed])


def rendered(world: World, stack: StackId, commit: str) -> str | None:
    """The digest of the template that a commit's config makes today; None where the commit has no such stack.

    Raises UsageError for a commit that is not here.
    """
    repository = Repository(world.here)
    ours = settings.load(world.here)
    repository.commit(commit)
    products = _products(repository, commit, ours.catalogue)
    for path in repository.files(commit, ours.configs):
        if not path.endswith(config.SUFFIXES):
            continue
        try:
            parsed = config.parse(repository.read(commit, path) or b"", path)
            found = products.resolve(parsed, world.sandbox)
        except (ConfigError, ConfigErrors):
            continue  # another config of the commit; it is not this stack's, whose review would have stopped at it
        if found.stack.id == stack:
            return preparation.rendered(world, found, ours.waived()).template.sha256
    return None


def _products(repository: Repository, commit: str, root: str | None) -> Catalogue:
    """The catalogue as the commit's own deployment saw it: a waiver that the commit brought did not count yet."""
    products, _ = offered.at(repository, commit, root, preparation.shipped())
    parent = repository.found(f"{commit}^1")
    return (
        offered.changed(offered.at(repository, parent, root, preparation.shipped())[0], products)
        if parent
        else products
    )


def _live(cfn: CloudFormation, stack: StackId) -> Live:
    state = cfn.stack(stack.name)
    if state is None or state.empty:
        why = "it was never deployed" if state else f"the account {stack.account} has none in {stack.region}"
        raise UsageError(f"There is no stack {stack.name}", why=why, remedy="check the name and the region")
    body = cfn.template(stack=stack.name)
    try:
        return Live(state=state, template=canonical_json(json.loads(body)))
    except ValueError:
        return Live(state=state, template=body)  # YAML: not from here, and no record will match


def _template(live: Live) -> Link:
    return _proven("template", live.digest, f"what CloudFormation runs, {live.state.status}")


def _record(live: Live, found: SealRecord | None) -> Link:
    if found is None:
        return _missing("seal record", "", "no review has sealed this template with these parameters and tags")
    value = key(found.stack, found.pull_request, found.head, unsealed=found.unsealed)
    if found.execution_role and live.state.role_arn and found.execution_role != live.state.role_arn:
        return _missing("seal record", value, f"it was sealed for another execution role than {live.state.role_arn}")
    return _proven("seal record", value, f"reviewed {found.created}, seal {found.seal[:12]}")


def _commit(found: SealRecord, live: Live, render: Callable[[], str | None]) -> Link:
    try:
        digest = render()
    except UsageError:
        return _missing("commit", found.head, "the repository here does not have it; fetch it and verify again")
    if digest is None:
        return _missing("commit", found.head, "its configs do not make this stack")
    if digest != live.digest:
        why = "its config makes another template with this version of stackseal; verify with the version of the review"
        return _missing("commit", found.head, why)
    return _proven("commit", found.head, "its config makes exactly this template")


def _people(world: World, found: SealRecord) -> list[Link]:
    if found.pull_request is None:
        why = "it was pushed without a review" if found.unsealed else "the review was of no pull request"
        return [_missing(name, "", why) for name in ("pull request", "approvers")]
    number = f"#{found.pull_request}"
    if not isinstance(world.forge, KnowsPulls):
        return [
            _proven("pull request", number, "as the record says; the forge here cannot be asked"),
            Link(name="approvers", state=State.UNKNOWN, value="", why="the forge here cannot be asked"),
        ]
    pull = world.forge.pull(found.pull_request)
    if pull is None:
        return [_missing(name, number, "the forge does not know it") for name in ("pull request", "approvers")]
    merged = (
        _proven("pull request", number, "merged")
        if pull.merged
        else _missing("pull request", number, "it is not merged")
    )
    people = ", ".join(pull.approvers)
    who = _proven("approvers", people, "as the forge says") if people else _missing("approvers", "", "nobody approved")
    return [merged, who]


def _proven(name: str, value: str, why: str) -> Link:
    return Link(name=name, state=State.PROVEN, value=value, why=why)


def _missing(name: str, value: str, why: str) -> Link:
    return Link(name=name, state=State.MISSING, value=value, why=why)


# --- how it is shown --------------------------------------------------------------------------------------------------


def facts(found: Chain) -> dict[str, Any]:
    """The chain as `--format json` gives it."""
    return {
        "stack": found.stack.name,
        "account": found.stack.account,
        "region": found.stack.region,
        "whole": found.whole,
        "links": [
            {"name": link.name, "state": link.state.value, "value": link.value, "why": link.why} for link in found.links
        ],
    }


def sentence(found: Chain) -> str:
    """The chain in one line."""
    gaps = [link.name for link in found.links if link.state is State.MISSING]
    told = "the chain is whole" if found.whole else f"the chain is broken at: {', '.join(gaps)}"
    return f"{found.stack}: {told}. Resources are not compared; `stackseal check-drift CONFIG` does that."


_PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
td, th {{ text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884; }}
code {{ overflow-wrap: anywhere; }}
</style>
<h1>{title}</h1>
<p>{sentence}</p>
<table>
<tr><th>link<th>state<th>value<th>why</tr>
{rows}
</table>
</html>
"""


def page(found: Chain) -> str:
    """The chain as one HTML page that needs nothing else."""
    rows = "\n".join(
        f"<tr><td>{html.escape(link.name)}<td>{html.escape(link.state.value)}"
        f"<td><code>{html.escape(link.value)}</code><td>{html.escape(link.why)}</tr>"
        for link in found.links
    )
    title = html.escape(f"Where {found.stack} comes from")
    return _PAGE.format(title=title, sentence=html.escape(sentence(found)), rows=rows)
