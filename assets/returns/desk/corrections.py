"""Corrections of single cells as declared data: `desk/<collection>/corrections.csv`.

A correction applies only while the return holds what it expects. Once it does not, nothing is
published until somebody has looked: a correction that has outlived its mistake makes a new one.
"""

from typing import Any, Final

import polars as pl

from assets.intake.quoting import codes_of, shown
from assets.lake import Lake
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.errors import ContractError, SetupError
from schemas.marts import Corrections as CorrectionsMart
from schemas.tables import Corrections
from schemas.template import Place, Template

FILE: Final = "corrections.csv"
_PLACE: Final = ("sheet", "row_code", "column_code")


class StaleCorrectionError(SetupError):
    """A correction no longer meets the value it expects."""


ByForce = dict[str, dict[Place, tuple[str, str]]]
"""By force and place what a correction expects, and what it puts there."""


def read_corrections(lake: Lake, collection: Collection) -> pl.DataFrame:
    """Return the table Corrections; empty where there is no file.

    Raises:
        SetupError: the file is not as it must be.
    """
    path = lake.desk / FILE
    if not path.exists():
        return empty(Corrections)
    columns, at = empty(Corrections).columns, ""
    day = pl.col("agreed_on").str.to_date("%Y-%m-%d", strict=False)
    try:
        # A correction of a blank cell expects nothing.
        text = pl.read_csv(path, infer_schema=False).select(columns)
        dated = text.with_columns(day, pl.col("from_value").fill_null(""))
        at = "".join(f", line {line}" for line, row in enumerate(dated.rows(), 2) if None in row)
        table = conform(Corrections, dated)
    except (pl.exceptions.PolarsError, ContractError) as error:
        # Not in the words of the error: they may quote a cell.
        raise SetupError(
            f"{path}{at}: is not a file of corrections. Its columns are {', '.join(columns)}, none"
            " blank but from_value, each cell once, dates as 2012-06-30."
        ) from error
    entries = collection.template.entry_at
    for row in table.iter_rows(named=True):
        place = row["sheet"], row["row_code"], row["column_code"]
        if row["force_code"] not in collection.forces or place not in entries:
            raise SetupError(f"{path} corrects {row['force_code']} {place}: no such force or cell.")
    return table


def by_force(corrections: pl.DataFrame) -> ByForce:
    """Return the corrections by force and place."""
    columns = ("force_code", *_PLACE, "from_value", "to_value")
    found: ByForce = {}
    for force, sheet, row, column, *values in corrections.select(columns).iter_rows():
        expected, put = values
        found.setdefault(force, {})[sheet, row, column] = expected, put
    return found


def applied_mart(
    corrections: pl.DataFrame, applied: pl.DataFrame, live: pl.DataFrame, template: Template
) -> pl.DataFrame:
    """Return the mart Corrections: those that apply to live returns.

    Raises:
        StaleCorrectionError: the live return of a force does not hold what a correction expects.
    """
    place = ["force_code", *_PLACE]
    mine = applied.join(live.select("receipt_id", "force_code"), on="receipt_id")
    meant = corrections.join(live.select("force_code"), on="force_code", how="semi")
    stale = meant.join(mine, on=place, how="anti")
    if stale.height:
        # Neither what a correction expects, which a cell said, nor its owner: people are sent this.
        listed = "; ".join(" ".join(at) for at in stale.select(place).iter_rows())
        raise StaleCorrectionError(
            f"corrections that the live return no longer needs or meets: {listed}. Look at the"
            f" return, then remove or renew the lines in {FILE} and run again."
        )
    rows = [_shown(row, template) for row in meant.iter_rows(named=True)]
    told = pl.DataFrame(rows, schema=meant.schema, orient="row")
    return conform(CorrectionsMart, told.join(mine, on=place, validate="1:1"))


def _shown(row: dict[str, Any], template: Template) -> dict[str, Any]:
    """Return a correction with what may be said of the cell, before and after."""
    entry = template.entry_at[row["sheet"], row["row_code"], row["column_code"]]
    texts = {name: shown(row[name], codes_of(entry)) for name in ("from_value", "to_value")}
    return {**row, **texts}
