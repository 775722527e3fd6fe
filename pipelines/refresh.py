"""Runs the refresh in this process, against the instance that the UI shows."""

from dataclasses import dataclass, field
from typing import Any, Final

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from assets.lake import held, lake_root
from pipelines import definitions
from pipelines.alerts.look import RunOutcome
from pipelines.alerts.runs import outcome_of
from pipelines.definitions import defs
from pipelines.instance import (
    history_at_hand,
    history_errors,
    mend_history,
    on_the_terminal,
    open_instance,
)
from pipelines.jobs import REFRESH
from schemas.collection import load_collection
from schemas.errors import BusyError

_LOCATION: Final = "muster"
"""The code location, as workspace.yaml names it."""

_ORIGIN: Final = RemoteRepositoryOrigin(
    ManagedGrpcPythonEnvCodeLocationOrigin(
        LoadableTargetOrigin(module_name=definitions.__name__), _LOCATION
    ),
    SINGLETON_REPOSITORY_NAME,
)

_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster keeps every event; the terminal is for what the command itself says."""


@dataclass(frozen=True)
class Refreshed:
    """How a refresh ended; the `outcome` has no error exactly where a release was published.

    `new`, `duplicates`, `left`, `refused`, `ignored` and `litter` say what became of the files in
    landing; `extracts` how many case-level extracts are new. `research` names the research files
    received now, `reports` has why force reports were not read whole. `lost` says what of Dagster's
    history was found lost before.
    """

    outcome: RunOutcome
    release: str | None = None
    new: int = 0
    extracts: int = 0
    duplicates: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    litter: list[str] = field(default_factory=list)
    research: list[str] = field(default_factory=list)
    reports: dict[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()


def refresh(collection_id: str) -> Refreshed:
    """Run the whole job for a collection.

    Raises:
        SetupError: there is no such collection.
        BusyError: another run holds the lake.
        UnavailableError: the lake, or Dagster's storage in it, cannot be written at all.
    """
    load_collection(collection_id)
    with held(lake_root()):  # say so at once, before Dagster starts
        lost = tuple(mend_history())
    result, outcome = _execute(collection_id)
    if outcome.turned_away:
        raise BusyError(str(outcome.error))
    if not result.success:
        return Refreshed(outcome, lost=lost)
    about = _metadata(result, ["intake", "receipts"])
    cases = _metadata(result, ["cases", "extracts"])
    research = _metadata(result, ["research", "research_files"])
    return Refreshed(
        outcome,
        release=_metadata(result, ["release", "marts"])["release"],
        new=about["new"],
        extracts=cases["new"],
        duplicates=about["received_before_under_another_name"],
        left=about["left_in_landing"] | cases["left_in_landing"] | research["left_in_landing"],
        refused=about["refused"],
        ignored=about["ignored_in_landing"],
        litter=about["litter_in_landing"],
        research=research["new"],
        reports=_metadata(result, ["reports", "report_figures"])["problems"],
        lost=lost,
    )


def _execute(collection_id: str) -> tuple[dg.JobExecutionResult, RunOutcome]:
    """Run the job here, under the origin that it has in the UI's code location.

    A run without an origin is shown under Runs alone, not with its job, nor in the timeline.
    """
    with history_errors(), open_instance() as instance, history_at_hand(instance):
        on_the_terminal(instance)
        job = defs.resolve_job_def(REFRESH)
        run = instance.create_run_for_job(
            job,
            run_config=_QUIET,
            tags=job.get_tags_for_partition_key(collection_id, selected_asset_keys=None),
            remote_job_origin=_ORIGIN.get_job_origin(REFRESH),
        )
        result = execute_run(InMemoryJob(job), run, instance)
        return result, outcome_of(instance, run.run_id)


def _metadata(result: dg.JobExecutionResult, key: list[str]) -> dict[str, Any]:
    """Return the metadata that an asset was materialised with in this run."""
    found = [
        event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(key)
    ]
    return {name: value.value for name, value in found[-1].items()}
