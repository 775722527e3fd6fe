"""Killed anywhere, nothing is lost, analysts see a whole release, and the next run finishes."""

import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus

from assets.lake import Lake
from tests.survival.conftest import COLLECTION
from tests.survival.harness import Command, hold_to_account, killed_when, muster

pytestmark = pytest.mark.slow

KILLS = 50
A_FINISH_EVERY = 12
A_WHOLE_ONE_EVERY = 5


@dataclass(frozen=True)
class Reference:
    """An undisturbed lake; seconds of a whole refresh, and of one without the slow parts."""

    lake: Lake
    whole: float
    quick: float


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, sample_folder: Path) -> Reference:
    """What runs that are never killed publish, and how long they take."""
    lake = Lake(tmp_path_factory.mktemp("reference") / "lake", COLLECTION)
    shutil.copytree(sample_folder, lake.landing)
    whole = muster(lake, "run")
    assert whole.code == 0, whole.output
    return Reference(lake, whole.seconds, muster(lake, "run", quick=True).seconds)


def test_killed_at_fifty_random_moments(
    tmp_path: Path, sample_folder: Path, reference: Reference
) -> None:
    """The first kills meet an empty lake, each later one finds new files and what earlier left.

    Every fifth falls on a refresh with all parts of a release, the others on a quicker one.
    """
    chance = random.Random(2012)
    lake = Lake(tmp_path / "lake", COLLECTION)
    lake.landing.mkdir(parents=True)
    waiting = sorted(sample_folder.glob("*.xlsx"))
    chance.shuffle(waiting)
    killed = 0
    for turn in range(KILLS):
        if waiting:
            path = waiting.pop()
            shutil.copy(path, lake.landing / path.name)
        quick = turn % A_WHOLE_ONE_EVERY > 0
        command = Command(lake, "run", quick=quick)
        time.sleep(chance.uniform(0, reference.quick if quick else reference.whole))
        killed += command.alive()
        command.kill()
        hold_to_account(lake)
        if turn % A_FINISH_EVERY == A_FINISH_EVERY - 1:
            ended = muster(lake, "run", quick=True)
            assert ended.code == 0, ended.output
            hold_to_account(lake)
    assert killed > KILLS / 2, "most must have been at work still"
    shutil.copytree(sample_folder, lake.landing, dirs_exist_ok=True)
    assert muster(lake, "run").code == 0
    hold_to_account(lake)
    assert lake.marts.resolve().name == reference.lake.marts.resolve().name
    left = [path for path in lake.root.rglob(".*.partial") if "dagster" not in path.parts]
    assert left == [], "what killed runs left unfinished is removed"


def _boundaries(lake: Lake) -> dict[str, Path]:
    """Return for each stage the table it writes first, in the order of an undisturbed run."""
    first: dict[str, Path] = {}
    for path in sorted(lake.work.rglob("*.parquet"), key=lambda path: path.stat().st_mtime_ns):
        first.setdefault(path.parent.name, path)
    return first


def test_killed_at_every_stage_boundary(lake: Lake, tmp_path: Path, reference: Reference) -> None:
    release = lake.marts.resolve()
    (lake.landing / "note.xlsx").write_text("a file that changes the release")
    expected = Lake(tmp_path / "expected", COLLECTION)
    shutil.copytree(lake.landing, expected.landing)
    assert muster(expected, "run", quick=True).code == 0
    for stage, table in _boundaries(reference.lake).items():
        ours = lake.table(f"{stage}/{table.stem}")
        ours.unlink()  # one that is as it was is not written again
        assert killed_when(Command(lake, "run", quick=True), ours.exists), stage
        hold_to_account(lake)
        assert lake.marts.resolve() == release, "nothing new is shown half-way"
    fresh = lake.releases / expected.marts.resolve().name
    partial = lake.releases / f".{fresh.name}.partial"
    assert killed_when(Command(lake, "run"), partial.exists)
    hold_to_account(lake)
    assert lake.marts.resolve() == release
    assert killed_when(Command(lake, "run"), fresh.exists)
    hold_to_account(lake)
    assert killed_when(Command(lake, "run"), lambda: lake.marts.resolve() == fresh) or (
        lake.marts.resolve() == fresh
    )
    hold_to_account(lake)
    assert muster(lake, "run").code == 0
    hold_to_account(lake)
    assert lake.marts.resolve().name == expected.marts.resolve().name


def test_runs_that_were_killed_are_not_shown_as_running(lake: Lake) -> None:
    table = lake.table("validation/entries")
    table.unlink()
    assert killed_when(Command(lake, "run"), table.exists)
    assert muster(lake, "run").code == 0
    with DagsterInstance.from_config(str(lake.root / "dagster")) as instance:
        statuses = [run.status for run in instance.get_runs()]
    success, failure = DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE
    assert statuses == [success, failure, success]
