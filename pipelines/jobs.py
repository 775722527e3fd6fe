"""The one job: take in what is new, rebuild, reconcile, publish."""

import dagster as dg

REFRESH = "refresh"

QUEUES = {"muster/queues": "yes"}
"""Tag of a run that waits for its turn in the lake: nobody is there who could repeat it."""

refresh = dg.define_asset_job(
    REFRESH,
    selection=dg.AssetSelection.all(),
    # Ten small assets take 4 s in one process and 35 s in ten; polars is parallel inside a step.
    executor_def=dg.in_process_executor,
    description="Take in what is new, validate, add up, reconcile, and publish a release.",
)
