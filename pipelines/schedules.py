"""When a collection runs by itself: each day of its window, as its file says."""

import datetime
import time
from collections.abc import Iterator
from typing import Final

import dagster as dg

from assets.intake.settling import quiet
from assets.lake import Lake, lake_root
from pipelines.automation import named, schedule_status
from pipelines.inventory import inventory_job, inventory_now, list_what_is_broken
from pipelines.jobs import QUEUES, refresh, taking_in
from schemas.collection import Collection, collection_files, load_collection


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


def _daily(at: datetime.time) -> str:
    return f"{at.minute} {at.hour} * * *"


def _closed(collection: Collection) -> dg.SkipReason:
    opens, closes = collection.window
    return dg.SkipReason(f"the window of {collection.id} is from {opens} to {closes}")


def _schedules() -> Iterator[dg.ScheduleDefinition]:
    for collection_id in sorted(collection_files()):
        collection = load_collection(collection_id)
        yield daily_refresh(collection)
        yield morning_inventory(collection)


SCHEDULES: Final = list(_schedules())
