"""Every combination that cases are counted by, each with one number, so that counting is adding.

Belongs here: the dimensions, their packing into one integer a row, and the way back to tables.
Counting packed integers takes a fraction of the time that grouping by eight columns does, and
their order is that of the tables, so nothing is sorted.
"""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from schemas.cases.columns import codes
from schemas.cases.rules import number
from schemas.collection import Collection

Counts = NDArray[np.int64]

COUNTS: Final = {
    "force_code": pl.String,
    "category": pl.String,
    "recipient": pl.String,
    "media": pl.String,
    "status_at_census": pl.String,
    "month": pl.Date,
    "cases": pl.Int64,
}
"""Columns of a table of valid cases, sorted; a month is its first day."""

FORCES: Final = {
    "force_code": pl.String,
    "valid": pl.Int64,
    "suspended": pl.Int64,
    "staff": pl.Int64,
}
"""Columns of a table of valid cases by force, with somebody suspended, and of police staff."""

DAYS: Final = {"force_code": pl.String, "days": pl.Int64, "cases": pl.Int64}
"""Columns of a table of valid closed cases by the days from opening to closing, sorted."""

_FITS: Final = {pl.UInt8: 1 << 8, pl.UInt16: 1 << 16, pl.UInt32: 1 << 32}
"""How many numbers each type holds, the smallest type first."""


class Grid:
    """The cells that valid cases of the given forces fall into, and their days to close."""

    def __init__(self, forces: Sequence[str], collection: Collection) -> None:
        """Lay the grid out; `forces` are those that rows can be of."""
        self.forces = tuple(sorted(forces))
        listed = codes(collection.template)
        first, last = collection.period.start.replace(day=1), collection.period.end
        self._months = pl.date_range(first, last, "1mo", eager=True).to_list()
        self._axes: dict[str, list[Any]] = {
            "force_code": [*self.forces],
            "category": [*listed["category"]],
            "recipient": [None, *listed["recipient"]],
            "media": [None, *listed["media"]],
            "status_at_census": [*listed["status_at_census"]],
            "month": self._months,
            "workforce": [*listed["workforce"]],
            "suspended": [False, True],
        }
        self._shape = [len(values) for values in self._axes.values()]
        self.cells = int(np.prod(self._shape))
        self._longest = (collection.census - collection.period.start).days
        self.days = len(self.forces) * (self._longest + 1)

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
        return self._index("force_code", pl.UInt32) * (self._longest + 1) + days + 1

    def _size(self, names: Sequence[str]) -> int:
        return int(np.prod([len(self._axes[name]) for name in names]))

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

    def count_table(self, cells: Counts) -> pl.DataFrame:
        """Return the cells that hold cases as a table of COUNTS."""
        by = [name for name in COUNTS if name in self._axes]
        counts = cells.reshape(self._shape).sum(axis=(-2, -1))
        held = counts.nonzero()
        axes = {
            name: pl.Series(self._axes[name], dtype=COUNTS[name])[place]
            for name, place in zip(by, held, strict=True)
        }
        return pl.DataFrame({**axes, "cases": counts[held]}, schema=COUNTS)

    def force_table(self, cells: Counts) -> pl.DataFrame:
        """Return a table of FORCES, with those that have cases."""
        people = cells.reshape(self._shape).sum(axis=(1, 2, 3, 4, 5))
        table = {
            "force_code": self.forces,
            "valid": people.sum(axis=(1, 2)),
            "suspended": people[:, :, 1].sum(axis=1),
            "staff": people[:, self._axes["workforce"].index("staff"), :].sum(axis=1),
        }
        return pl.DataFrame(table, schema=FORCES).filter(pl.col("valid") > 0)

    def day_table(self, days: Counts) -> pl.DataFrame:
        """Return a table of DAYS."""
        counts = days.reshape(len(self.forces), self._longest + 1)
        force, length = counts.nonzero()
        forces = pl.Series(self.forces, dtype=pl.String)[force]
        table = {"force_code": forces, "days": length, "cases": counts[force, length]}
        return pl.DataFrame(table, schema=DAYS)
