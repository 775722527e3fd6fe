"""What a row is: its place in the grid, whether its key repeats, and which rules it breaks."""

from collections.abc import Iterator, Sequence
from functools import cache, reduce
from operator import add
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.cases.reading import Chunk, Places, as_sent, places, trimmed, typed
from schemas.cases.columns import TYPES, codes
from schemas.cases.rules import OWNER, ROW_RULES, UNIQUE, number, row_rules, with_codes
from schemas.collection import Collection

Counts = NDArray[np.int64]
Hashes = NDArray[np.uint64]

_SUBJECT: Final = ("force_code", "category", "recipient", "media", "status_at_census")
COUNTS: Final = {**dict.fromkeys(_SUBJECT, pl.String), "month": pl.Date, "cases": pl.Int64}
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

_TEXTS: Final = dict.fromkeys((*TYPES, "reasons"), pl.String)
QUARANTINE: Final = {"file": pl.String, "row": pl.Int64, **_TEXTS}
"""Columns of a bad row: where it stands, as it was sent, and the rules it breaks joined by `;`."""

_FITS: Final = {pl.UInt8: 1 << 8, pl.UInt16: 1 << 16, pl.UInt32: 1 << 32}
"""How many numbers each type holds, the smallest type first."""


class Grid:
    """The cells that valid cases of the given forces fall into, and their days to close."""

    def __init__(self, forces: Sequence[str], collection: Collection) -> None:
        """Lay the grid out; `forces` are those that rows can be of."""
        self.collection = collection
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


_MARKS: Final = 1 << 20


def key_hash() -> pl.Expr:
    """Return the hash of a row's key: of case_ref, since a valid one names its force."""
    return pl.col("case_ref").hash()


class Keys:
    """The hashes of the keys of a part, chunk by chunk.

    Above `at_once` keys they wait in files, and are sorted a bucket at a time: a hash falls into
    the bucket of its remainder, so the same hash is always in the same bucket.
    """

    def __init__(self, rows: int, at_once: int, scratch: Path) -> None:
        """Prepare for so many rows; `scratch` is a folder for the files."""
        self.buckets = max(1, -(-rows // at_once))
        self._scratch = scratch
        self._held: list[Hashes | Path] = []

    def add(self, hashes: Hashes) -> None:
        """Keep the hashes of the next chunk."""
        if self.buckets == 1:
            self._held.append(hashes)
            return
        path = self._scratch / f"hashes-{len(self._held)}"
        hashes.tofile(path)
        self._held.append(path)

    def chunks(self) -> Iterator[Hashes]:
        """Yield the hashes of each chunk as they were added."""
        for held in self._held:
            yield np.fromfile(held, np.uint64) if isinstance(held, Path) else held

    def repeated(self) -> Hashes:
        """Return the hashes that occur more than once, sorted."""
        found = []
        for bucket in range(self.buckets):
            if self.buckets == 1:
                hashes = np.concatenate([*self.chunks(), np.empty(0, np.uint64)])
            else:
                hashes = np.concatenate([h[h % self.buckets == bucket] for h in self.chunks()])
            hashes.sort()
            again = hashes[1:][hashes[1:] == hashes[:-1]]
            found.append(again[np.diff(again, prepend=~again[:1]) != 0])
        return np.sort(np.concatenate(found))


def places_of(wanted: Hashes, hashes: Hashes) -> Places:
    """Return the places in `hashes` that hold one of `wanted`, which are sorted."""
    if not wanted.size:
        return np.empty(0, np.intp)
    # Nearly every hash is dismissed by one look into a small table; a search takes far longer.
    marks = np.uint64(_MARKS - 1)
    marked = np.zeros(_MARKS, np.bool_)
    marked[wanted & marks] = True
    near = np.flatnonzero(marked[hashes & marks])
    found = np.searchsorted(wanted, hashes[near]).clip(max=wanted.size - 1)
    places: Places = near[wanted[found] == hashes[near]]
    return places


_RULES: Final = (*ROW_RULES, UNIQUE)
_UNIQUE_BIT: Final = 1 << _RULES.index(UNIQUE)


def look_at(chunk: Chunk, rows: pl.DataFrame, at: Places, grid: Grid) -> pl.DataFrame:
    """Return some rows of a chunk, given by their number in it.

    Columns: `at` (that number), `file` and `row` (where it stands), those of the contract as text,
    and `owner`, `key` (its hash), `broken` (a bit for each broken rule), `cell` and `day` (places
    in the grid).
    """
    found = trimmed(rows[at])
    bits = (
        (~holds).cast(pl.UInt16) * (1 << _RULES.index(rule_id))
        for rule_id, holds in row_rules(grid.collection).items()
    )
    judged = grid.coded(found, text=chunk[0].source.text).select(
        OWNER.alias("owner"),
        key_hash().alias("key"),
        pl.sum_horizontal(bits).cast(pl.UInt16).alias("broken"),
        grid.cell().alias("cell"),
        grid.day().alias("day"),
    )
    about = (pl.DataFrame({"at": at}), places(chunk, at), as_sent(found), judged.collect())
    return pl.concat(about, how="horizontal")


def settle(
    suspects: Sequence[pl.LazyFrame], at_once: int
) -> tuple[pl.LazyFrame, pl.DataFrame, pl.DataFrame]:
    """Decide about the suspects of a part, given in order, with a column `candidate`.

    A candidate's key may repeat. About `at_once` keys are compared together: a bucket of hashes.

    Returns:
        The bad rows in order with all their reasons (QUARANTINE); how many there are (FAULTS); and
        `cell` and `day` of those that were counted as valid before their key was found to repeat.
    """
    rows = pl.concat(suspects).with_row_index("place")
    buckets = 1 + rows.select(pl.col("candidate").sum()).collect().item() // at_once
    alone = pl.concat(_alone(rows, bucket, buckets) for bucket in range(buckets))
    repeats = pl.col("candidate") & ~pl.col("place").is_in(alone.implode())
    broken = pl.col("broken") + repeats.cast(pl.UInt16) * _UNIQUE_BIT
    bad = rows.with_columns(reasons=pl.lit(_reasons()).gather(broken)).filter(broken > 0)
    faults = bad.group_by("file", pl.col("owner").alias("force_code"), "reasons").agg(
        pl.len().cast(pl.Int64).alias("rows")
    )
    counted = rows.filter(repeats, broken == _UNIQUE_BIT).select("cell", "day")
    found, uncounted = pl.collect_all([faults.sort(pl.all()), counted], engine="streaming")
    return bad.select(*QUARANTINE), found, uncounted


def _alone(rows: pl.LazyFrame, bucket: int, buckets: int) -> pl.Series:
    """Return the places of candidates whose hash is another key's too, but their key nobody's."""
    here = pl.col("candidate") & (pl.col("key") % buckets == bucket)
    keys = rows.filter(here).select("place", "owner", "force_code", "case_ref").collect()
    once = pl.len().over("owner", "force_code", "case_ref") == 1
    return keys.filter(once)["place"]


@cache
def _reasons() -> pl.Series:
    """Return the broken rules joined by `;`, by the bits of their combination."""
    return pl.Series(
        ";".join(rule_id for bit, rule_id in enumerate(_RULES) if combination >> bit & 1)
        for combination in range(1 << len(_RULES))
    )
