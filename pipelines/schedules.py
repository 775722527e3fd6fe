"""When the refresh runs by itself; off until someone switches it on."""

from collections.abc import Iterator

import dagster as dg

from pipelines.jobs import refresh
from schemas.collection import collection_files


@dg.schedule(
    job=refresh,
    cron_schedule="0 6 * * *",
    execution_timezone="Europe/London",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Refresh every collection each morning.",
)
def daily_refresh(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest]:
    """Ask for one run of each collection."""
    for collection_id in sorted(collection_files()):
        yield dg.RunRequest(
            run_key=f"{collection_id}:{context.scheduled_execution_time:%Y-%m-%d}",
            partition_key=collection_id,
        )
