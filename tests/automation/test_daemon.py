"""The real daemon: files are dropped while it runs, one of them slowly, and runs happen."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import polars as pl
import pytest
from dagster import DagsterRunStatus

from assets.intake.raw_store import RawStore
from assets.lake import Lake
from pipelines.open_demo import ID, open_collection
from schemas.collection import load_collection
from schemas.reference import COLLECTIONS
from tests.alerts.listeners import (
    PASSWORD,
    Mailbox,
    everything_said,
    free_port,
    mail_server,
    mail_url,
    webhook,
)
from tests.returns import SampleReturn

pytestmark = pytest.mark.slow

_SETTINGS = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"


@pytest.fixture
def daemon(lake: Lake, tmp_path: Path) -> Iterator[Path]:
    """Start the daemon with automation on and files that settle in three seconds."""
    text = (COLLECTIONS / "2012-revisit.toml").read_text(encoding="utf-8")
    collections = tmp_path / "collections"
    collections.mkdir()
    quick = text.replace("settle_seconds = 20", "settle_seconds = 3")
    (collections / "2012-revisit.toml").write_text(quick)
    with _daemon(lake, tmp_path, collections) as home:
        yield home


@contextmanager
def _daemon(lake: Lake, tmp_path: Path, collections: Path, **settings: str) -> Iterator[Path]:
    home = lake.root / "dagster"
    home.mkdir()
    (home / "dagster.yaml").write_text(_SETTINGS)
    with dg.DagsterInstance.from_config(str(home)):
        pass  # two processes that make the databases at once can trip over each other
    environment = {
        **os.environ,
        "MUSTER_LAKE": str(lake.root),
        "MUSTER_AUTOMATION": "on",
        "MUSTER_COLLECTIONS": str(collections),
        "DAGSTER_HOME": str(home),
        **settings,
    }
    command = [sys.executable, "-m", "dagster._daemon", "run", "-m", "pipelines.definitions"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield home
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(what: Callable[[], bool], seconds: float = 240) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.5)


def test_files_dropped_while_the_daemon_runs(
    daemon: Path, lake: Lake, sample: Callable[[str], SampleReturn], tmp_path: Path
) -> None:
    def ended() -> list[DagsterRunStatus]:
        with dg.DagsterInstance.from_config(str(daemon)) as instance:
            return [run.status for run in instance.get_runs() if run.is_finished]

    def forces() -> set[str | None]:
        return {receipt.force_code for receipt in RawStore(lake).receipts()}

    def begun() -> bool:
        with dg.DagsterInstance.from_config(str(daemon)) as instance:
            return len(instance.get_daemon_heartbeats()) > 0

    _wait(begun)
    for force in ("AVS", "BED"):
        sample(force).write(lake.landing / f"{force}.xlsx")
    slow = sample("STF").write(tmp_path / "STF.xlsx").read_bytes()
    with (lake.landing / "STF.xlsx").open("wb") as file:
        file.write(slow[: len(slow) // 2])
        file.flush()
        _wait(lambda: len(ended()) == 1)
        assert forces() == {"AVS", "BED"}, "half a file is not taken in"
        file.write(slow[len(slow) // 2 :])
    _wait(lambda: len(ended()) == 2)
    assert forces() == {"AVS", "BED", "STF"}
    (lake.landing / "again.xlsx").write_bytes(slow)
    time.sleep(40)
    assert ended() == [DagsterRunStatus.SUCCESS] * 2, "the same bytes start no run"


def test_a_schedule_ticks_in_an_open_window_and_people_are_told(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the product is for: nobody does anything, and there is a release, and an alert.

    Files settle in ten minutes for the sensor, so that no run but the schedule's can come.
    """
    soon = datetime.now(ZoneInfo("Europe/London")) + timedelta(minutes=2)
    running = (
        f"days_after_hard = 28\nrefresh = {soon:%H:%M}:00\ninventory = {soon:%H:%M}:00\n"
        "settle_seconds = 600"
    )
    folder = tmp_path / "open"
    described = open_collection(folder, datetime.now(UTC).date())
    of_2012 = r"(?ms)(^opens = [^\n]*$).*?(?=^\[)"
    described.write_text(re.sub(of_2012, rf"\1\n{running}\n\n", described.read_text()))
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(folder))
    collection = load_collection(ID)
    ours = Lake(lake.root, ID)
    ours.landing.mkdir(parents=True)
    blank = {("second_jobs", "refused", "count"): None}
    hour_ago = time.time() - 3600
    for force, changes in {"AVS": {}, "BED": {}, "STF": blank}.items():
        path = (
            SampleReturn.of(force, collection)
            .with_values(changes)
            .write(ours.landing / f"{force}.xlsx")
        )
        os.utime(path, (hour_ago, hour_ago))
    port, mailbox = free_port(), Mailbox()

    def done() -> list[dg.DagsterRun]:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            runs = instance.get_runs(dg.RunsFilter(job_name="refresh"))
        return [run for run in runs if run.is_finished]

    with webhook() as hook, mail_server(port, mailbox):
        told = f"{mail_url(port)} {hook.url}"
        with _daemon(lake, tmp_path, folder, MUSTER_ALERT_URLS=told) as home:
            _wait(lambda: bool(done()), 420)
            rejected = f"Muster: 1 return is rejected ({ID})"
            _wait(lambda: rejected in mailbox.subjects and rejected in hook.titles, 180)
    assert sorted(set(hook.titles)) == sorted(hook.titles), "each alert once"
    assert PASSWORD not in everything_said(lake) + (tmp_path / "log").read_text(errors="replace")
    (run,) = done()
    assert run.status == DagsterRunStatus.SUCCESS
    assert run.tags["dagster/schedule_name"] == "daily_refresh_demo_open"
    assert run.tags["dagster/partition"] == ID
    status = pl.read_parquet(ours.marts / "returns_status.parquet")
    states = {row["force_code"]: row["state"] for row in status.iter_rows(named=True)}
    assert (states.pop("AVS"), states.pop("BED"), states.pop("STF")) == (
        "accepted",
        "accepted",
        "rejected",
    )
    assert set(states.values()) == {"missing"}
