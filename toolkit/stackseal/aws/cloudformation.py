"""CloudFormation: exactly the calls that stackseal makes, read to the last page, answers as values of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from stackseal.aws import parse
from stackseal.aws.drift import detect
from stackseal.aws.errors import AwsFailed, translated
from stackseal.aws.s3 import upload
from stackseal.aws.session import Aws
from stackseal.aws.shapes import (
    ChangeSetRef,
    ChangeSetState,
    NewChangeSet,
    Objection,
    StackResource,
    StackState,
    Store,
    Validation,
    iso,
)
from stackseal.errors import Failed
from stackseal.model import Drift, ResourceEvent, StackId, canonical_json

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import DescribeChangeSetOutputTypeDef

BODY_LIMIT: Final = 51_200
"""Bytes of a template that travels inside the request (CloudFormation quotas)."""
URL_LIMIT: Final = 1_000_000
"""Bytes of a template that CloudFormation fetches from S3."""


class CloudFormation:
    """The stacks of one account and region. Errors are ours (`stackseal.aws.errors`)."""

    def __init__(self, aws: Aws, region: str | None = None) -> None:
        self._aws = aws
        self.region = region or aws.region
        self._client = aws.client("cloudformation", self.region)

    @property
    def account(self) -> str:
        return self._aws.account(self.region)

    # --- stacks

    def stack(self, name: str) -> StackState | None:
        """The stack, None where there is none. By ARN a deleted one is still found."""
        try:
            with translated(f"could not read the stack {name}"):
                found = self._client.describe_stacks(StackName=name)["Stacks"]
        except AwsFailed as error:
            if error.code == "ValidationError" and "does not exist" in str(error):
                return None
            raise
        return parse.stack(found[0]) if found else None

    def stacks(self) -> tuple[StackState, ...]:
        """Every stack that is not deleted, sorted by name; only name, ARN, status and creation are filled in."""
        with translated(f"could not list the stacks in {self.region}"):
            pages = self._client.get_paginator("list_stacks").paginate()
            found = [item for page in pages for item in page["StackSummaries"]]
        rows = [
            StackState(
                name=item["StackName"],
                arn=item.get("StackId", ""),
                status=item["StackStatus"],
                created=iso(item["CreationTime"]),
            )
            for item in found
            if item["StackStatus"] != "DELETE_COMPLETE"
        ]
        return tuple(sorted(rows, key=lambda row: (row.name, row.arn)))

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        """Every resource of a stack, sorted by logical id."""
        with translated(f"could not list the resources of the stack {stack}"):
            pages = self._client.get_paginator("list_stack_resources").paginate(StackName=stack)
            found = [item for page in pages for item in page["StackResourceSummaries"]]
        return tuple(
            StackResource(
                logical_id=item["LogicalResourceId"],
                physical_id=item.get("PhysicalResourceId", ""),
                type=item["ResourceType"],
                status=item["ResourceStatus"],
                reason=item.get("ResourceStatusReason", ""),
                drift=item.get("DriftInformation", {}).get("StackResourceDriftStatus", "NOT_CHECKED"),
            )
            for item in sorted(found, key=lambda item: item["LogicalResourceId"])
        )

    def events(self, stack: str, *, since: str = "", token: str | None = None) -> tuple[ResourceEvent, ...]:
        """What happened after `since` (ISO time, exclusive), oldest first; of one client token where it is given."""
        found: list[ResourceEvent] = []
        with translated(f"could not read the events of the stack {stack}"):
            for page in self._client.get_paginator("describe_stack_events").paginate(StackName=stack):
                for item in page["StackEvents"]:
                    moment = iso(item["Timestamp"])
                    if since and moment <= since:
                        return tuple(reversed(found))
                    if token is None or item.get("ClientRequestToken") == token:
                        found.append(parse.event(item, moment))
        return tuple(reversed(found))

    def delete_stack(
        self, name: str, *, retain: Sequence[str] = (), token: str | None = None, role: str | None = None
    ) -> None:
        """Start the deletion. `retain` names resources to leave; AWS accepts it only after DELETE_FAILED."""
        given = _given(RetainResources=list(retain), ClientRequestToken=token, RoleARN=role)
        with translated(f"could not delete the stack {name}", changes=f"see `{self._recover(name)}`"):
            self._client.delete_stack(StackName=name, **given)

    def set_termination_protection(self, name: str, *, on: bool) -> None:
        """Switch the stack's termination protection."""
        with translated(f"could not switch the termination protection of the stack {name}"):
            self._client.update_termination_protection(StackName=name, EnableTerminationProtection=on)

    def continue_rollback(self, name: str, *, token: str | None = None, role: str | None = None) -> None:
        """Go on with a rollback that failed (UPDATE_ROLLBACK_FAILED)."""
        with translated(f"could not go on rolling back {name}", changes=f"see `{self._recover(name)}`"):
            self._client.continue_update_rollback(StackName=name, **_given(ClientRequestToken=token, RoleARN=role))

    # --- templates

    def validate(self, body: str, *, store: Store | None = None) -> Validation:
        """What CloudFormation itself says of a template's syntax."""
        with translated("CloudFormation does not accept the template"):
            found = self._client.validate_template(**self._template_argument(body, store))
        return Validation(
            capabilities=tuple(sorted(found.get("Capabilities", ()))),
            transforms=tuple(sorted(found.get("DeclaredTransforms", ()))),
            parameters=tuple(sorted(item.get("ParameterKey", "") for item in found.get("Parameters", ()))),
        )

    def template(self, *, stack: str | None = None, change_set: str | None = None) -> str:
        """The template of a stack, or the one that a change set (by ARN) will install.

        JSON comes back in our canonical form, YAML as it was sent.
        """
        given = _given(StackName=stack, ChangeSetName=change_set)
        with translated(f"could not read the template of {change_set or stack}"):
            body: Any = self._client.get_template(TemplateStage="Original", **given)["TemplateBody"]
        return body if isinstance(body, str) else canonical_json(body)

    # --- change sets

    def create_change_set(self, new: NewChangeSet) -> tuple[str, str]:
        """Start making a change set; its ARN and the stack's. A body over 51,200 bytes goes to `new.store` first."""
        arguments: dict[str, Any] = {
            "StackName": new.stack,
            "ChangeSetName": new.name,
            "ChangeSetType": new.kind,
            "Parameters": [{"ParameterKey": k, "ParameterValue": new.parameters[k]} for k in sorted(new.parameters)],
            "Tags": [{"Key": key, "Value": new.tags[key]} for key in sorted(new.tags)],
            "Capabilities": sorted(new.capabilities),
            "IncludeNestedStacks": new.nested,
            **_given(RoleARN=new.role, Description=new.description, ClientToken=new.token),
            **self._template_argument(new.body, new.store),
        }
        with translated(f"could not create the change set {new.name} for the stack {new.stack}"):
            found = self._client.create_change_set(**arguments)
        return found["Id"], found["StackId"]

    def change_set_status(self, arn: str) -> ChangeSetRef:
        """State of a change set without its changes: one call, for polling."""
        found = self._describe(arn, values=False)
        return ChangeSetRef(
            name=found["ChangeSetName"],
            arn=found["ChangeSetId"],
            status=found["Status"],
            execution_status=found["ExecutionStatus"],
            reason=found.get("StatusReason", ""),
            description=found.get("Description", ""),
            created=iso(found.get("CreationTime")),
        )

    def change_set(self, arn: str) -> ChangeSetState:
        """A change set with every change of every page, values included where the service gives them."""
        first, plain = self._all_changes(arn, values=False)
        try:
            second, detailed = self._all_changes(arn, values=True)
        except AwsFailed as error:
            if error.code not in {"ValidationError", "InvalidParameterValue"}:
                raise
            return parse.change_set(first, plain, None, "")  # a region or an emulator without IncludePropertyValues
        return parse.change_set(first, plain, detailed, second.get("StatusReason", ""))

    def objections(self, change_set: str) -> tuple[Objection, ...]:
        """What CloudFormation's own validations object to in a change set (by ARN), sorted by resource and path."""
        found: list[Objection] = []
        token: dict[str, Any] = {}
        while True:
            with translated(f"could not read the validations of the change set {change_set}"):
                page = self._client.describe_events(ChangeSetName=change_set, **token)
            events = page.get("OperationEvents", ())
            found += [parse.objection(item) for item in events if item.get("EventType") == "VALIDATION_ERROR"]
            if not page.get("NextToken"):
                return tuple(sorted(found, key=lambda item: (item.logical_id, item.path, item.validation, item.reason)))
            token = {"NextToken": page["NextToken"]}

    def list_change_sets(self, stack: str) -> tuple[ChangeSetRef, ...]:
        """Every change set of a stack, sorted by name."""
        with translated(f"could not list the change sets of the stack {stack}"):
            pages = self._client.get_paginator("list_change_sets").paginate(StackName=stack)
            found = [item for page in pages for item in page["Summaries"]]
        refs = [
            ChangeSetRef(
                name=item.get("ChangeSetName", ""),
                arn=item.get("ChangeSetId", ""),
                status=item.get("Status", ""),
                execution_status=item.get("ExecutionStatus", ""),
                reason=item.get("StatusReason", ""),
                description=item.get("Description", ""),
                created=iso(item.get("CreationTime")),
            )
            for item in found
        ]
        return tuple(sorted(refs, key=lambda ref: (ref.name, ref.arn)))

    def execute(self, arn: str, *, token: str) -> None:
        """Start executing a change set, by ARN and with a client token: a repeat does not run twice."""
        with translated(
            f"could not execute the change set {arn}", changes="see `stackseal recover STACK --region REGION`"
        ):
            self._client.execute_change_set(ChangeSetName=arn, ClientRequestToken=token)

    def delete_change_set(self, arn: str) -> None:
        """Remove a change set; one that is gone already is no error."""
        try:
            with translated(f"could not delete the change set {arn}"):
                self._client.delete_change_set(ChangeSetName=arn)
        except AwsFailed as error:
            if not error.code.startswith("ChangeSetNotFound"):
                raise

    # --- drift

    def detect_drift(
        self,
        stack: StackId,
        *,
        sleep: Callable[[float], None],
        clock: Callable[[], float],
        limit: float = 900.0,
        logical_ids: Sequence[str] = (),
    ) -> Drift:
        """Run drift detection to its end (at most `limit` seconds) and return every resource's result.

        With `logical_ids` only those resources are compared, and their differences are not read.
        """

        def listed() -> tuple[StackResource, ...]:
            return self.resources(stack.name)

        return detect(self._client, stack, listed, sleep=sleep, clock=clock, limit=limit, logical_ids=logical_ids)

    # --- inside

    def _recover(self, name: str) -> str:
        return f"stackseal recover {name} --region {self.region}"

    def _template_argument(self, body: str, store: Store | None) -> dict[str, str]:
        size = len(body.encode())
        if size <= BODY_LIMIT:
            return {"TemplateBody": body}
        if size > URL_LIMIT:
            raise Failed(
                f"the template has {size:,} bytes",
                why=f"CloudFormation accepts {URL_LIMIT:,}",
                remedy="split the stack in two",
            )
        if store is None:
            raise Failed(
                f"the template has {size:,} bytes",
                why=f"only {BODY_LIMIT:,} travel inside a request and no bucket is set",
                remedy="name the account's artifact bucket in stackseal.yaml (`stackseal bootstrap CONFIG` creates it)",
            )
        return {"TemplateURL": upload(self._aws.client("s3", self.region), store, body)}

    def _describe(self, arn: str, *, values: bool, page: str | None = None) -> DescribeChangeSetOutputTypeDef:
        given = _given(IncludePropertyValues=values, NextToken=page)
        with translated(f"could not read the change set {arn}"):
            return self._client.describe_change_set(ChangeSetName=arn, **given)

    def _all_changes(self, arn: str, *, values: bool) -> tuple[DescribeChangeSetOutputTypeDef, list[Mapping[str, Any]]]:
        first = page = self._describe(arn, values=values)
        found: list[Mapping[str, Any]] = []
        while True:
            found.extend(item["ResourceChange"] for item in page.get("Changes", ()) if "ResourceChange" in item)
            if not (token := page.get("NextToken")):
                return first, found
            page = self._describe(arn, values=values, page=token)


def _given(**arguments: Any) -> dict[str, Any]:
    """The arguments that carry something: AWS refuses empty ones."""
    return {name: value for name, value in arguments.items() if value not in (None, "", False, [])}
