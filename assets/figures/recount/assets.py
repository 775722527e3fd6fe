"""The recount as an asset: whether the totals hold, by rules and by a second engine."""

import dagster as dg
import polars as pl

from assets.declare import RESEARCH, retried, table
from assets.figures.recount import checks
from assets.inputs.research.tables import ResearchTables
from assets.lake import Lake
from assets.previous import kept_collection
from schemas.collection import load_collection
from schemas.marts.totals import NationalChecks

_STAGE = "recount"


@table(
    NationalChecks,
    _STAGE,
    "national_checks",
    national="totals/national_totals",
    cells="totals/cells",
    compared="totals/comparisons",
    **RESEARCH,
)
def national_checks(
    context: dg.AssetExecutionContext,
    national: pl.DataFrame,
    cells: pl.DataFrame,
    compared: pl.DataFrame,
    **research: pl.DataFrame,
) -> pl.DataFrame:
    lake = Lake(context.resources.lake_root, context.partition_key)
    collection = load_collection(lake.collection)
    named = compared.select("previous_collection", "previous_release").drop_nulls().unique()
    released = {
        other: kept_collection(Lake(lake.root, other).releases / release, other)
        for other, release in named.iter_rows()
    }
    own = ResearchTables(**research)
    totals = checks.Totals(national, cells, collection, own, compared, released)
    return checks.national_checks(totals)


@dg.asset_check(
    asset=dg.AssetKey([_STAGE, "national_checks"]),
    name="totals_hold",
    description="No rule that blocks a release has failed; notes are told.",
)
@retried()
def totals_hold(national_checks: pl.DataFrame) -> dg.AssetCheckResult:
    failed = national_checks.filter(~pl.col("passed"))
    blocking = failed.filter(pl.col("severity") == "B")
    return dg.AssetCheckResult(
        passed=blocking.is_empty(),
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={row["rule_id"]: row["message"] for row in failed.iter_rows(named=True)},
    )
