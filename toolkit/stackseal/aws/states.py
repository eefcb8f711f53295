"""What stackseal does in each state of a stack and of a change set: one documented action each, as data.

Source of the states: the enums StackStatus, ChangeSetStatus and ExecutionStatus of CloudFormation's service model; of
their meaning: "View stack status codes" and "Create change sets" in the CloudFormation User Guide. Tests compare the
tables with botocore's enums, so that a new state cannot pass unnoticed.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final, NamedTuple


class Do(enum.Enum):
    """The actions; each command has one for every state."""

    CREATE = "make a change set of type CREATE"
    UPDATE = "make a change set of type UPDATE"
    WAIT = "wait until the running operation has ended, then look again"
    STOP = "change nothing, report the state and the remedy"
    DETECT = "detect drift"
    NOTHING = "there is nothing to compare"


class Row(NamedTuple):
    """One state of a stack."""

    review: Do
    deploy: Do
    drift: Do
    remedy: str = ""
    """What a person can do where the action is STOP or WAIT."""


_BUSY: Final = "wait for the operation on the stack to end; `stackseal recover STACK --region REGION` follows it"
_DELETE: Final = (
    "delete the stack with `stackseal delete-product CONFIG --force` (retained resources stay), then run it again"
)


def _good() -> Row:
    return Row(Do.UPDATE, Do.UPDATE, Do.DETECT)


def _busy() -> Row:
    return Row(Do.WAIT, Do.WAIT, Do.WAIT, _BUSY)


STACK: Final[Mapping[str | None, Row]] = {
    None: Row(Do.CREATE, Do.CREATE, Do.NOTHING),
    "REVIEW_IN_PROGRESS": Row(Do.CREATE, Do.CREATE, Do.NOTHING),
    "DELETE_COMPLETE": Row(Do.CREATE, Do.CREATE, Do.NOTHING),
    "CREATE_COMPLETE": _good(),
    "UPDATE_COMPLETE": _good(),
    "UPDATE_ROLLBACK_COMPLETE": _good(),
    "IMPORT_COMPLETE": _good(),
    "IMPORT_ROLLBACK_COMPLETE": _good(),
    "CREATE_IN_PROGRESS": _busy(),
    "DELETE_IN_PROGRESS": _busy(),
    "IMPORT_IN_PROGRESS": _busy(),
    "IMPORT_ROLLBACK_IN_PROGRESS": _busy(),
    "ROLLBACK_IN_PROGRESS": _busy(),
    "UPDATE_IN_PROGRESS": _busy(),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": _busy(),
    "UPDATE_ROLLBACK_IN_PROGRESS": _busy(),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": _busy(),
    "CREATE_FAILED": Row(Do.STOP, Do.STOP, Do.NOTHING, _DELETE),
    "ROLLBACK_COMPLETE": Row(Do.STOP, Do.STOP, Do.NOTHING, _DELETE),
    "ROLLBACK_FAILED": Row(Do.STOP, Do.STOP, Do.NOTHING, _DELETE),
    "DELETE_FAILED": Row(
        Do.STOP,
        Do.STOP,
        Do.DETECT,
        "see which resources could not be deleted, empty or retain them, and delete the stack again",
    ),
    "UPDATE_FAILED": Row(
        Do.STOP, Do.STOP, Do.DETECT, "roll the stack back (`aws cloudformation rollback-stack`), then run it again"
    ),
    "UPDATE_ROLLBACK_FAILED": Row(
        Do.STOP,
        Do.STOP,
        Do.DETECT,
        "mend what the failed resources name, then go on with "
        "`stackseal recover STACK --region REGION --continue-rollback --force`",
    ),
    "IMPORT_ROLLBACK_FAILED": Row(
        Do.STOP, Do.STOP, Do.DETECT, "mend what the failed resources name, then repeat the import by hand"
    ),
}


_STRANGE: Final = Row(Do.STOP, Do.STOP, Do.NOTHING, "see the stack in the AWS console")


def row(status: str | None) -> Row:
    """The actions for a stack in this state, None for no stack; STOP where AWS has made a new state."""
    return STACK.get(status, _STRANGE)


class Use(enum.Enum):
    """What a deployment does with a change set it finds."""

    EXECUTE = "prove it and execute it"
    WAIT = "wait until it is made, then look again"
    FOLLOW = "it is being executed: wait until the stack rests, then look again"
    DONE = "it was executed: report the stack"
    REPLAN = "plan again and compare with the record"
    STOP = "change nothing; AWS documents no such pair"


_STATUSES: Final = (
    "CREATE_PENDING",
    "CREATE_IN_PROGRESS",
    "CREATE_COMPLETE",
    "DELETE_PENDING",
    "DELETE_IN_PROGRESS",
    "DELETE_COMPLETE",
    "DELETE_FAILED",
    "FAILED",
)
_EXECUTIONS: Final = (
    "UNAVAILABLE",
    "AVAILABLE",
    "EXECUTE_IN_PROGRESS",
    "EXECUTE_COMPLETE",
    "EXECUTE_FAILED",
    "OBSOLETE",
)
_S, _R, _W = Use.STOP, Use.REPLAN, Use.WAIT
_CELLS: Final[Mapping[str, tuple[Use, ...]]] = {
    #                     UNAVAILABLE AVAILABLE EXECUTE_IN_PROGRESS EXECUTE_COMPLETE EXECUTE_FAILED OBSOLETE
    "CREATE_PENDING": (_W, _S, _S, _S, _S, _R),
    "CREATE_IN_PROGRESS": (_W, _S, _S, _S, _S, _R),
    "CREATE_COMPLETE": (_W, Use.EXECUTE, Use.FOLLOW, Use.DONE, _R, _R),
    "DELETE_PENDING": (_R, _R, Use.FOLLOW, Use.DONE, _R, _R),
    "DELETE_IN_PROGRESS": (_R, _R, Use.FOLLOW, Use.DONE, _R, _R),
    "DELETE_COMPLETE": (_R, _R, Use.FOLLOW, Use.DONE, _R, _R),
    "DELETE_FAILED": (_R, _R, Use.FOLLOW, Use.DONE, _R, _R),
    "FAILED": (_R, _S, _S, _S, _R, _R),
}
CHANGE_SET: Final[Mapping[tuple[str, str], Use]] = {
    (status, execution): _CELLS[status][column] for status in _STATUSES for column, execution in enumerate(_EXECUTIONS)
}
