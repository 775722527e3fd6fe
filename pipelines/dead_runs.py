"""Runs whose process was killed: Dagster goes on showing them as running until somebody ends them.

Belongs here: telling a dead run from a waiting one. Does not: what a killed run left in the lake,
which the next run makes anew.
"""

from typing import Final

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus

from pipelines.jobs import REFRESH

_HOLD_THE_LAKE: Final = (REFRESH, "__ASSET_JOB")
"""Jobs whose every run holds the lake: the refresh, and what Dagster calls a choice of assets."""

_GONE: Final = (
    "The process of this run has gone without a word: it was killed, or the machine stopped."
    " Nothing that analysts see was changed by it; the run that found this does its work."
)


def end_dead_runs(instance: dg.DagsterInstance, ours: dg.DagsterRun) -> list[str]:
    """Mark runs as failed that can no longer be at work, and return their ids.

    To be called by the run that holds the lake: since no two hold it, another run that has begun
    a step there and not ended is dead. One that waits for the lake has not begun a step.
    """
    started = instance.get_runs(dg.RunsFilter(statuses=[DagsterRunStatus.STARTED]))
    others = [
        run for run in started if run.job_name in _HOLD_THE_LAKE and run.run_id != ours.run_id
    ]
    dead = [run for run in others if _has_begun(instance, run.run_id)]
    for run in dead:
        instance.report_run_failed(run, _GONE)
    return [run.run_id for run in dead]


def _has_begun(instance: dg.DagsterInstance, run_id: str) -> bool:
    return bool(instance.all_logs(run_id, of_type=DagsterEventType.STEP_START))
