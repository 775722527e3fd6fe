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
from dataclasses import asdict, dataclass, replace
from datetime import date
from datetime import time as hour
from typing import Any, Final

import dagster as dg
from dagster import DagsterRunStatus

from assets.desk.ledger import utc_now
from assets.intake.landing import waiting_anywhere
from assets.intake.settling import Look, Memory, look, quiet
from assets.lake import Lake, is_held, lake_root
from pipelines.alerts import look as broken
from pipelines.outcome import can_pass
from schemas.collection import Collection, command, load_collection
from schemas.errors import SetupError
from schemas.reference import collection_files
from schemas.wording import plural

SWITCH: Final = "MUSTER_AUTOMATION"
REFRESH: Final = "refresh"

QUEUES: Final = {"muster/queues": "yes"}
"""Tag of a run that waits for its turn in the lake: nobody is there who could repeat it."""

_TAKE_IN: Final = ("intake", "cases", "reports__report_figures", "research")
"""The steps that take dropped files in."""


def taking_in(only: list[str]) -> dict[str, Any]:
    """Return the configuration of a refresh that takes in the files of these states alone."""
    return {"ops": {name: {"config": {"only": only}} for name in _TAKE_IN}}


refresh = dg.define_asset_job(
    REFRESH,
    selection=dg.AssetSelection.all(),
    # Ten small assets take 4 s in one process and 35 s in ten; polars is parallel inside a step.
    executor_def=dg.in_process_executor,
    description="Take in what is new, validate, add up, reconcile, and publish a release.",
)


class Which(dg.Config):
    """`collection`: the id of the collection to look at."""

    collection: str


def inventory_now(collection: Collection, today: date) -> list[str]:
    """Return what is broken or missing in a collection now; an empty list where nothing is.

    Raises:
        LakeError: the lake cannot be read.
    """
    lake = Lake(lake_root(), collection.id)
    lines = []
    if not lake.table("validation", "all_findings").exists():
        return [f"nothing has been run yet; {len(collection.forces)} forces are expected"]
    if not lake.marts.exists():
        lines.append(f"no release is shown to analysts; run: {command('run', collection.id)}")
    unfinished = waiting_anywhere(lake.landing).unfinished
    if unfinished:
        lines.append(f"{plural(len(unfinished), 'file')} in landing still open for writing")
    found = broken.look(lake, collection, today).values()
    return [*lines, *(f"{each.title}: {', '.join(each.cases)}" for each in found if each)]


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


def sensor_status() -> dg.DefaultSensorStatus:
    """Return how a sensor starts."""
    return dg.DefaultSensorStatus.RUNNING if is_on() else dg.DefaultSensorStatus.STOPPED


def schedule_status() -> dg.DefaultScheduleStatus:
    """Return how a schedule starts."""
    return dg.DefaultScheduleStatus.RUNNING if is_on() else dg.DefaultScheduleStatus.STOPPED


def named(what: str, collection: Collection) -> str:
    """Return the name of a collection's schedule or sensor, in the letters Dagster allows."""
    return f"{what}_{collection.id.replace('-', '_')}"


def daily_refresh(collection: Collection) -> dg.ScheduleDefinition:
    """Return the schedule of a collection's daily refresh.

    It takes in whatever waits and is whole, and rebuilds: what was decided at the desk counts from
    then on.
    """

    @dg.schedule(
        name=named("daily_refresh", collection),
        job=refresh,
        cron_schedule=_daily(collection.running.refresh),
        execution_timezone=collection.timezone,
        default_status=schedule_status(),
        description=f"Refresh {collection.id} each day of its window.",
    )
    def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        day = collection.day_of(context.scheduled_execution_time)
        if not collection.is_open(day):
            return _closed(collection)
        landing = Lake(lake_root(), collection.id).landing
        return dg.RunRequest(
            run_key=f"{collection.id}:{day}",
            partition_key=collection.id,
            run_config=taking_in(quiet(landing, time.time(), collection.running.settle_seconds)),
            tags=QUEUES,
        )

    return daily


def morning_inventory(collection: Collection) -> dg.ScheduleDefinition:
    """Return the schedule that lists what is broken or missing, where anything is."""

    @dg.schedule(
        name=named("morning_inventory", collection),
        job=inventory_job,
        cron_schedule=_daily(collection.running.inventory),
        execution_timezone=collection.timezone,
        default_status=schedule_status(),
        description=f"List what is broken or missing in {collection.id}, if anything is.",
    )
    def morning(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        day = collection.day_of(context.scheduled_execution_time)
        if not collection.is_open(day):
            return _closed(collection)
        if not inventory_now(collection, day):
            return dg.SkipReason("nothing is broken or missing")
        return dg.RunRequest(
            run_key=f"inventory:{collection.id}:{day}",
            run_config={
                "ops": {list_what_is_broken.name: {"config": {"collection": collection.id}}}
            },
        )

    return morning


def _daily(at: hour) -> str:
    return f"{at.minute} {at.hour} * * *"


def _closed(collection: Collection) -> dg.SkipReason:
    opens, closes = collection.window
    return dg.SkipReason(f"the window of {collection.id} is from {opens} to {closes}")


_EVERY: Final = 10
_GATHERING: Final = 6
"""A run waits for files still arriving, but no longer than so many times the settling time."""
_TRIES: Final = 6
_PAUSE: Final = 60.0
"""Seconds before a second try; each further one waits twice as long."""


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

    def request(self, collection: Collection) -> dg.RunRequest:
        """Return the request for a run that takes in what had settled, and nothing else."""
        return dg.RunRequest(
            run_key=self.run_key,
            partition_key=collection.id,
            run_config=taking_in(self.only),
            tags=QUEUES,
        )


def landing_sensor(collection: Collection) -> dg.SensorDefinition:
    """Return the sensor of a collection's landing folder."""

    @dg.sensor(
        name=named("landing", collection),
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
    if seen.new:
        why_not = _why_wait(lake, seen, collection)
        if why_not:
            return _skip(why_not, seen.unasked(), asked)
        only = {*seen.new, *seen.research, *(asked.only if asked else ())}
        key = f"{collection.id}:{seen.key}"
        # The same again, dropped after it was given up: Dagster starts one run for a key.
        attempt = asked.attempt + 1 if asked and asked.key == key else 1
        return _ask(Asked(key, sorted(only), attempt, now), seen, collection)
    if asked is None or asked.given_up:
        return _skip(_nothing_new(seen), seen.memory, asked)
    return _ask_again(asked, seen, collection, instance, now)


def _ask(asked: Asked, seen: Look, collection: Collection) -> dg.SensorResult:
    request = asked.request(collection)
    return dg.SensorResult(run_requests=[request], cursor=_to_text(seen.memory, asked))


def _ask_again(
    asked: Asked, seen: Look, collection: Collection, instance: dg.DagsterInstance, now: float
) -> dg.SensorResult:
    """Decide by how the last run ended; a failure that cannot pass waits for something new."""
    runs = instance.get_runs(dg.RunsFilter(tags={"dagster/run_key": asked.run_key}), limit=1)
    if runs and not runs[0].is_finished:
        return _skip(f"run {runs[0].run_id} has not ended", seen.memory, asked)
    if not runs or runs[0].status != DagsterRunStatus.FAILURE:
        return _skip(_nothing_new(seen), seen.memory, None)
    events = (entry.dagster_event for entry in instance.all_logs(runs[0].run_id))
    if not can_pass(event for event in events if event):
        why = f"run {runs[0].run_id} failed for a reason that stays until something is changed"
        return _skip(why, seen.memory, replace(asked, given_up=True))
    if asked.attempt >= _TRIES:
        why = f"{asked.attempt} runs failed; no more are tried until something is changed"
        return _skip(why, seen.memory, replace(asked, given_up=True))
    due = asked.at + _PAUSE * 2 ** (asked.attempt - 1)
    if now < due:
        again = f"run {runs[0].run_id} failed; the next try comes in {due - now:.0f} seconds"
        return _skip(again, seen.memory, asked)
    return _ask(Asked(asked.key, asked.only, asked.attempt + 1, now), seen, collection)


def _why_wait(lake: Lake, seen: Look, collection: Collection) -> str | None:
    if is_held(lake.root):
        return f"waiting until the run at work has ended: {plural(len(seen.new), 'new file')}"
    if seen.moving and seen.oldest < _GATHERING * collection.running.settle_seconds:
        return f"not settled yet: {plural(len(seen.moving), 'file')}"
    return None


def _nothing_new(seen: Look) -> str:
    parts = []
    if seen.moving:
        parts.append(f"not settled yet: {plural(len(seen.moving), 'file')}")
    if seen.closed:
        parts.append(
            f"cannot be opened, so mend the permissions: {plural(len(seen.closed), 'file')}"
        )
    return "; ".join(parts) or "nothing new in landing"


def _skip(why: str, memory: Memory, asked: Asked | None) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=why, cursor=_to_text(memory, asked))


def _to_text(memory: Memory, asked: Asked | None) -> str:
    return json.dumps({"memory": memory.to_text(), "asked": asdict(asked) if asked else None})


def _remembered(cursor: str | None) -> tuple[Memory, Asked | None]:
    try:
        data = json.loads(cursor or "{}")
        return Memory.from_text(data["memory"]), Asked(**data["asked"]) if data["asked"] else None
    except (ValueError, KeyError, TypeError):
        return Memory(), None


_COLLECTIONS: Final = [load_collection(name) for name in sorted(collection_files())]
SCHEDULES: Final = [
    schedule(known) for known in _COLLECTIONS for schedule in (daily_refresh, morning_inventory)
]
LANDING_SENSORS: Final = [landing_sensor(known) for known in _COLLECTIONS]
