"""Where valid cases are counted, and what came of the parts of an extract put together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from operator import add
from pathlib import Path
from typing import Any, Final

import polars as pl

from assets.cases.reading import typed
from schemas.cases import ACCEPTED, QUARANTINED, REJECTED, codes, columns_of, number, with_codes
from schemas.collection import Collection

COUNTS: Final = columns_of("counts")
"""Columns of a table of valid cases, sorted; a month is its first day."""

FORCES: Final = {
    "force_code": pl.String,
    **dict.fromkeys(("valid", "suspended", "staff"), pl.Int64),
}
"""Columns of a table of valid cases by force, with somebody suspended, and of police staff."""

DAYS: Final = {"force_code": pl.String, "days": pl.Int64, "cases": pl.Int64}
"""Columns of a table of valid closed cases by the days from opening to closing, sorted."""

FAULTS: Final = {**dict.fromkeys(("file", "force_code", "reasons"), pl.String), "rows": pl.Int64}
"""Columns of a table of bad rows by file, force and all the rules they break."""

_TABLES: Final[dict[str, dict[str, type[pl.DataType]]]] = {
    "counts": COUNTS,
    "forces": FORCES,
    "days": DAYS,
    "faults": FAULTS,
}

_FITS: Final = {pl.UInt8: 1 << 8, pl.UInt16: 1 << 16, pl.UInt32: 1 << 32}
"""How many numbers each type holds, the smallest type first."""

Axes = Mapping[str, Sequence[Any]]
"""The values that each column of a grid can have, in order."""


class Grid:
    """The cells that valid cases of the given forces fall into, and their days to close."""

    def __init__(self, forces: Sequence[str], collection: Collection) -> None:
        """Lay the grid out; `forces` are those that rows can be of."""
        self.collection = collection
        self.forces = tuple(sorted(forces))
        listed = codes(collection.template)
        first, last = collection.period.start.replace(day=1), collection.period.end
        self._months = pl.date_range(first, last, "1mo", eager=True).to_list()
        self._axes: Axes = {
            "force_code": self.forces,
            "category": listed["category"],
            "recipient": (None, *listed["recipient"]),
            "media": (None, *listed["media"]),
            "status_at_census": listed["status_at_census"],
            "month": self._months,
            "workforce": listed["workforce"],
            "suspended": (False, True),
        }
        lengths = range((collection.census - collection.period.start).days + 1)
        self._day_axes: Axes = {"force_code": self.forces, "days": lengths}

    def coded(self, rows: pl.DataFrame, *, text: bool) -> pl.LazyFrame:
        """Return rows as sent in their types, with the numbers of their codes: as rules want."""
        return with_codes(typed(rows, text=text), self.forces, self.collection.template)

    def cell(self) -> pl.Expr:
        """Return the number of a valid row's cell, from 1."""
        force, *others = self._axes
        subject, rest = others[:3], others[3:]
        place = self._index(force, pl.UInt32)
        for names in (subject, rest):
            place = place * self._size(names) + self._packed(names).cast(pl.UInt32)
        return place + 1

    def day(self) -> pl.Expr:
        """Return the number of a valid row's force and days to close, from 1; null if open."""
        closed, opened = (pl.col(name).cast(pl.Int32) for name in ("closed_on", "opened_on"))
        days = (closed - opened).cast(pl.UInt32, strict=False)
        return self._index("force_code", pl.UInt32) * len(self._day_axes["days"]) + days + 1

    def _size(self, names: Sequence[str]) -> int:
        return prod(len(self._axes[name]) for name in names)

    def _packed(self, names: Sequence[str]) -> pl.Expr:
        """Return the number of a valid row's combination, in the fewest bytes that hold it.

        Numbers of one byte are added in a quarter of the time of those of four.
        """
        size = self._size(names)
        dtype = next(fits for fits, most in _FITS.items() if size < most)
        place = pl.lit(0, dtype)
        for name in names:
            place = place * pl.lit(len(self._axes[name]), dtype) + self._index(name, dtype)
        return place

    def _index(self, name: str, dtype: type[pl.DataType]) -> pl.Expr:
        """Return the place of a valid row's value on an axis."""
        if name == "month":
            later = ((pl.col("opened_on") >= first).cast(dtype) for first in self._months[1:])
            return reduce(add, later, pl.lit(0, dtype))
        if name == "suspended":
            return pl.col(name).cast(dtype)
        index = number(name).cast(dtype)
        return (index + 1).fill_null(0) if None in self._axes[name] else index

    def tables(self, cells: pl.DataFrame, days: pl.DataFrame) -> dict[str, pl.DataFrame]:
        """Return the tables of COUNTS, FORCES and DAYS by name: what has cases.

        `cells` has `cases` by `cell`, as often as were counted, less what was counted amiss (those
        of 0 are no cases), `days` the same by `day`.
        """
        *by, _, _ = self._axes
        suspended, staff = pl.col("suspended"), pl.col("workforce") == "staff"
        people = len(self._axes["workforce"]) * len(self._axes["suspended"])
        force = _counted(cells, self._axes).group_by("force_code", maintain_order=True)
        tables = {
            "counts": _counted(cells, {name: self._axes[name] for name in by}, people),
            "forces": force.agg(
                pl.col("cases").sum().alias("valid"),
                pl.col("cases").filter(suspended).sum().alias("suspended"),
                pl.col("cases").filter(staff).sum().alias("staff"),
            ),
            "days": _counted(days, self._day_axes),
        }
        found = pl.collect_all(
            table.select(pl.col(column).cast(of) for column, of in _TABLES[name].items())
            for name, table in tables.items()
        )
        return dict(zip(tables, found, strict=True))


def _counted(counted: pl.DataFrame, axes: Axes, together: int = 1) -> pl.LazyFrame:
    """Return `cases` by the values on some axes that a number from 1 stands for, sorted.

    The same number may stand there often, and `together` of them stand for one combination. Sums
    are taken by the number: by six columns of text that takes ten times as long.
    """
    place = ((pl.nth(0) - 1) // together).alias("place")
    sums = counted.lazy().filter(pl.nth(0) > 0).group_by(place).agg(pl.col("cases").sum())
    number, columns = pl.col("place"), {}
    for name in reversed([*axes]):
        columns[name] = pl.lit(pl.Series(axes[name])).gather(number % len(axes[name]))
        number = number // len(axes[name])
    return sums.filter(pl.col("cases") > 0).sort("place").select("cases", **columns)


@dataclass(frozen=True)
class PartResult:
    """What came of a part: counts of its valid cases, and its bad rows.

    `rows` has the rows of each file in order; `counts`, `forces`, `days` and `faults` are tables
    of COUNTS, FORCES, DAYS and FAULTS, `quarantine` is a file of QUARANTINE (judging.py).
    """

    rows: dict[str, int]
    counts: pl.DataFrame
    forces: pl.DataFrame
    days: pl.DataFrame
    faults: pl.DataFrame
    quarantine: Path | None


def together(results: Sequence[PartResult]) -> PartResult:
    """Put the results of parts together, but for their quarantine; no force is in two of them."""
    tables = {
        name: pl.concat([pl.DataFrame(schema=schema), *(getattr(r, name) for r in results)])
        for name, schema in _TABLES.items()
    }
    rows = {file: rows for result in results for file, rows in result.rows.items()}
    return PartResult(rows, **tables, quarantine=None)


_QUARTERS: Final = {"days_lower_quartile": 1, "days_median": 2, "days_upper_quartile": 3}


def spread() -> list[pl.Expr]:
    """Return `closed` cases and the quartiles and the longest of their days, null without any.

    The rows are of DAYS, sorted by days. A quartile is the smallest number of days by which
    that share of the cases was closed. Quartiles do not add up from forces; days do.
    """
    days, cases = pl.col("days"), pl.col("cases")
    quartiles = [
        days.filter(cases.cum_sum() * 4 >= cases.sum() * quarter).first().alias(name)
        for name, quarter in _QUARTERS.items()
    ]
    return [cases.sum().alias("closed"), *quartiles, days.max().alias("days_longest")]


def by_force(totals: PartResult, folders: Iterable[str], collection: Collection) -> pl.DataFrame:
    """Return one row a force, of the contract CasesByForce; `folders` name forces too.

    The state is null where rows are nobody's. A row without a folder that names no force of the
    collection is nobody's extract: one slip of the pen must not refuse a force that does not exist.
    """
    named = pl.DataFrame({"force_code": sorted({*folders})}, schema={"force_code": pl.String})
    tables = (
        totals.forces,
        totals.faults.group_by("force_code").agg(pl.col("rows").sum().alias("bad")),
        totals.days.group_by("force_code").agg(spread()),
    )
    forces = pl.concat([named, *(table.select("force_code") for table in tables)]).unique()
    for table in tables:
        forces = forces.join(table, on="force_code", how="left", nulls_equal=True)
    bad, rows = pl.col("bad"), pl.col("rows")
    state = (
        pl.when((bad > 0) & (bad / rows > collection.max_bad_share))
        .then(pl.lit(REJECTED))
        .when(bad > 0)
        .then(pl.lit(QUARANTINED))
        .otherwise(pl.lit(ACCEPTED))
    )
    known = pl.col("force_code").is_in([*collection.forces, *named["force_code"]])
    return (
        forces.with_columns(pl.col("valid", "bad", "suspended", "staff", "closed").fill_null(0))
        .with_columns(rows=pl.col("valid") + bad)
        .with_columns(state=pl.when(known).then(state))
        .select(*columns_of("by_force"))
        .sort("force_code")
    )
