"""What runs: the refresh and the inventory, the schedules and sensors that ask for them.

Why a job with sensors and schedules, and no automation conditions: a condition decides for each
asset by what is materialised upstream. What starts a refresh is a file that no asset has made,
and a release is all of it or nothing: one run, from landing to the swap, that holds the lake.

Why a failed run is asked for again here, and not by Dagster's own run retries: those try every
failure again at once. A blocked release stays blocked, and what can pass wants a pause.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from datetime import time as hour
from typing import Any, Final

import dagster as dg
from dagster import DagsterRunStatus, DefaultScheduleStatus, DefaultSensorStatus

from assets.intake.arrivals import Look, Memory, look, quiet
from assets.intake.landing import waiting_anywhere
from assets.intake.store import utc_now
from assets.lake import Lake, is_held, lake_root
from pipelines.alerts import look as broken
from pipelines.outcome import can_pass
from schemas.collection import Collection, command, load_collection, sound_collections
from schemas.errors import SetupError
from schemas.wording import plural

SWITCH: Final = "MUSTER_AUTOMATION"
REFRESH: Final = "refresh"

QUEUES: Final = {"muster/queues": "yes"}
"""Tag of a run that waits for its turn in the lake: nobody is there who could repeat it."""

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


def request_refresh(collection: Collection, run_key: str, only: list[str]) -> dg.RunRequest:
    """Return the request for a refresh that takes in the files of these states alone."""
    return dg.RunRequest(
        run_key=run_key,
        partition_key=collection.id,
        run_config={"ops": {_TAKES_IN: {"config": {"only": only}}}},
        tags=QUEUES,
    )


def inventory_now(collection: Collection, today: date) -> list[str]:
    """Return what is broken or missing in a collection now; an empty list where nothing is.

    Raises:
        LakeError: the lake cannot be read.
    """
    lake = Lake(lake_root(), collection.id)
    lines = []
    if not lake.table("validation/all_findings").exists():
        return [f"nothing has been run yet; {len(collection.forces)} forces are expected"]
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
        return request_refresh(collection, f"{collection.id}:{day}", whole)

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


@dataclass(frozen=True)
class Asked:
    """The run asked for last: its key, which try it is, and when it was asked for.

    `given_up`: it failed and is not tried again, so what it was to take in is still to be taken.
    """

    key: str
    only: list[str]
    attempt: int
    at: float
    given_up: bool = False

    @property
    def run_key(self) -> str:
        """What Dagster starts at most one run for."""
        return f"{self.key}:{self.attempt}"


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
    """Return what a look at landing comes to; the cursor keeps what later looks must know."""
    lake = Lake(lake_root(), collection.id)
    memory, asked = _remembered(cursor)
    seen = look(lake, memory, now, collection.running.settle_seconds)
    memory = seen.memory
    if not seen.new:
        said, asked = _again(asked, seen, instance, now)
    elif why_not := _why_wait(lake, seen, collection):
        said, memory = why_not, seen.unasked()
    else:
        only = {*seen.new, *seen.research, *(asked.only if asked else ())}
        key = f"{collection.id}:{seen.key}"
        # The same again, dropped after it was given up: Dagster starts one run for a key.
        attempt = asked.attempt + 1 if asked and asked.key == key else 1
        said, asked = None, Asked(key, sorted(only), attempt, now)
    text = json.dumps({"memory": memory.to_text(), "asked": asdict(asked) if asked else None})
    if said is not None or asked is None:
        return dg.SensorResult(skip_reason=said, cursor=text)
    request = request_refresh(collection, asked.run_key, asked.only)
    return dg.SensorResult(run_requests=[request], cursor=text)


def _again(
    asked: Asked | None, seen: Look, instance: dg.DagsterInstance, now: float
) -> tuple[str | None, Asked | None]:
    """Decide by how the last run ended; a failure that cannot pass waits for something new.

    Returns:
        Why no run is asked for, None where one is, and what is remembered of the last.
    """
    if asked is None or asked.given_up:
        return _nothing_new(seen), asked
    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/run_key": asked.run_key}), limit=1)
    if runs and not runs[0].is_finished:
        return f"run {runs[0].run_id} has not ended", asked
    if not runs or runs[0].status != DagsterRunStatus.FAILURE:
        return _nothing_new(seen), None
    events = (entry.dagster_event for entry in instance.all_logs(runs[0].run_id))
    stays = not can_pass(event for event in events if event)
    if stays or asked.attempt >= _TRIES:
        why = (
            f"run {runs[0].run_id} failed for a reason that stays"
            if stays
            else f"{asked.attempt} runs failed; no more are tried"
        )
        return f"{why} until something is changed", replace(asked, given_up=True)
    due = asked.at + _PAUSE * 2 ** (asked.attempt - 1)
    if now < due:
        again = f"run {runs[0].run_id} failed; the next try comes in {due - now:.0f} seconds"
        return again, asked
    return None, replace(asked, attempt=asked.attempt + 1, at=now)


def _why_wait(lake: Lake, seen: Look, collection: Collection) -> str | None:
    if is_held(lake.root):
        return f"waiting until the run at work has ended: {plural(len(seen.new), 'new file')}"
    if seen.moving and seen.oldest < _GATHERING * collection.running.settle_seconds:
        return f"not settled yet: {plural(len(seen.moving), 'file')}"
    return None


def _nothing_new(seen: Look) -> str:
    waiting = (("not settled yet", seen.moving),
               ("cannot be opened, so mend the permissions", seen.closed))  # fmt: skip
    parts = [f"{what}: {plural(len(files), 'file')}" for what, files in waiting if files]
    return "; ".join(parts) or "nothing new in landing"


def _remembered(cursor: str | None) -> tuple[Memory, Asked | None]:
    try:
        data = json.loads(cursor or "{}")
        return Memory.from_text(data["memory"]), Asked(**data["asked"]) if data["asked"] else None
    except (ValueError, KeyError, TypeError):
        return Memory(), None


SCHEDULES: Final = [
    schedule(known)
    for known in sound_collections()
    for schedule in (daily_refresh, morning_inventory)
]
LANDING_SENSORS: Final = [landing_sensor(known) for known in sound_collections()]
