"""The recount as an asset: whether the totals hold, by rules and by a second engine."""

import dagster as dg
import polars as pl

from assets.declare import RESEARCH, retried, table
from assets.figures.recount import checks
from assets.inputs.research.tables import ResearchTables
from schemas.collection import load_collection
from schemas.marts.totals import NationalChecks

_STAGE = "recount"


@table(
    NationalChecks,
    _STAGE,
    "national_checks",
    national="totals/national_totals",
    cells="totals/cells",
    **RESEARCH,
)
def national_checks(
    context: dg.AssetExecutionContext,
    national: pl.DataFrame,
    cells: pl.DataFrame,
    **research: pl.DataFrame,
) -> pl.DataFrame:
    totals = checks.Totals(
        national,
        cells,
        load_collection(context.partition_key),
        ResearchTables(**research),
    )
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
