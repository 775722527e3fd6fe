"""A run that finds nothing new is told at once; whatever could change a release makes it refresh.

A release that is shown as current and is not is worse than any refresh too many. So each test says
what has changed, and that the record of the last refresh stands no longer.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.lake import Lake, held, state_key
from assets.marts import write_manifest
from assets.release.publish import show
from pipelines import record
from pipelines import standing as module
from pipelines.cli import service
from pipelines.record import begin, leave
from pipelines.standing import RECORD, standing
from schemas.collection import Collection
from schemas.contract import empty
from schemas.errors import BusyError
from schemas.tables import DamagedReceipts, Receipts
from tests.pipelines.conftest import Muster
from tests.returns import SampleReturn

Change = Callable[[Lake], object]


@pytest.fixture
def settled(tmp_path: Path, collection: Collection, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with one file of each kind, and the record of its last refresh."""
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path))
    for name in ("MUSTER_COLLECTIONS", "MUSTER_COLLECTION", "MUSTER_ALERT_URLS", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pipelines.record._SETTLED", 0)
    lake, content = Lake(tmp_path, collection.id), b"a return of Kent"
    sha256 = hashlib.sha256(content).hexdigest()
    release = lake.releases / f"{collection.id}-aaaaaaaaaaaa"
    files = {
        lake.landing / "KEN.xlsx": content,
        lake.research / "responses.csv": b"some research",
        lake.kept_research / "000001-submitted-x" / "responses.csv": b"some research",
        lake.raw / "files" / sha256: content,
        lake.raw / "receipts" / f"000001-{sha256[:16]}.json": json.dumps(sha256).encode(),
        release / "national_totals.parquet": b"a mart",
        release / "cells.parquet": b"another mart",
        lake.alerts / "state.json": b'{"now": {}, "told": {"outbox": {}}}',
    }
    one = pl.DataFrame({"sequence": [1], "receipt_id": [sha256[:16]]})
    receipts = pl.concat([empty(Receipts), one], how="diagonal")
    tables = {"receipts": receipts, "damaged_receipts": empty(DamagedReceipts)}
    files |= {lake.table(f"intake/{name}"): _parquet(table) for name, table in tables.items()}
    for path, said in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(said)
    write_manifest(release, {"made_from": {"live": [], "research": []}})
    show(lake, release)
    history = lake.root / "dagster" / "history"
    history.mkdir(parents=True)
    with closing(sqlite3.connect(history / "runs.db")) as database:
        database.execute("create table runs (a)")
    leave(lake, begin(lake), None)
    assert standing(lake.root, lake.collection)
    return lake


def _parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


def _file(*parts: str) -> Callable[[Lake], Path]:
    """Return a function that finds the first file of a lake below a folder."""
    return lambda lake: next(
        path for path in sorted(lake.root.joinpath(*parts).rglob("*")) if path.is_file()
    )


def _flipped(path: Path) -> None:
    """Change a byte of a file, and leave its size and times as they were."""
    status, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _gone(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:10])


def _dropped(lake: Lake) -> None:
    shutil.copy(lake.landing / "KEN.xlsx", lake.landing / "KEN again.xlsx")


def _reported(lake: Lake) -> None:
    lake.reports.mkdir()
    (lake.reports / "x.txt").write_text("x")


def _decided(lake: Lake) -> None:
    (lake.desk / "ledger").mkdir(parents=True, exist_ok=True)
    (lake.desk / "ledger" / "000001-answer.json").write_text("{}")


def _gone_back(lake: Lake) -> None:
    """Show an earlier release, as `releases go-back` does."""
    older = lake.releases / f"{lake.collection}-000000000000"
    shutil.copytree(lake.marts.resolve(), older)
    lake.marts.unlink()
    show(lake, older)


def _another(lake: Lake) -> None:
    (lake.root / "marts" / "2010-count").symlink_to(os.path.relpath(lake.marts.resolve()))


def _state(lake: Lake, kind: str) -> None:
    path = lake.alerts / "state.json"
    state = json.loads(path.read_text())
    state["now"][f"{kind}/{lake.collection}"] = {}
    path.write_text(json.dumps(state))


CHANGES: dict[str, Change] = {
    "a file was dropped": _dropped,
    "a file was dropped among the reports": _reported,
    "a folder was dropped": lambda lake: (lake.landing / "more").mkdir(),
    "a dropped file was changed": lambda lake: _flipped(lake.landing / "KEN.xlsx"),
    "a dropped file was touched": lambda lake: os.utime(lake.landing / "KEN.xlsx"),
    "a dropped file was taken away": lambda lake: _gone(lake.landing / "KEN.xlsx"),
    "a dropped file was renamed": lambda lake: (lake.landing / "KEN.xlsx").rename(
        lake.landing / "KEN 2.xlsx"
    ),
    "research was changed": lambda lake: _flipped(
        _file("landing", "2012-revisit", "research")(lake)
    ),
    "a receipt is gone": lambda lake: _gone(_file("raw", "2012-revisit", "receipts")(lake)),
    "a receipt was changed": lambda lake: _flipped(_file("raw", "2012-revisit", "receipts")(lake)),
    "a receipt was added": lambda lake: shutil.copy(
        path := _file("raw", "2012-revisit", "receipts")(lake), f"{path}.json"
    ),
    "received bytes rotted": lambda lake: _flipped(_file("raw", "2012-revisit", "files")(lake)),
    "something was decided": _decided,
    "a table between stages rotted": lambda lake: _flipped(lake.table("intake/receipts")),
    "a table between stages is gone": lambda lake: _gone(lake.table("intake/receipts")),
    "a mart rotted": lambda lake: _flipped(lake.marts / "national_totals.parquet"),
    "a mart is gone": lambda lake: _gone(lake.marts / "cells.parquet"),
    "the manifest was cut": lambda lake: _cut(lake.marts / "manifest.json"),
    "something was put into the release": lambda lake: (lake.marts / "note.txt").write_text("x"),
    "an earlier release was gone back to": _gone_back,
    "no release is shown": lambda lake: _gone(lake.marts),
    "the shown release is gone": lambda lake: shutil.rmtree(lake.marts.resolve()),
    "what was shown is not recorded": lambda lake: _gone(lake.releases / "shown.jsonl"),
    "an edition was entered": lambda lake: (lake.public_editions / "0001-x").mkdir(parents=True),
    "another collection was released": _another,
    "the last run failed": lambda lake: _state(lake, "run-failed"),
    "the release was blocked": lambda lake: _state(lake, "release-blocked"),
    "alerts have no state": lambda lake: _gone(lake.alerts / "state.json"),
    "the history is gone": lambda lake: _gone(lake.root / "dagster" / "history" / "runs.db"),
    "the history is damaged": lambda lake: (
        lake.root / "dagster" / "history" / "runs.db"
    ).write_bytes(b"no database" * 1000),
    "the record is gone": lambda lake: _gone(lake.work / RECORD),
    "the record was cut": lambda lake: _cut(lake.work / RECORD),
    "the record was changed": lambda lake: _flipped(lake.work / RECORD),
    "the record says something else": lambda lake: (lake.work / RECORD).write_text("[]"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_after_any_change_a_refresh_runs(change: str, settled: Lake) -> None:
    CHANGES[change](settled)
    assert standing(settled.root, settled.collection) is None
    assert standing(settled.root, None) is None


def test_beside_another_collection_the_record_is_left_too(
    settled: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path / "of ours"))
    _another(settled)
    leave(settled, begin(settled), None)
    assert standing(settled.root, settled.collection)


def test_of_several_that_were_usual_the_one_that_is_stands(
    settled: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a folder of collections is named now and then, one of which is open today."""
    other = Lake(settled.root, "open-today")
    for ours, theirs in ((settled.landing, other.landing), (settled.raw, other.raw)):
        shutil.copytree(ours, theirs)
    shutil.copytree(settled.work, other.work)
    shutil.copytree(settled.marts.resolve(), other.releases / "open-today-aaaaaaaaaaaa")
    show(other, other.releases / "open-today-aaaaaaaaaaaa")
    leave(settled, begin(settled), None)
    with monkeypatch.context() as named:
        named.setenv("MUSTER_COLLECTIONS", str(tmp_path / "of ours"))
        named.setattr(record, "usual_collection", lambda: other.collection)
        leave(other, begin(other), None)

    def usual(*, named: bool) -> str | None:
        with monkeypatch.context() as setting:
            if named:
                setting.setenv("MUSTER_COLLECTIONS", str(tmp_path / "of ours"))
            found = standing(settled.root, None)
            return found.collection if found else None

    assert usual(named=False) == settled.collection
    assert usual(named=True) == other.collection
    _dropped(settled)
    assert usual(named=False) is None
    assert usual(named=True) == other.collection


class _Clock(datetime):
    days = 0

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        del tz
        return datetime.now(UTC) + timedelta(days=cls.days)


@pytest.mark.parametrize("what", ["software", "collections", "clock"])
def test_what_lies_outside_the_lake_is_seen_too(
    what: str, settled: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if what == "software":
        monkeypatch.setattr(module, "software", lambda: "another version")
    elif what == "collections":
        monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path / "of ours"))
    else:
        monkeypatch.setattr(_Clock, "days", -1)
        monkeypatch.setattr(module, "datetime", _Clock)
    assert standing(settled.root, settled.collection) is None


def test_a_collection_that_is_open_stands_until_its_next_day(
    settled: Lake, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the day after a deadline others are late, and there may be a public edition."""
    hard = datetime.now(UTC).date() + timedelta(days=3)
    deadlines = collection.deadlines.model_copy(update={"hard": hard})
    moved = collection.model_copy(update={"deadlines": deadlines})
    monkeypatch.setattr(record, "sound_collections", lambda: [moved])
    leave(settled, begin(settled), None)
    monkeypatch.setattr(module, "datetime", _Clock)
    for days, stands in ((0, True), (2, True), (4, False)):
        monkeypatch.setattr(_Clock, "days", days)
        assert bool(standing(settled.root, settled.collection)) == stands


def test_what_a_person_does_beside_it_needs_no_refresh(settled: Lake) -> None:
    (settled.root / "logs").mkdir()
    (settled.root / "logs" / "x.log").write_text("x")
    for path in settled.work.rglob("*.parquet"):
        os.utime(path)
    with closing(sqlite3.connect(settled.root / "dagster" / "history" / "runs.db")) as database:
        database.execute("create table other (a)")
    assert standing(settled.root, settled.collection)
    found = standing(settled.root, None)
    assert found
    assert (found.collection, found.told) == (settled.collection, True)
    assert found.shown.release == settled.marts.resolve().name


def test_what_was_not_told_yet_is_told(settled: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSTER_ALERT_URLS", "json://localhost")
    found = standing(settled.root, settled.collection)
    assert found
    assert not found.told
    monkeypatch.delenv("MUSTER_ALERT_URLS")
    _state(settled, "queries-overdue")
    found = standing(settled.root, settled.collection)
    assert found
    assert not found.told


def test_a_run_at_work_is_told_of(settled: Lake) -> None:
    with held(settled.root), pytest.raises(BusyError):
        standing(settled.root, settled.collection)


DURING: dict[str, Change] = {
    **{name: CHANGES[name] for name in ("a file was dropped", "a dropped file was changed")},
    **{name: CHANGES[name] for name in ("a receipt is gone", "received bytes rotted")},
    **{name: CHANGES[name] for name in ("something was decided", "a receipt was added")},
    **{name: CHANGES[name] for name in ("a mart rotted", "another collection was released")},
    "a return was restored": lambda lake: (lake.raw / "files" / ("0" * 64)).write_text("x"),
    "a file is closed": lambda lake: (lake.landing / "KEN.xlsx").chmod(0),
}


@pytest.mark.parametrize("change", DURING)
def test_what_changes_during_a_refresh_leaves_no_record(change: str, settled: Lake) -> None:
    """The refresh may have read it before or after: nobody can say."""
    began = begin(settled)
    DURING[change](settled)
    leave(settled, began, None)
    assert not (settled.work / RECORD).exists()


def test_a_file_that_is_still_written_leaves_no_record(settled: Lake) -> None:
    with (settled.landing / "KEN.xlsx").open("ab"):
        leave(settled, begin(settled), None)
    assert not (settled.work / RECORD).exists()


@pytest.mark.parametrize(
    "at",
    ["landing/2012-revisit/cases/KEN.csv", "landing/2012-revisit/sub/KEN.xlsx",
     "landing/2012-revist/KEN.xlsx", "landing/KEN.xlsx", "marts/series/series.parquet"],
)  # fmt: skip
def test_what_a_run_has_left_leaves_no_record(at: str, settled: Lake) -> None:
    """So the next one says it again; the series there is of other releases."""
    (settled.research / "basis.txt").write_text("what is read, and not kept")
    path = settled.root / at
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("something else than what was taken in")
    leave(settled, begin(settled), None)
    assert not (settled.work / RECORD).exists()
    path.unlink()
    leave(settled, begin(settled), None)
    assert (settled.work / RECORD).exists()


def test_a_refresh_asked_for_some_files_saw_no_others(settled: Lake) -> None:
    """What was received before is not asked for again, and needs not be: it is known."""
    known, new = (state_key(path) for path in sorted(settled.landing.rglob("*")) if path.is_file())
    for only, left in (({known, new}, True), ({new}, True), ({known}, False), (set(), False)):
        leave(settled, begin(settled), only)
        assert (settled.work / RECORD).exists() == left, only


@pytest.mark.slow
def test_what_was_received_in_a_refresh_may_be_new(
    lake: Lake, run: Muster, sample: Callable[[str], SampleReturn], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole: a correction is refreshed, and the next run says in a line that nothing is new."""
    sample("KEN").with_values({("registers", "force.gratuity", "accepted"): "0"}).write(
        lake.landing / "KEN second.xlsx"
    )
    assert "Took in 1 new file" in run("run").output
    monkeypatch.setattr(service, "refreshed", lambda _: pytest.fail("was refreshed"))
    for arguments in ((), ("--collection", lake.collection)):
        again = run("run", *arguments)
        assert again.exit_code == 0
        assert again.stdout.startswith(f"Nothing has changed: {lake.marts.resolve().name} stands")
        assert again.stdout.count("\n") == 1
