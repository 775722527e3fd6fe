"""How runs ended, from real Dagster; and the sensor that tells of them."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import dagster as dg
import polars as pl
import pytest
from dagster import DagsterExecutionInterruptedError, DagsterRunStatus

from assets.declare import made, retried, step
from assets.lake import Lake
from pipelines.alerts import runs
from pipelines.alerts.look import RunOutcome, of_outcome
from pipelines.alerts.runs import last_ended, outcome_of, stuck_runs, tell_of_finished_runs
from pipelines.cli import service
from pipelines.jobs import QUEUES
from pipelines.refresh import Refreshed
from schemas.collection import Collection
from schemas.contract import empty
from schemas.errors import BusyError, LakeError, MusterError, ReleaseBlockedError
from schemas.marts import ReturnsStatus
from schemas.wording import long_date

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")

ID = "2012-revisit"
TAGS = {"dagster/partition": ID}
CELL = "cell D4 says: Sergeant Smith"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def _run(
    instance: dg.DagsterInstance,
    error: Exception | None = None,
    tags: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run a job by the name of the refresh and return the id of its run."""

    @dg.op
    def totals() -> None:
        if error is not None:
            raise error

    @dg.job(name="refresh")
    def refresh() -> None:
        totals()

    of = {**TAGS, **tags}
    done = refresh.execute_in_process(instance=instance, tags=of, raise_on_error=False)
    return done.run_id


def _lake_error(lake: Lake) -> MusterError:
    error = LakeError(lake.root / "x", "is gone", "Restore it.")
    error.__cause__ = ValueError("a cell says: Sergeant Smith")
    return error


def test_a_run_that_ended_well(instance: dg.DagsterInstance) -> None:
    assert outcome_of(instance, _run(instance)).error is None


def test_an_error_is_told_in_the_words_of_muster(instance: dg.DagsterInstance, lake: Lake) -> None:
    ended = outcome_of(instance, _run(instance, _lake_error(lake)))
    assert ended.error == f"{lake.root / 'x'}: is gone. Restore it."
    assert ended.step == "totals"


def test_a_run_that_was_turned_away_hides_no_other(instance: dg.DagsterInstance) -> None:
    """Whoever started it by hand was told; one that waited for its turn in vain is told of."""
    busy = BusyError("another run holds the lake")
    assert outcome_of(instance, _run(instance, busy)).turned_away
    assert last_ended(instance, ID) is None
    failed = _run(instance, ValueError())
    _run(instance, busy)
    told = last_ended(instance, ID)
    assert told
    assert told.run_id == failed
    waited = _run(instance, busy, QUEUES)
    told = last_ended(instance, ID)
    assert told
    assert (told.run_id, told.error) == (waited, "another run holds the lake")


def test_a_run_that_was_stopped_is_told_so(instance: dg.DagsterInstance) -> None:
    """As SIGTERM and Ctrl-C do."""
    ended = outcome_of(instance, _run(instance, DagsterExecutionInterruptedError()))
    assert ended.error
    assert ended.error.startswith("the run was ended from outside")


def test_an_error_that_nobody_foresaw_is_told_by_its_kind(instance: dg.DagsterInstance) -> None:
    """Its text could quote what a force sent."""
    ended = outcome_of(instance, _run(instance, ValueError("cell D4 says: Sergeant Smith")))
    assert ended.error is not None
    assert "ValueError" in ended.error
    assert "Smith" not in ended.error


def test_who_started_the_run_is_told_where_it_failed_and_no_alert_is(
    instance: dg.DagsterInstance, lake: Lake, collection: Collection,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """By file and line of our code, which quotes no cell."""

    @dg.op
    def totals() -> None:
        with retried():
            long_date(CELL)  # type: ignore[arg-type]

    @dg.job(name="refresh")
    def refresh() -> None:
        totals()

    done = refresh.execute_in_process(instance=instance, tags=TAGS, raise_on_error=False)
    ended = Refreshed(outcome_of(instance, done.run_id))
    monkeypatch.setattr("pipelines.refresh.refresh", lambda _: ended)
    lake.landing.mkdir(parents=True)
    assert not service.refreshed(collection)
    said = capsys.readouterr().err
    assert re.search(r"Not published\. AttributeError, .* \(schemas/wording\.py:\d+\)\n", said)
    (told,) = lake.outbox.glob("*-run-failed.txt")
    assert "AttributeError" in told.read_text()
    assert ".py" not in told.read_text()
    assert "Smith" not in said + told.read_text()
    assert outcome_of(instance, _run(instance, _lake_error(lake))).place is None


def test_a_release_is_blocked_by_what_its_check_names(
    instance: dg.DagsterInstance, collection: Collection
) -> None:
    """Another check that did not hold says nothing of why the run failed."""

    @dg.asset(
        key=["release", "marts"],
        check_specs=[
            dg.AssetCheckSpec("expectations", asset=["release", "marts"]),
            dg.AssetCheckSpec("totals_hold", asset=["release", "marts"]),
        ],
    )
    def marts() -> Iterator[dg.AssetCheckResult]:
        blocked = {"blocked": "Not released: the first is Smith.", "blocked_by": ["findings, x"]}
        yield dg.AssetCheckResult(check_name="totals_hold", passed=False)
        yield dg.AssetCheckResult(check_name="expectations", passed=False, metadata=blocked)
        raise ReleaseBlockedError("Not released: the first is Smith.", ["findings, x"])

    done = dg.materialize([marts], instance=instance, raise_on_error=False)
    ended = outcome_of(instance, done.run_id)
    assert ended.blocking == ("findings, x",)
    told = of_outcome(ended, collection)["release-blocked"]
    assert told is not None
    assert "Smith" not in str(told)


def test_dagster_keeps_nothing_of_what_a_force_sent(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """A table that breaks its contract is an error that knows whole rows of it."""

    def returns_status(lake: Lake) -> pl.DataFrame:
        row = {"force_code": lake.collection, "state": "Sergeant Smith"}
        counts = dict.fromkeys(("blocking", "queries_open", "queries_answered"), 0)
        rows = pl.DataFrame([{**row, **counts}])
        return pl.concat([empty(ReturnsStatus), rows], how="diagonal")

    done = dg.materialize(
        [step("validation", [made("validation/returns_status", by=returns_status)])],
        instance=instance,
        partition_key=ID,
        resources={"lake_root": tmp_path},
        raise_on_error=False,
    )
    kept = str(instance.all_logs(done.run_id))
    assert "ReturnsStatus breaks its contract in 1 case;" in kept
    assert "Smith" not in kept
    error = outcome_of(instance, done.run_id).error
    assert error is not None
    assert error.startswith("ReturnsStatus breaks")


def test_only_how_things_stand_is_told(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure that a later run has overtaken is past, though the clock was set back meanwhile."""
    _run(instance, ValueError())
    second = _run(instance)
    assert last_ended(instance, ID) == RunOutcome(second)
    monkeypatch.setattr("time.time", lambda: 1e9)
    third = _run(instance)
    assert last_ended(instance, ID) == RunOutcome(third)
    assert last_ended(instance, "another") is None


def test_a_failure_that_is_past_stays_past_however_much_ended_well_since(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs of other collections and jobs are many, and few of them fail."""
    monkeypatch.setattr(runs, "_LOOKED_BACK", 3)
    _run(instance, ValueError())
    second = _run(instance)
    for _ in range(2):
        _run(instance, tags={"dagster/partition": "another"})
    assert last_ended(instance, ID) == RunOutcome(second)
    _run(instance, tags={"dagster/partition": "another"})
    assert last_ended(instance, ID) is None


def test_of_runs_side_by_side_the_one_that_ended_last_is_told(instance: dg.DagsterInstance) -> None:
    """The first to begin may have waited for its turn, and have been the last to end."""
    waiting, other = (
        instance.create_run_for_job(
            dg.job(name="refresh")(lambda: None), tags=TAGS, status=DagsterRunStatus.STARTED
        )
        for _ in range(2)
    )
    instance.report_run_failed(other)
    instance.report_run_failed(waiting)
    told = last_ended(instance, ID)
    assert told
    assert told.run_id == waiting.run_id


def test_a_run_that_does_not_end_is_stuck(instance: dg.DagsterInstance) -> None:
    _run(instance)
    run = instance.create_run_for_job(
        dg.job(name="refresh")(lambda: None), tags=TAGS, status=DagsterRunStatus.STARTED
    )
    now = datetime.now(UTC)
    limit = timedelta(minutes=60)
    assert stuck_runs(instance, ID, limit, now + timedelta(minutes=59)) == {}
    assert list(stuck_runs(instance, ID, limit, now + timedelta(minutes=61))) == [run.run_id]
    instance.report_run_failed(run)  # as Dagster's monitoring does of one that was killed
    said = outcome_of(instance, run.run_id).error
    assert said
    assert said.startswith("the run was ended from outside, or its process killed.")


def _look(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.SensorResult:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    result = tell_of_finished_runs(context)
    assert isinstance(result, dg.SensorResult)
    return result


def _titles(lake: Lake) -> list[str]:
    texts = sorted(lake.outbox.glob("*.txt"))
    return [path.read_text().splitlines()[0] for path in texts]


def test_the_sensor_tells_of_each_run_once(instance: dg.DagsterInstance, lake: Lake) -> None:
    _look(instance)
    assert _titles(lake) == []
    _run(instance, _lake_error(lake))
    assert _look(instance).skip_reason.skip_message == "1 alert told"  # type: ignore[union-attr]
    assert _look(instance).skip_reason.skip_message == "0 alerts told"  # type: ignore[union-attr]
    _run(instance)
    _look(instance)
    assert _titles(lake) == [
        "Muster: The refresh failed (2012-revisit)",
        "Muster: over: The refresh failed (2012-revisit)",
    ]


def test_the_sensor_tells_of_a_stuck_run_and_when_it_is_over(
    instance: dg.DagsterInstance, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = instance.create_run_for_job(
        dg.job(name="refresh")(lambda: None), tags=TAGS, status=DagsterRunStatus.STARTED
    )
    later = datetime.now(UTC) + timedelta(hours=2)
    monkeypatch.setattr(runs, "utc_now", lambda: later)
    _look(instance)
    _look(instance)
    instance.report_run_failed(run)
    _look(instance)
    assert _titles(lake) == [
        "Muster: 1 run of the refresh is stuck (2012-revisit)",
        "Muster: The refresh failed (2012-revisit)",
        "Muster: over: 1 run of the refresh is stuck (2012-revisit)",
    ]


def test_the_sensor_tells_once_though_the_lake_cannot_be_written(
    instance: dg.DagsterInstance, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    """It looks every half minute; a full disk must not fill the mailbox too."""
    lake.root.mkdir()
    lake.alerts.write_text("a file where a folder should be")
    _run(instance, _lake_error(lake))
    result = _look(instance)
    _look(instance, result.cursor)
    said = [record for record in caplog.records if "The refresh failed" in record.getMessage()]
    assert len(said) == 1


def test_a_lake_that_fills_up_tells_of_no_run_again(
    instance: dg.DagsterInstance, lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    _run(instance, _lake_error(lake))
    result = _look(instance)
    caplog.clear()
    shutil.rmtree(lake.alerts)
    lake.alerts.write_text("a file where a folder should be")
    _look(instance, result.cursor)
    assert not any("The refresh failed" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("cursor", ["[]", '["abc"]', "{}"])
def test_dagster_keeps_no_text_of_an_alert(
    cursor: str, instance: dg.DagsterInstance, lake: Lake
) -> None:
    """Its database is read by whoever may see the UI."""
    run = _run(instance, _lake_error(lake))
    result = _look(instance, cursor)
    assert json.loads(str(result.cursor)) == {ID: run}
    assert "gone" not in str(result)


def test_a_run_is_told_of_though_what_it_did_cannot_be_shown(
    lake: Lake, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> None:
        raise LakeError(lake.root, "is damaged", "muster run makes it anew.")

    ended = Refreshed(RunOutcome("abc", "no space left"))
    monkeypatch.setattr("pipelines.refresh.refresh", lambda _: ended)
    monkeypatch.setattr(service, "_report", damaged)
    with pytest.raises(LakeError):
        service.refreshed(collection)
    (told,) = lake.outbox.glob("*-run-failed.txt")
    assert "no space left" in told.read_text()
