"""From botocore's exceptions to sentences of ours: the one place that knows AWS's error codes.

Codes and texts: the service models of botocore 1.43 and the "Common errors" page of the CloudFormation API reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from stackseal.errors import Failed, StacksealError, Unknown


class AwsFailed(Failed):
    """A call to AWS did not work; `code` is AWS's own word for the reason (empty where no answer came)."""

    def __init__(self, what: str, *, why: str = "", remedy: str = "", code: str = "") -> None:
        super().__init__(what, why=why, remedy=remedy)
        self.code = code


class Cause(NamedTuple):
    """Why a code comes back, and what to do about it. `{message}` is AWS's text."""

    why: str
    remedy: str


_DENIED: Final = Cause(
    "the credentials may not do this ({message})",
    "grant the named action to the role; `stackseal create-policy CONFIG` writes the policies",
)
_EXPIRED: Final = Cause("the credentials have expired", "renew them (log in again, or start the job again) and repeat")
_UNKNOWN_TOKEN: Final = Cause(
    "AWS does not know these credentials in this region ({message})",
    "check the keys; for an opt-in region enable it for the account and use regional STS tokens",
)
_THROTTLED: Final = Cause("AWS is limiting requests and ten repeats did not help", "wait a minute and run it again")
_SERVER: Final = Cause("AWS has a problem of its own ({message})", "look at the AWS Health Dashboard and run it again")

CAUSES: Final[Mapping[str, Cause]] = {
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "UnauthorizedOperation": _DENIED,
    "AuthorizationError": _DENIED,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "RequestExpired": _EXPIRED,
    "InvalidClientTokenId": _UNKNOWN_TOKEN,
    "UnrecognizedClientException": _UNKNOWN_TOKEN,
    "AuthFailure": _UNKNOWN_TOKEN,
    "InvalidAccessKeyId": _UNKNOWN_TOKEN,
    "SignatureDoesNotMatch": Cause(
        "the request's signature is wrong ({message})", "check the secret key and the clock of this machine"
    ),
    "OptInRequired": Cause(
        "the account does not use this region or service ({message})", "enable it for the account, then run it again"
    ),
    "Throttling": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "RequestLimitExceeded": _THROTTLED,
    "TooManyRequestsException": _THROTTLED,
    "SlowDown": _THROTTLED,
    "InternalFailure": _SERVER,
    "InternalError": _SERVER,
    "ServiceUnavailable": _SERVER,
    "ServiceUnavailableException": _SERVER,
    "500": _SERVER,
    "502": _SERVER,
    "503": _SERVER,
    "AlreadyExistsException": Cause(
        "something with this name exists ({message})", "run the review again; it gives every change set its own name"
    ),
    "TokenAlreadyExistsException": Cause(
        "this operation is already running or done under the same token ({message})",
        "follow it with `stackseal recover STACK --region REGION`",
    ),
    "OperationInProgressException": Cause(
        "another operation is running on the stack ({message})", "wait until it has ended and run it again"
    ),
    "InsufficientCapabilitiesException": Cause(
        "the template creates IAM resources or uses macros that nobody acknowledged ({message})",
        "add the named capability to the plan",
    ),
    "LimitExceededException": Cause(
        "a quota is used up ({message})",
        "run `stackseal cleanup --sweep` to remove old change sets, or raise the quota",
    ),
    "ChangeSetNotFound": Cause("the change set no longer exists ({message})", "plan again and review the new plan"),
    "ChangeSetNotFoundException": Cause(
        "the change set no longer exists ({message})", "plan again and review the new plan"
    ),
    "InvalidChangeSetStatus": Cause(
        "the change set is not in a state that can be executed ({message})", "plan again and review the new plan"
    ),
    "InvalidChangeSetStatusException": Cause(
        "the change set is not in a state that can be executed ({message})", "plan again and review the new plan"
    ),
    "NoSuchBucket": Cause("the bucket does not exist ({message})", "run `stackseal bootstrap CONFIG` in this account"),
    "ParameterNotFound": Cause(
        "the SSM parameter does not exist ({message})", "deploy the stack that publishes it first"
    ),
}

_NO_ANSWER: Final[Mapping[str, Cause]] = {
    "NoCredentialsError": Cause(
        "there are no AWS credentials", "log in, set a profile or role, or plan without credentials (predicted plan)"
    ),
    "PartialCredentialsError": Cause("the AWS credentials are incomplete ({message})", "set both key and secret"),
    "CredentialRetrievalError": Cause("the AWS credentials could not be fetched ({message})", "log in again"),
    "TokenRetrievalError": Cause("the SSO session cannot be used ({message})", "run `aws sso login` again"),
    "SSOTokenLoadError": Cause("the SSO session cannot be used ({message})", "run `aws sso login` again"),
    "UnauthorizedSSOTokenError": Cause("the SSO session has expired", "run `aws sso login` again"),
    "ProfileNotFound": Cause("the AWS profile does not exist ({message})", "correct AWS_PROFILE"),
    "NoRegionError": Cause("no region is set", "set AWS_REGION or name the region in the config"),
    "InvalidRegionError": Cause("the region's name is not one ({message})", "correct the region"),
    "ParamValidationError": Cause("a value is not what the AWS API accepts ({message})", "correct the value"),
}
_LOST: Final = Cause(
    "AWS did not answer ({message})", "check the network, the proxy and the region's name, then repeat"
)


@contextmanager
def translated(what: str, *, changes: str = "") -> Iterator[None]:
    """Raise botocore's errors of the body as ours.

    `what` is the first part of the sentence ("could not read the stack X"). A call that changes something passes the
    command that finds out how it ended as `changes`: without an answer it becomes `Unknown`, for the change may have
    been made.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise translate(error, what, changes=changes) from error


def unreadable(what: str) -> AwsFailed:
    """An answer without the part that it must have: a proxy's page, or one that was cut off."""
    return AwsFailed(what, why="the answer cannot be read", remedy="check the proxy and the endpoint, then repeat")


def translate(error: Exception, what: str, *, changes: str = "") -> StacksealError:
    """One botocore exception as an error of ours; see `translated`."""
    code = code_of(error)
    message = message_of(error)
    cause = CAUSES.get(code) if code else _NO_ANSWER.get(type(error).__name__)
    if cause is None and _status(error) >= 500:
        cause = _SERVER
    if changes and (cause is _SERVER or (not code and cause is None)):
        return Unknown(what, why=(cause or _LOST).why.format(message=message), remedy=changes)
    if cause is None:
        cause = Cause("{message}", "") if code else _LOST
    return AwsFailed(what, why=cause.why.format(message=message), remedy=cause.remedy, code=code)


def _status(error: BaseException) -> int:
    """The HTTP status of the answer, 0 where none came."""
    response = getattr(error, "response", None)
    found = response.get("ResponseMetadata") if isinstance(response, Mapping) else None
    return int(found.get("HTTPStatusCode", 0)) if isinstance(found, Mapping) else 0


def code_of(error: BaseException) -> str:
    """AWS's error code, empty where no answer came."""
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return ""
    found = response.get("Error")
    return str(found.get("Code", "")) if isinstance(found, Mapping) else ""


def message_of(error: BaseException) -> str:
    """AWS's text on one line."""
    response = getattr(error, "response", None)
    found = response.get("Error") if isinstance(response, Mapping) else None
    text = str(found.get("Message", "")) if isinstance(found, Mapping) else ""
    return " ".join((text or str(error)).split())
