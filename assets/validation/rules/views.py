"""The typed entries of returns as the tables that rules read.

Belongs here: how long entries become the rows and columns a rule can compare. Beside each number
column `<code>` stands a text column `<code>:missing` that says why there is no number, so that
"not held" and "could not be typed" stay apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, Protocol

import polars as pl

from schemas.returns_template import returns_template

Axis = Literal["row_code", "column_code"]
At = str | tuple[str, str | None, str | None]
"""Where a rule's findings stand: a code of the axis that a view spreads, or sheet, row, column."""

MISSING: Final = ":missing"
VALUE: Final = ":value"
ENTRY: Final = ["sheet", "row_code", "column_code"]
CASE_GRID: Final = ["force_code", *ENTRY]


def no_cases() -> pl.DataFrame:
    """Return a frame of RuleInput.cases where no force sent case rows."""
    return pl.DataFrame(schema={**dict.fromkeys(CASE_GRID, pl.String), "rows": pl.Int64})


@dataclass(frozen=True)
class RuleInput:
    """What rules are run over.

    `entries`: table Entries. `receipts`: receipt_id, force_code, version. `acceptable`: receipts
    without a blocking finding so far; rules that compare returns with each other read only these.
    `cases`: `rows` by CASE_GRID, of the forces whose case-level extract counts.
    """

    entries: pl.DataFrame
    receipts: pl.DataFrame
    acceptable: frozenset[str] = frozenset()
    cases: pl.DataFrame = field(default_factory=no_cases)


class View(Protocol):
    """A table for rules to be evaluated over, by receipt."""

    @property
    def name(self) -> str:
        """What the view is called in an error."""

    def frame(self, data: RuleInput, columns: Sequence[str]) -> pl.DataFrame:
        """Return the view with receipt_id, the columns named, and what `place` needs."""

    def place(self, at: At) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        """Return sheet, row code and column code of the cell that findings of a row stand at."""


def number(sheet: str, row_code: str, column_code: str) -> pl.Expr:
    """Return an entry as a number, in the view `whole_return`."""
    return pl.col(f"{sheet}/{row_code}/{column_code}")


def value(sheet: str, row_code: str, column_code: str) -> pl.Expr:
    """Return an entry in its plain form, in the view `whole_return`."""
    return pl.col(f"{sheet}/{row_code}/{column_code}{VALUE}")


def missing(sheet: str, row_code: str, column_code: str) -> pl.Expr:
    """Return why an entry has no number, in the view `whole_return`."""
    return pl.col(f"{sheet}/{row_code}/{column_code}{MISSING}")


@dataclass(frozen=True)
class SpreadView:
    """One sheet with the codes of one axis spread over columns: a row a receipt and other code."""

    name: str
    sheet: str
    spread: Axis

    @property
    def along(self) -> Axis:
        """The axis that is not spread."""
        return "column_code" if self.spread == "row_code" else "row_code"

    @cached_property
    def _along_codes(self) -> list[str]:
        sheet = returns_template().sheet(self.sheet)
        codes = [row.code for row in sheet.rows]
        return codes if self.along == "row_code" else list(sheet.columns)

    def frame(self, data: RuleInput, columns: Sequence[str]) -> pl.DataFrame:
        """Return the view; a code that was not found is null."""
        grid = data.receipts.select("receipt_id").join(
            pl.DataFrame({self.along: self._along_codes}), how="cross"
        )
        mine = data.entries.filter(pl.col("sheet") == self.sheet)
        return _spread(grid, mine, pl.col(self.spread), columns)

    def place(self, at: At) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        """Return the place: the axis that is spread is given by the rule."""
        codes = {self.along: pl.col(self.along), self.spread: pl.lit(at)}
        return pl.lit(self.sheet), codes["row_code"], codes["column_code"]


@dataclass(frozen=True)
class WholeView:
    """One row a receipt, with a column for each entry a rule names."""

    name: str = "whole_return"

    def frame(self, data: RuleInput, columns: Sequence[str]) -> pl.DataFrame:
        """Return the view; an entry that was not found is null."""
        key = pl.concat_str(ENTRY, separator="/")
        wanted = {column.removesuffix(MISSING).removesuffix(VALUE) for column in columns}
        mine = data.entries.filter(key.is_in(list(wanted)))
        return _spread(data.receipts.select("receipt_id"), mine, key, columns)

    def place(self, at: At) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        """Return the place, which the rule gives whole."""
        assert not isinstance(at, str)
        sheet, row_code, column_code = (pl.lit(code, pl.String) for code in at)
        return sheet, row_code, column_code


@dataclass(frozen=True)
class EntryView:
    """One row an entry, with its number and value, and those of the force's earlier return.

    The earlier return is the newest acceptable version before this one; without one the columns
    `earlier` and `earlier_value` are null.
    """

    name: str = "each_entry"

    def frame(self, data: RuleInput, columns: Sequence[str]) -> pl.DataFrame:
        """Return the view."""
        entries = data.entries.select("receipt_id", *ENTRY, "number", "value", "missing")
        if {"earlier", "earlier_value"} & set(columns):
            before = data.entries.select(
                pl.col("receipt_id").alias("earlier_id"),
                *ENTRY,
                pl.col("number").alias("earlier"),
                pl.col("value").alias("earlier_value"),
            )
            entries = entries.join(earlier_receipts(data), on="receipt_id", how="left").join(
                before, on=["earlier_id", *ENTRY], how="left"
            )
        return entries.select("receipt_id", *ENTRY, *(c for c in columns if c not in ENTRY))

    def place(self, at: At) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        """Return the entry's own place."""
        del at
        return pl.col("sheet"), pl.col("row_code"), pl.col("column_code")


@dataclass(frozen=True)
class PeerView:
    """One row a receipt and entry that is compared between forces, with the spread of its peers.

    Peers are the newest acceptable returns of the other forces. `centre` and `deviation` are the
    median and the median absolute deviation of the square roots of their numbers.
    """

    name: str
    entries: tuple[tuple[str, str, str], ...]

    def frame(self, data: RuleInput, columns: Sequence[str]) -> pl.DataFrame:
        """Return the view."""
        places = pl.DataFrame(self.entries, schema=ENTRY, orient="row")
        numbers = data.entries.join(places, on=ENTRY).join(
            data.receipts.select("receipt_id", "force_code"), on="receipt_id"
        )
        root = pl.col("number").cast(pl.Float64).sqrt().alias("root")
        live = numbers.filter(pl.col("receipt_id").is_in(newest_acceptable(data)))
        peers = numbers.select("receipt_id", "force_code", *ENTRY).join(
            live.select(pl.col("force_code").alias("peer"), *ENTRY, root), on=ENTRY
        )
        spread = (
            peers.filter(pl.col("peer") != pl.col("force_code"))
            .group_by("receipt_id", *ENTRY)
            .agg(
                pl.col("root").count().cast(pl.Int64).alias("peers"),
                pl.col("root").median().alias("centre"),
                (pl.col("root") - pl.col("root").median()).abs().median().alias("deviation"),
            )
        )
        grid = data.receipts.select("receipt_id").join(places, how="cross")
        mine = numbers.select("receipt_id", *ENTRY, "number")
        whole = grid.join(mine, on=["receipt_id", *ENTRY], how="left").join(
            spread, on=["receipt_id", *ENTRY], how="left"
        )
        return whole.select("receipt_id", *ENTRY, *(c for c in columns if c not in ENTRY))

    def place(self, at: At) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        """Return the entry's own place."""
        del at
        return pl.col("sheet"), pl.col("row_code"), pl.col("column_code")


@dataclass(frozen=True)
class CasesView:
    """One row a receipt and cell of the grid that case rows add up to: `number` and `rows`.

    A force without case rows has null `rows`.
    """

    name: str

    def frame(self, data: RuleInput, columns: Sequence[str]) -> pl.DataFrame:
        """Return the view."""
        forces = data.receipts.select("receipt_id", "force_code")
        grid = forces.join(data.cases, on="force_code", how="left")
        numbers = data.entries.select("receipt_id", *ENTRY, "number")
        whole = grid.join(numbers, on=["receipt_id", *ENTRY], how="left")
        return whole.select("receipt_id", *ENTRY, *(c for c in columns if c not in ENTRY))

    def place(self, at: At) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
        """Return the entry's own place."""
        del at
        return pl.col("sheet"), pl.col("row_code"), pl.col("column_code")


def newest_acceptable(data: RuleInput) -> list[str]:
    """Return the newest acceptable receipt of each force."""
    newest = (
        data.receipts.filter(pl.col("receipt_id").is_in(list(data.acceptable)))
        .drop_nulls("force_code")
        .sort("version")
        .unique("force_code", keep="last")
    )
    return newest["receipt_id"].to_list()


def earlier_receipts(data: RuleInput) -> pl.DataFrame:
    """Return for each receipt the newest acceptable one of its force before it: `earlier_id`."""
    before = data.receipts.filter(pl.col("receipt_id").is_in(list(data.acceptable))).select(
        pl.col("receipt_id").alias("earlier_id"),
        "force_code",
        pl.col("version").alias("earlier_version"),
    )
    return (
        data.receipts.join(before, on="force_code")
        .filter(pl.col("earlier_version") < pl.col("version"))
        .sort("earlier_version")
        .unique("receipt_id", keep="last")
        .select("receipt_id", "earlier_id")
    )


def _spread(
    grid: pl.DataFrame, entries: pl.DataFrame, code: pl.Expr, columns: Sequence[str]
) -> pl.DataFrame:
    """Pivot entries to one column a code and kind, joined to a grid that has every row."""
    index = grid.columns
    coded = entries.with_columns(code.alias("code"))
    wide = grid
    for source, suffix in (("number", ""), ("missing", MISSING), ("value", VALUE)):
        if any(column not in index and _suffix(column) == suffix for column in columns):
            pivoted = coded.pivot(on="code", index=index, values=source)
            renamed = pivoted.rename({c: c + suffix for c in pivoted.columns if c not in index})
            wide = wide.join(renamed, on=index, how="left", validate="1:1")
    return wide.select(
        *index,
        *(
            pl.col(c) if c in wide.columns else pl.lit(None, _dtype(c)).alias(c)
            for c in columns
            if c not in index
        ),
    )


def _suffix(column: str) -> str:
    return next((s for s in (MISSING, VALUE) if column.endswith(s)), "")


def _dtype(column: str) -> type[pl.DataType]:
    return pl.String if _suffix(column) else pl.Int64
