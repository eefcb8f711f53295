"""Clients: one per service and region, with retries and time limits, from the environment that is passed in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from stackseal.aws.errors import translated
from stackseal.errors import UsageError

if TYPE_CHECKING:
    import boto3
    import botocore.loaders
    import botocore.session
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

ATTEMPTS: Final = 10
"""botocore's own default of three attempts loses to six throttled answers in a row; ten repeats survive them."""
CONNECT_SECONDS: Final = 10
READ_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Keys of a session; never printed."""

    key: str
    secret: str
    token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"


class Aws:
    """The way to AWS.

    `environ` is read for what boto3 reads: keys, session token, profile, region and endpoint addresses. Where it holds
    no keys, boto3's own chain decides (web identity, container, profile, instance role).
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        region: str | None = None,
        account: str | None = None,
        endpoint_url: str | None = None,
        credentials: Credentials | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._environ = dict(environ)
        self._region = region or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
        self._endpoint_url = endpoint_url or environ.get("AWS_ENDPOINT_URL") or None
        self._attempts = attempts
        self._credentials = credentials or _from_environ(environ)
        self._accounts: dict[str, str] = {"": account} if account else {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()
        self._session: boto3.session.Session | None = None

    @property
    def region(self) -> str:
        """The default region; an error where none is known."""
        if not self._region:
            raise UsageError("no AWS region is set", remedy="set AWS_REGION or name the region in the config")
        return self._region

    @cached_property
    def has_credentials(self) -> bool:
        """Whether there are any, looked for once; nobody is asked whether they are good."""
        with translated("could not look for AWS credentials"):
            return self._boto().get_credentials() is not None

    @overload
    def client(self, service: Literal["cloudformation"], region: str | None = None) -> CloudFormationClient: ...
    @overload
    def client(self, service: Literal["s3"], region: str | None = None) -> S3Client: ...
    @overload
    def client(self, service: Literal["ssm"], region: str | None = None) -> SSMClient: ...
    @overload
    def client(self, service: Literal["sts"], region: str | None = None) -> STSClient: ...
    @overload
    def client(self, service: str, region: str | None = None) -> Any: ...

    def client(self, service: str, region: str | None = None) -> Any:
        """The service's client in a region (default: ours); made once, usable from several threads."""
        where = region or self.region
        with self._lock:
            if (service, where) not in self._clients:
                self._clients[service, where] = self._make(service, where)
            return self._clients[service, where]

    def account(self, region: str | None = None) -> str:
        """The account that the credentials belong to, asked of the region's own STS."""
        where = region or self.region
        known = self._accounts.get("") or self._accounts.get(where)
        if known is None:
            with translated(f"could not tell which account the credentials for {where} belong to"):
                known = self.client("sts", where).get_caller_identity()["Account"]
            self._accounts[where] = known
        return known

    def assumed(
        self,
        role_arn: str,
        *,
        session_name: str,
        token: Callable[[], str] | None = None,
        external_id: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Aws:
        """The same way to AWS as another role; its credentials renew themselves before they expire.

        `token` fetches a web identity (OIDC) token; then no credentials are needed to begin with. The first ones are
        taken at once, so that a role that cannot be assumed is an error here. `now` says when it is time to renew.
        """

        def take() -> dict[str, str]:
            with translated(f"could not take the role {role_arn}"):
                sts = self.client("sts")
                if token is None:
                    more: Any = {"ExternalId": external_id} if external_id else {}
                    found = sts.assume_role(RoleArn=role_arn, RoleSessionName=session_name, **more)["Credentials"]
                else:
                    found = sts.assume_role_with_web_identity(
                        RoleArn=role_arn, RoleSessionName=session_name, WebIdentityToken=token()
                    )["Credentials"]
            return {
                "access_key": found["AccessKeyId"],
                "secret_key": found["SecretAccessKey"],
                "token": found["SessionToken"],
                "expiry_time": found["Expiration"].isoformat(),
            }

        found = Aws(self._environ, region=self._region, endpoint_url=self._endpoint_url, attempts=self._attempts)
        found._session = _renewing(take, now)
        return found

    def anonymous(self) -> Aws:
        """The same way to AWS for calls that are not signed; credentials are not even looked for."""
        nobody = Credentials(key="nobody", secret="nobody")  # noqa: S106 - botocore wants some, and signs nothing
        where = {"region": self._region, "endpoint_url": self._endpoint_url}
        return Aws(self._environ, **where, credentials=nobody, attempts=self._attempts)

    def close(self) -> None:
        """Close the connections of all clients."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _make(self, service: str, region: str) -> Any:
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "max_attempts": self._attempts},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            s3={"addressing_style": "path"} if self._endpoint_url else None,
        )
        endpoint = self._environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or self._endpoint_url
        if endpoint is None and service == "sts":
            # A token of the global STS is refused in opt-in regions, with a text that names no cause.
            endpoint = f"https://sts.{region}.{_suffix(region)}"
        with translated(f"could not prepare calls to {service} in {region}"):
            session: Any = self._boto()
            return session.client(service, region_name=region, endpoint_url=endpoint, config=config)

    def _boto(self) -> boto3.session.Session:
        import boto3

        if self._session is None:
            keys = self._credentials
            offline = self._environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
            inner = _inner()
            if offline:  # botocore itself reads the variable from the process only
                inner.get_component("credential_provider").remove("iam-role")
            self._session = boto3.session.Session(
                aws_access_key_id=keys.key if keys else None,
                aws_secret_access_key=keys.secret if keys else None,
                aws_session_token=keys.token if keys else None,
                profile_name=None if keys else self._environ.get("AWS_PROFILE"),
                botocore_session=inner,
            )
        return self._session


def _inner() -> botocore.session.Session:
    """A session of botocore's that reads no description of a service that another one has read."""
    from botocore.session import Session

    found, loader = Session(), _loader()
    # Every session of boto3's adds its own folder to the list.
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)
    found.register_component("data_loader", loader)
    return found


@cache
def _loader() -> botocore.loaders.Loader:
    """One for the process: reading the descriptions takes longer than most calls (measured: 60 ms a session)."""
    from botocore.loaders import create_loader

    return create_loader()


def _renewing(take: Callable[[], dict[str, str]], now: Callable[[], datetime]) -> boto3.session.Session:
    """A session whose credentials come from `take`, again whenever they are about to expire."""
    import boto3
    from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

    first = take()
    found = RefreshableCredentials(
        first["access_key"],
        first["secret_key"],
        first["token"],
        datetime.fromisoformat(first["expiry_time"]),
        take,
        "assume-role",
        time_fetcher=now,
    )

    class Provider(CredentialProvider):
        METHOD = "stackseal"

        def load(self) -> RefreshableCredentials:
            return found

    session = _inner()
    session.register_component("credential_provider", CredentialResolver([Provider()]))
    return boto3.session.Session(botocore_session=session)


def _from_environ(environ: Mapping[str, str]) -> Credentials | None:
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not (key and secret):
        return None
    return Credentials(key=key, secret=secret, token=environ.get("AWS_SESSION_TOKEN") or None)


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
