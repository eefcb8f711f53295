"""`doctor --repository`: what a repository lacks of what the promises rest on, decided from values alone.

Joins `hosts`, `settings` and `yamltext`. What the token may not read is *unknown*, never ok.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stackseal import settings, yamltext
from stackseal.errors import StacksealError
from stackseal.hosts.github_owners import PLACES
from stackseal.hosts.github_setup import DEPENDABOT, SETTINGS, WORKFLOWS
from stackseal.hosts.repository_setup import PROTECTED, Environment, RepositorySetup, Unseen
from stackseal.model import GateNeeds

Row = tuple[str, str, str]
"""What, found, status: `ok`, or what begins with `missing`, `wrong` or `unknown`."""
VERBS: Final = ("review", "deploy", "drift", "cleanup")
_CALLED: Final = re.compile(rf"([\w.-]+/[\w.-]+)/\.github/workflows/({'|'.join(VERBS)})\.yml@(\S+)")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_UNSEALED: Final = "-unsealed"
_SETUP: Final = "see docs/how-to/github.md"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A job of the repository that calls one of the toolkit's workflows."""

    path: str
    job: str
    """The name that it shows."""
    verb: str
    ref: str
    inputs: Mapping[str, Any]


def rows(setup: RepositorySetup) -> Iterator[Row]:
    """One line for everything that has to be there, in the order in which one sets it up."""
    yield "repository", f"{setup.name}, {setup.branch}", "ok"
    if isinstance(setup.files, Unseen):
        yield "files", "-", _unknown(setup.files.why)
        callers: list[Caller] = []
    else:
        callers = [caller for path, text in sorted(setup.files.items()) for caller in _callers(path, text)]
        yield from _workflows(callers)
        yield _settings(setup.files)
        yield _dependabot(setup.files)
    yield from _checks(setup, callers)
    yield from _owners(setup)
    yield from _environments(setup, callers)
    yield _granted(setup)
    yield _subject(setup)


def _callers(path: str, text: str) -> Iterator[Caller]:
    """The calls of the toolkit's workflows in a workflow; none in a file that is none."""
    if not path.startswith(WORKFLOWS):
        return
    try:
        document: Any = yamltext.parse(text, path).data
    except StacksealError:
        return
    jobs = document.get("jobs") if isinstance(document, Mapping) else None
    for name, job in jobs.items() if isinstance(jobs, Mapping) else ():
        found = _CALLED.fullmatch(str(job.get("uses", ""))) if isinstance(job, Mapping) else None
        if found:
            inputs = job.get("with")
            yield Caller(
                path=path,
                job=str(job.get("name", name)),
                verb=found[2],
                ref=found[3],
                inputs=inputs if isinstance(inputs, Mapping) else {},
            )


def _workflows(callers: list[Caller]) -> Iterator[Row]:
    for verb in VERBS:
        mine = [caller for caller in callers if caller.verb == verb]
        loose = [caller for caller in mine if not _COMMIT.fullmatch(caller.ref)]
        found = ", ".join(f"{caller.path} at {caller.ref[:12]}" for caller in mine)
        status = "ok"
        if not mine:
            remedy = "`stackseal init --forge github` writes it"
            status = f"missing: no workflow calls {verb}.yml; {remedy}"
        elif loose:
            status = f"wrong: {loose[0].ref} can be moved; name a commit of 40 hexadecimal digits"
        yield f"workflow {verb}", found or "-", status
    commits = {caller.ref for caller in callers if _COMMIT.fullmatch(caller.ref)}
    if len(commits) > 1:
        yield "versions", f"{len(commits)} commits", "wrong: let all workflows name the same commit of the toolkit"


def _settings(files: Mapping[str, str]) -> Row:
    text = files.get(SETTINGS)
    if text is None:
        return SETTINGS, "-", "missing: `stackseal init` writes it; without it there are no accounts and no roles"
    try:
        found = settings.parse(text.encode())
    except StacksealError as error:
        return SETTINGS, "-", f"wrong: {error.where}: {error}"
    return SETTINGS, f"{len(found.accounts)} accounts, {len(found.waivers)} waivers", "ok"


def _dependabot(files: Mapping[str, str]) -> Row:
    text = next((files[path] for path in DEPENDABOT if path in files), "")
    there = re.search(r"^\s*-?\s*package-ecosystem:\s*[\"']?github-actions\b", text, re.MULTILINE)
    status = "ok" if there else "missing: let Dependabot bring github-actions up to date; `stackseal init` writes it"
    return "Dependabot", "github-actions" if there else "-", status


def _checks(setup: RepositorySetup, callers: list[Caller]) -> Iterator[Row]:
    """Each job that calls the review shows its verdict as a check of its own."""
    jobs = sorted({caller.job for caller in callers if caller.verb == "review"}) or ["review"]
    for wanted in (f"{job} / verdict" for job in jobs):
        what = f"required check {wanted}"
        if isinstance(setup.rules, Unseen):
            yield what, "-", _unknown(setup.rules.why)
        elif wanted in setup.rules.checks:
            yield what, wanted, "ok"
        elif setup.rules.hidden:
            yield what, "-", _unknown(f"no ruleset asks for it, and of branch protection {setup.rules.hidden}")
        else:
            yield what, "-", f"missing: require it in the rules of {setup.branch}, or a blocked review can be merged"


def _gated(setup: RepositorySetup) -> bool:
    """Whether a gate of the settings asks for a code owner; invalid settings ask, as no settings do."""
    text = "" if isinstance(setup.files, Unseen) else setup.files.get(SETTINGS, "")
    try:
        rules = settings.parse(text.encode()).rules
    except StacksealError:
        return True
    return any(gate.needs is GateNeeds.CODE_OWNER for gate in rules)


def _owners(setup: RepositorySetup) -> Iterator[Row]:
    """A code owner's approval, without which a gate that needs it cannot be decided and blocks."""
    if not _gated(setup):
        yield "review by code owners", "-", "ok: no gate of the settings asks for a code owner"
        return
    if not isinstance(setup.files, Unseen):
        path = next((path for path in PLACES if path in setup.files), None)
        lacking = "missing: name the owners of configs and settings in .github/CODEOWNERS"
        yield "CODEOWNERS", path or "-", "ok" if path else lacking
    what = "review by code owners"
    if isinstance(setup.rules, Unseen):
        yield what, "-", _unknown(setup.rules.why)
    elif setup.rules.owners:
        yield what, "required", "ok"
    elif setup.rules.hidden:
        yield what, "-", _unknown(f"no ruleset asks for it, and of branch protection {setup.rules.hidden}")
    else:
        yield what, "-", f"missing: require it in the rules of {setup.branch}"


def _environments(setup: RepositorySetup, callers: list[Caller]) -> Iterator[Row]:
    deploying = [caller for caller in callers if "environment" in caller.inputs]
    for name in sorted({str(caller.inputs["environment"]) for caller in deploying}):
        if isinstance(setup.environments, Unseen):
            yield f"environment {name}", "-", _unknown(setup.environments.why)
            continue
        yield _environment(name, setup.environments.get(name), setup.branch)
        unsealed = setup.environments.get(f"{name}{_UNSEALED}")
        wanted = any(caller.inputs["environment"] == name and caller.inputs.get("unsealed") for caller in deploying)
        if unsealed is None:
            lacking = "missing: make it with required reviewers, or take unsealed: true out of the workflow"
            unused = "ok: not used; what nobody reviewed is not deployed"
            yield f"environment {name}{_UNSEALED}", "-", lacking if wanted else unused
        elif not unsealed.reviewers:
            why = "missing: required reviewers; without them nothing that nobody reviewed is deployed"
            yield f"environment {unsealed.name}", "no reviewers", why
        else:
            yield _environment(unsealed.name, unsealed, setup.branch)


def _environment(name: str, found: Environment | None, branch: str) -> Row:
    what = f"environment {name}"
    if found is None:
        return what, "-", "missing: a job would make it without any rule, open to every branch; make it"
    shown = f"branches {', '.join(found.branches or ('all',))}; reviewers {'yes' if found.reviewers else 'no'}"
    if found.branches is None:
        return what, shown, f"missing: limit its deployment branches to {branch}; every branch can take the deploy role"
    others = sorted(set(found.branches) - {branch, PROTECTED})
    if others:
        return what, shown, f"wrong: {others[0]} may deploy, too; limit its deployment branches to {branch}"
    lacking = f"missing: no branch may deploy; let {branch}"
    return what, shown, "ok" if found.branches else lacking


def _granted(setup: RepositorySetup) -> Row:
    what = "workflow permissions"
    if isinstance(setup.granted, Unseen):
        return what, "-", _unknown(setup.granted.why)
    wrong = "wrong: set Settings → Actions → Workflow permissions to read; every job asks for what it needs"
    return what, setup.granted, "ok" if setup.granted == "read" else wrong


def _subject(setup: RepositorySetup) -> Row:
    what = "sub of the jobs' identity"
    if isinstance(setup.subject, Unseen):
        return what, "-", _unknown(setup.subject.why)
    if setup.subject.default:
        return what, "GitHub's own form", "ok"
    return what, ", ".join(setup.subject.claims), "wrong: the roles compare GitHub's own form; reset the customization"


def _unknown(why: str) -> str:
    return f"unknown: {why}; look at it in the settings, or use a token that may read it ({_SETUP})"
