"""The mart force_profiles: one row a force, from its return or else from its published report."""

from typing import Final

import polars as pl

from assets.research.social_media import social_media_cases
from assets.research.tables import no_research
from assets.totals import counted
from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.contract import columns, conform
from schemas.marts.facts import ForceProfiles
from schemas.reference import forces
from schemas.returns_template import REVIEW_MONTHS

_PRINTED: Final = {
    ("investigations", ""): "investigations",
    ("investigations", "category=information_disclosure;recipient=media"): "media_disclosure",
    ("second_job_applications", ""): "second_job_applications",
    ("second_job_applications", "decision=approved"): "second_job_approved",
    ("social_media_cases", ""): "social_media_cases",
}
"""The counts that a force's published report prints, and the column each stands in."""

_STAFFING: Final = "acu_staffing_change"


def force_profiles(
    live: pl.DataFrame,
    status: pl.DataFrame,
    printed: pl.DataFrame,
    collection: Collection,
    instances: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the mart ForceProfiles.

    Args:
        live: table LiveEntries.
        status: mart ReturnsStatus.
        printed: table ReportFigures, with one value a force and figure.
        collection: the collection, which says which forces are expected.
        instances: table InstancesInUse; None for no research.
    """
    known = forces().select("force_code", "ons_code", "region", pl.col("full_name").alias("name"))
    expected = status.select("force_code", "state").join(known, on="force_code", how="left")
    sent = _from_returns(live)
    reported = _from_reports(printed).join(sent, on="force_code", how="anti")
    rows = expected.join(
        pl.concat([sent, reported], how="diagonal"), on="force_code", how="left", validate="1:1"
    )
    found = no_research().instances if instances is None else instances
    rows = _with_cases(rows, social_media_cases(found, collection))
    months = collection.period.months
    absent = [c for c in columns(ForceProfiles) if c.name not in {*rows.columns, _RATE}]
    return conform(
        ForceProfiles,
        rows.with_columns(pl.lit(None, c.dtype).alias(c.name) for c in absent).with_columns(
            (pl.col("investigations") / months).alias(_RATE)
        ),
    )


_RATE: Final = "investigations_per_month"
_CASES: Final = "social_media_cases"


def _with_cases(rows: pl.DataFrame, cases: pl.DataFrame) -> pl.DataFrame:
    """Add each force's cases in the research; without them what its report printed stands."""
    printed = pl.col(_CASES) if _CASES in rows.columns else pl.lit(None, pl.Int64)
    found = cases.select("force_code", "cases", pl.col("basis").alias("cases_basis"))
    both = rows.with_columns(printed.alias(_CASES)).join(found, on="force_code", how="left")
    reported = pl.when(pl.col(_CASES).is_not_null()).then(pl.lit("published"))
    return both.with_columns(
        pl.coalesce("cases", _CASES).alias(_CASES),
        pl.coalesce("cases_basis", reported).alias("social_media_basis"),
    )


def _from_returns(live: pl.DataFrame) -> pl.DataFrame:
    cases = counted.investigations(live)
    entries = counted.register_entries(live).filter(pl.col("body") == "force")
    jobs = counted.second_job_applications(live)
    earlier = counted.comparators(live)
    everything = pl.lit(value=True)
    counts = [
        _sum(cases, "investigations", everything),
        *(_sum(cases, category, pl.col("category") == category) for category in v.CATEGORIES),
        _sum(cases, "media_disclosure", pl.col("recipient") == "media"),
        _sum(cases, "continuing", pl.col("outcome") == v.CONTINUING),
        _sum(counted.people_suspended(live), "people_suspended", everything),
        _sum(jobs, "second_job_applications", everything),
        _sum(jobs, "second_job_approved", pl.col("decision") == "approved"),
        _sum(entries, "register_entries", everything),
        _sum(entries, "register_declined", pl.col("decision") == "declined"),
        _sum(
            counted.single(live, "second_jobs", REVIEW_MONTHS, "count"),
            "second_job_review_months",
            everything,
        ),
        _sum(earlier, "investigations_2010_11", pl.col("row_code") == "investigations_2010_11"),
        _sum(earlier, "cards_2012", pl.col("row_code") == "cards_2012"),
    ]
    staffing = counted.single(live, "capability", _STAFFING, "answer").select(
        "force_code", "basis", pl.col("value").alias(_STAFFING)
    )
    profile = staffing.drop_nulls("force_code")
    for count in counts:
        profile = profile.join(count, on="force_code", how="left", validate="1:1")
    return profile


def _sum(entries: pl.DataFrame, name: str, where: pl.Expr) -> pl.DataFrame:
    """Sum a force's entries; null where it holds none of them."""
    held = pl.col("number").is_not_null()
    return (
        entries.filter(where)
        .group_by("force_code")
        .agg(pl.when(held.any()).then(pl.col("number").sum()).alias(name))
        .drop_nulls("force_code")
    )


def _from_reports(printed: pl.DataFrame) -> pl.DataFrame:
    """One row a force whose report was read, with a column for each figure it printed."""
    names = pl.DataFrame(
        [(*figure, name) for figure, name in _PRINTED.items()],
        schema=["measure", "breakdown", "name"],
        orient="row",
    )
    counts = printed.join(names, on=["measure", "breakdown"]).pivot(
        on="name", index="force_code", values="value"
    )
    answer = pl.col("breakdown").str.extract(f"^question={_STAFFING};answer=(.+)$")
    staffing = (
        printed.filter(pl.col("measure") == "capability")
        .select("force_code", answer.alias(_STAFFING))
        .drop_nulls(_STAFFING)
    )
    reported = (
        printed.select("force_code")
        .unique()
        .join(counts, on="force_code", how="left")
        .join(staffing, on="force_code", how="left", validate="1:1")
    )
    integers = [name for name in _PRINTED.values() if name in reported.columns]
    return reported.with_columns(
        pl.col(integers).cast(pl.Int64), pl.lit("published").alias("basis")
    )
