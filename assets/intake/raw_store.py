"""Returns in the received store: a receipt for each file, in order of arrival, and whose it is.

A file is known by its SHA-256, so the same bytes are one receipt whatever their name; a broken one
gets a receipt too. Files that must not or cannot be parsed lie apart, in quarantine, each beside
the reason.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from assets.intake.container import check_entry
from assets.intake.landing import LeftError, name_as_text, opened, waiting
from assets.intake.quoting import words_sha256
from assets.intake.reader import declared_force, read_return, submitted_on
from assets.intake.reading import Reading, RefusedError
from assets.intake.receipts import DamagedReturn, Receipts, ReturnReceipt, TakenIn, next_numbers
from assets.intake.store import (
    FOLDERS,
    ID_LENGTH,
    Clock,
    changed,
    sha256_of,
    utc_now,
    without_receipt,
)
from assets.kept import made_once
from assets.lake import (
    Lake,
    atomic_file,
    forced_together,
    is_held,
    put_in_place,
    scratch_file,
    write_errors,
)
from schemas.collection import Collection, load_collection
from schemas.errors import LakeError, SetupError

_KEY_LENGTH: Final = 16
_RESTORE: Final = "Restore it from the backup of the lake."


class RawStore(Receipts[ReturnReceipt]):
    """The raw store of one collection."""

    def __init__(self, lake: Lake, clock: Clock = utc_now) -> None:
        self._files = lake.raw / FOLDERS["return"]
        super().__init__(lake, "receipts", ReturnReceipt)
        self._quarantine = lake.quarantine
        self._clock = clock
        self._readings: dict[str, Reading] = {}

    def path(self, receipt: ReturnReceipt) -> Path:
        """Return where the bytes of a receipt lie."""
        return (self._quarantine if receipt.quarantined else self._files) / receipt.sha256

    def read(self, receipt: ReturnReceipt) -> Reading:
        """Read the file of a receipt; one in quarantine is not opened again.

        Raises:
            LakeError: its bytes are gone, or no longer those that were received; or the reason why
                it is in quarantine is gone.
        """
        if receipt.quarantined:
            path = self._reason(receipt.sha256)
            try:
                why = json.loads(path.read_text(encoding="utf-8"))
                refusal = RefusedError(why["problem"], why["fix"], why["rule_id"])
            except (OSError, ValueError, KeyError) as error:
                raise LakeError(path, f"cannot be read ({error})", _RESTORE) from error
            return Reading(refusal=refusal)
        path = self.path(receipt)
        if problem := changed(path, receipt.file_name, receipt.sha256):
            raise LakeError(path, problem, _RESTORE)
        return self._reading(receipt.sha256)

    def _reading(self, sha256: str) -> Reading:
        """Read a file once: what stands in it is kept by its bytes, and by the words we know."""
        if sha256 not in self._readings:
            self._readings[sha256] = _read_once(self._lake, self._files / sha256, sha256)
        return self._readings[sha256]

    def take_in(self, files: Iterable[Path], collection: Collection) -> TakenIn[ReturnReceipt]:
        """Take dropped files in, in the order given; those that are known are left alone.

        Raises:
            LakeError: the raw store cannot be written.
        """
        damaged = self.damaged()
        receipts = self._attributed(damaged, collection)
        newest = {receipt.file_name: receipt.sha256 for receipt in receipts}
        by_id = {item.receipt_id: item.path for item in damaged if item.receipt_id}
        known = {receipt.sha256 for receipt in receipts}
        arrived: list[_Arrived] = []
        duplicates, left = dict[str, str](), dict[str, str]()
        unopened: list[tuple[Path, RefusedError]] = []
        with forced_together():
            for path in files:
                try:
                    check_entry(path)
                    sha256, status = self._keep(path, known, by_id)
                except RefusedError as refusal:
                    unopened.append((path, refusal))
                except FileNotFoundError:
                    left[path.name] = "has gone since; nothing was taken in"
                except LeftError as reason:
                    left[path.name] = str(reason)
                else:
                    if sha256 not in known:
                        known.add(sha256)
                        reading = self._reading(sha256)
                        force = declared_force(reading, collection)
                        arrived.append(_Arrived(path.name, sha256, status, reading, force))
                    elif newest.get(name_as_text(path.name)) != sha256:
                        duplicates[path.name] = sha256[:ID_LENGTH]
        for path, why in unopened:
            self._set_aside(path, why)
        refused = {path.name: f"{why.problem}. {why.fix}" for path, why in unopened}
        new: list[ReturnReceipt] = []
        for file in _in_order(arrived):
            new.append(self._write_receipt(file, arrived, receipts + new, damaged))
        return TakenIn(tuple(new), left, duplicates, refused)

    def _unlisted(
        self, found: Sequence[ReturnReceipt | DamagedReturn]
    ) -> Iterator[tuple[str | None, str]]:
        for at in without_receipt(self._lake, {each.receipt_id for each in found}):
            force: str | None = None
            if at.parent == self._files:
                with suppress(SetupError):
                    collection = load_collection(self._lake.collection)
                    force = declared_force(self._reading(at.name), collection)
            yield force, at.name

    def _attributed(
        self, damaged: Sequence[DamagedReturn], collection: Collection
    ) -> list[ReturnReceipt]:
        """Return the receipts in order; what was nobody's may be of a force that is expected since.

        Then it is that force's newest version: a collection that lacked a force is mended so. Where
        a later one is known of the force, or may be among the damaged, it stays nobody's.
        """
        receipts = self.receipts()
        for at, receipt in enumerate(receipts):
            if receipt.force_code or receipt.quarantined or damaged:
                continue
            with suppress(LakeError):
                force = declared_force(self.read(receipt), collection)
                if force and all(later.force_code != force for later in receipts[at:]):
                    earlier = receipts[:at]
                    _, version = next_numbers(force, earlier)
                    moment = force, receipt.modified_ns
                    same = [r for r in earlier if (r.force_code, r.modified_ns) == moment]
                    tie = next((each.tie or each.receipt_id for each in same), None)
                    receipts[at] = replace(receipt, force_code=force, version=version, tie=tie)
                    self.write(receipts[at])
                    for name in receipt.names:
                        (self._folder / name).unlink(missing_ok=True)
        return receipts

    def _now(self) -> str:
        return self._clock().isoformat(timespec="seconds")

    def _keep(
        self, source: Path, known: Iterable[str], damaged: Mapping[str, Path]
    ) -> tuple[str, os.stat_result]:
        """Copy a file into the store under its hash; return the hash, and what the file was like.

        The receipt is written afterwards, so a copy without one, left by a kill, is no receipt:
        the next round makes the same copy again.

        Raises:
            LeftError: it cannot be taken in now, or was by a receipt that is damaged now: taken in
                again, an old version would replace a newer one.
        """
        with write_errors(self._files), scratch_file(self._files) as copy:
            with opened(source) as reader, copy.open("wb") as writer:
                shutil.copyfileobj(reader, writer)
                status = os.fstat(reader.fileno())
            sha256 = str(sha256_of(copy))
            if receipt := damaged.get(sha256[:ID_LENGTH]):
                raise LeftError(
                    f"was received before, and that receipt is damaged or gone: {receipt}"
                )
            if sha256 not in known:
                put_in_place(copy, self._files / sha256, mode=0o444)
        return sha256, status

    def _write_receipt(
        self,
        file: "_Arrived",
        beside: Sequence["_Arrived"],
        earlier: Sequence[ReturnReceipt],
        damaged: Sequence[DamagedReturn],
    ) -> ReturnReceipt:
        sequence, version = next_numbers(file.force_code, [*earlier, *damaged])
        receipt = ReturnReceipt(
            receipt_id=file.sha256[:ID_LENGTH],
            sequence=sequence,
            sha256=file.sha256,
            size=file.status.st_size,
            file_name=name_as_text(file.name),
            received_at=self._now(),
            force_code=file.force_code,
            version=version,
            modified_ns=file.status.st_mtime_ns,
            tie=_tie(file, beside, earlier),
        )
        if refusal := file.reading.refusal:
            receipt = replace(receipt, quarantined=True)
            self._write_reason(file.sha256, receipt.file_name, refusal)
            with write_errors(self._quarantine):
                (self._files / file.sha256).replace(self.path(receipt))
        self.write(receipt)
        return receipt

    def unopened(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the key of each file that was set aside unopened, and what is noted of it."""
        for path in sorted(self._quarantine.glob("unread-*.json")):
            with suppress(OSError, ValueError, TypeError):
                why = json.loads(path.read_text(encoding="utf-8"))
                if {"file_name", "problem", "rule_id"} <= {*why}:
                    yield path.stem, why

    def _set_aside(self, file: Path, refusal: RefusedError) -> None:
        """Keep what must not be opened: the reason, and for a file a second name to its bytes.

        It is known by its directory entry, because reading it would take its size in time.
        """
        key = unread_key(file)
        if not self._reason(key).exists():
            self._write_reason(key, name_as_text(file.name), refusal, received_at=self._now())
        if file.is_file() and not file.is_symlink():
            with suppress(OSError):  # already there, or on another disk: the reason is kept
                (self._quarantine / key).hardlink_to(file)

    def _reason(self, key: str) -> Path:
        return self._quarantine / f"{key}.json"

    def _write_reason(self, key: str, file_name: str, refusal: RefusedError, **more: str) -> None:
        why = {
            "file_name": file_name,
            "rule_id": refusal.rule_id,
            "problem": refusal.problem,
            "fix": refusal.fix,
        }
        with atomic_file(self._reason(key)) as file:
            file.write(json.dumps(why | more, indent=1).encode())


def unread_key(file: Path) -> str:
    """Return the key of what must not be opened, which is that of its directory entry."""
    status = file.lstat()
    entry = f"{file.name}|{status.st_size}|{status.st_mtime_ns}"
    return f"unread-{hashlib.sha256(os.fsencode(entry)).hexdigest()[:_KEY_LENGTH]}"


@dataclass(frozen=True)
class _Arrived:
    """A file that was copied into the store and has no receipt yet."""

    name: str
    sha256: str
    status: os.stat_result
    reading: Reading
    force_code: str | None

    @property
    def moment(self) -> tuple[str | None, int]:
        """What is the same for files of one force between which arrival tells no order."""
        return self.force_code, self.status.st_mtime_ns


def _read_once(lake: Lake, path: Path, sha256: str) -> Reading:
    read: list[Reading] = []

    def make() -> bytes:
        read.append(read_return(path))
        return read[0].to_bytes()

    content = made_once(lake, "reading", (sha256, words_sha256()), make)
    return read[0] if read else Reading.from_bytes(content)


def read_ahead(root: Path) -> None:
    """Read what waits in the landing folders of a lake, while whoever takes it in still loads.

    From the newest on: they begin with the oldest, and where they meet all is read and kept.
    Nothing is done in a lake that another run holds.
    """
    for folder in () if is_held(root) else sorted((root / "landing").glob("*")):
        lake = Lake(root, folder.name)
        for path in reversed(waiting(folder).files):
            # What is wrong with one is said where it is taken in. A copy cannot change meanwhile.
            with suppress(Exception), scratch_file(lake.kept / "reading") as copy:
                check_entry(path)
                with opened(path) as reader, copy.open("wb") as writer:
                    shutil.copyfileobj(reader, writer)
                if sha256 := sha256_of(copy):  # a run that begins sweeps it away
                    _read_once(lake, copy, sha256)


def _in_order(arrived: Sequence[_Arrived]) -> list[_Arrived]:
    """Return files in order of arrival; where that tells none, a force's by their date."""
    by_moment: dict[tuple[str | None, int], list[_Arrived]] = {}
    for file in arrived:
        by_moment.setdefault(file.moment, []).append(file)
    queues = {
        moment: iter(
            sorted(files, key=lambda file: submitted_on(file.reading)) if moment[0] else files
        )
        for moment, files in by_moment.items()
    }
    return [next(queues[file.moment]) for file in arrived]


def _tie(
    file: _Arrived, beside: Iterable[_Arrived], earlier: Iterable[ReturnReceipt]
) -> str | None:
    """Return what the receipts are known by between which arrival tells no order, None for none.

    Those are receipts of one force that waited together with the same time of modification, also
    where a run took only some of them. A file that came into landing after another had been
    received is the newer one, whatever times a tool has set.
    """
    if file.force_code is None:
        return None
    for receipt in earlier:
        if (receipt.force_code, receipt.modified_ns) == file.moment:
            received = datetime.fromisoformat(receipt.received_at).timestamp()
            together = any(receipt.sha256 == other.sha256 for other in beside)
            if together or file.status.st_ctime_ns <= received * 1e9:
                return receipt.tie or receipt.receipt_id
    same = sum(other.moment == file.moment for other in beside)
    return file.sha256[:ID_LENGTH] if same > 1 else None
