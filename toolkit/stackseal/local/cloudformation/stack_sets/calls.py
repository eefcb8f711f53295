"""The StackSets calls of the CloudFormation API: what is accepted, what is begun, what is told."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from stackseal.local import ministack
from stackseal.local.clients import Clients
from stackseal.local.cloudformation.hooks import path_style
from stackseal.local.cloudformation.stack_sets import shown
from stackseal.local.cloudformation.stack_sets.given import nested, texts, yes
from stackseal.local.cloudformation.stack_sets.store import SELF, Instance, Operation, Sets, StackSet
from stackseal.local.cloudformation.stack_sets.targets import targets
from stackseal.local.cloudformation.stack_sets.work import ADMINISTRATION, Worker
from stackseal.local.messages import Place, ServiceError
from stackseal.local.services.store import identifier

_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_KEPT: Final = (
    "Description",
    "TemplateBody",
    "Parameters",
    "Capabilities",
    "Tags",
    "AdministrationRoleARN",
    "ExecutionRoleName",
    "PermissionModel",
    "AutoDeployment",
    "ManagedExecution",
)
_WHOLE: Final = ("Tags", "Parameters", "AdministrationRoleARN", "ExecutionRoleName")
"""What an update that does not say it sets to nothing, or to the usual."""
Given = dict[str, Any]


@dataclass(kw_only=True)
class Calls:
    """Answers a call in a home account and region, in the name of who made it."""

    clients: Clients
    worker: Worker
    enforce: bool
    sets: Sets = field(default_factory=Sets)
    _threads: list[threading.Thread] = field(default_factory=list)
    _made: int = 0

    @property
    def actions(self) -> Mapping[str, Callable[[Given, Place, str], dict[str, Any]]]:
        return {
            "CreateStackSet": self._create,
            "UpdateStackSet": self._update,
            "DeleteStackSet": self._delete,
            "DescribeStackSet": self._describe,
            "ListStackSets": self._list,
            "CreateStackInstances": self._create_instances,
            "DeleteStackInstances": self._delete_instances,
            "ListStackInstances": self._instances,
            "DescribeStackSetOperation": self._operation,
            "ListStackSetOperations": self._operations,
            "ListStackSetOperationResults": self._results,
            "StopStackSetOperation": self._stop,
            "DetectStackSetDrift": self._detect,
            "ListStackInstanceResourceDrifts": self._drifts,
        }

    def answer(self, form: Mapping[str, str], home: Place, access_key: str) -> dict[str, Any]:
        """The result of a call, as data."""
        given, action = nested(form), form["Action"]
        with self.sets.guard:
            self._authorize(action, given, home, access_key)
            return self.actions[action](given, home, access_key)

    def reset(self) -> None:
        """Waits for what is under way, and forgets everything."""
        for thread in self._threads:
            thread.join(timeout=30)
        self._threads.clear()
        self.sets.known.clear()
        self._made = 0

    # --- sets ---------------------------------------------------------------------------------------------------------

    def _create(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        name = str(given.get("StackSetName", ""))
        if not _NAME.fullmatch(name):
            raise ServiceError("ValidationError", f"Value '{name}' at 'stackSetName' failed to satisfy constraint")
        kept = self._accepted(given, home, access_key, {})
        if (home, name) in self.sets.known:
            raise ServiceError("NameAlreadyExistsException", f"Stack Set named {name} already exists.", 409)
        id_ = f"{name}:{self._id(name)}"
        self.sets.known[home, name] = StackSet(name=name, home=home, id=id_, given=kept)
        return {"StackSetId": id_}

    def _update(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        found = self._at_rest(given, home)
        if given.get("PermissionModel", found.given.get("PermissionModel", SELF)) != found.given.get(
            "PermissionModel", SELF
        ):
            raise ServiceError("ValidationError", "PermissionModel of a StackSet with instances cannot be changed")
        kept = self._accepted(given, home, access_key, found.given)
        named = texts(given.get("Regions"))
        places = list(targets(found, given, self._members(home))) if named else list(found.instances)
        if missing := [place for place in places if place not in found.instances]:
            place = missing[0]
            raise ServiceError(
                "StackInstanceNotFoundException",
                f"Stack instance not found for {place.account} in {place.region}",
                404,
            )
        stale = list(found.instances) if kept != found.given else places
        found.given = kept
        for place in stale:
            instance = found.instances[place]
            instance.status, instance.detailed = "OUTDATED", "PENDING" if place in places else instance.detailed
        return self._begin(found, "UPDATE", given, places)

    def _delete(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        name = str(given["StackSetName"]).partition(":")[0]
        if (home, name) in self.sets.known:
            if self._at_rest(given, home).instances:
                raise ServiceError("StackSetNotEmptyException", "StackSet is not empty", 409)
            del self.sets.known[home, name]
        return {}

    def _describe(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        return {"StackSet": shown.stack_set(self.sets.get(home, str(given["StackSetName"])), _secret)}

    def _list(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        rows = (
            {
                "StackSetName": found.name,
                "StackSetId": found.id,
                "Status": "ACTIVE",
                "PermissionModel": found.given.get("PermissionModel", SELF),
            }
            for found in self.sets.of(home)
        )
        return shown.page(rows, given)

    def _accepted(self, given: Given, home: Place, access_key: str, before: Given) -> Given:
        """What is kept of a call; raises AWS's errors for what it does not take."""
        kept = {key: value for key, value in before.items() if key not in _WHOLE}
        kept |= {key: given[key] for key in _KEPT if given.get(key) not in (None, "")}
        if given.get("TemplateURL"):
            kept["TemplateBody"] = self._fetched(str(given["TemplateURL"]), home)
        if yes(given.get("UsePreviousTemplate")):
            kept["TemplateBody"] = before["TemplateBody"]
        if ministack.parsed(str(kept.get("TemplateBody", ""))) is None:
            raise ServiceError("ValidationError", "Template format error: it has no Resources")
        if kept.get("PermissionModel", SELF) == SELF:
            if kept.get("AutoDeployment"):
                raise ServiceError("ValidationError", "AutoDeployment is only for SERVICE_MANAGED StackSets")
            self._pass_role(kept, home, access_key)
        elif kept.get("AdministrationRoleARN") or kept.get("ExecutionRoleName"):
            raise ServiceError("ValidationError", "Roles are only for SELF_MANAGED StackSets")
        return kept

    def _pass_role(self, kept: Given, home: Place, access_key: str) -> None:
        usual = f"arn:{home.partition}:iam::{home.account}:role/{ADMINISTRATION}"
        role = str(kept.get("AdministrationRoleARN") or usual)
        if self.enforce:
            context = {"iam:PassedToService": "cloudformation.amazonaws.com"}
            ministack.authorize(access_key, home, "iam:PassRole", role, context, code="AccessDenied")

    def _fetched(self, url: str, home: Place) -> str:
        bucket, _, key = re.sub(r"^https://[^/]+/", "", path_style(url)).partition("/")
        found = self.clients.get("s3", home).get_object(Bucket=bucket, Key=key)
        return str(found["Body"].read().decode("utf-8"))

    # --- instances and operations -------------------------------------------------------------------------------------

    def _create_instances(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        found = self._at_rest(given, home)
        wanted = targets(found, given, self._members(home))
        for place, unit in wanted.items():
            name = f"StackSet-{found.name}-{self._id(found.name)}"
            found.instances.setdefault(place, Instance(place=place, name=name, unit=unit))
        return self._begin(found, "CREATE", given, list(wanted))

    def _delete_instances(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        found = self._at_rest(given, home)
        places = [place for place in targets(found, given, self._members(home)) if place in found.instances]
        return self._begin(found, "DELETE", given, places)

    def _instances(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        found = self.sets.get(home, str(given["StackSetName"]))
        rows = (
            shown.instance(found, each)
            for place, each in sorted(found.instances.items())
            if given.get("StackInstanceAccount") in (None, place.account)
            and given.get("StackInstanceRegion") in (None, place.region)
        )
        return shown.page(rows, given)

    def _begin(self, found: StackSet, action: str, given: Given, places: list[Place]) -> dict[str, Any]:
        id_ = str(given.get("OperationId") or self._id(found.name))
        if any(each.id == id_ for each in found.operations):
            raise ServiceError("OperationIdAlreadyExistsException", f"Operation {id_} already exists", 409)
        operation = Operation(
            id=id_,
            action=action,
            preferences=given.get("OperationPreferences") or {},
            retain=yes(given.get("RetainStacks")),
            results={place: {"Status": "PENDING"} for place in places},
        )
        found.operations.insert(0, operation)
        thread = threading.Thread(target=self._run, args=(found, operation, places), daemon=True)
        self._threads.append(thread)
        thread.start()
        return {"OperationId": id_}

    def _run(self, found: StackSet, operation: Operation, places: list[Place]) -> None:
        try:
            self.worker.run(found, operation, places)
        except Exception as error:  # noqa: BLE001 - an operation ends; whoever asks sees what went wrong
            operation.status, operation.reason = "FAILED", f"The embedded AWS failed: {error!r}"
        if operation.action == "DETECT_DRIFT":
            found.drift = _summary(found, operation)

    def _operation(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        found = self.sets.get(home, str(given["StackSetName"]))
        return {"StackSetOperation": shown.operation(found, found.operation(str(given["OperationId"])))}

    def _operations(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        found = self.sets.get(home, str(given["StackSetName"]))
        return shown.page((shown.operation(found, each) for each in found.operations), given)

    def _results(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        found = self.sets.get(home, str(given["StackSetName"]))
        return shown.page(shown.results(found, found.operation(str(given["OperationId"]))), given)

    def _stop(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        operation = self.sets.get(home, str(given["StackSetName"])).operation(str(given["OperationId"]))
        if not operation.running:
            raise ServiceError("InvalidOperationException", f"Operation {operation.id} is not running")
        operation.status = "STOPPING"
        operation.stop.set()
        return {}

    # --- drift --------------------------------------------------------------------------------------------------------

    def _detect(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        found = self._at_rest(given, home)
        return self._begin(found, "DETECT_DRIFT", given, sorted(found.instances))

    def _drifts(self, given: Given, home: Place, access_key: str) -> dict[str, Any]:
        del access_key
        operation = self.sets.get(home, str(given["StackSetName"])).operation(str(given["OperationId"]))
        place = Place(account=str(given["StackInstanceAccount"]), region=str(given["StackInstanceRegion"]))
        if place not in operation.results:
            raise ServiceError("StackInstanceNotFoundException", f"Stack instance not found for {place.account}", 404)
        return shown.page(operation.drifts.get(place, []), given)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _at_rest(self, given: Given, home: Place) -> StackSet:
        found = self.sets.get(home, str(given["StackSetName"]))
        running = next((each for each in found.operations if each.running), None)
        if running is not None:
            raise ServiceError(
                "OperationInProgressException", f"Another Operation on StackSet {found.id} is in progress: {running.id}"
            )
        return found

    def _members(self, home: Place) -> Callable[[str], list[str]]:
        """The accounts below an organizational unit, those of units in it too; never the organisation's own."""
        client = self.clients.get("organizations", home)

        def below(unit: str) -> list[str]:
            mine = [row["Id"] for row in client.list_accounts_for_parent(ParentId=unit)["Accounts"]]
            inner = client.list_organizational_units_for_parent(ParentId=unit)["OrganizationalUnits"]
            every = [*mine, *(account for row in inner for account in below(row["Id"]))]
            return sorted(account for account in every if account != home.account)

        return below

    def _authorize(self, action: str, given: Given, home: Place, access_key: str) -> None:
        if not self.enforce:
            return
        name = str(given.get("StackSetName", "")).partition(":")[0]
        known = self.sets.known.get((home, name))
        prefix = f"arn:{home.partition}:cloudformation:{home.region}:{home.account}:stackset"
        resource = (
            "*" if action in {"CreateStackSet", "ListStackSets"} else known.arn if known else f"{prefix}/{name}:*"
        )
        ministack.authorize(access_key, home, f"cloudformation:{action}", resource, code="AccessDenied")

    def _id(self, name: str) -> str:
        self._made += 1
        return identifier("stack-set", name, str(self._made))


def _secret(body: str) -> frozenset[str]:
    parameters = (ministack.parsed(body) or {}).get("Parameters") or {}
    return frozenset(name for name, item in parameters.items() if str(item.get("NoEcho", "")).lower() == "true")


def _summary(found: StackSet, operation: Operation) -> dict[str, Any]:
    """`StackSetDriftDetectionDetails` after a detection."""
    drifts = [found.instances[place].drift for place in operation.results if place in found.instances]
    failed = drifts.count("UNKNOWN")
    status = {"SUCCEEDED": "COMPLETED", "STOPPED": "STOPPED"}.get(operation.status, "FAILED")
    return {
        "DriftStatus": "DRIFTED" if "DRIFTED" in drifts else "IN_SYNC" if drifts and not failed else "NOT_CHECKED",
        "DriftDetectionStatus": "PARTIAL_SUCCESS" if status == "COMPLETED" and failed else status,
        "TotalStackInstancesCount": len(drifts),
        "DriftedStackInstancesCount": drifts.count("DRIFTED"),
        "InSyncStackInstancesCount": drifts.count("IN_SYNC"),
        "InProgressStackInstancesCount": 0,
        "FailedStackInstancesCount": failed,
        "LastDriftCheckTimestamp": operation.ended,
    }
