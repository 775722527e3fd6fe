"""The raw store against its own hashes: every receipt, every byte, nothing lost or doubled.

Only looks; nothing is repaired, because only a backup has the bytes that were received.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from assets.doctor.examined import Examined, bad, ok, warn
from assets.intake.raw_store import RawStore
from assets.intake.store import (
    FOLDERS,
    ID_LENGTH,
    DamagedReturn,
    ReturnReceipt,
    kept,
    sha256_of,
)
from assets.lake import Lake
from schemas.wording import plural

_RESTORE: Final = (
    "Restore it from the backup of the lake. Nothing is computed from it meanwhile, and no release"
    " made where it may count."
)


def raw_store(lake: Lake) -> Iterator[Examined]:
    """Say whether all that was received is there unchanged, each once."""
    store = RawStore(lake)
    receipts, damaged = store.receipts(), store.damaged()
    problems = [
        *(bad("raw store", item.path, item.problem, _RESTORE) for item in damaged),
        *_numbers(lake, receipts, damaged),
        *_bytes(store, receipts),
        *_orphans(lake, receipts, [item.receipt_id for item in damaged if item.receipt_id]),
    ]
    yield from problems
    yield from _hashed_folders(lake)
    if not problems:
        listed = f"{plural(len(receipts), 'receipt')}, each with the bytes that were received"
        yield ok("raw store", lake.raw, listed)
    aside = sum(receipt.quarantined for receipt in receipts)
    unread = len([*lake.quarantine.glob("unread-*.json")])
    yield ok("quarantine", lake.quarantine, f"{aside} refused after reading, {unread} unopened")


def _numbers(
    lake: Lake, receipts: list[ReturnReceipt], damaged: list[DamagedReturn]
) -> Iterator[Examined]:
    """Find receipts that are lost or doubled: they are numbered without a gap."""
    said = [r.sequence for r in (*receipts, *(d.receipt for d in damaged)) if r]
    for sequence, times in sorted(Counter(said).items()):
        if times > 1:
            yield bad("raw store", lake.raw, f"{times} receipts have number {sequence}", _RESTORE)
    for sha256, times in sorted(Counter(r.sha256 for r in receipts).items()):
        if times > 1:
            seen = f"{times} receipts are for the same bytes {sha256[:ID_LENGTH]}"
            yield bad("raw store", lake.raw, seen, _RESTORE)
    numbers = {*said, *(item.sequence for item in damaged if item.sequence)}
    lost = sorted({*range(1, max(numbers, default=0) + 1)} - numbers)
    if lost:
        listed = ", ".join(map(str, lost[:10]))
        yield bad("raw store", lake.raw, f"there is no receipt with number {listed}", _RESTORE)


def _bytes(store: RawStore, receipts: list[ReturnReceipt]) -> Iterator[Examined]:
    for receipt in receipts:
        path, named = store.path(receipt), f"receipt {receipt.sequence} ({receipt.file_name!r})"
        found = sha256_of(path)
        if found is None:
            yield bad("raw store", path, f"the bytes of {named} are gone", _RESTORE)
        elif found != receipt.sha256:
            seen = f"the bytes of {named} have changed: sha256 {found[:ID_LENGTH]}"
            yield bad("raw store", path, seen, _RESTORE)


def _orphans(lake: Lake, receipts: list[ReturnReceipt], damaged: list[str]) -> Iterator[Examined]:
    known = {*damaged, *(receipt.receipt_id for receipt in receipts)}
    files = sorted((lake.raw / "files").glob("[!.]*"))
    found = [path for path in files if path.name[:ID_LENGTH] not in known]
    if found:
        yield warn(
            "raw store",
            found[0],
            f"{plural(len(found), 'copy')} without a receipt, left by a run that was killed",
            "Nothing, if the file still lies in landing: the next run writes its receipt.",
        )


def _hashed_folders(lake: Lake) -> Iterator[Examined]:
    """Check what is kept in a folder of its own, whose name ends with the hash."""
    files = [each for kind in FOLDERS if kind != "return" for each in kept(lake, kind)]
    changed = [each.path for each in files if each.path and sha256_of(each.path) != each.sha256]
    what = "reports, research, cases"
    for path in changed:
        yield bad(what, path, "has changed since it was received", _RESTORE)
    if files and not changed:
        yield ok(what, lake.raw, f"{plural(len(files), 'file')}, unchanged")
