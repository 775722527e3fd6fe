"""Judges every row of a part: which rules it breaks, whether its key repeats, where it counts."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from assets.cases.counting import FAULTS, Grid, PartResult
from assets.cases.reading import LIMITS, Chunk, Limits, Part, Rows, as_sent, places, trimmed
from assets.cases.sources import Source
from schemas.cases import OWNER, ROW_RULES, UNIQUE, columns_of, row_rules
from schemas.collection import Collection
from schemas.finding import FilesRefusedError, Finding

QUARANTINE: Final = columns_of("quarantine")
"""Columns of a bad row: where it stands, as it was sent, and the rules it breaks joined by `;`."""

_RULES: Final = (*ROW_RULES, UNIQUE)
_UNIQUE_BIT: Final = 1 << _RULES.index(UNIQUE)


@dataclass(frozen=True)
class Job:
    """What parts are worked on with; what they write lies below `folder`."""

    collection: Collection
    folder: Path
    limits: Limits = LIMITS


Outcome = PartResult | tuple[Finding, ...]
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
    except FilesRefusedError as error:
        return error.findings


def key_hash() -> pl.Expr:
    """Return the hash of a row's key: of case_ref, since a valid one names its force."""
    return pl.col("case_ref").hash()


class _Pass:
    """A part while it is worked on, chunk by chunk.

    A row counts as valid at first even if its key repeats. `_keys` has the hash of each row's key,
    `_bad` the bad rows as `_look_at` returns them, `_cells` and `_days` the cases that each chunk
    adds to the grid.
    """

    def __init__(self, part: Part, job: Job, scratch: Path) -> None:
        self._name, self._job, self._scratch = part.name, job, scratch
        self._grid = Grid(part.forces, job.collection)
        self._sources = _unpacked(part.sources, scratch)
        self._rows = Rows(self._sources, job.limits.rows_at_once)
        self._buckets = 1 + sum(each.rows for each in self._sources) // job.limits.keys_at_once
        self._keys: list[pl.LazyFrame] = []
        self._bad: list[pl.LazyFrame] = []
        self._cells, self._days = (
            [pl.DataFrame(schema={name: pl.UInt32, "cases": pl.Int64})] for name in ("cell", "day")
        )

    def result(self, advance: Advance) -> PartResult:
        for chunk in self._rows.chunks:
            advance(self._judge(chunk))
        faults, quarantine = self._settled()
        return PartResult(
            {source.file: source.rows for source in self._sources},
            **self._grid.tables(pl.concat(self._cells), pl.concat(self._days)),
            faults=faults,
            quarantine=quarantine,
        )

    def _judge(self, chunk: Chunk) -> int:
        """Judge every row by the rules about a row, and count it where it breaks none."""
        rows = self._rows.read(chunk)
        valid = pl.all_horizontal(row_rules(self._job.collection).values())
        narrow = self._grid.coded(rows, text=chunk[0].source.text).select(
            pl.when(valid).then(self._grid.cell()).otherwise(0).alias("cell"),
            pl.when(valid).then(self._grid.day()).alias("day"),
            key_hash().alias("key"),
        )
        judged = narrow.collect(engine="streaming")
        at = (judged["cell"] == 0).arg_true()
        # A value with spaces around it breaks its rule, so only bad rows are trimmed.
        looked = self._look_at(chunk, rows, at)
        self._add(judged)
        self._add(looked.filter(broken=0))
        keys = judged["key"].scatter(at, looked["key"]).to_frame()
        self._keys.append(self._put_by(keys, f"keys-{len(self._keys)}", at_once=self._buckets == 1))
        bad = looked.filter(pl.col("broken") > 0)
        self._bad.append(self._put_by(bad, f"bad-{len(self._bad)}"))
        return rows.height

    def _add(self, rows: pl.DataFrame, cases: int = 1) -> None:
        """Add so many cases to the grid for each of some rows."""
        grouped = (
            rows.lazy().group_by(name).agg(cases=pl.len().cast(pl.Int64) * cases)
            for name in ("cell", "day")
        )
        cells, days = pl.collect_all(grouped, engine="streaming")
        self._cells.append(cells)
        self._days.append(days)

    def _look_at(self, chunk: Chunk, rows: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
        """Return some rows of a chunk, given by their number in it.

        Columns: `at` (that number), `file` and `row` (where it stands), those of the contract as
        text, and `owner`, `key` (its hash), `broken` (a bit for each broken rule), `cell` and `day`
        (places in the grid).
        """
        found = trimmed(rows[at])
        bits = (
            (~holds).cast(pl.UInt16) * (1 << _RULES.index(rule_id))
            for rule_id, holds in row_rules(self._job.collection).items()
        )
        judged = self._grid.coded(found, text=chunk[0].source.text).select(
            OWNER.alias("owner"),
            key_hash().alias("key"),
            pl.sum_horizontal(bits).cast(pl.UInt16).alias("broken"),
            self._grid.cell().alias("cell"),
            self._grid.day().alias("day"),
        )
        about = (at.to_frame("at"), places(chunk, at), as_sent(found), judged.collect())
        return pl.concat(about, how="horizontal")

    def _put_by(
        self, found: pl.DataFrame, name: str, *, at_once: bool | None = None
    ) -> pl.LazyFrame:
        """Keep rows in memory where there is one chunk, or `at_once` says so; else in a file."""
        if at_once if at_once is not None else len(self._rows.chunks) == 1:
            return found.lazy()
        path = self._scratch / f"{name}.parquet"
        found.write_parquet(path, compression="lz4")
        return pl.scan_parquet(path, glob=False)

    def _repeated(self) -> pl.Series:
        """Return the hashes that more than one key has, a bucket of them at a time.

        A hash falls into the bucket of its remainder: the same hash is always in the same bucket.
        """
        keys, found = pl.concat(self._keys), []
        for bucket in range(self._buckets):
            here = (
                keys.filter(pl.col("key") % self._buckets == bucket) if self._buckets > 1 else keys
            )
            # Sorting by one thread takes less than half the work of two, and no more time.
            hashes = here.collect().to_series().sort(multithreaded=False)
            found.append(hashes.filter(hashes == hashes.shift(1)).unique())
        return pl.concat(found)

    def _suspects(self) -> Iterator[pl.LazyFrame]:
        """Yield the rows that are bad or may repeat a key, the last chunk first; see `_settle`."""
        repeated = self._repeated().implode()
        named = pl.all_horizontal(pl.col("owner", "force_code", "case_ref").is_not_null())
        judged = zip(self._rows.chunks, self._keys, self._bad, strict=True)
        for number, (chunk, keys, bad) in reversed([*enumerate(judged)]):
            again = pl.col("key").is_in(repeated).arg_true()
            candidates, found = keys.select(again).collect().to_series(), bad.collect()
            others = candidates.filter(~candidates.is_in(found["at"].implode()))
            if others.len():
                valid = self._look_at(chunk, self._rows.read(chunk), others)
                found = pl.concat([found, valid]).sort("at")
            if found.height:
                may = pl.col("at").is_in(candidates.implode()) & named
                yield self._put_by(found.with_columns(candidate=may), f"suspects-{number}")

    def _settled(self) -> tuple[pl.DataFrame, Path | None]:
        """Uncount the rows whose key repeats; return the faults, and the file of all bad rows."""
        suspects = [*self._suspects()][::-1] if self._rows.chunks else []
        if not suspects:
            return pl.DataFrame(schema=FAULTS), None
        bad, faults, uncounted = _settle(suspects, self._job.limits.rows_at_once)
        self._add(uncounted, -1)
        scratch = self._scratch / "all.parquet"
        bad.sink_parquet(scratch, compression="lz4")
        return faults, scratch.replace(self._job.folder / f"{self._name}.parquet")


def _unpacked(sources: Sequence[Source], scratch: Path) -> list[Source]:
    """Return the sources with those that are CSV as Parquet of text."""
    if not any(source.text for source in sources):
        return list(sources)
    # Parquet needs no pyarrow, whose loading takes as long as a hundred thousand rows.
    from assets.cases.csv_text import unpack  # noqa: PLC0415

    unpacked: list[Source] = []
    wrong: list[Finding] = []
    for number, source in enumerate(sources):
        try:
            text = scratch / f"text-{number}.parquet"
            unpacked.append(unpack(source, text) if source.text else source)
        except FilesRefusedError as error:
            wrong += error.findings
    if wrong:
        raise FilesRefusedError(wrong)
    return unpacked


def _settle(
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
