"""Runs the refresh in this process, against the instance that the UI shows.

Belongs here: the one way a command starts the job, and what it can say about how it ended. Does
not: printing (cli/).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import dagster as dg
from dagster import DagsterEventType

from assets.lake import held, lake_root
from pipelines.definitions import defs
from pipelines.instance import open_instance
from pipelines.jobs import REFRESH
from schemas.collection import load_collection

_QUIET: Final = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster keeps every event; the terminal is for what the command itself says."""


@dataclass(frozen=True)
class Refreshed:
    """How a refresh ended; `error` is None exactly where a release was published.

    `new`, `duplicates`, `left`, `refused` and `ignored` say what became of the files in landing.
    """

    run_id: str
    error: str | None
    release: str | None = None
    new: int = 0
    duplicates: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


def refresh(collection_id: str, *, on_step: Callable[[str], None] | None = None) -> Refreshed:
    """Run the whole job for a collection.

    Args:
        collection_id: the collection.
        on_step: told the name of each step as it starts.

    Raises:
        SetupError: there is no such collection.
        BusyError: another run holds the lake.
        LakeError: the lake cannot be written at all.
    """
    load_collection(collection_id)
    with held(lake_root()):
        pass  # say so at once, before Dagster starts
    with open_instance() as instance:
        result = defs.resolve_job_def(REFRESH).execute_in_process(
            partition_key=collection_id,
            instance=instance,
            raise_on_error=False,
            run_config=_QUIET,
        )
    del on_step
    if not result.success:
        return Refreshed(result.run_id, _reason(result))
    about = _metadata(result, ["intake", "receipts"])
    return Refreshed(
        result.run_id,
        None,
        release=_metadata(result, ["release", "marts"])["release"],
        new=about["new"],
        duplicates=about["received_before_under_another_name"],
        left=about["left_in_landing"],
        refused=about["refused"],
        ignored=about["ignored_in_landing"],
    )


def _metadata(result: dg.ExecuteInProcessResult, key: list[str]) -> dict[str, Any]:
    """Return the metadata that an asset was materialised with in this run."""
    found = [
        event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(key)
    ]
    return {name: value.value for name, value in found[-1].items()}


def _reason(result: dg.ExecuteInProcessResult) -> str:
    """Return what went wrong first, in the words of the error itself."""
    failed = (DagsterEventType.STEP_FAILURE, DagsterEventType.PIPELINE_FAILURE)
    for event in result.all_events:
        if event.event_type in failed:
            error = getattr(event.event_specific_data, "error", None)
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None:
                return str(error.message).strip()
    return "the run ended without saying why"
