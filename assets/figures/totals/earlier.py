"""The mart comparisons: what was counted beside what was counted before."""

from typing import Final

import polars as pl

from schemas.breakdown import write_breakdown
from schemas.collection import Collection
from schemas.contract import conform
from schemas.marts.totals import Comparisons
from schemas.measures import NOW


def comparisons(national: pl.DataFrame, collection: Collection) -> pl.DataFrame:
    """Return the mart Comparisons from the mart NationalTotals."""
    rows = []
    for entry in collection.template.counted():
        if earlier := collection.comparators.get(entry.period):
            named = str(entry.measure)
            rated = collection.template.measures[named].kind == "flow"
            months = (collection.period.months, earlier.months) if rated else (None, None)
            rows.append((named, write_breakdown(entry.dims), NOW, entry.period, *months))
    texts, numbers = [*_KEY, "previous_period"], ["months", "previous_months"]
    schema = {**dict.fromkeys(texts, pl.String), **dict.fromkeys(numbers, pl.Int64)}
    counts = national.select(*_KEY, "value")
    then = counts.rename({"period": "previous_period", "value": "previous_value"})
    both = (
        pl.DataFrame(rows, schema=schema, orient="row")
        .join(counts, on=_KEY, how="left")
        .join(then, on=["measure", "breakdown", "previous_period"], how="left")
        .with_columns(
            (pl.col("value") / pl.col("months")).alias("per_month"),
            (pl.col("previous_value") / pl.col("previous_months")).alias("previous_per_month"),
        )
    )
    now, before = pl.coalesce("per_month", "value"), pl.coalesce(*_BEFORE)
    ratio = pl.when(before > 0).then(now / before).alias("ratio")
    return conform(
        Comparisons, both.with_columns(ratio, pl.col("value", "previous_value").cast(pl.Int64))
    )


_KEY: Final = ["measure", "breakdown", "period"]
_BEFORE: Final = ("previous_per_month", "previous_value")
