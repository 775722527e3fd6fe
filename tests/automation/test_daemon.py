"""The real daemon: files are dropped while it runs, one of them slowly, and runs happen."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus

from assets.intake.raw_store import RawStore
from assets.lake import Lake
from schemas.collection import COLLECTIONS
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
    }
    command = [sys.executable, "-m", "dagster._daemon", "run", "-m", "pipelines.definitions"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        yield home
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
