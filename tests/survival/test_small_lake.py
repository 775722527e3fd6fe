"""What can go wrong around a run and is told before, or as soon as, anything is computed."""

import os
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assets.intake import raw_store
from assets.intake.landing import OPEN
from assets.intake.raw_store import RawStore
from assets.intake.receipts import ReturnReceipt
from assets.lake import Lake, atomic_file, held, is_held
from pipelines.cli.main import main, muster
from pipelines.instance import mend_history
from schemas.collection import Collection
from schemas.errors import BusyError, LakeError, MusterError, UnavailableError
from tests.returns import SampleReturn
from tests.survival.conftest import read_only
from tests.survival.harness import content_of, hold_to_account

Sample = Callable[[str], SampleReturn]


@pytest.fixture
def small(
    tmp_path: Path, collection: Collection, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> Lake:
    """A lake that has received one return."""
    for name in ("DAGSTER_HOME", "MUSTER_COLLECTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path / "lake"))
    lake = Lake(tmp_path / "lake", collection.id)
    lake.landing.mkdir(parents=True)
    path = sample("STF").write(lake.landing / "STF.xlsx")
    RawStore(lake).take_in([path], collection)
    return lake


def _run() -> Result:
    return CliRunner().invoke(muster, ["run"])


def test_a_second_run_is_told_to_wait(small: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    with held(small.root):
        before = content_of(small.root)
        with pytest.raises(SystemExit, match="1"):
            main(["run"])
        assert content_of(small.root) == before
    said = capsys.readouterr().err
    assert f"another run holds the lake {small.root} (process {os.getpid()})" in said
    assert "Wait until it has ended" in said


def test_a_run_that_queues_gets_its_turn(tmp_path: Path) -> None:
    """A schedule that comes while a run is at work must not fail."""
    turns: list[str] = []

    def queue() -> None:
        with held(tmp_path, patience=30):
            turns.append("second")

    with held(tmp_path):
        second = threading.Thread(target=queue)
        second.start()
        assert is_held(tmp_path)
        second.join(0.3)
        turns.append("first")
    second.join()
    assert turns == ["first", "second"]
    assert not is_held(tmp_path)


def test_what_can_pass_is_told_from_what_stays() -> None:
    """Only the first is tried again, so a damaged file must not count as a full disk."""
    assert not BusyError("busy").permanent
    assert not UnavailableError(Path("x"), "is full", "Free space.").permanent
    assert LakeError(Path("x"), "is damaged", "Restore it.").permanent
    assert MusterError("anything else").permanent


def test_a_read_only_lake_is_told_and_left_alone(
    small: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content_of(small.root)
    with read_only(small.root):
        with pytest.raises(SystemExit, match="1"):
            main(["run"])
        said = capsys.readouterr().err
        assert "cannot be written" in said
        assert "Free space or mend the permissions" in said
        examined = CliRunner().invoke(muster, ["doctor"])
        assert examined.exit_code == 1
        assert "cannot be written by this account" in examined.output
    assert content_of(small.root) == before


@pytest.mark.slow
def test_a_damaged_raw_file_stops_the_run_before_anything_is_computed(small: Lake) -> None:
    (receipt,) = RawStore(small).receipts()
    path = RawStore(small).path(receipt)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    result = _run()
    assert result.exit_code == 1
    assert "'STF.xlsx' has changed since it was received" in result.output
    assert "Restore it from the backup" in result.output
    assert not small.marts.exists()
    examined = CliRunner().invoke(muster, ["doctor"])
    assert examined.exit_code == 1
    assert str(path) in examined.output.replace("\n", "")


def test_a_file_that_changes_while_it_is_read_waits(
    small: Lake, collection: Collection, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sample("DER").write(small.landing / "DER.xlsx")
    whole = path.read_bytes()

    read = os.fstat

    def change(descriptor: int) -> os.stat_result:
        before = read(descriptor)
        path.write_bytes(whole[: len(path.read_bytes()) // 2])
        return before

    with monkeypatch.context() as patch:
        patch.setattr(raw_store.os, "fstat", change)
        taken = RawStore(small).take_in([path], collection)
    assert "changed while it was copied" in taken.left["DER.xlsx"]
    with path.open("r+b") as writer:
        writer.write(whole)
        writer.flush()
        taken = RawStore(small).take_in([path], collection)
        assert taken.left == {"DER.xlsx": OPEN}
    (receipt,) = RawStore(small).take_in([path], collection).new
    assert receipt.size == len(whole)
    hold_to_account(small)


def test_a_file_that_goes_away_before_it_is_read_holds_nobody_up(
    small: Lake, collection: Collection, sample: Sample
) -> None:
    there = sample("DER").write(small.landing / "DER.xlsx")
    taken = RawStore(small).take_in([small.landing / "gone.xlsx", there], collection)
    assert "has gone" in taken.left["gone.xlsx"]
    assert [receipt.force_code for receipt in taken.new] == ["DER"]


def test_a_clock_that_jumps_back_changes_no_order(
    small: Lake, collection: Collection, sample: Sample
) -> None:
    """The newest return is the one received last, whatever the clock said."""
    months = ("second_jobs", "review_months", "count")
    later = datetime.now(UTC) - timedelta(days=4000)
    for number, value in enumerate(("7", "8"), 2):
        path = sample("STF").with_values({months: value}).write(small.landing / f"{value}.xlsx")
        store = RawStore(small, clock=lambda: later)
        (receipt,) = store.take_in([path], collection).new
        assert (receipt.sequence, receipt.version) == (number, number)
    received = [receipt.received_at for receipt in RawStore(small).receipts()]
    assert received[1] < received[0], "the clock did jump"
    hold_to_account(small)


def _database(small: Lake) -> Path:
    path = small.root / "dagster" / "history" / "runs.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("create table if not exists runs (body text)")
    database.close()
    return path


def test_a_sound_history_is_left_alone(small: Lake) -> None:
    path = _database(small)
    before = path.read_bytes()
    assert mend_history() == []
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_a_damaged_history_is_set_aside_and_said_to_be_lost(content: bytes, small: Lake) -> None:
    path = _database(small)
    path.write_bytes(content)
    (path.parent / "runs.db-wal").write_text("belongs to it")
    (note,) = mend_history()
    assert "history of earlier runs is lost" in note
    assert "releases are unharmed" in note
    assert not path.exists()
    aside = path.with_name("runs.db.damaged-1")
    assert aside.read_bytes() == content, "somebody may want to look at it"
    assert (path.parent / "runs.db.damaged-1-wal").exists()
    path.write_bytes(b"")
    mend_history()
    assert path.with_name("runs.db.damaged-2").exists(), "the first is not overwritten"


def test_what_a_run_that_did_not_end_well_recorded_is_set_aside_if_it_is_damaged(
    small: Lake,
) -> None:
    """Each run asks what it did, so that none would end well."""
    runs = small.root / "dagster" / "history" / "runs.db"
    (runs.parent / "runs").mkdir(parents=True)
    with sqlite3.connect(runs) as database:
        database.execute("create table runs (id, run_id, status)")
        database.execute("insert into runs values (1, 'well', 'SUCCESS'), (2, 'dead', 'STARTED')")
    database.close()
    events = runs.parent / "runs" / "dead.db"
    events.touch()
    assert mend_history() == [], "an empty one is filled by whoever asks"
    events.write_bytes(b"garbage" * 1000)
    (note,) = mend_history()
    assert "What was recorded of that run is lost" in note
    assert events.with_name(f"{events.name}.damaged-1").exists()
    assert mend_history() == []


def test_a_history_that_is_locked_is_not_damaged(small: Lake) -> None:
    path = _database(small)
    with sqlite3.connect(path) as database:
        database.execute("begin exclusive")
        assert mend_history() == []
    database.close()


def test_a_deleted_history_is_said_to_be_lost(small: Lake) -> None:
    assert mend_history() == [], "there was none before the first run"
    (small.releases / "2012-revisit-x").mkdir(parents=True)
    (note,) = mend_history()
    assert "it was deleted, or moved away" in note


def test_a_history_kept_elsewhere_is_not_missed(small: Lake) -> None:
    home = small.root / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text("storage:\n  postgres: {}\n")
    (small.releases / "2012-revisit-x").mkdir(parents=True)
    assert mend_history() == []


def test_a_power_cut_finds_no_receipt_whose_bytes_are_not_on_the_disk(
    small: Lake, sample: Sample, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes are forced to the disk together, before the first receipt says that they are kept."""
    paths = [sample(force).write(small.landing / f"{force}.xlsx") for force in ("AVS", "BED")]
    forced: set[int] = set()
    force, write = os.fsync, RawStore.write
    store = RawStore(small)

    def forcing(handle: int) -> None:
        force(handle)
        forced.add(os.fstat(handle).st_ino)

    def writing(self: RawStore, receipt: ReturnReceipt) -> None:
        assert self.path(receipt).stat().st_ino in forced
        write(self, receipt)
        assert (self._folder / receipt.names[0]).stat().st_ino in forced

    monkeypatch.setattr(os, "fsync", forcing)
    monkeypatch.setattr(RawStore, "write", writing)
    assert len(store.take_in(paths, collection).new) == len(paths)


def test_a_write_that_fails_half_way_leaves_what_was_there(small: Lake) -> None:
    path = small.root / "work" / "trial" / "table"
    with atomic_file(path) as file:
        file.write(b"whole")

    def fail() -> None:
        with atomic_file(path) as again:
            again.write(b"half")
            raise OSError(28, "No space left on device")

    with pytest.raises(UnavailableError, match="No space left"):
        fail()
    assert path.read_bytes() == b"whole"
    assert [each.name for each in path.parent.iterdir()] == ["table"]
