"""Drives stacks of the embedded AWS with real boto3, as a deployer does."""

from __future__ import annotations

import functools
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3

from stackseal.local import EmbeddedAws

CAPABILITIES = ("CAPABILITY_NAMED_IAM",)
Template = Mapping[str, Any]
_NUMBERS = itertools.count(1)


@functools.cache
def _client(service: str, endpoint: str, region: str, key: str, secret: str, token: str | None) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account and region of the embedded AWS."""

    aws: EmbeddedAws
    key: str = "123456789012"
    secret: str = "embedded"
    token: str | None = None
    region: str = "us-west-2"

    def client(self, service: str) -> Any:
        return _client(service, self.aws.endpoint_url, self.region, self.key, self.secret, self.token)

    def assume(self, role: str) -> Account:
        """The account as one of its roles sees it."""
        found = self.client("sts").assume_role(RoleArn=f"arn:aws:iam::{self.key}:role/{role}", RoleSessionName="test")
        credentials = found["Credentials"]
        return Account(
            aws=self.aws,
            key=credentials["AccessKeyId"],
            secret=credentials["SecretAccessKey"],
            token=credentials["SessionToken"],
            region=self.region,
        )


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack, by name."""

    account: Account
    name: str = "stack"

    @property
    def cfn(self) -> Any:
        return self.account.client("cloudformation")

    def change_set(
        self, template: Template, *, kind: str | None = None, name: str | None = None, **extra: Any
    ) -> dict[str, Any]:
        """Makes a change set and describes it with values."""
        extra.setdefault("Capabilities", CAPABILITIES)
        made = self.cfn.create_change_set(
            StackName=self.name,
            ChangeSetName=name or f"set-{next(_NUMBERS)}",
            ChangeSetType=kind or ("UPDATE" if self.exists() else "CREATE"),
            TemplateBody=json.dumps(template),
            **extra,
        )
        found: dict[str, Any] = self.cfn.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=True)
        return found

    def exists(self) -> bool:
        try:
            status = self.describe()["StackStatus"]
        except self.cfn.exceptions.ClientError:
            return False
        return status not in {"REVIEW_IN_PROGRESS", "DELETE_COMPLETE"}

    def deploy(self, template: Template, **extra: Any) -> str:
        """Through a change set to a final status."""
        self.execute(self.change_set(template, **extra)["ChangeSetId"])
        return self.wait()

    def execute(self, change_set: str) -> None:
        self.cfn.execute_change_set(ChangeSetName=change_set)

    def describe(self, name: str | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self.cfn.describe_stacks(StackName=name or self.name)["Stacks"][0]
        return found

    def wait(self, name: str | None = None) -> str:
        cfn, until = self.cfn, time.monotonic() + 60
        while time.monotonic() < until:
            status = str(cfn.describe_stacks(StackName=name or self.name)["Stacks"][0]["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.01)
        raise AssertionError(f"{self.name} does not come to an end")

    def delete(self, **extra: Any) -> str:
        arn = self.describe()["StackId"]
        self.cfn.delete_stack(StackName=self.name, **extra)
        return self.wait(arn)

    def failures(self, name: str | None = None) -> list[str]:
        """Reasons of failed resources, newest first."""
        events = self.cfn.describe_stack_events(StackName=name or self.name)["StackEvents"]
        return [
            event.get("ResourceStatusReason", "") for event in events if event["ResourceStatus"].endswith("_FAILED")
        ]

    def events(self, logical_id: str) -> list[str]:
        """Statuses of one resource, oldest first."""
        events = reversed(self.cfn.describe_stack_events(StackName=self.name)["StackEvents"])
        return [event["ResourceStatus"] for event in events if event["LogicalResourceId"] == logical_id]

    def physical(self, logical_id: str) -> str:
        found = self.cfn.describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def drift(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """The detection's status, and each resource's drift by logical id."""
        cfn = self.cfn
        detection = cfn.detect_stack_drift(StackName=self.name)["StackDriftDetectionId"]
        status = cfn.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        rows: list[dict[str, Any]] = []
        for page in _pages(cfn.describe_stack_resource_drifts, StackName=self.name):
            rows.extend(page["StackResourceDrifts"])
        return status, {row["LogicalResourceId"]: row for row in rows}


def _pages(call: Any, **arguments: Any) -> Sequence[dict[str, Any]]:
    pages = [call(**arguments)]
    while token := pages[-1].get("NextToken"):
        pages.append(call(**arguments, NextToken=token))
    return pages


def resources(**given: Mapping[str, Any]) -> dict[str, Any]:
    """A template of resources only."""
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": given}


def changes(described: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The resource changes of a change set by logical id."""
    rows = [change["ResourceChange"] for change in described["Changes"]]
    return {row["LogicalResourceId"]: row for row in rows}
