"""The investigation grid of a return, as the cases of a live extract add up to it.

Belongs here: from cases to the cells of the template. Does not: comparing them with what a return
says (rule X007), nor which extract is live (received.py).
"""

from typing import Final

import polars as pl

from assets.cases.refused import refused_extracts
from schemas import vocabulary as v
from schemas.contract import conform
from schemas.returns_template import INVESTIGATION_ROWS, TOTAL
from schemas.tables import LiveEntries

SHEET: Final = "investigations"
GRID: Final = ["force_code", "sheet", "row_code", "column_code"]
CELL: Final = "rows"
"""Stands where the address of a cell would: the value comes from case rows."""


def leaf_grid(cases: pl.DataFrame, forces: pl.Series) -> pl.DataFrame:
    """Return `rows` by GRID for each row and outcome of the grid, of the forces given.

    A combination without a case is zero: an extract has all cases of its force.

    Args:
        cases: mart InvestigationsByMonth.
        forces: the forces with a live extract.
    """
    subject = ["category", "recipient", "media"]
    places = pl.DataFrame(
        [
            (SHEET, row.code, outcome, row.category, row.recipient, row.media)
            for row in INVESTIGATION_ROWS
            if row.is_part
            for outcome in v.OUTCOMES
        ],
        schema=["sheet", "row_code", "column_code", *subject],
        orient="row",
        infer_schema_length=None,
    )
    counted = cases.group_by("force_code", *subject, "outcome").agg(pl.col("cases").sum())
    grid = pl.DataFrame({"force_code": forces}).join(places, how="cross")
    found = grid.join(
        counted.rename({"outcome": "column_code"}),
        on=["force_code", *subject, "column_code"],
        how="left",
        nulls_equal=True,
    )
    return found.select(*GRID, pl.col("cases").fill_null(0).alias("rows")).sort(GRID)


def whole_grid(leaves: pl.DataFrame) -> pl.DataFrame:
    """Return `leaf_grid` with the rows and columns of the template that are sums of others."""
    rows = pl.DataFrame(
        [
            (row.code, target.code)
            for row in INVESTIGATION_ROWS
            if row.is_part
            for target in INVESTIGATION_ROWS
            if target.code == row.code
            or (not target.is_part and target.category in {None, row.category})
        ],
        schema=["row_code", "target"],
        orient="row",
    )
    columns = pl.DataFrame(
        [(outcome, target) for outcome in v.OUTCOMES for target in (outcome, TOTAL)],
        schema=["column_code", "column"],
        orient="row",
    )
    return (
        leaves.join(rows, on="row_code")
        .join(columns, on="column_code")
        .group_by("force_code", "sheet", pl.col("target"), pl.col("column"))
        .agg(pl.col("rows").sum())
        .rename({"target": "row_code", "column": "column_code"})
        .select(*GRID, "rows")
        .sort(GRID)
    )


def derived_entries(cases: pl.DataFrame, only: pl.DataFrame) -> pl.DataFrame:
    """Return the table LiveEntries of forces that sent only case rows.

    People suspended are not among them: rows count cases, not people.

    Args:
        cases: mart InvestigationsByMonth.
        only: as `only_rows` returns it.
    """
    grid = whole_grid(leaf_grid(cases, only["force_code"]))
    about = only.select("force_code", "receipt_id", "sha256", "basis")
    entries = grid.join(about, on="force_code", validate="m:1").with_columns(
        pl.lit(CELL).alias("cell"),
        pl.col("rows").cast(pl.String).alias("value"),
        pl.col("rows").alias("number"),
        pl.lit(value=False).alias("provisional"),
    )
    return conform(LiveEntries, entries)


def only_rows(
    extracts: pl.DataFrame, receipts: pl.DataFrame, damaged: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the live extracts of forces that sent no workbook: the table Extracts.

    Args:
        extracts: table Extracts.
        receipts: table Receipts. A force that sent any workbook has its grid there, or has to
            mend it there: rows must not get around a rejected return. An extract without a row
            does not say that there was no case; only a workbook can.
        damaged: table DamagedReceipts; a force that sent one has sent a workbook too.
    """
    tables = [receipts, *([] if damaged is None else [damaged])]
    sent = pl.concat(table.select("force_code") for table in tables).drop_nulls()
    return extracts.filter("live", pl.col("rows") > 0).join(sent, on="force_code", how="anti")


def derived_returns(only: pl.DataFrame) -> pl.DataFrame:
    """Return the extracts of `only_rows` as rows of the table LiveReturns."""
    return only.select(
        "force_code", "receipt_id", "sha256", "basis", provisional=pl.lit(value=False)
    )


def told_in_status(
    status: pl.DataFrame, only: pl.DataFrame, extracts: pl.DataFrame
) -> pl.DataFrame:
    """Return the mart ReturnsStatus with the extracts of `only_rows` in the place of returns.

    Its notes also name the forces whose newest extract, by the table Extracts, is refused, or has
    no row where no workbook says that there was no case.
    """
    named = ["receipt_id", "version", "received_at", "sha256"]
    found = only.select(
        "force_code",
        *named,
        state=pl.lit("accepted"),
        notes=pl.lit(
            "sent only case rows: its investigations are derived from them, the rest is missing"
        ),
    )
    missing = status.filter(pl.col("state") == "missing").select("force_code")
    doubtful = pl.concat(
        [_refused(extracts), _empty(extracts).join(missing, on="force_code", how="semi")]
    )
    told = status.update(found, on="force_code").join(doubtful, on="force_code", how="left")
    both = pl.concat_str("notes", "why_not", separator="; ", ignore_nulls=True)
    noted = pl.any_horizontal(pl.col("notes", "why_not").is_not_null())
    return told.with_columns(notes=pl.when(noted).then(both)).select(status.columns)


def _empty(extracts: pl.DataFrame) -> pl.DataFrame:
    """Say of each force whose live extract has no row that this is no zero: `why_not`."""
    text = "case rows, version {}, without a row; that there was no case has to stand in a workbook"
    return extracts.filter("live", pl.col("rows") == 0).select(
        "force_code", why_not=pl.format(text, "version")
    )


def _refused(extracts: pl.DataFrame) -> pl.DataFrame:
    """Say of each force whose newest extract does not count why: `why_not` by force_code."""
    version, bad = pl.col("version"), pl.col("bad")
    are = pl.when(bad == 1).then(pl.lit("is")).otherwise(pl.lit("are"))
    share = pl.format("{} of {} rows {} bad", bad, "rows", are)
    why = share.fill_null("it cannot be read")
    return refused_extracts(extracts).select(
        "force_code",
        why_not=pl.format("case rows, version {}, refused: {}", version, why),
    )
