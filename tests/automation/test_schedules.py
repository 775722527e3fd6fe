"""A collection runs by itself in its window, and says each morning what is broken, if anything."""

import os
import time
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from assets.lake import Lake, state_key
from pipelines.definitions import defs, freshness, with_freshness
from pipelines.jobs import (
    daily_refresh,
    inventory_job,
    inventory_now,
    is_on,
    morning_inventory,
    sensor_status,
)
from schemas.collection import Collection, load_collection
from schemas.errors import SetupError
from schemas.reference import COLLECTIONS

_REPEATED = ("[published]", '[published]\ncollection = "2012-revisit"')
LONDON = ZoneInfo("Europe/London")


def _tick(schedule: dg.ScheduleDefinition, day: date, hour: int) -> list[dg.RunRequest] | str:
    at = datetime(day.year, day.month, day.day, hour, tzinfo=LONDON)
    # The job of a schedule is looked up where it is defined.
    known = defs.get_repository_def()
    context = dg.build_schedule_context(scheduled_execution_time=at, repository_def=known)
    data = schedule.evaluate_tick(context)
    return list(data.run_requests or []) or str(data.skip_message)


def test_the_window_follows_the_census_and_the_hard_deadline(collection: Collection) -> None:
    assert collection.window == (date(2012, 6, 1), date(2012, 7, 27))
    assert not collection.is_open(date(2012, 5, 31))
    assert collection.is_open(date(2012, 6, 1))
    assert collection.is_open(date(2012, 7, 27))
    assert not collection.is_open(date(2012, 7, 28))


def test_it_is_refreshed_daily_in_its_window_only(collection: Collection) -> None:
    schedule = daily_refresh(collection)
    assert schedule.cron_schedule == "0 6 * * *"
    assert schedule.execution_timezone == "Europe/London"
    for day in (date(2012, 6, 1), date(2012, 7, 27)):
        (request,) = _tick(schedule, day, 6)
        assert isinstance(request, dg.RunRequest)
        assert request.partition_key == "2012-revisit"
        assert request.run_key == f"2012-revisit:{day}"
    for day in (date(2012, 5, 31), date(2012, 7, 28)):
        assert "2012-06-01 to 2012-07-27" in str(_tick(schedule, day, 6))


def test_the_daily_refresh_takes_no_file_that_is_still_arriving(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy by another account is not seen to be open, so half a return could be taken in."""
    monkeypatch.setenv("MUSTER_LAKE", str(tmp_path))
    landing = Lake(tmp_path, collection.id).landing
    whole, arriving = landing / "STF.xlsx", landing / "cases" / "force_code=STF" / "a.csv"
    for path in (whole, arriving):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content")
    long_ago = time.time() - collection.running.settle_seconds - 1
    os.utime(whole, (long_ago, long_ago))
    (request,) = _tick(daily_refresh(collection), date(2012, 6, 1), 6)
    assert isinstance(request, dg.RunRequest)
    assert request.run_config["ops"] == {"intake": {"config": {"only": [state_key(whole)]}}}
    jobs = defs.resolve_job_def("refresh")
    assert dg.validate_run_config(jobs, request.run_config), "the step has such a setting"


def test_times_stand_in_the_collection_file(collection: Collection) -> None:
    moved = collection.model_copy(
        update={"timezone": "UTC", "running": collection.running.model_copy(
            update={"refresh": collection.running.refresh.replace(hour=4, minute=45)}
        )}
    )  # fmt: skip
    assert daily_refresh(moved).cron_schedule == "45 4 * * *"
    assert daily_refresh(moved).execution_timezone == "UTC"


@pytest.mark.parametrize(("said", "on"), [(None, False), ("", False), ("off", False), ("on", True)])
def test_automation_is_off_until_it_is_switched_on(
    said: str | None, on: bool, monkeypatch: pytest.MonkeyPatch, collection: Collection
) -> None:
    monkeypatch.delenv("MUSTER_AUTOMATION", raising=False)
    if said is not None:
        monkeypatch.setenv("MUSTER_AUTOMATION", said)
    assert is_on() is on
    assert (sensor_status() == dg.DefaultSensorStatus.RUNNING) is on
    running = daily_refresh(collection).default_status == dg.DefaultScheduleStatus.RUNNING
    assert running is on


def test_a_wrong_switch_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """`true` must not quietly mean off."""
    monkeypatch.setenv("MUSTER_AUTOMATION", "true")
    with pytest.raises(SetupError, match="Set it to on or off"):
        is_on()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2012, 5, 31, 12, tzinfo=UTC), None),
        (datetime(2012, 6, 1, 12, tzinfo=UTC), "0 8 * 6,7 *"),
        (datetime(2012, 7, 27, 12, tzinfo=UTC), "0 8 * 6,7 *"),
        (datetime(2012, 7, 28, 12, tzinfo=UTC), None),
    ],
)
def test_marts_must_be_fresh_in_the_window_only(
    now: datetime, expected: str | None, collection: Collection
) -> None:
    """Last year's collection must not be shown as stale for ever."""
    found = freshness([collection], now)
    assert getattr(found, "deadline_cron", None) == expected

    @dg.asset(key=["release", "marts"])
    def marts() -> None: ...

    @dg.asset
    def other() -> None: ...

    policies = {
        spec.key.to_user_string(): spec.freshness_policy
        for each in with_freshness([marts, other], found)
        for spec in each.specs
    }
    assert policies == {"release/marts": found, "other": None}


def test_a_window_over_the_turn_of_the_year_names_its_months(collection: Collection) -> None:
    winter = collection.model_copy(
        update={
            "census": date(2012, 11, 30),
            "deadlines": collection.deadlines.model_copy(
                update={"soft": date(2013, 1, 10), "hard": date(2013, 1, 20)}
            ),
        }
    )
    found = freshness([winter], datetime(2013, 1, 5, tzinfo=UTC))
    assert getattr(found, "deadline_cron", None) == "0 8 * 1,2,12 *"


@pytest.mark.usefixtures("lake")
def test_the_morning_asks_for_a_run_only_where_something_is_broken(
    collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = morning_inventory(collection)
    assert schedule.cron_schedule == "30 7 * * *"
    (request,) = _tick(schedule, date(2012, 7, 4), 7)
    assert isinstance(request, dg.RunRequest)
    assert inventory_now(collection, date(2012, 7, 4)) == [
        "nothing has been run yet; 44 forces are expected"
    ]
    assert inventory_job.execute_in_process(run_config=request.run_config).success
    assert "the window" in str(_tick(schedule, date(2012, 9, 4), 7))
    monkeypatch.setattr("pipelines.jobs.inventory_now", lambda *_: [])
    assert _tick(schedule, date(2012, 7, 4), 7) == "nothing is broken or missing"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("soft = 2012-06-15", "soft = 2012-07-15", "is before the soft one"),
        ("days_after_hard = 28", "opens = 2012-12-01", "before it opens on 2012-12-01"),
        ("days_after_hard = 28", "days_after_hard = -1", "must be 0 or more"),
        ("settle_seconds = 20", "settle_seconds = 0", "must be 1 or more"),
        ("refresh = 06:00:00", 'refresh = "dawn"', "refresh"),
    ],
)
def test_a_wrong_window_is_refused(
    old: str, new: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (COLLECTIONS / "2012-revisit.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "other.toml").write_text(
        text.replace('id = "2012-revisit"', 'id = "other"').replace(*_REPEATED).replace(old, new)
    )
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    with pytest.raises(SetupError, match=message):
        load_collection("other")


def test_a_collection_file_that_says_nothing_of_it_runs_by_itself_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, collection: Collection
) -> None:
    text = (COLLECTIONS / "2012-revisit.toml").read_text(encoding="utf-8")
    start = text.index("[running]")
    silent = text[:start] + text[text.index("[", start + 1) :]
    (tmp_path / "other.toml").write_text(
        silent.replace('id = "2012-revisit"', 'id = "other"').replace(*_REPEATED)
    )
    monkeypatch.setenv("MUSTER_COLLECTIONS", str(tmp_path))
    assert load_collection("other").window == collection.window
