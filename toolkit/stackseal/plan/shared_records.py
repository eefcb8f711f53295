"""Seal records in the account's artifact bucket, where every runner finds them (design §5)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from stackseal.errors import Refused
from stackseal.model import StackId
from stackseal.plan.record import LAST, SealRecord, belonging, dump, key, load, newest_first

if TYPE_CHECKING:
    from stackseal.aws.s3 import Bucket


class SharedRecords:
    """Records as objects of a bucket; only the plan role may write there, and old versions stay."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put(self, found: SealRecord) -> str:
        """Store a record and say where."""
        where = key(found.stack, found.pull_request, found.head, unsealed=found.unsealed)
        for place in (where, _last(where)):
            self._bucket.put(place, dump(found))
        return f"{self._bucket}{where}"

    def last(self, stack: StackId, pull_request: int | None) -> SealRecord | None:
        """The record that was stored last for a pull request on a stack, Refused when it is not what it should be."""
        where = _last(key(stack, pull_request, "0" * 40))
        text = self._bucket.get(where)
        if text is None:
            return None
        found = load(text, source=f"{self._bucket}{where}")
        return belonging(found, stack, pull_request, found.head)

    def of(self, stack: StackId, pull_request: int | None, *, unsealed: bool = False) -> tuple[SealRecord, ...]:
        """Every record of a pull request on a stack, newest first; Refused when one is not what it should be."""
        folder = str(PurePosixPath(key(stack, pull_request, "0" * 40, unsealed=unsealed)).parent) + "/"
        names = [name for name in self._bucket.keys(folder) if name.endswith(".json")]
        found = [
            belonging(self._read(name), stack, pull_request, PurePosixPath(name).stem, unsealed=unsealed)
            for name in names
        ]
        return newest_first(found)

    def _read(self, name: str) -> SealRecord:
        text = self._bucket.get(name)
        if text is None:
            raise Refused(f"the seal record {self._bucket}{name} is gone", remedy="review the pull request again")
        return load(text, source=f"{self._bucket}{name}")


def _last(where: str) -> str:
    return str(PurePosixPath(where).with_name(LAST))
