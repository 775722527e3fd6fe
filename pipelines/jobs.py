"""The one job: take in what is new, rebuild, reconcile, publish."""

from typing import Any, Final

import dagster as dg

REFRESH = "refresh"

QUEUES = {"muster/queues": "yes"}
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
