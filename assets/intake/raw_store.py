"""The raw store: every received file for ever, and a receipt for each.

Belongs here: bytes in, receipts out. A file is known by its SHA-256, so the same bytes are one
receipt whatever their name. Does not: judging a file; a broken one gets a receipt too.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from assets.intake.attribution import declared_force
from assets.intake.container import check_entry
from assets.intake.kept import ID_LENGTH, check_unchanged
from assets.intake.landing import OPEN, being_written
from assets.intake.quarantine import Quarantine, name_as_text
from assets.intake.reader import read_return
from assets.intake.reading import Reading, RefusedError
from assets.lake import Lake, atomic_file, put_in_place, scratch_file, write_errors
from schemas.collection import Collection
from schemas.errors import LakeError

_CHUNK: Final = 1024 * 1024

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Receipt:
    """One received file; the fields are those of the contract Receipts.

    `quarantined` tells where its bytes lie: with the returns, or apart from them.
    """

    receipt_id: str
    sequence: int
    sha256: str
    size: int
    file_name: str
    received_at: str
    force_code: str | None
    version: int | None
    quarantined: bool = False


@dataclass(frozen=True)
class TakenIn:
    """What one round of taking in did.

    `duplicates` maps the name of a dropped file to the receipt that has the same bytes under
    another name; `left` maps the name of a file that waits for the next round to the reason;
    `refused` the name of what must not even be opened, and has no receipt.
    """

    new: tuple[Receipt, ...]
    duplicates: dict[str, str]
    left: dict[str, str]
    refused: dict[str, str]


class _LeftError(Exception):
    """The file stays in landing for the next round; the text says why."""


class RawStore:
    """The raw store of one collection."""

    def __init__(self, lake: Lake, clock: Clock = utc_now) -> None:
        self._files = lake.raw / "files"
        self._receipts = lake.raw / "receipts"
        self._quarantine = Quarantine(lake)
        self._clock = clock
        self._readings: dict[str, Reading] = {}

    def receipts(self) -> list[Receipt]:
        """Return every receipt in order of receipt.

        Raises:
            LakeError: a receipt is damaged.
        """
        found = []
        for path in sorted(self._receipts.glob("*.json")):
            try:
                found.append(Receipt(**json.loads(path.read_text(encoding="utf-8"))))
            except (ValueError, TypeError) as error:
                raise LakeError(
                    path, f"is not a receipt ({error})", "Restore it from the backup of the lake."
                ) from error
        return found

    def path(self, receipt: Receipt) -> Path:
        """Return where the bytes of a receipt lie."""
        if receipt.quarantined:
            return self._quarantine.path(receipt.sha256)
        return self._files / receipt.sha256

    def read(self, receipt: Receipt) -> Reading:
        """Read the file of a receipt; one in quarantine is not opened again.

        Raises:
            LakeError: its bytes are gone, or no longer those that were received.
        """
        if receipt.quarantined:
            return Reading(refusal=self._quarantine.reason(receipt.sha256))
        path = self.path(receipt)
        check_unchanged(path, receipt.file_name, receipt.sha256)
        if receipt.receipt_id not in self._readings:
            self._readings[receipt.receipt_id] = read_return(path)
        return self._readings[receipt.receipt_id]

    def take_in(self, files: Iterable[Path], collection: Collection) -> TakenIn:
        """Take dropped files in, in the order given; those that are known are left alone.

        Raises:
            LakeError: the raw store cannot be written.
        """
        receipts = self.receipts()
        known = {receipt.sha256: receipt for receipt in receipts}
        new: list[Receipt] = []
        duplicates: dict[str, str] = {}
        left: dict[str, str] = {}
        refused: dict[str, str] = {}
        for path in files:
            try:
                check_entry(path)
                sha256 = self._keep(path, known)
            except RefusedError as refusal:
                self._quarantine.set_aside(path, refusal)
                refused[path.name] = f"{refusal.problem}. {refusal.fix}"
                continue
            except FileNotFoundError:
                left[path.name] = "has gone since; nothing was taken in"
                continue
            except _LeftError as reason:
                left[path.name] = str(reason)
                continue
            if sha256 in known:
                if known[sha256].file_name != path.name:
                    duplicates[path.name] = known[sha256].receipt_id
            else:
                receipt = self._write_receipt(path.name, sha256, receipts + new, collection)
                known[sha256] = receipt
                new.append(receipt)
        return TakenIn(tuple(new), duplicates, left, refused)

    def _keep(self, source: Path, known: Iterable[str]) -> str:
        """Copy a file into the store under its hash, and return the hash.

        The receipt is written afterwards, so a copy without one, left by a kill, is no receipt:
        the next round makes the same copy again.
        """
        with write_errors(self._files), scratch_file(self._files) as copy:
            sha256 = _copy(source, copy)
            if sha256 not in known:
                put_in_place(copy, self._files / sha256, mode=0o444)
        return sha256

    def _write_receipt(
        self, file_name: str, sha256: str, earlier: list[Receipt], collection: Collection
    ) -> Receipt:
        receipt = Receipt(
            receipt_id=sha256[:ID_LENGTH],
            sequence=max((r.sequence for r in earlier), default=0) + 1,
            sha256=sha256,
            size=(self._files / sha256).stat().st_size,
            file_name=name_as_text(file_name),
            received_at=self._clock().isoformat(timespec="seconds"),
            force_code=None,
            version=None,
        )
        reading = self.read(receipt)
        force = declared_force(reading, collection)
        if force is not None:
            versions = sum(r.force_code == force for r in earlier) + 1
            receipt = replace(receipt, force_code=force, version=versions)
        if reading.refusal:
            receipt = replace(receipt, quarantined=True)
            kept = self._files / sha256
            self._quarantine.move_in(kept, sha256, receipt.file_name, reading.refusal)
        name = f"{receipt.sequence:06d}-{receipt.receipt_id}.json"
        with atomic_file(self._receipts / name) as file:
            file.write(json.dumps(asdict(receipt), indent=1).encode())
        return receipt


def _copy(source: Path, target: Path) -> str:
    """Copy a dropped file and return its hash.

    Raises:
        _LeftError: the file cannot be opened, or changed while it was copied.
    """
    digest = hashlib.sha256()
    try:
        reader = source.open("rb")
    except OSError as error:
        raise _LeftError(f"cannot be opened ({error.strerror})") from error
    with reader, target.open("wb") as writer:
        before = os.fstat(reader.fileno())
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
        after = os.fstat(reader.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _LeftError("changed while it was copied; it is taken in once it is whole")
    if being_written(source):
        raise _LeftError(OPEN)
    return digest.hexdigest()
