"""What an operation does in the accounts, one after another, with the roles of the permission model.

A failure beyond the tolerance of its region ends the operation: what was not begun is CANCELLED ("StackSets concepts",
failure tolerance). Messages about roles are those that AWS gives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stackseal.local import ministack
from stackseal.local.clients import Clients
from stackseal.local.cloudformation.stack_sets.given import texts
from stackseal.local.cloudformation.stack_sets.store import Instance, Operation, StackSet, now
from stackseal.local.messages import Place, ServiceError
from stackseal.local.pipelines.role import Role, Stopped

ADMINISTRATION: Final = "AWSCloudFormationStackSetAdministrationRole"
EXECUTION: Final = "AWSCloudFormationStackSetExecutionRole"
Workers = MutableMapping[tuple[Place, str], str]
"""Stack by place and name → the role with which its resources are made."""
_PAUSE: Final = 0.01


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Does operations of one stack set."""

    clients: Clients
    workers: Workers
    drifts: Callable[[Place, str], tuple[str, list[dict[str, Any]]]]
    """Stack by place and name → its drift status and that of every resource, after drift was detected."""
    enforce: bool

    def run(self, found: StackSet, operation: Operation, places: list[Place]) -> None:
        """The operation from its first instance to its end."""
        tolerated = _tolerance(operation, len({place.account for place in places}))
        regions = texts(operation.preferences.get("RegionOrder")) or list(dict.fromkeys(p.region for p in places))
        for region in [*regions, *sorted({place.region for place in places} - set(regions))]:
            here = [place for place in places if place.region == region]
            failures = 0
            for place in here:
                if operation.stop.is_set() or failures > tolerated:
                    break
                failures += not self._one(found, operation, place)
            if failures > tolerated or operation.stop.is_set():
                self._cancel(found, operation)
                operation.status = "STOPPED" if operation.stop.is_set() else "FAILED"
                break
        else:
            operation.status = "SUCCEEDED"
        operation.ended = now()

    def _one(self, found: StackSet, operation: Operation, place: Place) -> bool:
        """One instance; whether it ended well."""
        instance, result = found.instances[place], operation.results[place]
        result["Status"] = instance.detailed = "RUNNING"
        instance.operation = operation.id
        try:
            self._act(found, operation, instance)
        except (Stopped, ServiceError, ClientError) as error:
            reason = error.response["Error"]["Message"] if isinstance(error, ClientError) else str(error)
            result.update(Status="FAILED", StatusReason=reason)
            if operation.action != "DETECT_DRIFT":
                instance.status, instance.detailed, instance.reason = "OUTDATED", "FAILED", reason
            else:
                instance.drift = "UNKNOWN"
            return False
        result["Status"] = "SUCCEEDED"
        if operation.action == "DELETE":
            del found.instances[place]
        elif operation.action != "DETECT_DRIFT":
            instance.status, instance.reason = "CURRENT", ""
        instance.detailed = "SUCCEEDED"
        return True

    def _cancel(self, found: StackSet, operation: Operation) -> None:
        for place, result in operation.results.items():
            if result["Status"] == "PENDING":
                result.update(Status="CANCELLED", StatusReason="Cancelled since failure tolerance has exceeded")
                if operation.action != "DETECT_DRIFT":
                    instance = found.instances[place]
                    instance.status, instance.detailed = "OUTDATED", "CANCELLED"
                    instance.reason, instance.operation = result["StatusReason"], operation.id

    # --- one instance -------------------------------------------------------------------------------------------------

    def _act(self, found: StackSet, operation: Operation, instance: Instance) -> None:
        role = self._role(found, instance.place)
        key = (instance.place, instance.name)
        self.workers[key] = role.arn if role else ""
        try:
            if operation.action == "DETECT_DRIFT":
                self._may(role, "cloudformation:DetectStackDrift", instance)
                instance.drift, operation.drifts[instance.place] = self.drifts(instance.place, instance.name)
            elif operation.action == "DELETE":
                if instance.stack and not operation.retain:
                    self._may(role, "cloudformation:DeleteStack", instance)
                    self._ended(instance, self._delete(instance), "DELETE_COMPLETE")
            else:
                self._install(found, instance, role)
        finally:
            self.workers.pop(key, None)

    def _install(self, found: StackSet, instance: Instance, role: Role | None) -> None:
        """Create the stack, update the one that is there, or make anew what never came to be."""
        cfn, given = self.clients.get("cloudformation", instance.place), found.given
        status = self._status(instance)
        if status in {"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"}:
            self._may(role, "cloudformation:DeleteStack", instance)
            self._ended(instance, self._delete(instance), "DELETE_COMPLETE")
            status = ""
        what = {
            "StackName": instance.name,
            "TemplateBody": given["TemplateBody"],
            "Parameters": given.get("Parameters") or [],
            "Capabilities": given.get("Capabilities") or [],
            "Tags": given.get("Tags") or [],
        }
        if status in {"", "DELETE_COMPLETE"}:
            self._may(role, "cloudformation:CreateStack", instance)
            instance.stack = cfn.create_stack(**what)["StackId"]
            self._ended(instance, self._rest(instance), "CREATE_COMPLETE")
            return
        self._may(role, "cloudformation:UpdateStack", instance)
        try:
            cfn.update_stack(**what)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
            return
        self._ended(instance, self._rest(instance), "UPDATE_COMPLETE")

    def _delete(self, instance: Instance) -> str:
        self.clients.get("cloudformation", instance.place).delete_stack(StackName=instance.stack)
        return self._rest(instance)

    def _status(self, instance: Instance) -> str:
        """The stack's status; empty where there never was one."""
        if not instance.stack:
            return ""
        cfn = self.clients.get("cloudformation", instance.place)
        return str(cfn.describe_stacks(StackName=instance.stack)["Stacks"][0]["StackStatus"])

    def _rest(self, instance: Instance) -> str:
        while (status := self._status(instance)).endswith("_IN_PROGRESS"):
            time.sleep(_PAUSE)
        return status

    def _ended(self, instance: Instance, status: str, wanted: str) -> None:
        """Raises Stopped, with the first reason of the stack's history, unless the stack ended as it should."""
        if status == wanted:
            if wanted == "DELETE_COMPLETE":
                instance.stack = ""
            return
        cfn = self.clients.get("cloudformation", instance.place)
        events = cfn.describe_stack_events(StackName=instance.stack)["StackEvents"]
        failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
        reason = f"ResourceLogicalId:{failed[0]['LogicalResourceId']}, " if failed else ""
        reason += str(failed[0].get("ResourceStatusReason", "")) if failed else status
        raise Stopped(reason)

    # --- roles --------------------------------------------------------------------------------------------------------

    def _role(self, found: StackSet, place: Place) -> Role | None:
        """The role that works in the account; None for the service-linked one, which nobody can make too small."""
        if not found.self_managed:
            return None
        home = found.home
        usual = f"arn:{home.partition}:iam::{home.account}:role/{ADMINISTRATION}"
        admin = Role(arn=found.given.get("AdministrationRoleARN") or usual, place=home, enforce=self.enforce)
        name = found.given.get("ExecutionRoleName") or EXECUTION
        role = Role(arn=f"arn:{place.partition}:iam::{place.account}:role/{name}", place=place, enforce=self.enforce)
        admin.assumed_by("cloudformation.amazonaws.com")
        admin.may("sts:AssumeRole", role.arn)
        if self.enforce and not ministack.trusts_principal(role.arn, admin.arn, place):
            raise Stopped(
                f"Account {place.account} should have '{name}' role with trust relationship to Role "
                f"'{admin.arn.rpartition('/')[2]}'."
            )
        return role

    def _may(self, role: Role | None, action: str, instance: Instance) -> None:
        place = instance.place
        arn = f"arn:{place.partition}:cloudformation:{place.region}:{place.account}:stack/{instance.name}/*"
        if role is not None:
            role.may(action, instance.stack or arn)


def _tolerance(operation: Operation, accounts: int) -> int:
    """Failures that a region may have; a percentage is rounded down."""
    given = operation.preferences
    if given.get("FailureTolerancePercentage"):
        return accounts * int(given["FailureTolerancePercentage"]) // 100
    return int(given.get("FailureToleranceCount") or 0)
