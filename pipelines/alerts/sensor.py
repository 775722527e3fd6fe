"""The sensor that tells people of what no command told them of.

Belongs here: when `tell` is called by Dagster. It looks at the ends of all runs, whoever started
them, at runs that do not end, and at deadlines; what was told already is not told again.
"""

import json
from datetime import datetime, timedelta
from typing import Final

import dagster as dg

from assets.desk.ledger import utc_now
from pipelines.alerts.history import not_yet_told, stuck_runs
from pipelines.alerts.tell import tell, tell_without_lake, told_runs
from pipelines.automation import sensor_status
from schemas.collection import Collection, collection_files, load_collection
from schemas.errors import UnavailableError
from schemas.wording import plural

_EVERY: Final = 30


@dg.sensor(
    minimum_interval_seconds=_EVERY,
    default_status=sensor_status(),
    description="Tells people what is broken: failed and stuck runs, returns, deadlines, figures.",
)
def tell_of_finished_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Tell people of every collection; the cursor has the runs told of while the lake was full."""
    without_lake: list[str] = json.loads(context.cursor or "[]")
    number, problems = 0, []
    for collection_id in sorted(collection_files()):
        collection = load_collection(collection_id)
        try:
            number += _tell(context.instance, collection, utc_now())
        except UnavailableError as error:
            problems.append(str(error))
            without_lake = _without_lake(context.instance, collection_id, without_lake)
    said = "; ".join(problems) or f"{plural(number, 'alert')} told"
    return dg.SensorResult(skip_reason=said, cursor=json.dumps(without_lake))


def _tell(instance: dg.DagsterInstance, collection: Collection, now: datetime) -> int:
    """Tell of the newest end of a run, the older ones being past; return how much was news."""
    limit = timedelta(minutes=collection.running.stuck_minutes)
    stuck = stuck_runs(instance, collection.id, limit, now)
    ended = not_yet_told(instance, collection.id, told_runs(collection.id))
    newest = ended[-1] if ended else None
    return len(tell(collection.id, run=newest, stuck=stuck, now=now))


def _without_lake(instance: dg.DagsterInstance, collection_id: str, done: list[str]) -> list[str]:
    """Tell of the newest end of a run though the lake cannot be written, each run once."""
    ended = not_yet_told(instance, collection_id, {*told_runs(collection_id), *done})
    if ended and ended[-1].run_id is not None:
        tell_without_lake(collection_id, ended[-1], utc_now())
        return [*done, ended[-1].run_id][-20:]
    return done
