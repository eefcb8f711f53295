"""What is different from the last report of the same stacks: resources, findings, permissions, config values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stackseal.model import Report, StackId, StackReport, Verdict
from stackseal.report.redact import redact


@dataclass(frozen=True, kw_only=True)
class Lines:
    """What came and what went, sorted."""

    came: tuple[str, ...]
    went: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.came or self.went)


@dataclass(frozen=True, kw_only=True)
class StackSince:
    """One stack now and in the last report."""

    id: StackId
    new: bool
    gone: bool
    resources: Lines
    findings: Lines
    permissions: Lines
    config: tuple[tuple[str, str, str], ...]
    """Key, value then, value now; empty text where there was or is none."""

    def __bool__(self) -> bool:
        return self.new or self.gone or bool(self.resources or self.findings or self.permissions or self.config)


@dataclass(frozen=True, kw_only=True)
class Since:
    """All that is different; `stacks` holds only those with a difference."""

    verdict: Verdict
    """The last report's."""
    commit: str
    stacks: tuple[StackSince, ...]


def compare(before: Report, now: Report) -> Since:
    """The differences between two reports, both without their secrets."""
    then = {stack.id: stack for stack in redact(before, salt=now.run.repository).stacks}
    today = {stack.id: stack for stack in redact(now, salt=now.run.repository).stacks}
    found = (_stack(key, then.get(key), today.get(key)) for key in sorted(then.keys() | today.keys()))
    return Since(verdict=before.verdict, commit=before.run.commit, stacks=tuple(stack for stack in found if stack))


def _stack(key: StackId, before: StackReport | None, now: StackReport | None) -> StackSince:
    return StackSince(
        id=key,
        new=before is None,
        gone=now is None,
        resources=_lines(_resources(before), _resources(now)),
        findings=_lines(_findings(before), _findings(now)),
        permissions=_lines(_permissions(before), _permissions(now)),
        config=tuple(_values(before.config_values if before else {}, now.config_values if now else {})),
    )


def _lines(before: Iterable[str], now: Iterable[str]) -> Lines:
    then, today = set(before), set(now)
    return Lines(came=tuple(sorted(today - then)), went=tuple(sorted(then - today)))


def _resources(stack: StackReport | None) -> Iterable[str]:
    return (f"{row.logical_id} {row.type}" for row in stack.resources) if stack else ()


def _findings(stack: StackReport | None) -> Iterable[str]:
    return (f"{one.check} {one.resource or ''} {one.message}" for one in stack.findings) if stack else ()


def _permissions(stack: StackReport | None) -> Iterable[str]:
    return (
        f"{policy.role.value}: {action} on {resource}"
        for policy in (stack.policies if stack else ())
        for statement in policy.statements
        for action in statement.actions
        for resource in statement.resources
    )


def _values(before: Mapping[str, str], now: Mapping[str, str]) -> Iterable[tuple[str, str, str]]:
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) != now.get(key):
            yield key, before.get(key, ""), now.get(key, "")
