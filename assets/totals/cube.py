"""Adding counts up, and saying of each total how many forces it includes.

Every function returns rows of the contract NationalTotals but for `forces_expected`. Integers
are summed and divided once at the end, so the same inputs give the same bytes.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl

from schemas.breakdown import breakdown_of

ROW: Final = [
    "measure", "breakdown", "period", "value", "unit", "forces_included", "provisional",
]  # fmt: skip

_HELD: Final = pl.col("number").is_not_null()


def summed(counted: pl.DataFrame, dims: Sequence[str]) -> pl.DataFrame:
    """Return one row for each combination of `dims`: total, forces_included, provisional.

    `total` is an integer, null where no live return gives a number.
    """
    aggregates = [
        pl.when(_HELD.any()).then(pl.col("number").sum()).alias("total"),
        pl.col("force_code").filter(_HELD).n_unique().cast(pl.Int64).alias("forces_included"),
        pl.col("provisional").filter(_HELD).any().alias("provisional"),
    ]
    return grouped(counted.drop_nulls(dims) if dims else counted, dims, aggregates)


def grouped(frame: pl.DataFrame, dims: Sequence[str], found: Sequence[pl.Expr]) -> pl.DataFrame:
    """Return what is asked of each combination of `dims`, of all rows where there are none."""
    return frame.group_by(dims).agg(found) if dims else frame.select(found)


def totals(
    counted: pl.DataFrame,
    levels: Sequence[Sequence[str]],
    measure: str,
    unit: str,
    *,
    period: str = "collection",
) -> pl.DataFrame:
    """Return the sums at each level; a level is the list of dimensions it is broken down by."""
    return pl.concat(
        as_rows(summed(counted, dims), dims, pl.col("total"), measure, unit, period=period)
        for dims in levels
    )


def shares(
    counted: pl.DataFrame,
    dims: Sequence[str],
    within: Sequence[str],
    measure: str,
    *,
    period: str = "collection",
) -> pl.DataFrame:
    """Return each sum as a percent of the sum it is part of; null where that is zero."""
    parts = summed(counted, dims)
    wholes = summed(counted, within).select(*within, pl.col("total").alias("whole"))
    both = parts.join(wholes, on=list(within)) if within else parts.join(wholes, how="cross")
    return as_rows(both, dims, percent("total", "whole"), measure, "percent", period=period)


def percent(part: str, whole: str) -> pl.Expr:
    """Return part as a percent of whole, null where there is no whole."""
    return pl.when(pl.col(whole) > 0).then(pl.col(part) * 100 / pl.col(whole))


def as_rows(
    frame: pl.DataFrame,
    dims: Sequence[str],
    value: pl.Expr,
    measure: str,
    unit: str,
    *,
    period: str = "collection",
) -> pl.DataFrame:
    """Write sums as rows of the totals: `value` from the frame, the breakdown from `dims`."""
    return frame.select(
        pl.lit(measure).alias("measure"),
        breakdown_of(*dims),
        pl.lit(period).alias("period"),
        value.cast(pl.Float64).alias("value"),
        pl.lit(unit).alias("unit"),
        "forces_included",
        "provisional",
    )
