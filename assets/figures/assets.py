"""Figures: live entries become totals and what is laid out of them, recounted and reconciled."""

from typing import Any, Final

import dagster as dg
import polars as pl

from assets.declare import RESEARCH, Check, Made, made
from assets.figures import comparable, scores
from assets.figures.reconcile import reconcile
from assets.figures.recount import checks
from assets.figures.recount.recount import LAID_OUT
from assets.figures.totals import cube, marts, national
from assets.inputs.research.tables import ResearchTables
from assets.lake import Lake
from assets.previous import earlier_releases, kept_collection
from schemas.collection import Collection

_LIVE = "validation/live_entries"
_NATIONAL = "totals/national_totals"
_CHECKS = "recount/national_checks"
_RECONCILED = "reconciliation/reconciliation"


def national_totals(
    live: pl.DataFrame, collection: Collection, **research: pl.DataFrame
) -> pl.DataFrame:
    return national.national_totals(live, collection, ResearchTables(**research))


def comparisons(
    lake: Lake, collection: Collection, totals: pl.DataFrame, cells: pl.DataFrame
) -> pl.DataFrame:
    released = earlier_releases(lake, collection) if collection.compared else {}
    return comparable.comparisons(totals, cells, collection, released)


def coverage(national_totals: pl.DataFrame, collection: Collection) -> tuple[bool, dict[str, Any]]:
    included, expected = national.in_the_totals(national_totals, collection)
    return included == expected, {"forces_included": included, "forces_expected": expected}


def national_checks(
    lake: Lake,
    collection: Collection,
    national: pl.DataFrame,
    cells: pl.DataFrame,
    compared: pl.DataFrame,
    cube: pl.DataFrame,
    **others: pl.DataFrame,
) -> pl.DataFrame:
    named = compared.select("previous_collection", "previous_release").drop_nulls().unique()
    released = {
        other: kept_collection(Lake(lake.root, other).releases / release, other)
        for other, release in named.iter_rows()
    }
    own = ResearchTables(**{name: others.pop(name) for name in RESEARCH})
    totals = checks.Totals(national, cells, collection, own, compared, released, cube, others)
    return checks.national_checks(totals)


def totals_hold(national_checks: pl.DataFrame) -> tuple[bool, dict[str, Any]]:
    failed = national_checks.filter(~pl.col("passed"))
    blocking = failed.filter(pl.col("severity") == "B")
    told = {row["rule_id"]: row["message"] for row in failed.iter_rows(named=True)}
    return blocking.is_empty(), told


def published_figures(reconciliation: pl.DataFrame) -> tuple[bool, dict[str, Any]]:
    counts = dict(reconciliation.group_by("status").len().sort("status").iter_rows())
    differing = reconciliation.filter(pl.col("status") == "differs")["figure_id"].to_list()
    return not differing, {"by_status": counts, "differing": differing[:20]}


_PRINTED = {"printed": "reports/report_figures", "instances": RESEARCH["instances"]}

PARTS: Final[tuple[Made | Check, ...]] = (
    *(
        made(f"totals/{mart.__name__}", by=mart, live=_LIVE)
        for mart in (
            marts.investigations,
            marts.register_entries,
            marts.second_jobs,
            marts.capability_answers,
            marts.cells,
            marts.outcome_breakdown,
        )
    ),
    made(_NATIONAL, by=national_totals, live=_LIVE, **RESEARCH),
    made(
        "totals/force_profiles",
        by=marts.force_profiles,
        live=_LIVE,
        status="validation/returns_status",
        **_PRINTED,
    ),
    made(_RECONCILED, by=reconcile, national=_NATIONAL, live=_LIVE, **_PRINTED),
    made("totals/cube", by=cube.cube, national=_NATIONAL),
    made("totals/capability_adoption", by=marts.capability_adoption, cube="totals/cube"),
    made("totals/distribution", by=marts.distribution, cube="totals/cube"),
    made("totals/measures", by=cube.measures, national=_NATIONAL),
    made("totals/codes", by=cube.codes),
    made("totals/workforce", by=marts.workforce),
    made("totals/comparisons", by=comparisons, totals=_NATIONAL, cells="totals/cells"),
    Check(
        _NATIONAL,
        "coverage",
        "M001: every expected force is in the totals, or every total says how many are.",
        coverage,
    ),
    made(
        _CHECKS,
        by=national_checks,
        national=_NATIONAL,
        cells="totals/cells",
        compared="totals/comparisons",
        cube="totals/cube",
        **RESEARCH,
        **{name: f"totals/{name}" for name in LAID_OUT},
    ),
    Check(
        _CHECKS,
        "totals_hold",
        "No rule that blocks a release has failed; notes are told.",
        totals_hold,
        dg.AssetCheckSeverity.ERROR,
    ),
    made(
        "reconciliation/findings",
        by=scores.with_effects,
        findings="validation/findings",
        expectations="validation/expectations",
        live=_LIVE,
        national=_NATIONAL,
        reconciliation=_RECONCILED,
    ),
    Check(
        _RECONCILED,
        "published_figures",
        "No computed figure contradicts the published one.",
        published_figures,
    ),
)
