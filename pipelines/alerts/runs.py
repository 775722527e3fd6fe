"""Asks Dagster how runs of the refresh ended, and which have not; the sensor that tells of them.

It reads the runs of every way to start one: command line, schedule, sensor, UI. What a command has
told already is not told again.
"""

import json
from collections.abc import Collection as Many
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus

from assets.intake.store import utc_now
from pipelines.alerts.look import RunOutcome
from pipelines.alerts.messages import tell, tell_without_lake, told_runs
from pipelines.jobs import QUEUES, REFRESH, sensor_status
from pipelines.outcome import reason, was_busy
from schemas.collection import Collection, sound_collections
from schemas.errors import UnavailableError
from schemas.wording import plural, visible

_EVERY: Final = 30
_LOOKED_BACK: Final = 100
"""Runs of a collection that are looked at, the newest first."""

_ENDED: Final = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE)
_TOLD_BY: Final = {DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE}
_PARTITION: Final = "dagster/partition"


def outcome_of(instance: dg.DagsterInstance, run_id: str) -> RunOutcome:
    """Return how a run that has ended ended."""
    run = instance.get_run_by_id(run_id)
    if run is not None and run.status is DagsterRunStatus.SUCCESS:
        return RunOutcome(run_id)
    events = [entry.dagster_event for entry in instance.all_logs(run_id, of_type=_TOLD_BY)]
    known = [event for event in events if event is not None]
    steps = [event.step_key for event in known if event.step_key]
    by_hand = run is not None and not QUEUES.items() <= run.tags.items()
    return RunOutcome(
        run_id,
        reason(known),
        next(iter(steps), None),
        tuple(_blocking(instance, run_id)),
        turned_away=by_hand and was_busy(known),
    )


def _blocking(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """Tell of each rule, or mart and column, that blocks the release of a run."""
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION):
        check: Any = entry.get_dagster_event().event_specific_data
        places = check.metadata.get("blocked_by")
        if not check.passed and places is not None:
            yield from (visible(place) for place in places.value)


def not_yet_told(
    instance: dg.DagsterInstance, collection_id: str, told: Many[str]
) -> RunOutcome | None:
    """Return how the last run ended that nobody was told of; the older ones are past.

    So is a run that both began and ended before one that was told of.
    """
    ended = [r for r in _records(instance, collection_id) if r.dagster_run.status in _ENDED]
    known = [record for record in ended if record.dagster_run.run_id in told]
    last_begun = max((record.storage_id for record in known), default=-1)
    last_ended = max((record.end_time or 0 for record in known), default=-1)
    fresh = (
        record
        for record in ended
        if record.dagster_run.run_id not in told
        and (record.storage_id > last_begun or (record.end_time or 0) > last_ended)
    )
    last_first = sorted(fresh, key=lambda each: (each.end_time or 0, each.storage_id), reverse=True)
    outcomes = (outcome_of(instance, record.dagster_run.run_id) for record in last_first)
    return next((outcome for outcome in outcomes if not outcome.turned_away), None)


def stuck_runs(
    instance: dg.DagsterInstance, collection_id: str, limit: timedelta, now: datetime
) -> dict[str, datetime]:
    """Return the runs that began longer ago than a limit and have not ended, and since when."""
    found = {}
    for record in _records(instance, collection_id):
        began = datetime.fromtimestamp(
            record.start_time or record.create_timestamp.timestamp(), tz=UTC
        )
        if not record.dagster_run.is_finished and now - began > limit:
            found[record.dagster_run.run_id] = began
    return found


def _records(instance: dg.DagsterInstance, collection_id: str) -> list[Any]:
    wanted = dg.RunsFilter(job_name=REFRESH, tags={_PARTITION: collection_id})
    return list(instance.get_run_records(wanted, limit=_LOOKED_BACK))


@dg.sensor(
    minimum_interval_seconds=_EVERY,
    default_status=sensor_status(),
    description="Tells people what is broken: failed and stuck runs, returns, deadlines, figures.",
)
def tell_of_finished_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Tell people of every collection; the cursor has the runs told of while the lake was full."""
    without_lake: list[str] = json.loads(context.cursor or "[]")
    number, problems = 0, []
    for collection in sound_collections():
        try:
            number += _tell(context.instance, collection, utc_now())
        except UnavailableError as error:
            problems.append(str(error))
            without_lake = _without_lake(context.instance, collection.id, without_lake)
    said = "; ".join(problems) or f"{plural(number, 'alert')} told"
    return dg.SensorResult(skip_reason=said, cursor=json.dumps(without_lake))


def _tell(instance: dg.DagsterInstance, collection: Collection, now: datetime) -> int:
    """Tell of the end of the last run and of those that are stuck; return how much was news."""
    limit = timedelta(minutes=collection.running.stuck_minutes)
    stuck = stuck_runs(instance, collection.id, limit, now)
    ended = not_yet_told(instance, collection.id, told_runs(collection.id))
    return len(tell(collection.id, run=ended, stuck=stuck, now=now))


def _without_lake(instance: dg.DagsterInstance, collection_id: str, done: list[str]) -> list[str]:
    """Tell of the end of the last run though the lake cannot be written, each run once."""
    ended = not_yet_told(instance, collection_id, {*told_runs(collection_id), *done})
    if ended is not None and ended.run_id is not None:
        tell_without_lake(collection_id, ended, utc_now())
        return [*done, ended.run_id][-20:]
    return done
