"""Whole runs through what happens to machines; each ends with a message, and the next goes on."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assets.intake.raw_store import RawStore
from assets.lake import Lake
from tests.returns import SampleReturn
from tests.survival.conftest import COLLECTION, mounted
from tests.survival.harness import Command, Ended, hold_to_account, muster

pytestmark = pytest.mark.slow

Run = Callable[..., Ended]


def test_of_two_runs_at_once_one_publishes_and_one_says_wait(lake: Lake) -> None:
    (lake.landing / "note.xlsx").write_text("a file that changes the release")
    both = [Command(lake, "run", quick=True) for _ in range(2)]
    ended = [command.wait() for command in both]
    hold_to_account(lake)
    assert 0 in [each.code for each in ended]
    for each in ended:
        assert each.code == 0 or "Wait until it has ended and start again" in each.output
        assert "Traceback" not in each.output
    assert len(RawStore(lake).receipts()) == 45


@pytest.mark.parametrize("room", [100_000, 200_000, 1_000_000, 3_000_000])
def test_a_full_disk(room: int, published: Lake, sample_folder: Path, tmp_path: Path) -> None:
    """A run gets less or more far: to the raw store, the history of runs, the tables."""
    lake = Lake(tmp_path / "disk", COLLECTION)
    with mounted(lake.root, "-t", "tmpfs", "-o", "size=20m", "none"):
        for folder in ("raw", "work", "releases", "marts"):
            # Without what is kept of earlier runs: it would leave no room for this one.
            ignore = shutil.ignore_patterns("kept")
            shutil.copytree(published.root / folder, lake.root / folder, True, ignore)
        before = lake.marts.resolve()
        shutil.copytree(sample_folder, lake.landing, ignore=shutil.ignore_patterns("[!AB]*"))
        (lake.landing / "note.xlsx").write_text("a file that changes the release")
        _fill(lake.root, room)
        ended = muster(lake, "run", quick=True)
        assert ended.code == 1, ended.output
        assert "Traceback" not in ended.output
        assert "Free space" in ended.output
        assert lake.marts.resolve() == before
        hold_to_account(lake)
        assert muster(lake, "doctor").code == 1
        larger = ["mount", "-o", "remount,size=200m", str(lake.root)]
        subprocess.run(larger, check=True, capture_output=True)
        again = muster(lake, "run", quick=True)
        assert again.code == 0, again.output
        assert lake.marts.resolve() != before
        hold_to_account(lake)


def _fill(folder: Path, room: int) -> None:
    """Leave so many bytes of a disk, in which a run gets some way."""
    free = shutil.disk_usage(folder).free - room
    if free > 0:
        (folder / "landing" / ".filling").write_bytes(bytes(free))


def _without_roots_rights(lake: Lake, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command for which the modes of files hold, as they do not for root."""
    command = [sys.executable, "-c", "from pipelines.cli.main import main; main()", *arguments]
    if os.geteuid() == 0:
        without = "--bounding-set=-dac_override,-dac_read_search"
        if not shutil.which("setpriv"):
            pytest.skip("root reads everything, and there is no setpriv to give that up")
        command = ["setpriv", without, *command]
    environment = {**os.environ, "MUSTER_LAKE": str(lake.root)}
    environment.pop("DAGSTER_HOME", None)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_file_that_may_not_be_read_holds_nobody_up(
    lake: Lake, sample: Callable[[str], SampleReturn]
) -> None:
    months = ("second_jobs", "review_months", "count")
    closed = sample("AVS").with_values({months: "7"}).write(lake.landing / "closed.xlsx")
    sample("BED").with_values({months: "7"}).write(lake.landing / "good.xlsx")
    closed.chmod(0)
    done = _without_roots_rights(lake, "run")
    assert done.returncode == 0, done.stderr
    assert "closed.xlsx: left in landing; it cannot be opened (Permission denied)" in done.stdout
    assert "Took in 1 new file" in done.stdout
    examined = _without_roots_rights(lake, "doctor")
    assert examined.returncode == 0
    assert "cannot be opened by this account" in examined.stdout
    closed.chmod(0o644)
    assert "Took in 1 new file" in muster(lake, "run", quick=True).output
    hold_to_account(lake)


def test_a_raw_store_that_may_not_be_written(lake: Lake) -> None:
    (lake.landing / "note.xlsx").write_text("something new")
    before = lake.marts.resolve()
    receipts = lake.raw / "receipts"
    receipts.chmod(0o555)
    done = _without_roots_rights(lake, "run")
    receipts.chmod(0o755)
    assert done.returncode == 1
    assert "cannot be written (Permission denied)" in done.stderr
    assert "mend the permissions" in done.stderr
    assert lake.marts.resolve() == before
    hold_to_account(lake)


def test_a_file_that_changes_all_the_time_is_taken_whole_or_not_at_all(
    lake: Lake, sample: Callable[[str], SampleReturn], tmp_path: Path
) -> None:
    months = ("second_jobs", "review_months", "count")
    whole = sample("AVS").with_values({months: "7"}).write(tmp_path / "AVS.xlsx").read_bytes()
    path, ended = lake.landing / "growing.xlsx", threading.Event()

    def write() -> None:
        while not ended.is_set():
            with path.open("wb") as file:
                for start in range(0, len(whole), 2000):
                    file.write(whole[start : start + 2000])
                    file.flush()
                    time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        first = muster(lake, "run", quick=True)
    finally:
        ended.set()
        writer.join()
    assert first.code == 0, first.output
    assert "growing.xlsx: left in landing" in first.output
    assert len(RawStore(lake).receipts()) == 44
    assert "Took in 1 new file" in muster(lake, "run", quick=True).output
    assert RawStore(lake).receipts()[-1].size == len(whole)
    hold_to_account(lake)


def _damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 : 4096 + 4096] = os.urandom(4096)
    path.write_bytes(content)


@pytest.mark.parametrize(
    "harm",
    [
        lambda home: _damage(home / "history" / "runs.db"),
        lambda home: _damage(home / "history" / "runs" / "index.db"),
        lambda home: (home / "schedules" / "schedules.db").write_bytes(b"none"),
        lambda home: (home / "history" / "runs.db").write_bytes(b""),
    ],
)
def test_a_damaged_history(harm: Callable[[Path], None], lake: Lake, run: Run) -> None:
    release = lake.marts.resolve()
    harm(lake.root / "dagster")
    examined = run("doctor")
    assert examined.code == 1
    assert "only the history of runs is lost" in examined.output.replace("\n", " ")
    ended = muster(lake, "run", quick=True)
    assert ended.code == 0, ended.output
    assert "history of earlier runs is lost" in ended.output
    assert lake.marts.resolve() == release, "the same returns give the same release"
    hold_to_account(lake)
    assert run("doctor").code == 0


def test_what_an_earlier_run_recorded_is_damaged(lake: Lake) -> None:
    """A run that did not end is asked by each later one what it did."""
    history = lake.root / "dagster" / "history"
    with sqlite3.connect(history / "runs.db") as database:
        database.execute("update runs set status = 'STARTED'")
        ((run_id,),) = database.execute("select run_id from runs")
    database.close()
    (history / "runs" / f"{run_id}.db").write_bytes(b"garbage" * 1000)
    ended = muster(lake, "run", quick=True)
    assert ended.code == 0, ended.output
    assert "What was recorded of that run is lost" in ended.output
    hold_to_account(lake)


def test_a_deleted_history(lake: Lake) -> None:
    release = lake.marts.resolve()
    shutil.rmtree(lake.root / "dagster")
    ended = muster(lake, "run", quick=True)
    assert ended.code == 0, ended.output
    assert "holds no history of earlier runs" in ended.output
    assert lake.marts.resolve() == release
    hold_to_account(lake)
    assert "holds no history" not in muster(lake, "run", quick=True).output


def test_a_damaged_raw_file_is_refused_until_it_is_restored(lake: Lake) -> None:
    release = lake.marts.resolve()
    path = RawStore(lake).path(RawStore(lake).receipts()[7])
    whole = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(whole[:-1] + b"?")
    ended = muster(lake, "run", quick=True)
    assert ended.code == 1
    assert "has changed since it was received" in ended.output
    assert "still shows the last release" in ended.output
    assert lake.marts.resolve() == release
    path.write_bytes(whole)
    assert muster(lake, "run", quick=True).code == 0
    assert lake.marts.resolve() == release
