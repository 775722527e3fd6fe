"""The recount: whether the totals hold, by rules and by a second engine."""

from typing import Any

import dagster as dg
import polars as pl

from assets.declare import RESEARCH, Check, made
from assets.figures.recount import checks
from assets.inputs.research.tables import ResearchTables
from assets.lake import Lake
from assets.previous import kept_collection
from schemas.collection import Collection

_MART = "recount/national_checks"


def national_checks(
    lake: Lake,
    collection: Collection,
    national: pl.DataFrame,
    cells: pl.DataFrame,
    compared: pl.DataFrame,
    cube: pl.DataFrame,
    **research: pl.DataFrame,
) -> pl.DataFrame:
    named = compared.select("previous_collection", "previous_release").drop_nulls().unique()
    released = {
        other: kept_collection(Lake(lake.root, other).releases / release, other)
        for other, release in named.iter_rows()
    }
    own = ResearchTables(**research)
    totals = checks.Totals(national, cells, collection, own, compared, released, cube)
    return checks.national_checks(totals)


def totals_hold(national_checks: pl.DataFrame) -> tuple[bool, dict[str, Any]]:
    failed = national_checks.filter(~pl.col("passed"))
    blocking = failed.filter(pl.col("severity") == "B")
    told = {row["rule_id"]: row["message"] for row in failed.iter_rows(named=True)}
    return blocking.is_empty(), told


PARTS = (
    made(
        _MART,
        by=national_checks,
        national="totals/national_totals",
        cells="totals/cells",
        compared="totals/comparisons",
        cube="totals/cube",
        **RESEARCH,
    ),
    Check(
        _MART,
        "totals_hold",
        "No rule that blocks a release has failed; notes are told.",
        totals_hold,
        dg.AssetCheckSeverity.ERROR,
    ),
)  # fmt: skip
