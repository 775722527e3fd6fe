"""The 44 sample returns, complete: what returns.csv stores and every entry that follows from it."""

from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from assets.returns.template.workbook import prefilled
from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.template import Template
from schemas.template_file import load_template

RETURNS_PATH: Final = Path(__file__).with_name("returns.csv")

SUSPENDED: Final = "people_suspended"

COLUMNS: Final = ("force_code", "sheet", "row_code", "column_code", "value")

_PLACE: Final = ("sheet", "row_code", "column_code")
_BASIS: Final = "reconstructed"


def returns_template() -> Template:
    """Return template `returns`, version 1, which the sample is made for."""
    return load_template("returns-1")


def sample_returns(collection: Collection) -> pl.DataFrame:
    """Return every entry of the collection's template, for each of its forces.

    The frame has the columns force_code, sheet, row_code, column_code (together the key) and
    value, all text: a whole number, a coded answer, `not_held`, `not_applicable`, an ISO date or
    a wording. It is sorted by its key. No entry was sent by a force; the cover sheets say so.
    """
    stored = pl.read_csv(RETURNS_PATH, infer_schema=False)
    cover = [
        (force, *place, value)
        for force in collection.forces
        for place, value in {
            **prefilled(collection, force, _BASIS),
            ("cover", "data_as_at", "value"): collection.census.isoformat(),
        }.items()
    ]
    given = pl.DataFrame(cover, schema=COLUMNS, orient="row")
    entries = pl.concat([stored, _sums(stored), given])
    return entries.filter(pl.col("force_code").is_in(collection.forces)).sort(COLUMNS[:-1])


def _sums(stored: pl.DataFrame) -> pl.DataFrame:
    """Add up the entries that totals and subtotals consist of.

    What is not held counts for nothing; a total of which no part applies does not apply either.
    """
    number = pl.col("value").cast(pl.Int64, strict=False)
    total = number.sum().cast(pl.String)
    return (
        stored.join(_parts(), on=_PLACE)
        .group_by("force_code", "sheet", "sum_row", "sum_column")
        .agg(
            value=pl.when(number.is_not_null().any())
            .then(total)
            .otherwise(pl.lit(v.NOT_APPLICABLE))
        )
        .rename({"sum_row": "row_code", "sum_column": "column_code"})
        .select(COLUMNS)
    )


@cache
def _parts() -> pl.DataFrame:
    """One row a stored entry and sum it is part of.

    Columns: sheet, row_code, column_code; sum_row, sum_column: where the sum stands.
    """
    parts = [
        (*part, *total[1:]) for total, parts in returns_template().leaves.items() for part in parts
    ]
    return pl.DataFrame(parts, schema=[*_PLACE, "sum_row", "sum_column"], orient="row")
