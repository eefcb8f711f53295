"""`stackseal.yaml`: accounts and roles, gates, waivers, drift ignores. Pipelines read it from the base branch only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from stackseal import naming, yamltext
from stackseal.errors import ConfigError
from stackseal.model import (
    ADMINISTRATION_ROLE,
    Gate,
    GateNeeds,
    GateOn,
    Location,
    Stack,
    StackId,
    Waiver,
    nearest,
)

FILE: Final = "stackseal.yaml"
_Account = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
_RoleArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$")]


def _day(text: str) -> str:
    if date.fromisoformat(text).isoformat() != text:
        raise ValueError("a date is written like 2030-12-31")
    return text


def _inside(text: str) -> str:
    """A folder in its one form, which stays below the repository."""
    path = PurePosixPath(text)
    if ".." in path.parts or path == PurePosixPath():
        raise ValueError("it is no folder below the repository's")
    return path.as_posix()


def _expression(text: str) -> str:
    try:
        found = re.compile(text)
    except re.error as error:
        raise ValueError(f"it is no regular expression: {error}") from error
    if found.search(""):
        raise ValueError("it matches nothing at all, so it would match everywhere")
    return text


_Expression = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_expression)]
_Folder = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_./-]{0,199}$"), AfterValidator(_inside)]
_Date = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_day)]
_Bucket = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Roles(_Strict):
    """The roles that the jobs of the pipelines take with their own identity, one for each verb."""

    plan: _RoleArn | None = None
    """Reviews, and the clean-up of a closed pull request: makes change sets and records."""
    deploy: _RoleArn | None = None
    """Deployments: executes what was sealed."""
    drift: _RoleArn | None = None
    """Drift detection: reads."""
    cleanup: _RoleArn | None = None
    """The scheduled sweep: removes old change sets and empty stacks."""


class Account(_Strict):
    """What stackseal uses in one AWS account."""

    execution_role: _RoleArn | None = None
    """The role that CloudFormation uses for the stacks of this account."""
    execution_roles: Literal["one", "managed"] = "one"
    """`managed`: each stack has a role of its own, made by a stack `stackseal-roles-…` before it; `one`: all use
    `execution_role`."""
    stack_set_role: _RoleArn | None = None
    """The administration role of this account's self-managed stack sets; AWSCloudFormationStackSetAdministrationRole
    unless given."""
    artifact_bucket: _Bucket | None = None
    """Where large templates and seal records go."""
    roles: Roles = Roles()

    def has_own_role(self, stack: StackId) -> bool:
        """Whether the stack has a role of its own, which a stack of roles holds."""
        return self.execution_roles == "managed" and not stack.name.startswith(naming.OURS)

    def role_of(self, stack: StackId) -> str | None:
        """The role with which CloudFormation builds a stack; None where it works with the caller's credentials."""
        if self.has_own_role(stack):
            return naming.role_arn(stack)
        if self.execution_roles == "managed" and stack.name.startswith(naming.ROLES):
            return naming.roles_role_arn(stack)
        return self.execution_role

    def role_for(self, stack: Stack) -> str | None:
        """The role of what a config describes: of a stack set the administration role, where its accounts have such."""
        if stack.stack_set is None:
            return self.role_of(stack.id)
        if not stack.stack_set.self_managed:
            return None
        usual = f"arn:{stack.partition}:iam::{stack.id.account}:role/{ADMINISTRATION_ROLE}"
        return self.stack_set_role or usual


class SettingsGate(_Strict):
    """An approval that plans need before they are executed."""

    stack: str = Field(default="*", min_length=1)
    """The stack's name, or a pattern with `*`."""
    env: str = Field(default="*", min_length=1)
    """The stage of the config, e.g. `prod`, or a pattern with `*`."""
    on: GateOn
    """What the plan does: `destructive` removes or replaces, `data-loss` loses data, `any` changes something."""
    needs: GateNeeds
    """Whose approval: a `code-owner`'s, or any `approval` that the branch's rules ask for."""

    def model(self) -> Gate:
        """The gate as later stages see it."""
        return Gate(stack=self.stack, env=self.env, on=self.on, needs=self.needs)


class SettingsWaiver(_Strict):
    """A finding that somebody answers for until a date."""

    check: str = Field(min_length=1)
    """The check's identifier, e.g. `CKV_AWS_18`."""
    stack: str = "*"
    """The stack's name, or a pattern with `*`."""
    resource: str = "*"
    """The resource's logical id, or a pattern with `*`."""
    reason: str = Field(min_length=10)
    """Why it is no problem here; the report shows it."""
    owner: str = Field(min_length=1)
    """Who answers for it."""
    until: _Date
    """The last day on which it counts, in quotes."""

    def model(self, *, proposed: bool = False) -> Waiver:
        """The waiver as later stages see it."""
        return Waiver(**self.model_dump(), proposed=proposed)


class DriftIgnore(_Strict):
    """A difference that is no drift."""

    stack: str = "*"
    """The stack's name, or a pattern with `*`."""
    resource: str = "*"
    """The resource's logical id, or a pattern with `*`."""
    path: str = "*"
    """The property's path, e.g. `Environment/ComputeType`, or a pattern with `*`."""
    reason: str = Field(min_length=10)
    """Why it may differ."""
    owner: str = Field(min_length=1)
    """Who answers for it."""
    until: _Date
    """The last day on which it is ignored, in quotes."""


class DriftSettings(_Strict):
    """How drift is judged."""

    ignore: tuple[DriftIgnore, ...] = ()


class Settings(_Strict):
    """The whole file; every key has a default, so that no file is a valid one."""

    version: int = Field(default=1, ge=1, le=1)
    configs: str = Field(default="configs", pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_./-]{0,199}$")
    """The folder with the configs, relative to the repository."""
    catalogue: _Folder | None = None
    """The folder with the organisation's own products, relative to the repository, e.g. `products`."""
    accounts: Mapping[_Account, Account] = {}
    gates: tuple[SettingsGate, ...] | None = None
    waivers: tuple[SettingsWaiver, ...] = ()
    drift: DriftSettings = DriftSettings()
    redact: tuple[_Expression, ...] = ()
    """Regular expressions (Python's `re`); what they match is hidden in reports, comments and issues."""

    def waived(self, *, proposed: bool = False) -> tuple[Waiver, ...]:
        """The waivers as later stages see them; `proposed` where they are only in a pull request."""
        return tuple(waiver.model(proposed=proposed) for waiver in self.waivers)

    @property
    def rules(self) -> tuple[Gate, ...]:
        """The gates as later stages see them: without the key one that nobody wrote, with an empty list none."""
        return (Gate(assumed=True),) if self.gates is None else tuple(gate.model() for gate in self.gates)

    def account(self, account: str) -> Account:
        """The account's entry, or an empty one."""
        return self.accounts.get(account, Account())

    def with_roles(self, stacks: Iterable[StackId]) -> tuple[StackId, ...]:
        """These stacks and the stacks that hold their roles, sorted."""
        given = set(stacks)
        held = {naming.roles_stack(stack) for stack in given if self.account(stack.account).has_own_role(stack)}
        return tuple(sorted(given | held))

    def roles(self, verb: str) -> Mapping[str, str]:
        """Account → ARN of the role for a verb, a field of `Roles`; accounts without one are left out."""
        found = {account: getattr(entry.roles, verb) for account, entry in self.accounts.items()}
        return {account: arn for account, arn in found.items() if arn is not None}


def parse(raw: bytes, path: str = FILE) -> Settings:
    """The settings of a file's content.

    A file of comments only has the defaults. Raises ConfigError at the line of the first thing that is wrong.
    """
    text = yamltext.decode(raw, path)
    if all(not line.strip() or line.lstrip().startswith("#") for line in text.split("\n")):
        return Settings()
    document = yamltext.parse(text, path)
    try:
        found = Settings.model_validate(document.data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = tuple(step for step in first["loc"] if step != "[key]")
        raise ConfigError(
            f"The settings are invalid at {'.'.join(' '.join(str(step).split()) for step in place) or 'the top level'}",
            why=_why(place, str(first["msg"])),
            remedy="see docs/reference/settings.md",
            where=nearest(document.marks, place) or Location(path=path),
        ) from error
    for place, why in _foreign_roles(found):
        key, where = ".".join(place), nearest(document.marks, place) or Location(path=path)
        raise ConfigError(
            f"The settings are invalid at {key}", why=why, remedy="name a role of the account", where=where
        )
    return found


def _foreign_roles(found: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where a role of a verb is another account's than the entry's, and what is wrong there."""
    for verb in Roles.model_fields:
        for account, arn in found.roles(verb).items():
            if arn.split(":")[4] != account:
                why = f"the role is the account {arn.split(':')[4]}'s, and the entry the account {account}'s"
                yield ("accounts", account, "roles", verb), why


def _why(place: tuple[int | str, ...], said: str) -> str:
    """The library's wording, but where it speaks of bounds that are none of the reader's business."""
    return "this stackseal reads version 1 of the settings" if place == ("version",) else said


def load(folder: Path) -> Settings:
    """The settings of a working directory; the defaults where it has no file.

    Raises ConfigError for what is there and is no file, and as `parse` does.
    """
    path, where = folder / FILE, Location(path=FILE)
    if path.is_symlink():
        raise ConfigError("The settings are a symbolic link", remedy="put the file itself there", where=where)
    if not path.exists():
        return Settings()
    if not path.is_file():
        raise ConfigError("The settings are not a file", remedy="put a YAML file there, or remove it", where=where)
    try:
        with path.open("rb") as file:
            raw = file.read(yamltext.CONFIG.size + 1)
    except OSError as error:
        raise ConfigError(
            "The settings cannot be read", why=error.strerror or str(error), remedy="check the file", where=where
        ) from error
    return parse(raw)
