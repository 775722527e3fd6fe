"""Corrections of single cells as declared data: `desk/<collection>/corrections.csv`.

A correction applies only while the return holds what it expects. Once it does not, or once a return
that would count fails with it, nothing is published until somebody has looked: a correction that
has outlived its mistake makes a new one, which is not the force's.
"""

from collections.abc import Iterable
from typing import Any, Final

import polars as pl

from assets.intake.quoting import codes_of, shown
from assets.intake.reading import Cell
from assets.intake.store import read_errors, utc_now
from assets.lake import Lake
from assets.returns.validation.cells import type_entry, what_belongs
from assets.returns.validation.layout import Slot
from schemas.collection import Collection
from schemas.conform import conform
from schemas.contract import empty
from schemas.errors import ContractError, SetupError
from schemas.finding import Finding
from schemas.marts import Corrections as CorrectionsMart
from schemas.tables import Corrections
from schemas.template import Entry, Place, Template

FILE: Final = "corrections.csv"
_PLACE: Final = ("sheet", "row_code", "column_code")
_KEY: Final = ("force_code", *_PLACE)


class StaleCorrectionError(SetupError):
    """A correction no longer meets the value it expects."""


class HarmfulCorrectionError(SetupError):
    """A return that would count fails with a correction, and does not without."""


ByForce = dict[str, dict[Place, tuple[str, str]]]
"""By force and place what a correction expects, and what it puts there."""


def read_corrections(lake: Lake, collection: Collection) -> pl.DataFrame:
    """Return the table Corrections; empty where there is no file.

    Raises:
        SetupError: the file is not as it must be.
        UnavailableError: it cannot be read.
    """
    path = lake.desk / FILE
    with read_errors(path):
        if not path.exists():
            return empty(Corrections)
        content = path.read_bytes()
    columns, at = empty(Corrections).columns, ""
    day = pl.col("agreed_on").str.to_date("%Y-%m-%d", strict=False)
    try:
        # A correction of a blank cell expects nothing.
        text = pl.read_csv(content, infer_schema=False).select(columns)
        dated = text.with_columns(day, pl.col("from_value").fill_null(""))
        at = "".join(f", line {line}" for line, row in enumerate(dated.rows(), 2) if None in row)
        table = conform(Corrections, dated)
    except (pl.exceptions.PolarsError, ContractError) as error:
        # Not in the words of the error: they may quote a cell.
        raise SetupError(
            f"{path}{at}: is not a file of corrections. Its columns are {', '.join(columns)}, none"
            " blank but from_value, each cell once, dates as 2012-06-30."
        ) from error
    entries, today = collection.template.entry_at, collection.day_of(utc_now())
    for row in table.iter_rows(named=True):
        place = row["sheet"], row["row_code"], row["column_code"]
        wrong = ""
        if row["force_code"] not in collection.forces or place not in entries:
            wrong = "no such force or cell"
        elif isinstance(type_entry(_put(entries[place], row["to_value"])), Finding):
            belongs = what_belongs(entries[place])
            wrong = f"to_value is none that may stand there; {belongs} belongs there"
        elif row["agreed_on"] > today:
            wrong = f"agreed_on is a day to come; today is {today}"
        if wrong:
            raise SetupError(
                f"{path} corrects {_named(lake, [(row['force_code'], *place)])}: {wrong}."
            )
    return table


def _put(entry: Entry, text: str) -> Slot:
    return Slot(entry, "A1", Cell(1, 1, text, "text"))


def _named(lake: Lake, keys: Iterable[tuple[str, ...]]) -> str:
    """Return the lines that correct some cells, in the order of the file, and which cells."""
    keys = set(keys)
    rows = pl.read_csv(lake.desk / FILE, infer_schema=False).select(_KEY).iter_rows()
    # Neither what a correction expects, which a cell said, nor its owner: people are sent this.
    return "; ".join(f"{' '.join(row)} (line {n})" for n, row in enumerate(rows, 2) if row in keys)


def by_force(corrections: pl.DataFrame) -> ByForce:
    """Return the corrections by force and place."""
    columns = (*_KEY, "from_value", "to_value")
    found: ByForce = {}
    for force, sheet, row, column, *values in corrections.select(columns).iter_rows():
        expected, put = values
        found.setdefault(force, {})[sheet, row, column] = expected, put
    return found


def refuse_harmful(
    lake: Lake, applied: pl.DataFrame, sent: pl.DataFrame, corrected: pl.DataFrame
) -> None:
    """Refuse to go on where a return would count as it was sent, and fails as corrected.

    `sent` are the versions of returns as they stand without corrections (states.Standing), and
    `corrected` with them.

    Raises:
        HarmfulCorrectionError: there is such a return.
    """
    would_count = sent.filter(pl.col("live") | pl.col("held")).select("receipt_id", "force_code")
    failed = corrected.filter(pl.col("blocking") > 0).select("receipt_id")
    harmed = applied.join(would_count, on="receipt_id").join(failed, on="receipt_id", how="semi")
    if harmed.height:
        raise HarmfulCorrectionError(
            f"{lake.desk / FILE} corrects {_named(lake, harmed.select(_KEY).iter_rows())}: what was"
            " sent is acceptable, and would be rejected with that. Nothing was computed from it."
            " Remove or mend the lines and run again; or let the force send its return anew."
        )


def told_as_corrected(
    findings: pl.DataFrame, as_sent: pl.DataFrame, applied: pl.DataFrame
) -> pl.DataFrame:
    """Return findings that say of what is not found in a return as it was sent who put it there."""
    at = pl.concat_str("sheet", "cell", separator=" ").sort().str.join(", ")
    cells = applied.group_by("receipt_id").agg(at.alias("at"))
    own = as_sent.select("receipt_id", "rule_id", *_PLACE, own=True).unique()
    on = ["receipt_id", "rule_id", *_PLACE]
    of_desk = pl.col("at").is_not_null() & pl.col("own").is_null()
    message = pl.format("{} (with what the desk corrected in {})", "message", "at")
    fix = pl.format("See with the desk whether its correction is right. {}", "how_to_fix")
    return (
        findings.join(cells, on="receipt_id", how="left", maintain_order="left")
        .join(own, on=on, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(
            pl.when(of_desk).then(message).otherwise("message").alias("message"),
            pl.when(of_desk).then(fix).otherwise("how_to_fix").alias("how_to_fix"),
        )
        .select(findings.columns)
    )


def applied_mart(
    lake: Lake,
    corrections: pl.DataFrame,
    applied: pl.DataFrame,
    live: pl.DataFrame,
    template: Template,
) -> pl.DataFrame:
    """Return the mart Corrections: those that apply to live returns.

    Raises:
        StaleCorrectionError: the live return of a force does not hold what a correction expects.
    """
    mine = applied.join(live.select("receipt_id", "force_code"), on="receipt_id")
    meant = corrections.join(live.select("force_code"), on="force_code", how="semi")
    stale = meant.join(mine, on=_KEY, how="anti")
    if stale.height:
        raise StaleCorrectionError(
            f"{lake.desk / FILE} has corrections that the live return no longer needs or meets:"
            f" {_named(lake, stale.select(_KEY).iter_rows())}. The cell holds another value than"
            " from_value, or counts case rows, which no line corrects. Look at the return, then"
            " remove or renew the lines and run again."
        )
    rows = [_shown(row, template) for row in meant.iter_rows(named=True)]
    told = pl.DataFrame(rows, schema=meant.schema, orient="row")
    return conform(CorrectionsMart, told.join(mine, on=_KEY, validate="1:1"))


def _shown(row: dict[str, Any], template: Template) -> dict[str, Any]:
    """Return a correction with what may be said of the cell, before and after."""
    entry = template.entry_at[row["sheet"], row["row_code"], row["column_code"]]
    texts = {name: shown(row[name], codes_of(entry)) for name in ("from_value", "to_value")}
    return {**row, **texts}
