"""What a run is given: the lake, held for one run at a time, and the gate."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus
from dagster._core.storage.tags import PARTITION_NAME_TAG

from assets.kept import prune
from assets.lake import Lake, held, lake_root, sweep
from assets.release.gate.process import Gate, gate_process
from pipelines.instance import history_at_hand, history_errors
from pipelines.jobs import QUEUES, REFRESH, only_these
from pipelines.record import begin, leave

_PATIENCE: Final = 1800
"""Seconds that a run waits for its turn; a refresh takes seconds, so a longer wait is a fault."""
_HOLD_THE_LAKE: Final = (REFRESH, "__ASSET_JOB")
"""Jobs whose every run holds the lake: the refresh, and what Dagster calls a choice of assets."""
_NOT_ENDED: Final = (
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
)

_GONE: Final = (
    "The process of this run has gone without a word: it was killed, or the machine stopped."
    " Nothing that analysts see was changed by it; the run that found this does its work."
)


@dg.resource(description="The root of the lake; the lake is held while a run has this.")
def lake(context: dg.InitResourceContext) -> Iterator[Path]:
    """Yield the root of the lake.

    The lock is a resource so that every run has it, whoever started it. A run that nobody started
    by hand waits for its turn; a person is told at once.
    """
    root, run = lake_root(), context.run
    queues = run is not None and QUEUES.items() <= run.tags.items()
    with held(root, patience=_PATIENCE if queues else 0.5), ExitStack() as stack:
        if run is not None and context.instance is not None:
            with history_errors():
                end_dead_runs(context.instance, run)
            stack.enter_context(history_at_hand(context.instance))
        sweep(root)
        with _recorded(root, run, context.instance):
            yield root
        prune(root)


@contextmanager
def _recorded(
    root: Path, run: dg.DagsterRun | None, instance: dg.DagsterInstance | None
) -> Iterator[None]:
    """Leave the record of a refresh of which every step went well; remove it before any run."""
    partition = run.tags.get(PARTITION_NAME_TAG) if run else None
    if run is None or instance is None or partition is None:
        yield
        return
    lake = Lake(root, partition)
    began = begin(lake)
    yield
    if run.job_name == REFRESH and _went_well(instance, run):
        leave(lake, began, only_these(run.run_config))


def _went_well(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    """Return whether every step that a run was to do has ended well."""
    plan = instance.get_execution_plan_snapshot(str(run.execution_plan_snapshot_id))
    done = instance.all_logs(run.run_id, of_type=DagsterEventType.STEP_SUCCESS)
    return {entry.step_key for entry in done} == {*plan.step_keys_to_execute}


def end_dead_runs(instance: dg.DagsterInstance, ours: dg.DagsterRun) -> list[str]:
    """Mark runs as failed that can no longer be at work, and return their ids.

    To be called by the run that holds the lake: since no two hold it, another run that has begun
    a step there and not ended is dead. One that waits for the lake has not begun a step, nor waited
    for long. Dagster's own monitoring cannot tell: it asks the launcher, and the one for a single
    machine knows nothing of a run that it has started.
    """
    long_ago = datetime.now(UTC) - timedelta(seconds=2 * _PATIENCE)
    dead = [
        record.dagster_run
        for record in instance.get_run_records(dg.RunsFilter(statuses=[*_NOT_ENDED]))
        if record.dagster_run.job_name in _HOLD_THE_LAKE
        if record.dagster_run.run_id != ours.run_id
        if record.update_timestamp < long_ago or _has_begun(instance, record.dagster_run.run_id)
    ]
    for run in dead:
        instance.report_run_failed(run, _GONE)
    return [run.run_id for run in dead]


def _has_begun(instance: dg.DagsterInstance, run_id: str) -> bool:
    return bool(instance.all_logs(run_id, of_type=DagsterEventType.STEP_START))


@dg.resource(description="Great Expectations, in a process of its own.")
def gate(_: dg.InitResourceContext) -> Iterator[Gate]:
    """Yield the gate; it loads its library while the run goes on."""
    with gate_process() as process:
        yield process


RESOURCES = {"lake_root": lake, "gate": gate}
