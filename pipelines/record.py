"""Leaves the record by which the next run sees that nothing is new; see pipelines/standing.py.

Wrong would be a record of something that the refresh has not seen. So it compares what there was
before with what there is after: all that people give must be as it was, all that is kept for ever
may only have grown by what lay in landing, and nothing may be damaged or left. Where that is not so
there is no record, and the next refresh, which finds nothing new, leaves one.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Collection as Many
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from assets.figures.comparable import outdated_series
from assets.intake.arrivals import Memory, look
from assets.intake.landing import astray, is_hidden, waiting_anywhere
from assets.intake.tables import damaged_now
from assets.lake import Lake, atomic_file, write_errors
from assets.marts import damage, read_manifest
from assets.release.identity import LOST
from assets.tables import work_table
from pipelines.standing import (
    FOLDER,
    RECORD,
    Record,
    digest,
    everything,
    given,
    kept_for_ever,
)
from schemas.collection import Collection, sound_collections, usual_collection
from schemas.errors import MusterError, SetupError
from schemas.reference import collection_files
from schemas.research import BASIS_FILE

_SETTLED: Final = 50_000_000
"""Nanoseconds in which two changes of a large file may leave the same trace."""
_UNTOLD: Final = {FOLDER.split()[0], "-"}
"""What is seen of a folder, and of a file too large to be read once more."""
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Before:
    """What there was when a refresh began, by the names of files, and when that was."""

    at: datetime
    given: Mapping[str, str]
    kept: Mapping[str, str]


def begin(lake: Lake) -> Before:
    """Remove the record, and return what there is before anything is changed.

    Raises:
        UnavailableError: the record cannot be removed.
    """
    with write_errors(lake.work):
        (lake.work / RECORD).unlink(missing_ok=True)
    return _seen(lake)


def _seen(lake: Lake) -> Before:
    return Before(datetime.now(UTC), dict(given(lake)), dict(kept_for_ever(lake)))


def leave(lake: Lake, began: Before, only: Many[str] | None) -> None:
    """Leave the record of a refresh that went well, unless there is any doubt of what it saw.

    `only` are the states of the dropped files that it was to take in alone; None for all.
    """
    # Whatever keeps the record from being left costs time alone.
    with suppress(MusterError, OSError, ValueError, KeyError, TypeError):
        if not any(_doubts(lake, began, _seen(lake), only)):
            record = Record(digest(everything(lake)), *_span(lake, began.at))
            text = json.dumps(asdict(record))
            with atomic_file(lake.work / RECORD) as file:
                file.write(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}".encode())


def _doubts(lake: Lake, began: Before, after: Before, only: Many[str] | None) -> Iterator[bool]:
    """Yield whether there is each kind of doubt."""
    yield began.given != after.given
    # What is named, as a folder of collections is, has no time.
    ends = (trace.rpartition(" ")[2] for trace in after.given.values())
    changed = [int(end) for end in ends if end.isdigit()]
    yield max(changed, default=0) > time.time_ns() - _SETTLED
    yield not began.kept.items() <= after.kept.items()
    there = {seen.split()[0] for name, seen in after.given.items() if name.startswith("landing/")}
    fresh = [
        name
        for name, seen in after.kept.items() - began.kept.items()
        if name.startswith("raw/") and not seen.startswith(FOLDER)
    ]
    yield not all(there.intersection(_hashes(lake, name)) for name in fresh)
    read = work_table(lake, "intake/receipts").select("sequence", "receipt_id").iter_rows()
    names = {f"{sequence:06d}-{receipt_id}" for sequence, receipt_id in read}
    files = [path.stem.split("-", 2) for path in (lake.raw / "receipts").glob("[!.]*")]
    yield names != {"-".join(parts[:2]) for parts in files}
    kept = {seen.split()[0] for seen in after.kept.values()} | _UNTOLD
    kept |= {sha256 for name in after.kept for sha256 in _HASH.findall(name)}
    yield not kept.issuperset(
        seen.split()[0]
        for name, seen in after.given.items()
        if name.startswith("landing/") and not name.endswith(f"/{BASIS_FILE}")
        if not any(map(is_hidden, name.split("/")))
    )
    yield bool(astray(lake.root, collection_files()))
    waiting = waiting_anywhere(lake)
    yield bool(waiting.unfinished) or not all(os.access(path, os.R_OK) for path in waiting.files)
    if only is not None:
        # What had been received before nobody asks to be taken in again.
        yield not {*look(lake, Memory(), time.time(), 0).new} <= {*only}
    release = lake.marts.resolve()
    yield read_manifest(release)["made_from"].get("public") == LOST or bool(damage(release))
    yield not damaged_now(lake).is_empty()
    yield outdated_series(lake.root) is not None


def _hashes(lake: Lake, name: str) -> Iterable[str]:
    """Return the hashes that a file of the raw store is named by, or a receipt names."""
    path = lake.root / name
    return _HASH.findall(path.read_text("utf-8", "replace") if path.suffix == ".json" else name)


def _span(lake: Lake, began: datetime) -> tuple[str, str, bool]:
    """Return from when until when nothing changes by the day alone, and whether it is the usual."""
    moments = {moment for known in sound_collections() for moment in _turns(known)}
    last = datetime.max.replace(tzinfo=UTC)
    until = min((moment for moment in moments if moment > began), default=last)
    try:
        usual = "MUSTER_COLLECTION" not in os.environ and usual_collection() == lake.collection
    except SetupError:
        usual = False
    return began.isoformat(), until.isoformat(), usual


def _turns(collection: Collection) -> Iterator[datetime]:
    """Yield when each day that a collection names begins and ends."""
    days = {*_days(collection.model_dump()), *collection.window, collection.deadlines.of_queries}
    for day in {*days, *(day + timedelta(days=1) for day in days)}:
        local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(collection.timezone))
        yield local.astimezone(UTC)


def _days(value: Any) -> Iterator[date]:
    if isinstance(value, date):
        yield value
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _days(each)
