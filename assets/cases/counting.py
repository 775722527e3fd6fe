"""Judges and counts the parts of an extract, and puts what came of them together."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    Counts,
    Grid,
    Keys,
    Settled,
    key_hash,
    look_at,
    places_of,
    settle,
)
from assets.cases.reading import Limits, Part, Rows, Table, typed
from assets.cases.sources import ExtractRefusedError, Refusal, Source
from schemas.cases.columns import ACCEPTED, QUARANTINED, REJECTED
from schemas.cases.rules import row_rules, with_codes
from schemas.collection import Collection
from schemas.template import Template


@dataclass(frozen=True)
class PartResult:
    """What came of a part: counts of its valid cases, and its bad rows.

    `rows` has the rows of each file; `counts`, `forces` and `days` are tables of COUNTS, FORCES
    and DAYS, `faults` one of FAULTS and `quarantine` a file of QUARANTINE (judging.py).
    """

    rows: dict[str, int]
    counts: pl.DataFrame
    forces: pl.DataFrame
    days: pl.DataFrame
    faults: pl.DataFrame
    quarantine: Path | None


Outcome = PartResult | tuple[Refusal, ...]
"""What came of a part, or why files of it are refused."""


@dataclass(frozen=True)
class Done:
    """A part that a cluster has finished: its rows, the seconds it took, and on which worker."""

    part: str
    forces: tuple[str, ...]
    rows: int
    seconds: float
    worker: str


@dataclass
class _Counted:
    """The first pass over a part: valid rows by place in the grid (0: bad), and the bad ones.

    A row counts as valid here even if its key repeats. `bad` has for each chunk its bad rows as
    `look_at` returns them, or a file of them.
    """

    cells: Counts
    days: Counts
    keys: Keys
    bad: list[pl.DataFrame | Path]


def outcome(
    part: Part,
    collection: Collection,
    limits: Limits,
    folder: Path,
    advance: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Do as `process` does; a file that is refused is an outcome, so that all others are told."""
    try:
        return process(part, collection, limits, folder, advance)
    except ExtractRefusedError as error:
        return error.refusals


def process(
    part: Part,
    collection: Collection,
    limits: Limits,
    folder: Path,
    advance: Callable[[int], None] = lambda _: None,
) -> PartResult:
    """Judge and count a part; its quarantine appears in `folder` under the part's name.

    `advance` is told the rows of each chunk that has been counted.

    Raises:
        ExtractRefusedError: a file cannot be read as an extract.
    """
    grid = Grid(part.forces, collection)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as name:
        scratch = Path(name)
        sources = _unpacked(part.sources, scratch)
        rows = Rows(sources, limits.rows_at_once)
        keys = Keys(sum(source.rows for source in sources), limits.keys_at_once, scratch)
        counted = _count(rows, keys, collection, grid, scratch, advance)
        suspects = list(_suspects(rows, counted, collection, grid, scratch))
        settled = settle(suspects, limits.rows_at_once) if suspects else None
        quarantine = folder / f"{part.name}.parquet" if settled else None
        if settled and quarantine:
            _take_back(counted, settled)
            settled.bad.sink_parquet(scratch / "bad.parquet", compression="lz4")
            (scratch / "bad.parquet").replace(quarantine)
    return PartResult(
        {source.file: source.rows for source in sources},
        grid.count_table(counted.cells[1:]),
        grid.force_table(counted.cells[1:]),
        grid.day_table(counted.days[1:]),
        settled.faults if settled else pl.DataFrame(schema=FAULTS),
        quarantine,
    )


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


def _count(
    rows: Rows,
    keys: Keys,
    collection: Collection,
    grid: Grid,
    scratch: Path,
    advance: Callable[[int], None],
) -> _Counted:
    """Judge every row by the rules about a row, and count it where it breaks none."""
    cells = np.zeros(grid.cells + 1, np.int64)
    days = np.zeros(grid.days + 1, np.int64)
    counted = _Counted(cells, days, keys, [])
    valid = pl.all_horizontal(row_rules(collection).values())
    for number, chunk in enumerate(rows.chunks):
        tables = rows.read(chunk)
        cell, day, key = _judged(tables, valid, grid, collection.template)
        at = np.flatnonzero(cell == 0)
        # A value with spaces around it breaks its rule, so only bad rows are looked at for them.
        looked = look_at(chunk, tables, at, collection, grid)
        key[at] = looked["key"].to_numpy()
        well = looked.filter(broken=0)
        counted.cells += np.bincount(cell, minlength=cells.size)
        counted.cells += np.bincount(well["cell"], minlength=cells.size)
        counted.days += np.bincount(day, minlength=days.size)
        counted.days += np.bincount(well["day"].drop_nulls(), minlength=days.size)
        bad = looked.filter(pl.col("broken") > 0)
        counted.bad.append(_put_by(bad, rows, scratch / f"bad-{number}.parquet"))
        keys.add(key)
        advance(cell.size)
    return counted


def _judged(
    tables: Sequence[Table], valid: pl.Expr, grid: Grid, template: Template
) -> list[NDArray[Any]]:
    """Return of each row its place among the cells and the days (0: bad), and its key's hash."""
    coded = pl.concat(
        with_codes(typed(table.rows, text=table.source.text), grid.forces, template)
        for table in tables
    )
    narrow = coded.select(
        pl.when(valid).then(grid.cell()).otherwise(0),
        pl.when(valid).then(grid.day()).fill_null(0).alias("day"),
        key_hash().alias("key"),
    ).collect(engine="streaming")
    return [column.to_numpy(writable=column.name == "key") for column in narrow]


def _put_by(found: pl.DataFrame, rows: Rows, path: Path) -> pl.DataFrame | Path:
    """Keep rows in memory where there is one chunk, else in a file."""
    if len(rows.chunks) == 1:
        return found
    found.write_parquet(path, compression="lz4")
    return path


def _suspects(
    rows: Rows, counted: _Counted, collection: Collection, grid: Grid, scratch: Path
) -> Iterator[pl.LazyFrame]:
    """Yield the rows that are bad or may repeat a key, chunk by chunk; see judging.settle."""
    repeated = counted.keys.repeated()
    judged = zip(rows.chunks, counted.keys.chunks(), counted.bad, strict=True)
    named = pl.all_horizontal(pl.col("owner", "force_code", "case_ref").is_not_null())
    for number, (chunk, keys, put_by) in enumerate(judged):
        candidates = places_of(repeated, keys)
        bad = pl.read_parquet(put_by, glob=False) if isinstance(put_by, Path) else put_by
        others = np.setdiff1d(candidates, bad["at"].to_numpy(), assume_unique=True)
        found = bad
        if others.size:
            valid = look_at(chunk, rows.read(chunk), others, collection, grid)
            found = pl.concat([bad, valid]).sort("at")
        if found.is_empty():
            continue
        may_repeat = pl.Series(np.isin(found["at"].to_numpy(), candidates, assume_unique=True))
        suspects = found.with_columns(candidate=may_repeat & named)
        held = _put_by(suspects, rows, scratch / f"suspects-{number}.parquet")
        yield pl.scan_parquet(held, glob=False) if isinstance(held, Path) else held.lazy()


def _take_back(counted: _Counted, settled: Settled) -> None:
    """Uncount the rows whose only fault is that their key repeats."""
    counted.cells -= np.bincount(settled.cells, minlength=counted.cells.size)
    counted.days -= np.bincount(settled.days, minlength=counted.days.size)


_QUARTERS: Final = {"days_lower_quartile": 1, "days_median": 2, "days_upper_quartile": 3}
_DAYS: Final = (*_QUARTERS, "days_longest")
_CASES: Final = ("suspended", "staff", "closed")


@dataclass(frozen=True)
class Totals:
    """All parts together: tables of COUNTS, FORCES, DAYS and FAULTS (judging.py).

    `rows` has the rows of each file in order, `folders` the forces that folders name.
    """

    counts: pl.DataFrame
    forces: pl.DataFrame
    days: pl.DataFrame
    faults: pl.DataFrame
    rows: Mapping[str, int]
    folders: Sequence[str]


def together(results: Sequence[PartResult], folders: Iterable[str]) -> Totals:
    """Put the results of parts together; no force is in two of them."""
    return Totals(
        pl.concat([pl.DataFrame(schema=COUNTS), *(result.counts for result in results)]),
        pl.concat([pl.DataFrame(schema=FORCES), *(result.forces for result in results)]),
        pl.concat([pl.DataFrame(schema=DAYS), *(result.days for result in results)]),
        pl.concat([pl.DataFrame(schema=FAULTS), *(result.faults for result in results)]),
        {file: rows for result in results for file, rows in result.rows.items()},
        sorted(set(folders)),
    )


def by_force(totals: Totals, collection: Collection) -> pl.DataFrame:
    """Return one row a force, of the contract CasesByForce (schemas/cases/tables.py)."""
    bad = totals.faults.group_by("force_code").agg(pl.col("rows").sum().alias("bad"))
    closed = totals.days.group_by("force_code").agg(spread())
    named = pl.DataFrame({"force_code": totals.folders}, schema={"force_code": pl.String})
    tables = (totals.forces, bad, closed)
    forces = pl.concat([named, *(table.select("force_code") for table in tables)]).unique()
    for table in tables:
        forces = forces.join(table, on="force_code", how="left", nulls_equal=True)
    counted = pl.col("valid", "bad", "suspended", "staff", "closed").fill_null(0)
    return (
        forces.with_columns(counted)
        .with_columns(rows=pl.col("valid") + pl.col("bad"))
        .with_columns(state=_state(totals, collection))
        .select("force_code", "state", "rows", "valid", "bad", *_CASES, *_DAYS)
        .sort("force_code")
    )


def _state(totals: Totals, collection: Collection) -> pl.Expr:
    """Return the state of each force's extract, null where rows are nobody's.

    A row without a folder that names no force of the collection is nobody's extract: one slip of
    the pen must not refuse a force that does not exist.
    """
    known = pl.col("force_code").is_in([*collection.forces, *totals.folders])
    bad = pl.col("bad") > 0
    over = bad & (pl.col("bad") / pl.col("rows") > collection.max_bad_share)
    state = (
        pl.when(over)
        .then(pl.lit(REJECTED))
        .when(bad)
        .then(pl.lit(QUARANTINED))
        .otherwise(pl.lit(ACCEPTED))
    )
    return pl.when(known).then(state)


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
