"""Files in landing whose force cannot be told: their names, when they came, where they lie.

Replacing a file or taking it away is how somebody deals with it.
"""

import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from assets.cases.store import CaseStore
from assets.intake.landing import name_as_text, waiting, waiting_below
from assets.intake.raw_store import RawStore, unread_key
from assets.intake.reader import cover_values
from assets.intake.reading import Reading
from assets.intake.store import sha256_of
from assets.lake import Lake
from schemas.collection import Collection, load_collection, no_more
from schemas.errors import LakeError, SetupError
from schemas.wording import visible

Kind = Literal["return", "unopened", "extract"]
_OF_NONE: Final = "it is of no force that this collection expects"
_WHY: Final = "its cover names no force that this collection expects"


@dataclass(frozen=True)
class Unattributed:
    """A file of no known force that still lies in landing under its name.

    `key` is its receipt, or its name in quarantine where it was not opened; `lies_at` a path in the
    lake. `received_at` is null where an earlier version of Muster has not kept it.
    """

    kind: Kind
    key: str
    file_name: str
    received_at: str | None
    lies_at: str
    why: str
    rule_id: str = ""

    def __str__(self) -> str:
        """Name the file, when it came and where it lies, on one line."""
        came = f"came {self.received_at}, " if self.received_at else ""
        return f"{visible(self.file_name, None)}, {came}lies at {self.lies_at}"


def unattributed_files(lake: Lake) -> list[Unattributed]:
    """Return the files in landing whose force cannot be told."""
    files, collection = waiting(lake.landing).files, None
    with suppress(SetupError):
        collection = load_collection(lake.collection)
    returns = _returns(lake, files, collection)
    return [*returns, *_unopened(lake, files), *_extracts(lake, collection)]


def _expected(force: str | None, collection: Collection | None) -> bool:
    """Return whether a force is one that the collection file names now; any, without the file."""
    return force in collection.forces if collection else force is not None


def _why(reading: Reading, collection: Collection | None) -> str:
    """Return why the force of a return is not known, which its receipt does not say."""
    if reading.refusal:
        return str(reading.refusal)
    code = cover_values(reading).get("force_code")
    if _expected(code, collection):
        return "its cover has the code of one force and the name of another"
    return (collection and no_more(code, collection)) or _WHY


def _returns(
    lake: Lake, files: Iterable[Path], collection: Collection | None
) -> Iterator[Unattributed]:
    store, lying = RawStore(lake), {name_as_text(path.name): path for path in files}
    newest = {receipt.file_name: receipt for receipt in store.receipts()}
    for receipt in sorted(newest.values(), key=lambda receipt: receipt.sequence):
        file = lying.get(receipt.file_name)
        nobodys = not _expected(receipt.force_code, collection)
        if nobodys and file and _holds(file, receipt.sha256):
            path = store.path(receipt)
            try:
                why = _why(store.read(receipt), collection)
            except LakeError:  # that it is damaged is told of by itself
                why = "why it was refused is gone" if receipt.quarantined else _WHY
            at = str(path.relative_to(lake.root))
            name = receipt.file_name
            yield Unattributed("return", receipt.receipt_id, name, receipt.received_at, at, why)


def _holds(file: Path, sha256: str) -> bool:
    """Return whether a file has not been replaced; one that cannot be read may be the same."""
    try:
        return stat.S_ISREG(file.lstat().st_mode) and sha256_of(file) == sha256
    except OSError:
        return True


def _unopened(lake: Lake, files: Iterable[Path]) -> Iterator[Unattributed]:
    lying: set[str] = set()
    for path in files:
        with suppress(FileNotFoundError):  # taken away since
            lying.add(unread_key(path))
    for key, why in RawStore(lake).unopened():
        name = why["file_name"]
        if key in lying:
            kept = lake.quarantine / key
            path = kept if kept.exists() else lake.landing / name
            at = str(path.relative_to(lake.root))
            yield Unattributed(
                "unopened", key, name, why.get("received_at"), at, why["problem"], why["rule_id"]
            )


def _extracts(lake: Lake, collection: Collection | None) -> Iterator[Unattributed]:
    store, folder = CaseStore(lake), lake.cases
    present = {str(path.relative_to(folder)) for path in waiting_below(folder).files}
    newest = {store.kept(kept).name: (kept, v) for v in store.receipts() for kept in v.files}
    for name, (kept, version) in sorted(newest.items()):
        if not _expected(version.force_code, collection) and name in present:
            at = store.place(store.kept(kept).place)
            why = f"{said.message}. {said.how_to_fix}" if (said := version.refusal) else _OF_NONE
            yield Unattributed("extract", version.receipt_id, name, version.received_at, at, why)
