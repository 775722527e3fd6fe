"""The marts that lay national totals out for reading: by outcome, by answer, over time, spread."""

import polars as pl

from assets.totals import counted
from assets.totals.cube import percent, summed
from assets.totals.measures import capability
from assets.totals.measures.investigations import spread
from schemas.breakdown import breakdown_of
from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.totals import CapabilityAdoption, Comparisons, Distribution, OutcomeBreakdown
from schemas.returns_template import COMPARATORS


def outcome_breakdown(live: pl.DataFrame) -> pl.DataFrame:
    """Return the mart OutcomeBreakdown."""
    cases = counted.investigations(live).filter(pl.col("force_code").is_not_null())
    by_outcome = summed(cases, ("category", "outcome")).rename({"total": "cases"})
    whole = pl.col("cases").sum().over("category").alias("whole")
    return conform(
        OutcomeBreakdown,
        by_outcome.with_columns(whole).with_columns(percent("cases", "whole").alias("share")),
    )


def capability_adoption(live: pl.DataFrame) -> pl.DataFrame:
    """Return the mart CapabilityAdoption."""
    return conform(
        CapabilityAdoption,
        capability.adoption(live)
        .rename({"question": "question_code"})
        .with_columns(percent("forces", "answered").alias("share")),
    )


def comparisons(national: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Comparisons from the mart NationalTotals."""
    pairs = [
        (row.measure, row.breakdown, row.period)
        for row in COMPARATORS.values()
        if row.period in collection.comparators
    ]
    months = [collection.comparators[period].months for *_, period in pairs]
    wanted = pl.DataFrame(
        pairs, schema=["measure", "breakdown", "previous_period"], orient="row"
    ).with_columns(
        pl.lit("collection").alias("period"),
        pl.Series("previous_months", months, pl.Int64),
        pl.lit(collection.period.months, pl.Int64).alias("months"),
    )
    counts = national.select("measure", "breakdown", "period", "value")
    now = wanted.join(counts, on=["measure", "breakdown", "period"], how="left")
    then = counts.rename({"period": "previous_period", "value": "previous_value"})
    both = now.join(then, on=["measure", "breakdown", "previous_period"], how="left")
    rates = both.with_columns(
        (pl.col("value") / pl.col("months")).alias("per_month"),
        (pl.col("previous_value") / pl.col("previous_months")).alias("previous_per_month"),
        pl.col("value", "previous_value").cast(pl.Int64),
    )
    rate = pl.col("previous_per_month")
    return conform(
        Comparisons,
        rates.with_columns(pl.when(rate > 0).then(pl.col("per_month") / rate).alias("ratio")),
    )


def distribution(live: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Distribution: statistics and bands of cases per force, by subject."""
    found = spread(counted.investigations(live), collection)
    banded = pl.col("count").is_not_null()
    return conform(
        Distribution,
        found.with_columns(
            pl.when(banded)
            .then(pl.lit("forces_with_investigations"))
            .otherwise(pl.lit("investigations_per_force"))
            .alias("measure"),
            breakdown_of("category"),
            pl.coalesce("statistic", "count").alias("statistic"),
        ),
    )
