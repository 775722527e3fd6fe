"""From columns as they were sent to the types of the contract, without losing a value.

Belongs here: which types are accepted, and how each becomes the contract's. A value that cannot
be typed becomes one that breaks its column's rule, never a blank. Does not: the rules.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

import polars as pl

from schemas.cases.columns import BLANKS, FOLDER, TYPES, UNREADABLE

_STRINGS: Final = (pl.String, pl.Categorical, pl.Enum, pl.Null)
_DATE_TEXT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def wrong_types(sent: Mapping[str, pl.DataType]) -> list[str]:
    """Say of each column of a Parquet file that has a type without a lossless way to ours."""
    return [
        f"{name} is {dtype}, expected {TYPES[name].__name__}"
        for name, dtype in sent.items()
        if not _accepted(TYPES[name], dtype)
    ]


def _accepted(wanted: type[pl.DataType], dtype: pl.DataType) -> bool:
    if wanted == pl.String:
        return isinstance(dtype, _STRINGS)
    if wanted == pl.Date and isinstance(dtype, pl.Datetime):
        return dtype.time_zone is None
    return isinstance(dtype, (wanted, pl.Null))


def trimmed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the columns as sent without what is BLANKS around text; nothing else is null."""
    sent = rows.drop(FOLDER).schema
    texts = [name for name, dtype in sent.items() if isinstance(dtype, _STRINGS)]
    value = pl.col(texts).cast(pl.String).str.strip_chars(BLANKS)
    return rows.with_columns(pl.when(value != "").then(value))


def typed(rows: pl.DataFrame, *, text: bool) -> pl.LazyFrame:
    """Return the columns of the contract, in its order and types, and FOLDER.

    `rows` has the columns of a file, and FOLDER for its force_code if that is not one of them.
    `text` says that they are CSV: dates are written YYYY-MM-DD there, and booleans true or false
    in any case. A date that is none becomes UNREADABLE, a boolean that is none becomes null,
    which its rule does not allow.
    """
    columns = [
        _as(TYPES[name], pl.col(column), rows.schema[column], text=text).alias(name)
        for name, column in _sent(rows).items()
    ]
    return rows.lazy().select(*columns, FOLDER)


def _sent(rows: pl.DataFrame) -> dict[str, str]:
    """Return for each column of the contract the one that it was sent as."""
    return {name: name if name in rows.columns else FOLDER for name in TYPES}


def _as(wanted: type[pl.DataType], sent: pl.Expr, dtype: pl.DataType, *, text: bool) -> pl.Expr:
    if dtype == wanted:
        return sent
    if text and wanted == pl.Boolean:
        lowered = sent.str.to_lowercase()
        return pl.when(lowered.is_in(["true", "false"])).then(lowered == "true")
    if text and wanted == pl.Date:
        shaped = pl.when(sent.str.contains(_DATE_TEXT)).then(sent)
        return _or_unreadable(shaped.str.to_date("%Y-%m-%d", strict=False), sent)
    if isinstance(dtype, pl.Datetime):
        time = pl.when(_in_calendar(sent, dtype)).then(sent)
        day = time.cast(pl.Date)
        return _or_unreadable(pl.when(day.cast(dtype, strict=False) == time).then(day), sent)
    return sent.cast(wanted)


def _or_unreadable(date: pl.Expr, sent: pl.Expr) -> pl.Expr:
    return pl.when(sent.is_not_null()).then(date.fill_null(UNREADABLE))


def _in_calendar(sent: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Tell the days or times that have a year of four digits; polars panics on some others."""
    if isinstance(dtype, pl.Date):
        return sent.is_between(date.min, date.max)
    return sent.is_between(datetime.min, datetime(9999, 12, 31, 23, 59, 59))


def as_sent(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the contract as text: what the quarantine shows of a row."""
    return rows.select(
        _text(pl.col(column), rows.schema[column]).alias(name)
        for name, column in _sent(rows).items()
    )


def _text(sent: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a value as text; a time beyond the calendar as the number that stands for it."""
    if not isinstance(dtype, (pl.Date, pl.Datetime)):
        return sent.cast(pl.String)
    shown = pl.when(_in_calendar(sent, dtype)).then(sent).cast(pl.String)
    return pl.coalesce(shown, sent.to_physical().cast(pl.String))
