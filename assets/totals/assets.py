"""Totals as assets: live entries become facts, national totals and the tables laid out of them."""

from collections.abc import Callable

import dagster as dg
import polars as pl

from assets.declare import RESEARCH, retried, table
from assets.reports.store import agreed
from assets.research.tables import ResearchTables
from assets.totals import breakdowns, facts, force_profiles, national
from schemas.collection import load_collection
from schemas.contract import Contract
from schemas.marts import facts as fact_marts
from schemas.marts import totals as total_marts
from schemas.marts.returns import Cells

_STAGE = "totals"
_LIVE = "validation/live_entries"


def _of_live(
    contract: Contract, name: str, make: Callable[[pl.DataFrame], pl.DataFrame]
) -> dg.AssetsDefinition:
    """Declare a mart that is made from the live entries alone."""

    @table(contract, _STAGE, name, live="validation/live_entries")
    def asset(live: pl.DataFrame) -> pl.DataFrame:
        return make(live)

    return asset


FROM_LIVE = [
    _of_live(fact_marts.Investigations, "investigations", facts.investigations),
    _of_live(fact_marts.RegisterEntries, "register_entries", facts.register_entries),
    _of_live(fact_marts.SecondJobs, "second_jobs", facts.second_jobs),
    _of_live(fact_marts.CapabilityAnswers, "capability_answers", facts.capability_answers),
    _of_live(Cells, "cells", facts.cells),
    _of_live(total_marts.OutcomeBreakdown, "outcome_breakdown", breakdowns.outcome_breakdown),
    _of_live(total_marts.CapabilityAdoption, "capability_adoption", breakdowns.capability_adoption),
]


@table(total_marts.NationalTotals, _STAGE, "national_totals", live=_LIVE, **RESEARCH)
def national_totals(
    context: dg.AssetExecutionContext,
    live: pl.DataFrame,
    **research: pl.DataFrame,
) -> pl.DataFrame:
    collection = load_collection(context.partition_key)
    return national.national_totals(live, collection, ResearchTables(**research))


@table(total_marts.Comparisons, _STAGE, "comparisons", totals="totals/national_totals")
def comparisons(context: dg.AssetExecutionContext, totals: pl.DataFrame) -> pl.DataFrame:
    return breakdowns.comparisons(totals, load_collection(context.partition_key))


@table(total_marts.Distribution, _STAGE, "distribution", live=_LIVE)
def distribution(context: dg.AssetExecutionContext, live: pl.DataFrame) -> pl.DataFrame:
    return breakdowns.distribution(live, load_collection(context.partition_key))


@table(
    fact_marts.ForceProfiles,
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
def coverage(national_totals: pl.DataFrame) -> dg.AssetCheckResult:
    whole = national_totals.filter(
        (pl.col("measure") == "investigations")
        & (pl.col("breakdown") == "")
        & (pl.col("period") == "collection")
    ).row(0, named=True)
    included, expected = whole["forces_included"], whole["forces_expected"]
    return dg.AssetCheckResult(
        passed=included == expected,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"forces_included": included, "forces_expected": expected},
    )
