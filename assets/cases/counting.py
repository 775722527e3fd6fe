"""Judges and counts the parts of an extract, and puts what came of them together."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.cases.judging import (
    COUNTS,
    DAYS,
    FAULTS,
    FORCES,
    Grid,
    Keys,
    key_hash,
    look_at,
    places_of,
    settle,
)
from assets.cases.reading import LIMITS, Limits, Part, Rows
from assets.cases.sources import ExtractRefusedError, Refusal, Source
from schemas.cases.columns import ACCEPTED, QUARANTINED, REJECTED
from schemas.cases.rules import row_rules
from schemas.collection import Collection

_TABLES: Final = {"counts": COUNTS, "forces": FORCES, "days": DAYS, "faults": FAULTS}


@dataclass(frozen=True)
class Job:
    """What parts are worked on with; what they write lies below `folder`."""

    collection: Collection
    folder: Path
    limits: Limits = LIMITS


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


Outcome = PartResult | tuple[Refusal, ...]
"""What came of a part, or why files of it are refused."""

Advance = Callable[[int], None]
"""Is told the rows that have been counted since."""


def outcome(part: Part, job: Job, advance: Advance = lambda _: None) -> Outcome:
    """Judge and count a part; its quarantine appears in the job's folder under the part's name.

    A file that is refused is an outcome, so that all others are told.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=".part-", dir=job.folder) as name:
            return _Pass(part, job, Path(name)).result(advance)
    except ExtractRefusedError as error:
        return error.refusals


class _Pass:
    """A part while it is worked on: valid rows by place in the grid (0: bad), and the bad ones.

    A row counts as valid at first even if its key repeats. `_bad` has for each chunk its bad rows
    as `look_at` returns them, or a file of them.
    """

    def __init__(self, part: Part, job: Job, scratch: Path) -> None:
        self._name, self._job, self._scratch = part.name, job, scratch
        self._grid = Grid(part.forces, job.collection)
        self._sources = _unpacked(part.sources, scratch)
        self._rows = Rows(self._sources, job.limits.rows_at_once)
        rows = sum(source.rows for source in self._sources)
        self._keys = Keys(rows, job.limits.keys_at_once, scratch)
        self._cells = np.zeros(self._grid.cells + 1, np.int64)
        self._days = np.zeros(self._grid.days + 1, np.int64)
        self._bad: list[pl.DataFrame | Path] = []

    def result(self, advance: Advance) -> PartResult:
        self._count(advance)
        faults, quarantine = self._settled()
        return PartResult(
            {source.file: source.rows for source in self._sources},
            self._grid.count_table(self._cells[1:]),
            self._grid.force_table(self._cells[1:]),
            self._grid.day_table(self._days[1:]),
            faults,
            quarantine,
        )

    def _count(self, advance: Advance) -> None:
        """Judge every row by the rules about a row, and count it where it breaks none."""
        for chunk in self._rows.chunks:
            rows = self._rows.read(chunk)
            cell, day, key = self._judged(rows, text=chunk[0].source.text)
            at = np.flatnonzero(cell == 0)
            # A value with spaces around it breaks its rule, so only bad rows are trimmed.
            looked = look_at(chunk, rows, at, self._grid)
            key[at] = looked["key"].to_numpy()
            well, bad = looked.filter(broken=0), looked.filter(pl.col("broken") > 0)
            for cells, days in ((cell, day), (well["cell"], well["day"].drop_nulls())):
                self._cells += np.bincount(cells, minlength=self._cells.size)
                self._days += np.bincount(days, minlength=self._days.size)
            self._bad.append(self._put_by(bad, f"bad-{len(self._bad)}"))
            self._keys.add(key)
            advance(cell.size)

    def _judged(self, rows: pl.DataFrame, *, text: bool) -> list[NDArray[Any]]:
        """Return of each row its place among the cells and the days (0: bad), and its key."""
        valid = pl.all_horizontal(row_rules(self._job.collection).values())
        narrow = self._grid.coded(rows, text=text).select(
            pl.when(valid).then(self._grid.cell()).otherwise(0),
            pl.when(valid).then(self._grid.day()).fill_null(0).alias("day"),
            key_hash().alias("key"),
        )
        columns = narrow.collect(engine="streaming")
        return [column.to_numpy(writable=column.name == "key") for column in columns]

    def _put_by(self, found: pl.DataFrame, name: str) -> pl.DataFrame | Path:
        """Keep rows in memory where there is one chunk, else in a file."""
        if len(self._rows.chunks) == 1:
            return found
        path = self._scratch / f"{name}.parquet"
        found.write_parquet(path, compression="lz4")
        return path

    def _suspects(self) -> Iterator[pl.LazyFrame]:
        """Yield the rows that are bad or may repeat a key, chunk by chunk; see `settle`."""
        repeated = self._keys.repeated()
        judged = zip(self._rows.chunks, self._keys.chunks(), self._bad, strict=True)
        named = pl.all_horizontal(pl.col("owner", "force_code", "case_ref").is_not_null())
        for number, (chunk, keys, bad) in enumerate(judged):
            candidates = places_of(repeated, keys)
            found = pl.read_parquet(bad, glob=False) if isinstance(bad, Path) else bad
            others = np.setdiff1d(candidates, found["at"].to_numpy(), assume_unique=True)
            if others.size:
                valid = look_at(chunk, self._rows.read(chunk), others, self._grid)
                found = pl.concat([found, valid]).sort("at")
            if found.height:
                may = pl.Series(np.isin(found["at"].to_numpy(), candidates, assume_unique=True))
                held = self._put_by(found.with_columns(candidate=may & named), f"{number}")
                yield pl.scan_parquet(held, glob=False) if isinstance(held, Path) else held.lazy()

    def _settled(self) -> tuple[pl.DataFrame, Path | None]:
        """Uncount the rows whose key repeats; return the faults, and the file of all bad rows."""
        suspects = list(self._suspects())
        if not suspects:
            return pl.DataFrame(schema=FAULTS), None
        bad, faults, uncounted = settle(suspects, self._job.limits.rows_at_once)
        self._cells -= np.bincount(uncounted["cell"], minlength=self._cells.size)
        self._days -= np.bincount(uncounted["day"].drop_nulls(), minlength=self._days.size)
        scratch = self._scratch / "all.parquet"
        bad.sink_parquet(scratch, compression="lz4")
        return faults, scratch.replace(self._job.folder / f"{self._name}.parquet")


def _unpacked(sources: Sequence[Source], scratch: Path) -> list[Source]:
    """Return the sources with those that are CSV as Parquet of text.

    Raises:
        ExtractRefusedError: names every file that is not CSV with the columns of an extract.
    """
    if not any(source.text for source in sources):
        return list(sources)
    # Parquet needs no pyarrow, whose loading takes as long as a hundred thousand rows.
    from assets.cases.csv_text import unpack  # noqa: PLC0415

    unpacked: list[Source] = []
    refusals: list[Refusal] = []
    for number, source in enumerate(sources):
        try:
            text = scratch / f"text-{number}.parquet"
            unpacked.append(unpack(source, text) if source.text else source)
        except ExtractRefusedError as error:
            refusals += error.refusals
    if refusals:
        raise ExtractRefusedError(refusals)
    return unpacked


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
        .select("force_code", "state", "rows", "valid", "bad", "suspended", "staff", "closed",
                *_QUARTERS, "days_longest")
        .sort("force_code")
    )  # fmt: skip
