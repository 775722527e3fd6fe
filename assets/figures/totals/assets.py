"""Totals: live entries become facts, national totals and the tables laid out of them."""

from typing import Any

import polars as pl

from assets.declare import RESEARCH, Check, made
from assets.figures.totals import cube, earlier, marts, national
from assets.figures.totals.marts import force_profiles
from assets.inputs.reports.kept_reports import agreed
from assets.inputs.research.tables import ResearchTables
from assets.lake import Lake
from schemas.collection import Collection

_LIVE = "validation/live_entries"
_NATIONAL = "totals/national_totals"


def national_totals(
    live: pl.DataFrame, collection: Collection, **research: pl.DataFrame
) -> pl.DataFrame:
    return national.national_totals(live, collection, ResearchTables(**research))


def comparisons(lake: Lake, collection: Collection, totals: pl.DataFrame) -> pl.DataFrame:
    return earlier.comparisons(totals, collection, earlier.compared_with(lake, collection))


def profiles(
    live: pl.DataFrame,
    status: pl.DataFrame,
    printed: pl.DataFrame,
    collection: Collection,
    instances: pl.DataFrame,
) -> pl.DataFrame:
    return force_profiles(live, status, agreed(printed), collection, instances)


def coverage(national_totals: pl.DataFrame, collection: Collection) -> tuple[bool, dict[str, Any]]:
    included, expected = national.in_the_totals(national_totals, collection)
    return included == expected, {"forces_included": included, "forces_expected": expected}


PARTS = (
    *(
        made(f"totals/{mart.__name__}", by=mart, live=_LIVE)
        for mart in (
            marts.investigations,
            marts.register_entries,
            marts.second_jobs,
            marts.capability_answers,
            marts.cells,
            marts.outcome_breakdown,
            marts.capability_adoption,
            marts.distribution,
        )
    ),
    made(_NATIONAL, by=national_totals, live=_LIVE, **RESEARCH),
    made("totals/cube", by=cube.cube, national=_NATIONAL),
    made("totals/measures", by=cube.measures, national=_NATIONAL),
    made("totals/codes", by=cube.codes),
    made("totals/workforce", by=marts.workforce),
    made("totals/comparisons", by=comparisons, totals=_NATIONAL),
    made(
        "totals/force_profiles",
        by=profiles,
        live=_LIVE,
        status="validation/returns_status",
        printed="reports/report_figures",
        instances=RESEARCH["instances"],
    ),
    Check(
        _NATIONAL,
        "coverage",
        "M001: every expected force is in the totals, or every total says how many are.",
        coverage,
    ),
)
