"""Asks Dagster how runs of the refresh ended, and which have not; the sensor that tells of them.

It reads the runs of every way to start one: command line, schedule, sensor, UI. What a command has
told already is not told again.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, Final

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus

from assets.intake.store import utc_now
from pipelines.alerts.look import RunOutcome
from pipelines.alerts.messages import tell, tell_without_lake
from pipelines.jobs import QUEUES, REFRESH, sensor_status
from pipelines.outcome import FAILURES, reason, unforeseen_at, was_busy
from schemas.collection import sound_collections
from schemas.errors import UnavailableError
from schemas.wording import plural, visible

_EVERY: Final = 30
_LOOKED_BACK: Final = 100
"""Runs of a collection, and ends of each kind of any run, that are looked at, the newest first."""

_ENDS: Final = (DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE)
_PARTITION: Final = "dagster/partition"


def outcome_of(instance: dg.DagsterInstance, run_id: str) -> RunOutcome:
    """Return how a run that has ended ended."""
    run = instance.get_run_by_id(run_id)
    if run is not None and run.status is DagsterRunStatus.SUCCESS:
        return RunOutcome(run_id)
    events = [entry.dagster_event for entry in instance.all_logs(run_id, of_type=FAILURES)]
    known = [event for event in events if event is not None]
    steps = [event.step_key for event in known if event.step_key]
    by_hand = run is not None and not QUEUES.items() <= run.tags.items()
    return RunOutcome(
        run_id,
        reason(known),
        next(iter(steps), None),
        tuple(_blocking(instance, run_id)),
        turned_away=by_hand and was_busy(known),
        place=unforeseen_at(known),
    )


def _blocking(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    """Tell of each rule, or mart and column, that blocks the release of a run."""
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION):
        check: Any = entry.get_dagster_event().event_specific_data
        places = check.metadata.get("blocked_by")
        if not check.passed and places is not None:
            yield from (visible(place) for place in places.value)


def last_ended(instance: dg.DagsterInstance, collection_id: str) -> RunOutcome | None:
    """Return how the run ended that ended last, but for those that were turned away.

    The last is told by the order in which Dagster was told, whatever the clock said.
    """
    ours = {record.dagster_run.run_id for record in _records(instance, collection_id)}
    ended = [instance.fetch_run_status_changes(kind, _LOOKED_BACK).records for kind in _ENDS]
    # Before a full list begins, some of its kind are not seen: the other's may not be the last.
    full = [records[-1].storage_id for records in ended if len(records) == _LOOKED_BACK]
    seen = [each for each in chain(*ended) if each.storage_id >= max(full, default=0)]
    last_first = sorted(seen, key=lambda each: each.storage_id, reverse=True)
    outcomes = (outcome_of(instance, each.run_id) for each in last_first if each.run_id in ours)
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
    """Tell people of every collection; the cursor has the run of each that was told of last."""
    cursor = json.loads(context.cursor or "{}")
    told = cursor if isinstance(cursor, dict) else {}
    number, problems, now = 0, [], utc_now()
    for collection in sound_collections():
        limit = timedelta(minutes=collection.running.stuck_minutes)
        stuck = stuck_runs(context.instance, collection.id, limit, now)
        last = partial(last_ended, context.instance, collection.id)
        ended = last()
        try:
            number += len(tell(collection.id, run=last, stuck=stuck, now=now))
        except UnavailableError as error:
            problems.append(str(error))
            if ended is not None and ended.run_id != told.get(collection.id):
                tell_without_lake(collection.id, ended, now)
        told |= {collection.id: ended.run_id} if ended else {}
    said = "; ".join(problems) or f"{plural(number, 'alert')} told"
    return dg.SensorResult(skip_reason=said, cursor=json.dumps(told))
