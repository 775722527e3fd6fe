"""The desk's ledger: what people decided about returns, one record a file, only ever added to."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from assets.intake.store import Clock, utc_now
from assets.lake import Lake, scratch_file, sync_folder, write_errors
from schemas.errors import LakeError, MusterError

_CONTENT: Final[dict[str, dict[str, type]]] = {
    "answer": dict.fromkeys(("query_id", "force_code", "rule_id", "answered_for", "reason"), str),
    "acceptance": {"query_id": str, "answer": int},
    "choice": {"force_code": str, "version": int, "up_to": int, "reason": str},
}
"""What a record of each kind must say, and as what."""


class DeskError(MusterError):
    """A decision cannot be recorded; the message says why and what to do instead."""


@dataclass(frozen=True)
class Record:
    """One decision: its number in the ledger, what kind, who made it and when, and the rest."""

    number: int
    kind: str
    by: str
    at: str
    content: dict[str, Any]


class Ledger:
    """The ledger of one collection; with `until`, as it stood at that moment."""

    _DIGITS: Final = 6

    def __init__(self, lake: Lake, clock: Clock = utc_now, until: datetime | None = None) -> None:
        self.collection = lake.collection
        self._folder = lake.desk / "ledger"
        self._clock = clock
        self._until = until

    def records(self, *kinds: str) -> list[Record]:
        """Return the records of some kinds, or all, in order.

        Raises:
            LakeError: a record is damaged.
        """
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                record = Record(**json.loads(path.read_text(encoding="utf-8")))
                at = datetime.fromisoformat(record.at)
                for key, kind in _CONTENT[record.kind].items():
                    if not isinstance(record.content[key], kind):
                        raise TypeError(key)
            except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
                raise LakeError(
                    path,
                    f"is not a record ({type(error).__name__})",
                    "Restore it from the backup of the lake: what people decided is nowhere else.",
                ) from error
            known = self._until is None or at <= self._until
            if known and (not kinds or record.kind in kinds):
                found.append(record)
        return found

    def add(self, kind: str, by: str, content: dict[str, Any]) -> Record:
        """Add a record and return it.

        Raises:
            DeskError: nobody is named.
            LakeError: the ledger cannot be written.
        """
        if not by.strip():
            raise DeskError("nobody is named. Say who decides: --by NAME.")
        at = self._clock().isoformat(timespec="seconds")
        with write_errors(self._folder), scratch_file(self._folder) as scratch:
            while True:
                number = self._last() + 1
                record = Record(number, kind, by.strip(), at, content)
                scratch.write_text(json.dumps(vars(record), indent=1), encoding="utf-8")
                try:
                    # A link, unlike a rename, fails where somebody else took the number.
                    (self._folder / f"{number:0{self._DIGITS}d}-{kind}.json").hardlink_to(scratch)
                except FileExistsError:
                    continue
                sync_folder(self._folder)
                return record

    def _last(self) -> int:
        numbers = (int(path.name[: self._DIGITS]) for path in self._folder.glob("[0-9]*.json"))
        return max(numbers, default=0)
