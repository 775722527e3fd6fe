"""The 44 sample returns, complete: what returns.csv stores and every entry that follows from it.

Belongs here: reading the stored entries, adding up totals, filling the fixed cells. Does not: how
the stored entries were found (tools/make_sample), nor writing workbooks.
"""

from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from assets.sample.returns_template import INVESTIGATION_ROWS, REGISTER_ROWS, SUSPENDED, TOTAL
from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.reference import forces

RETURNS_PATH: Final = Path(__file__).with_name("returns.csv")

COLUMNS: Final = ("force_code", "sheet", "row_code", "column_code", "value")

_PLACE: Final = COLUMNS[:-1]
_BASIS: Final = "reconstructed"


def sample_returns(collection: Collection) -> pl.DataFrame:
    """Return every entry of the collection's template, for each of its forces.

    The frame has the columns force_code, sheet, row_code, column_code (together the key) and
    value, all text: a whole number, a coded answer, `not_held`, `not_applicable`, an ISO date or
    a wording. It is sorted by its key. No entry was sent by a force; the cover sheets say so.
    """
    stored = pl.read_csv(RETURNS_PATH, infer_schema=False)
    entries = pl.concat([stored, _sums(stored), _fixed_cover(collection)])
    return entries.filter(pl.col("force_code").is_in(collection.forces)).sort(_PLACE)


def _sums(stored: pl.DataFrame) -> pl.DataFrame:
    """Add up the entries that totals and subtotals consist of.

    What is not held counts for nothing; a total of which no part applies does not apply either.
    """
    number = pl.col("value").cast(pl.Int64, strict=False)
    return (
        stored.join(_parts(), on=["sheet", "row_code", "column_code"])
        .group_by("force_code", "sheet", "sum_row", "sum_column")
        .agg(
            pl.when(number.is_not_null().any())
            .then(number.sum().cast(pl.String))
            .otherwise(pl.lit(v.NOT_APPLICABLE))
            .alias("value")
        )
        .rename({"sum_row": "row_code", "sum_column": "column_code"})
        .select(COLUMNS)
    )


@cache
def _parts() -> pl.DataFrame:
    """One row a stored entry and sum it is part of.

    Columns: sheet, row_code, column_code; sum_row, sum_column: where the sum stands.
    """
    parts = []
    for row in (row for row in INVESTIGATION_ROWS if row.is_part):
        rows = [
            other.code
            for other in INVESTIGATION_ROWS
            if not other.is_part and other.category in (None, row.category)
        ]
        for column in (*v.OUTCOMES, SUSPENDED):
            columns = [column] if column == SUSPENDED else [column, TOTAL]
            sums = {(r, c) for r in (row.code, *rows) for c in columns} - {(row.code, column)}
            parts += [("investigations", row.code, column, *target) for target in sums]
    parts += [
        ("registers", row, decision, row, TOTAL)
        for row in REGISTER_ROWS
        for decision in v.REGISTER_DECISIONS
    ]
    parts += [("second_jobs", code, "count", TOTAL, "count") for code in v.SECOND_JOB_DECISIONS]
    names = ["sheet", "row_code", "column_code", "sum_row", "sum_column"]
    return pl.DataFrame(parts, schema=names, orient="row")


def _fixed_cover(collection: Collection) -> pl.DataFrame:
    """The cover cells that follow from the collection and the force."""
    fixed = {
        "template": pl.lit(collection.template.name),
        "template_version": pl.lit(str(collection.template.version)),
        "collection": pl.lit(collection.id),
        "force_code": pl.col("force_code"),
        "force_name": pl.col("full_name"),
        "data_as_at": pl.lit(collection.census.isoformat()),
        "basis": pl.lit(_BASIS),
    }
    return pl.concat(
        forces().select(
            "force_code",
            pl.lit("cover").alias("sheet"),
            pl.lit(code).alias("row_code"),
            pl.lit("value").alias("column_code"),
            value.alias("value"),
        )
        for code, value in fixed.items()
    )
