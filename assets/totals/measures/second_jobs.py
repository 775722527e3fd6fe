"""National totals about second jobs, and about the cards that forces hold."""

from typing import Final

import polars as pl

from assets.totals import counted
from assets.totals.cube import as_rows, shares, totals
from schemas.returns_template import REVIEW_MONTHS

_REVIEW: Final = {
    "minimum": pl.col("number").min(),
    "median": pl.col("number").median(),
    "maximum": pl.col("number").max(),
}


def rows(live: pl.DataFrame) -> pl.DataFrame:
    """Return applications by decision, approvals by condition, breaches, review intervals."""
    applications = counted.second_job_applications(live)
    approvals = applications.filter(pl.col("conditions").is_not_null())
    return pl.concat(
        [
            totals(
                applications,
                ((), ("decision",), ("decision", "conditions")),
                "second_job_applications",
                "count",
            ),
            shares(applications, ("decision",), (), "second_job_applications_share"),
            shares(approvals, ("conditions",), (), "second_job_approvals_share"),
            totals(
                counted.second_job_breaches(live),
                ((), ("occupation",)),
                "second_job_approvals_in_breach",
                "count",
            ),
            _review_months(live),
        ]
    )


def _review_months(live: pl.DataFrame) -> pl.DataFrame:
    held = counted.single(live, "second_jobs", REVIEW_MONTHS, "count").filter(
        pl.col("number").is_not_null()
    )
    statistics = pl.concat(
        held.select(
            expression.cast(pl.Float64).alias("value"),
            pl.lit(name).alias("statistic"),
            pl.len().cast(pl.Int64).alias("forces_included"),
            pl.col("provisional").any(),
        )
        for name, expression in _REVIEW.items()
    )
    return as_rows(
        statistics, ("statistic",), pl.col("value"), "second_job_review_months", "months"
    )


def card_rows(live: pl.DataFrame) -> pl.DataFrame:
    """Return cards held in each year, and the change over the forces that know both."""
    cards = counted.comparators(live).filter(pl.col("measure") == "cards_held")
    by_year = cards.with_columns(pl.col("breakdown").str.strip_prefix("year=").alias("year"))
    change = by_year.group_by("force_code", "provisional").agg(
        (pl.col("number").sort_by("year").last() - pl.col("number").sort_by("year").first()).alias(
            "number"
        )
    )
    return pl.concat(
        [
            totals(by_year, (("year",),), "cards_held", "cards"),
            totals(change, ((),), "cards_held_change", "cards"),
        ]
    )
