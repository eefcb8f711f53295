"""StackSets: exactly the calls that stackseal makes, read to the last page, answers as values of ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from stackseal.aws.cloudformation import BODY_LIMIT, URL_LIMIT
from stackseal.aws.drift import json_text
from stackseal.aws.errors import AwsFailed, translated
from stackseal.aws.s3 import upload
from stackseal.aws.session import Aws
from stackseal.aws.shapes import InstanceState, NewStackSet, OperationState, StackSetState, Store, iso
from stackseal.errors import Failed
from stackseal.model import Difference, Group, ResourceDrift, Target

_MISSING: Final = "StackSetNotFoundException"
_INTERSECTION: Final = "INTERSECTION"
"""Of the organizational units exactly the accounts that are named (API reference, DeploymentTargets)."""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How calls name accounts: alone, or as part of organizational units."""

    units: tuple[str, ...] = ()
    preferences: Mapping[str, int | str] = field(default_factory=dict)


class StackSets:
    """The stack sets of one administrator account and region. Errors are ours (`stackseal.aws.errors`)."""

    def __init__(self, aws: Aws, region: str, *, delegated: bool = False) -> None:
        self._aws, self.region = aws, region
        self._client: Any = aws.client("cloudformation", region)
        self._as: dict[str, str] = {"CallAs": "DELEGATED_ADMIN"} if delegated else {}

    # --- what there is

    def stack_set(self, name: str) -> StackSetState | None:
        """The set, None where there is none."""
        try:
            with translated(f"could not read the stack set {name}"):
                found = self._client.describe_stack_set(StackSetName=name, **self._as)["StackSet"]
        except AwsFailed as error:
            if error.code == _MISSING:
                return None
            raise
        return None if found.get("Status") == "DELETED" else _state(found)

    def instances(self, name: str) -> tuple[InstanceState, ...]:
        """The stacks of the set, sorted by account and region."""
        with translated(f"could not list the stacks of the stack set {name}"):
            found = [_instance(item) for item in self._all("list_stack_instances", StackSetName=name)]
        return tuple(sorted(found, key=lambda each: each.target))

    def operation(self, name: str, operation: str) -> OperationState:
        """An operation by its id."""
        with translated(f"could not read the operation {operation} of the stack set {name}"):
            found = self._client.describe_stack_set_operation(StackSetName=name, OperationId=operation, **self._as)
        return _operation(found["StackSetOperation"])

    def operations(self, name: str) -> tuple[OperationState, ...]:
        """The operations that CloudFormation remembers, the newest first."""
        with translated(f"could not list the operations of the stack set {name}"):
            found = [_operation(item) for item in self._all("list_stack_set_operations", StackSetName=name)]
        return tuple(sorted(found, key=lambda each: (each.created, each.id), reverse=True))

    def results(self, name: str, operation: str) -> dict[Target, tuple[str, str]]:
        """What became of each account and region: a status and a reason."""
        with translated(f"could not read the results of the operation {operation} of the stack set {name}"):
            asked = {"StackSetName": name, "OperationId": operation}
            return {
                Target(account=item["Account"], region=item["Region"]): (
                    item["Status"],
                    item.get("StatusReason", ""),
                )
                for item in self._all("list_stack_set_operation_results", **asked)
            }

    def drifts(self, name: str, operation: str, target: Target) -> tuple[ResourceDrift, ...]:
        """What a drift detection says of every resource of one stack; the logical ids begin with the target."""
        asked = {
            "StackSetName": name,
            "OperationId": operation,
            "StackInstanceAccount": target.account,
            "StackInstanceRegion": target.region,
        }
        with translated(f"could not read the drift of {target} in the stack set {name}"):
            return tuple(_drift(target, item) for item in self._all("list_stack_instance_resource_drifts", **asked))

    # --- what is done

    def create(self, new: NewStackSet, *, token: str) -> None:
        """Make the set, without any stack. The same token twice makes it once."""
        with translated(f"could not create the stack set {new.name}", changes=self._recover(new.name)):
            self._client.create_stack_set(
                **self._described(new), PermissionModel=new.permissions, ClientRequestToken=token, **self._as
            )

    def update(self, new: NewStackSet, group: Group | None, reach: Reach, *, operation: str) -> None:
        """Begin to update the set and the stacks of a group; without one no stack, because there is none."""
        where = self._where(group, reach) if group else {}
        with _once(), translated(f"could not change the stack set {new.name}", changes=self._recover(new.name)):
            self._client.update_stack_set(**self._described(new), **where, OperationId=operation, **self._as)

    def create_instances(self, name: str, group: Group, reach: Reach, *, operation: str) -> None:
        """Begin to make the stacks of a group."""
        with _once(), translated(f"could not create stacks of the stack set {name}", changes=self._recover(name)):
            self._client.create_stack_instances(
                StackSetName=name, **self._where(group, reach), OperationId=operation, **self._as
            )

    def delete_instances(self, name: str, group: Group, reach: Reach, *, operation: str) -> None:
        """Begin to delete the stacks of a group, with their resources."""
        with _once(), translated(f"could not delete stacks of the stack set {name}", changes=self._recover(name)):
            self._client.delete_stack_instances(
                StackSetName=name,
                **self._where(group, reach),
                RetainStacks=False,
                OperationId=operation,
                **self._as,
            )

    def delete(self, name: str) -> None:
        """Delete a set without stacks; one that is gone already is no error."""
        try:
            with translated(f"could not delete the stack set {name}", changes=self._recover(name)):
                self._client.delete_stack_set(StackSetName=name, **self._as)
        except AwsFailed as error:
            if error.code != _MISSING:
                raise

    def detect(self, name: str, *, operation: str, preferences: Mapping[str, int | str]) -> None:
        """Begin to compare every stack with the template."""
        given = {"OperationPreferences": dict(preferences)} if preferences else {}
        with _once(), translated(f"could not start drift detection on the stack set {name}"):
            self._client.detect_stack_set_drift(StackSetName=name, OperationId=operation, **given, **self._as)

    # --- organizational units

    def accounts(self, units: Iterable[str]) -> dict[str, str]:
        """Account → the unit that was asked for, of every account below the units; suspended ones are left out."""
        return {account: unit for unit in units for account in sorted(self._below(unit))}

    def management_account(self) -> str:
        """The organisation's own account, to which StackSets never deploys with SERVICE_MANAGED."""
        client: Any = self._aws.client("organizations", self.region)
        with translated("could not read the organisation"):
            found = client.describe_organization()["Organization"]
        return str(found.get("MasterAccountId", ""))

    def _below(self, unit: str) -> set[str]:
        client: Any = self._aws.client("organizations", self.region)
        with translated(f"could not list the accounts of the organizational unit {unit}"):
            pages = client.get_paginator("list_accounts_for_parent").paginate(ParentId=unit)
            found = {item["Id"] for page in pages for item in page["Accounts"] if item.get("Status") == "ACTIVE"}
            inner = client.get_paginator("list_organizational_units_for_parent").paginate(ParentId=unit)
            children = [item["Id"] for page in inner for item in page["OrganizationalUnits"]]
        for child in children:
            found |= self._below(child)
        return found

    # --- inside

    def _all(self, call: str, **asked: str) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        while True:
            page = getattr(self._client, call)(**asked, **token, **self._as)
            yield from page.get("Summaries", ())
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _where(self, group: Group, reach: Reach) -> dict[str, Any]:
        preferences = dict(reach.preferences)
        # Without an order CloudFormation chooses one where regions go one after another.
        if preferences.get("RegionConcurrencyType") != "PARALLEL" and len(group.regions) > 1:
            preferences["RegionOrder"] = list(group.regions)  # type: ignore[assignment]  # the one that is a list
        where: dict[str, Any] = {"Regions": list(group.regions), "OperationPreferences": preferences}
        if not reach.units:
            return {**where, "Accounts": list(group.accounts)}
        targets = {"OrganizationalUnitIds": list(reach.units), "Accounts": list(group.accounts)}
        return {**where, "DeploymentTargets": {**targets, "AccountFilterType": _INTERSECTION}}

    def _described(self, new: NewStackSet) -> dict[str, Any]:
        """What a set is made from; an update that leaves a part out would take it away."""
        given: dict[str, Any] = {
            "StackSetName": new.name,
            "Parameters": [{"ParameterKey": k, "ParameterValue": new.parameters[k]} for k in sorted(new.parameters)],
            "Tags": [{"Key": key, "Value": new.tags[key]} for key in sorted(new.tags)],
            "Capabilities": sorted(new.capabilities),
            **self._template(new.body, new.store),
        }
        if new.administration_role:
            given |= {"AdministrationRoleARN": new.administration_role, "ExecutionRoleName": new.execution_role}
        else:
            auto: dict[str, bool] = {"Enabled": new.auto_deployment}
            if new.auto_deployment:
                auto["RetainStacksOnAccountRemoval"] = new.retain_on_removal
            given["AutoDeployment"] = auto
        return given

    def _template(self, body: str, store: Store | None) -> dict[str, str]:
        size = len(body.encode())
        if size <= BODY_LIMIT:
            return {"TemplateBody": body}
        if store is None or size > URL_LIMIT:
            raise Failed(
                f"the template has {size:,} bytes",
                why=f"only {BODY_LIMIT:,} travel inside a request, {URL_LIMIT:,} by a bucket",
                remedy="name the account's artifact bucket in stackseal.yaml, or split the product",
            )
        return {"TemplateURL": upload(self._aws.client("s3", self.region), store, body)}

    def _recover(self, name: str) -> str:
        return f"see `stackseal recover {name} --region {self.region}`"


@contextmanager
def _once() -> Iterator[None]:
    """An operation with this id has begun already: a repeat of a call whose answer was lost finds its own."""
    try:
        yield
    except AwsFailed as error:
        if error.code != "OperationIdAlreadyExistsException":
            raise


def _state(found: Mapping[str, Any]) -> StackSetState:
    auto = found.get("AutoDeployment") or {}
    return StackSetState(
        name=found["StackSetName"],
        body=found.get("TemplateBody", ""),
        permissions=found.get("PermissionModel", "SELF_MANAGED"),
        parameters={item["ParameterKey"]: item.get("ParameterValue", "") for item in found.get("Parameters", ())},
        tags={item["Key"]: item["Value"] for item in found.get("Tags", ())},
        capabilities=tuple(sorted(found.get("Capabilities", ()))),
        administration_role=found.get("AdministrationRoleARN"),
        execution_role=found.get("ExecutionRoleName"),
        auto_deployment=bool(auto.get("Enabled")),
        retain_on_removal=bool(auto.get("RetainStacksOnAccountRemoval")),
        units=tuple(sorted(found.get("OrganizationalUnitIds", ()))),
    )


def _instance(item: Mapping[str, Any]) -> InstanceState:
    return InstanceState(
        target=Target(account=item["Account"], region=item["Region"]),
        status=item["Status"],
        detailed=(item.get("StackInstanceStatus") or {}).get("DetailedStatus", ""),
        reason=item.get("StatusReason", ""),
        drift=item.get("DriftStatus", "NOT_CHECKED"),
        stack=item.get("StackId", ""),
        unit=item.get("OrganizationalUnitId", ""),
    )


def _operation(item: Mapping[str, Any]) -> OperationState:
    return OperationState(
        id=item["OperationId"],
        action=item["Action"],
        status=item["Status"],
        reason=item.get("StatusReason", ""),
        created=iso(item.get("CreationTimestamp")),
    )


def _drift(target: Target, item: Mapping[str, Any]) -> ResourceDrift:
    return ResourceDrift(
        logical_id=f"{target}/{item['LogicalResourceId']}",
        type=item["ResourceType"],
        physical_id=item.get("PhysicalResourceId", ""),
        status=item["StackResourceDriftStatus"],
        differences=tuple(
            Difference(
                path=one["PropertyPath"].lstrip("/"),
                expected=json_text(one.get("ExpectedValue")),
                actual=json_text(one.get("ActualValue")),
            )
            for one in sorted(item.get("PropertyDifferences", ()), key=lambda one: one["PropertyPath"])
        ),
    )
