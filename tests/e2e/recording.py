"""What a review may ask AWS, and a way to AWS that writes down every call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from e2e.harness import ACCOUNT, Bench
from stackseal.aws.session import Aws

REVIEW_CALLS: Final = frozenset(
    {
        # Everything that a review may ask AWS; docs/explanation/sealed-plans.md says what for.
        "cloudformation:CreateChangeSet",
        "cloudformation:DeleteChangeSet",
        "cloudformation:DescribeChangeSet",
        "cloudformation:DescribeEvents",
        "cloudformation:DescribeStackDriftDetectionStatus",
        "cloudformation:DescribeStacks",
        "cloudformation:DetectStackDrift",
        "cloudformation:GetTemplate",
        "cloudformation:ListChangeSets",
        "cloudformation:ListStackResources",
        "codeconnections:GetConnection",
        "s3:GetObject",
        "s3:PutObject",
        "ssm:GetParameter",
        "sts:GetCallerIdentity",
    }
)
WRITES: Final = frozenset({"cloudformation:CreateChangeSet", "cloudformation:DeleteChangeSet", "s3:PutObject"})
"""Those of them that change something."""
READS: Final = ("Describe", "Detect", "Get", "List")
"""How the names of the others begin: drift detection looks at resources and writes down only what it saw."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to AWS and what came back; `answer` is empty where it was an error."""

    name: str
    sent: Mapping[str, Any]
    answer: Mapping[str, Any]


@dataclass(kw_only=True)
class Log:
    """Every call, in order, as botocore itself tells of it."""

    calls: list[Call] = field(default_factory=list)
    _sent: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        return {call.name for call in self.calls}

    def watch(self, service: str, client: Any) -> None:
        """Write down what this client does."""
        client.meta.events.register(f"before-parameter-build.{service}.*", self._asked, unique_id="asked")
        client.meta.events.register(f"after-call.{service}.*", self._told(service), unique_id="told")

    def _asked(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        self._sent.append((model.name, dict(params)))

    def _told(self, service: str) -> Callable[..., None]:
        def told(model: Any, parsed: Mapping[str, Any], http_response: Any, **_: Any) -> None:
            name, sent = self._sent.pop()
            assert name == model.name
            good = http_response.status_code < 300
            self.calls.append(Call(name=f"{service}:{name}", sent=sent, answer=dict(parsed) if good else {}))

        return told


class Recorded(Aws):
    """A way to AWS whose clients tell a log everything."""

    log: Log

    def client(self, service: Any, region: str | None = None) -> Any:
        found = super().client(service, region)
        self.log.watch(service, found)
        return found


def recorded(bench: Bench, log: Log) -> Bench:
    """The same repository and account, with every call written down."""

    @cache
    def connect(account: str, region: str) -> Aws:
        way = Recorded({**bench.aws.environ(), "AWS_ACCESS_KEY_ID": account}, region=region)
        way.log = log
        return way

    # A command that is not told the account takes that of the credentials.
    return replace(bench, world=replace(bench.world, aws=lambda account, region: connect(account or ACCOUNT, region)))
