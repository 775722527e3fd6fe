"""National totals about investigations: counts, shares, monthly rates, spread over the forces."""

from typing import Final

import polars as pl

from assets.totals import counted
from assets.totals.cube import ROW, as_rows, shares, summed, totals
from schemas import vocabulary as v
from schemas.breakdown import Band
from schemas.collection import Collection

_SUBJECTS: Final = (
    (),
    ("category",),
    ("category", "recipient"),
    ("category", "recipient", "media"),
)
_RELATIONSHIP: Final = ("category", "media")
"""The split by media of the one category that has no recipients."""

STATISTICS: Final = {
    "minimum": pl.col("total").min(),
    "lower_quartile": pl.col("total").quantile(0.25, "linear"),
    "median": pl.col("total").median(),
    "mean": pl.col("total").sum() / pl.len(),
    "upper_quartile": pl.col("total").quantile(0.75, "linear"),
    "maximum": pl.col("total").max(),
}


def rows(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return every total about investigations, over the live entries."""
    cases = counted.investigations(live)
    earlier = comparator_rows(live)
    now = _by_subject(cases, "investigations", "count")
    return pl.concat(
        [
            now,
            _by_subject(counted.people_suspended(live), "people_suspended", "people"),
            shares(cases, ("category",), (), "investigations_share"),
            shares(cases, ("outcome",), (), "investigations_share"),
            earlier,
            *_per_month(now, earlier, collection),
            spread_rows(cases, collection),
        ]
    )


def _by_subject(cases: pl.DataFrame, measure: str, unit: str) -> pl.DataFrame:
    completed = pl.col("outcome") != v.CONTINUING
    by_media = cases.filter(pl.col("recipient").is_null())
    levels = [(cases, dims) for dims in _SUBJECTS] + [(by_media, _RELATIONSHIP)]
    found = []
    for frame, dims in levels:
        found.append(totals(frame, [dims], measure, unit))
        if "outcome" in frame.columns:
            done = frame.filter(completed).with_columns(pl.lit(v.COMPLETED).alias("outcome"))
            found += [totals(part, [(*dims, "outcome")], measure, unit) for part in (frame, done)]
    return pl.concat(found)


def comparator_rows(live: pl.DataFrame) -> pl.DataFrame:
    """Return the counts of earlier periods."""
    earlier = counted.comparators(live).filter(pl.col("measure") == "investigations")
    sums = summed(earlier, ("measure", "breakdown", "period"))
    return sums.with_columns(
        pl.col("total").cast(pl.Float64).alias("value"), pl.lit("count").alias("unit")
    ).select(ROW)


def _per_month(
    now: pl.DataFrame, earlier: pl.DataFrame, collection: Collection
) -> list[pl.DataFrame]:
    by_category = pl.col("breakdown").str.contains(r"^(category=[a-z_]+)?$")
    months = {"collection": collection.period.months} | {
        name: period.months for name, period in collection.comparators.items()
    }
    return [
        frame.filter(by_category).with_columns(
            pl.lit("investigations_per_month").alias("measure"),
            pl.col("value") / pl.col("period").replace_strict(months, return_dtype=pl.Int64),
            pl.lit("per_month").alias("unit"),
        )
        for frame in (now, earlier)
    ]


def spread(cases: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return how cases spread over forces: for each subject and statistic or band, the value.

    Columns: category (null for all investigations), statistic, count (a band; one of the two is
    null), value, forces_included, provisional.
    """
    by_force = pl.concat(
        [
            summed(cases, ("force_code", "category")),
            summed(cases, ("force_code",)).with_columns(pl.lit(None, pl.String).alias("category")),
        ],
        how="diagonal",
    ).drop_nulls("total")
    about = [
        pl.len().cast(pl.Int64).alias("forces_included"),
        pl.col("provisional").any(),
    ]
    statistics = [
        by_force.group_by("category").agg(
            expression.cast(pl.Float64).alias("value"), pl.lit(name).alias("statistic"), *about
        )
        for name, expression in STATISTICS.items()
    ]
    bands = [
        by_force.group_by("category").agg(
            Band.parse(text).contains(pl.col("total")).sum().cast(pl.Float64).alias("value"),
            pl.lit(text).alias("count"),
            *about,
        )
        for text in collection.count_bands
    ]
    return pl.concat([*statistics, *bands], how="diagonal")


def spread_rows(cases: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the spread as rows of the totals."""
    found = spread(cases, collection)
    dims = ("category", "count", "statistic")
    value = pl.col("value")
    banded = pl.col("count").is_not_null()
    mean = pl.col("statistic") == "mean"
    return pl.concat(
        [
            as_rows(found.filter(banded), dims, value, "forces_with_investigations", "forces"),
            as_rows(found.filter(mean), dims, value, "investigations_per_force", "per_force"),
            as_rows(
                found.filter(~banded & ~mean), dims, value, "investigations_per_force", "count"
            ),
        ]
    )
