"""Reconciliation as an asset, with a check that shows how many figures differ."""

import dagster as dg
import polars as pl

from assets.declare import RESEARCH, retried, table
from assets.figures.reconciliation.reconcile import reconcile
from schemas.collection import load_collection
from schemas.marts.returns import Reconciliation

_STAGE = "reconciliation"


@table(
    Reconciliation,
    _STAGE,
    "reconciliation",
    national="totals/national_totals",
    live="validation/live_entries",
    printed="reports/report_figures",
    instances=RESEARCH["instances"],
)
def reconciliation(
    context: dg.AssetExecutionContext,
    national: pl.DataFrame,
    live: pl.DataFrame,
    printed: pl.DataFrame,
    instances: pl.DataFrame,
) -> pl.DataFrame:
    collection = load_collection(context.partition_key)
    return reconcile(national, live, printed, collection, instances)


@dg.asset_check(
    asset=dg.AssetKey([_STAGE, "reconciliation"]),
    name="published_figures",
    description="No computed figure contradicts the published one.",
)
@retried()
def published_figures(reconciliation: pl.DataFrame) -> dg.AssetCheckResult:
    counts = dict(reconciliation.group_by("status").len().sort("status").iter_rows())
    differing = reconciliation.filter(pl.col("status") == "differs")["figure_id"].to_list()
    return dg.AssetCheckResult(
        passed=not differing,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"by_status": counts, "differing": differing[:20]},
    )
