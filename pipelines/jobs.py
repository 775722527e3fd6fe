"""What runs: the refresh and the inventory, the schedules and sensors that ask for them.

Why a job with sensors and schedules, and no automation conditions: a condition decides for each
asset by what is materialised upstream. What starts a refresh is a file that no asset has made,
and a release is all of it or nothing: one run, from landing to the swap, that holds the lake.

Why a failed run is asked for again here, and not by Dagster's own run retries: those try every
failure again at once. A blocked release stays blocked, and what can pass wants a pause.
"""

import os
import time
from collections.abc import Callable, Mapping
from datetime import date
from datetime import time as hour
from typing import Any, Final

import dagster as dg
from dagster import DagsterRunStatus, DefaultScheduleStatus, DefaultSensorStatus
from dagster._core.storage.tags import PARTITION_NAME_TAG

from assets.intake.arrivals import Look, Memory, look, quiet
from assets.intake.landing import astray, waiting_anywhere
from assets.intake.store import utc_now
from assets.lake import Lake, is_held, lake_root
from pipelines.alerts import look as broken
from pipelines.outcome import FAILURES, can_pass
from schemas.collection import Collection, command, load_collection, sound_collections
from schemas.errors import SetupError
from schemas.reference import collection_files
from schemas.wording import Number, plural

SWITCH: Final = "MUSTER_AUTOMATION"
REFRESH: Final = "refresh"

QUEUES: Final = {"muster/queues": "yes"}
"""Tag of a run that waits for its turn in the lake: nobody is there who could repeat it."""

_LANDING: Final = "muster/landing"
_TRY: Final = "muster/try"
"""Tags of a run that a landing sensor has asked for: the collection, and which try it is."""

_TAKES_IN: Final = "intake"
"""The step that takes dropped files in."""

_EVERY: Final = 10
_GATHERING: Final = 6
"""A run waits for files still arriving, but no longer than so many times the settling time."""
_TRIES: Final = 6
_PAUSE: Final = 60.0
"""Seconds before a second try; each further one waits twice as long."""


refresh = dg.define_asset_job(
    REFRESH,
    selection=dg.AssetSelection.all(),
    # Small steps take seconds in one process and ten times that in several; polars is parallel.
    executor_def=dg.in_process_executor,
    description="Take in what is new, validate, add up, reconcile, and publish a release.",
)


def request_refresh(
    collection: Collection, run_key: str, only: list[str], tags: Mapping[str, str]
) -> dg.RunRequest:
    """Return the request for a refresh that takes in the files of these states alone."""
    return dg.RunRequest(
        run_key=run_key,
        partition_key=collection.id,
        run_config={"ops": {_TAKES_IN: {"config": {"only": only}}}},
        tags={**QUEUES, **tags},
    )


def only_these(run_config: Mapping[str, Any]) -> set[str] | None:
    """Return the states of files that every step was to take in alone; None where all were."""
    steps = run_config.get("ops", {}).values()
    asked = [only for step in steps if (only := step.get("config", {}).get("only")) is not None]
    return set.intersection(*map(set, asked)) if asked else None


def inventory_now(collection: Collection, today: date) -> list[str]:
    """Return what is broken or missing in a collection now; an empty list where nothing is.

    Raises:
        LakeError: the lake cannot be read.
    """
    lake = Lake(lake_root(), collection.id)
    lines = []
    if lost := astray(lake.root, collection_files()):
        lines.append(f"in landing, in no collection's folder: {', '.join(p.name for p in lost)}")
    if not lake.table("validation/all_findings").exists():
        expected = Number(len(collection.forces))
        return [*lines, f"nothing has been run yet; {expected:force is|forces are} expected"]
    if not lake.marts.exists():
        lines.append(f"no release is shown to analysts; run: {command('run', collection.id)}")
    if unfinished := waiting_anywhere(lake).unfinished:
        lines.append(f"{plural(len(unfinished), 'file')} in landing still open for writing")
    found = broken.look(lake, collection, today).values()
    return [*lines, *(f"{each.title}: {', '.join(each.cases)}" for each in found if each)]


class Which(dg.Config):
    """`collection`: the id of the collection to look at."""

    collection: str


@dg.op(description="Log what is broken or missing in a collection.")
def list_what_is_broken(context: dg.OpExecutionContext, config: Which) -> None:
    """Log each line as a warning, so that the run's log has them at the top."""
    collection = load_collection(config.collection)
    lines = inventory_now(collection, collection.day_of(utc_now()))
    for line in lines:
        context.log.warning(line)
    if not lines:
        context.log.info("nothing is broken or missing")


@dg.job(
    name="inventory",
    executor_def=dg.in_process_executor,
    description="What is broken or missing: late forces, rejected returns, open queries.",
)
def inventory_job() -> None:
    """List what is broken or missing."""
    list_what_is_broken()


def is_on() -> bool:
    """Return whether schedules and sensors start switched on; off where nothing is said.

    Whoever switches one in the UI overrides this for that one.

    Raises:
        SetupError: the setting is neither on nor off.
    """
    said = os.environ.get(SWITCH) or "off"
    if said not in {"on", "off"}:
        raise SetupError(f"{SWITCH} is {said!r}. Set it to on or off.")
    return said == "on"


def sensor_status() -> DefaultSensorStatus:
    """Return how a sensor starts."""
    return DefaultSensorStatus.RUNNING if is_on() else DefaultSensorStatus.STOPPED


def _named(what: str, collection: Collection) -> str:
    """Return the name of a collection's schedule or sensor, in the letters Dagster allows."""
    return f"{what}_{collection.id.replace('-', '_')}"


def _daily(
    what: str,
    job: Any,
    at: hour,
    collection: Collection,
    asked_for: Callable[[date], dg.RunRequest | dg.SkipReason],
) -> dg.ScheduleDefinition:
    """Return a schedule that asks for a run each day of the collection's window."""

    @dg.schedule(
        name=_named(what, collection),
        job=job,
        cron_schedule=f"{at.minute} {at.hour} * * *",
        execution_timezone=collection.timezone,
        default_status=DefaultScheduleStatus.RUNNING if is_on() else DefaultScheduleStatus.STOPPED,
        description=f"{job.description} Each day of the window of {collection.id}.",
    )
    def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        day = collection.day_of(context.scheduled_execution_time)
        if collection.is_open(day):
            return asked_for(day)
        opens, closes = collection.window
        return dg.SkipReason(f"the window of {collection.id} is from {opens} to {closes}")

    return daily


def daily_refresh(collection: Collection) -> dg.ScheduleDefinition:
    """Return the schedule of a collection's daily refresh.

    It takes in whatever waits and is whole, and rebuilds: what was decided at the desk counts from
    then on.
    """

    def asked_for(day: date) -> dg.RunRequest:
        lake = Lake(lake_root(), collection.id)
        whole = quiet(lake, time.time(), collection.running.settle_seconds)
        return request_refresh(collection, f"{collection.id}:{day}", whole, {})

    return _daily("daily_refresh", refresh, collection.running.refresh, collection, asked_for)


def morning_inventory(collection: Collection) -> dg.ScheduleDefinition:
    """Return the schedule that lists what is broken or missing, where anything is."""

    def asked_for(day: date) -> dg.RunRequest | dg.SkipReason:
        if not inventory_now(collection, day):
            return dg.SkipReason("nothing is broken or missing")
        config = {list_what_is_broken.name: {"config": {"collection": collection.id}}}
        return dg.RunRequest(f"inventory:{collection.id}:{day}", run_config={"ops": config})

    at = collection.running.inventory
    return _daily("morning_inventory", inventory_job, at, collection, asked_for)


def landing_sensor(collection: Collection) -> dg.SensorDefinition:
    """Return the sensor of a collection's landing folder."""

    @dg.sensor(
        name=_named("landing", collection),
        job=refresh,
        minimum_interval_seconds=_EVERY,
        default_status=sensor_status(),
        description=f"One refresh of {collection.id} for what was dropped, once it has settled.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return evaluate(collection, context.instance, context.cursor, time.time())

    return landing


def evaluate(
    collection: Collection, instance: dg.DagsterInstance, cursor: str | None, now: float
) -> dg.SensorResult:
    """Return what a look at landing comes to; the cursor has what is remembered of its files.

    What the last run was to take in, the next one takes in too unless that ended well, or a later
    one that somebody started did.
    """
    lake = Lake(lake_root(), collection.id)
    seen = look(lake, Memory.from_text(cursor), now, collection.running.settle_seconds)
    ours = instance.get_run_records(dg.RunsFilter(tags={_LANDING: collection.id}), limit=1)
    left = [each for each in ours if not _ended_well(each, instance, collection)]
    memory, tried, only = seen.memory, 0, {*seen.new, *seen.research}
    waiting = "; ".join(_waiting(seen))
    if seen.new:
        if why_not := _why_wait(lake, seen, collection):
            memory = seen.unasked()
    elif left:
        tried = int(left[0].dagster_run.tags.get(_TRY, 1))
        if why_not := _why_not_again(left[0], tried, instance, now):
            why_not = "; ".join(filter(None, [why_not, waiting]))
    else:
        why_not = waiting or "nothing new in landing"
    if why_not:
        return dg.SensorResult(skip_reason=why_not, cursor=memory.to_text())
    only |= set().union(*(only_these(each.dagster_run.run_config) or () for each in left))
    # Dagster starts one run for a key: never another for this look, but after the next run one.
    key = ":".join([collection.id, seen.key, *(each.dagster_run.run_id for each in ours)])
    tags = {_LANDING: collection.id, _TRY: str(tried + 1)}
    request = request_refresh(collection, key, sorted(only), tags)
    return dg.SensorResult(run_requests=[request], cursor=memory.to_text())


def _ended_well(record: dg.RunRecord, instance: dg.DagsterInstance, collection: Collection) -> bool:
    if record.dagster_run.status == DagsterRunStatus.SUCCESS:
        return True
    later = instance.get_runs(
        dg.RunsFilter(
            job_name=REFRESH,
            tags={PARTITION_NAME_TAG: collection.id},
            statuses=[DagsterRunStatus.SUCCESS],
            created_after=record.create_timestamp,
        )
    )
    asked, took = (
        only_these(record.dagster_run.run_config),
        [only_these(r.run_config) for r in later],
    )
    return any(only is None or (asked is not None and asked <= only) for only in took)


def _why_not_again(
    record: dg.RunRecord, tried: int, instance: dg.DagsterInstance, now: float
) -> str | None:
    """Return why no other run is asked for in place of the last; None where one is.

    A failure that cannot pass waits for something new.
    """
    run = record.dagster_run
    if not run.is_finished:
        return f"run {run.run_id} has not ended"
    events = (entry.dagster_event for entry in instance.all_logs(run.run_id, of_type=FAILURES))
    stays = run.status != DagsterRunStatus.FAILURE or not can_pass(filter(None, events))
    if stays or tried >= _TRIES:
        why = (
            f"run {run.run_id} failed for a reason that stays"
            if stays
            else f"{tried} runs failed; no more are tried"
        )
        return f"{why} until something is changed"
    due = (record.end_time or now) + _PAUSE * 2 ** (tried - 1)
    if now < due:
        return f"run {run.run_id} failed; the next try comes in {due - now:.0f} seconds"
    return None


def _why_wait(lake: Lake, seen: Look, collection: Collection) -> str | None:
    if is_held(lake.root):
        return f"waiting until the run at work has ended: {plural(len(seen.new), 'new file')}"
    if seen.moving and seen.oldest < _GATHERING * collection.running.settle_seconds:
        return f"not settled yet: {plural(len(seen.moving), 'file')}"
    return None


def _waiting(seen: Look) -> list[str]:
    """Return what waits in landing that no run can take in yet."""
    waiting = (("not settled yet", seen.moving),
               ("cannot be opened, so mend the permissions", seen.closed))  # fmt: skip
    return [f"{what}: {plural(len(files), 'file')}" for what, files in waiting if files]


SCHEDULES: Final = [
    schedule(known)
    for known in sound_collections()
    for schedule in (daily_refresh, morning_inventory)
]
LANDING_SENSORS: Final = [landing_sensor(known) for known in sound_collections()]
