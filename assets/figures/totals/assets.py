"""Totals as assets: live entries become facts, national totals and the tables laid out of them."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import polars as pl

from assets.declare import RESEARCH, retried, table
from assets.figures.totals import earlier, force_profiles, marts, national
from assets.inputs.reports.kept_reports import agreed
from assets.inputs.research.tables import ResearchTables
from assets.lake import Lake
from schemas.collection import Collection, load_collection
from schemas.contract import Contract
from schemas.marts import facts as fact_contracts
from schemas.marts import totals as total_contracts
from schemas.marts.returns import Cells

_STAGE = "totals"
_LIVE = "validation/live_entries"


def _of_live(
    contract: Contract, name: str, make: Callable[[pl.DataFrame, Collection], pl.DataFrame]
) -> dg.AssetsDefinition:
    """Declare a mart that is made from the live entries alone."""

    @table(contract, _STAGE, name, live=_LIVE)
    def asset(context: dg.AssetExecutionContext, live: pl.DataFrame) -> pl.DataFrame:
        return make(live, load_collection(context.partition_key))

    return asset


FROM_LIVE = [
    _of_live(fact_contracts.Investigations, "investigations", marts.investigations),
    _of_live(fact_contracts.RegisterEntries, "register_entries", marts.register_entries),
    _of_live(fact_contracts.SecondJobs, "second_jobs", marts.second_jobs),
    _of_live(fact_contracts.CapabilityAnswers, "capability_answers", marts.capability_answers),
    _of_live(Cells, "cells", marts.cells),
    _of_live(total_contracts.OutcomeBreakdown, "outcome_breakdown", marts.outcome_breakdown),
    _of_live(total_contracts.CapabilityAdoption, "capability_adoption", marts.capability_adoption),
    _of_live(total_contracts.Distribution, "distribution", marts.distribution),
]


@table(total_contracts.NationalTotals, _STAGE, "national_totals", live=_LIVE, **RESEARCH)
def national_totals(
    context: dg.AssetExecutionContext,
    live: pl.DataFrame,
    **research: pl.DataFrame,
) -> pl.DataFrame:
    collection = load_collection(context.partition_key)
    return national.national_totals(live, collection, ResearchTables(**research))


@table(total_contracts.Comparisons, _STAGE, "comparisons", totals="totals/national_totals")
def comparisons(
    context: dg.AssetExecutionContext, lake_root: dg.ResourceParam[Path], totals: pl.DataFrame
) -> pl.DataFrame:
    lake = Lake(lake_root, context.partition_key)
    collection = load_collection(lake.collection)
    return earlier.comparisons(totals, collection, earlier.compared_with(lake, collection))


@table(
    fact_contracts.ForceProfiles,
    _STAGE,
    "force_profiles",
    live=_LIVE,
    status="validation/returns_status",
    printed="reports/report_figures",
    instances=RESEARCH["instances"],
)
def profiles(
    context: dg.AssetExecutionContext,
    live: pl.DataFrame,
    status: pl.DataFrame,
    printed: pl.DataFrame,
    instances: pl.DataFrame,
) -> pl.DataFrame:
    collection = load_collection(context.partition_key)
    return force_profiles.force_profiles(live, status, agreed(printed), collection, instances)


@dg.asset_check(
    asset=dg.AssetKey([_STAGE, "national_totals"]),
    name="coverage",
    description="M001: every expected force is in the totals, or every total says how many are.",
)
@retried()
def coverage(
    context: dg.AssetCheckExecutionContext, national_totals: pl.DataFrame
) -> dg.AssetCheckResult:
    collection = load_collection(context.partition_key)
    included, expected = national.in_the_totals(national_totals, collection)
    return dg.AssetCheckResult(
        passed=included == expected,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"forces_included": included, "forces_expected": expected},
    )
