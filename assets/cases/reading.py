"""Reads the rows of an extract a chunk at a time.

Belongs here: which rows are in memory together, and where each of them stands. Does not: what
they mean.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import groupby
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.cases.place import reading, scan
from assets.cases.refusal import SEND_AGAIN, in_short, refused
from assets.cases.source import Source
from schemas.cases.columns import FOLDER

_ROW_BYTES: Final = 200
"""What a row takes at most, if it is not wide: one of 2,000 characters counts as ten."""

_SAMPLE: Final = 1000
_SAMPLED: Final = 8


@dataclass(frozen=True)
class Slice:
    """So many rows of a file from an offset."""

    source: Source
    offset: int
    rows: int

    @property
    def layout(self) -> tuple[object, ...]:
        """Slices that follow each other and are alike in this are read as one table."""
        source, whole = self.source, self.rows == self.source.rows
        return (source.text, type(source.path), *source.sent.items(), whole or source.path)


Chunk = tuple[Slice, ...]


@dataclass(frozen=True)
class Table:
    """Rows of files that are alike, as they were sent, with FOLDER beside their columns."""

    source: Source
    rows: pl.DataFrame


class Rows:
    """The rows of some files in chunks of at most `at_once` rows, which can be read repeatedly."""

    def __init__(self, sources: Iterable[Source], at_once: int) -> None:
        """Cut the files into `chunks`, in order; where rows are wide, into smaller ones."""
        sources = tuple(sources)
        self.chunks = tuple(_cut(sources, _fitting(sources, at_once)))
        self._held: list[Table] | None = None

    def read(self, chunk: Chunk) -> list[Table]:
        """Return the rows of a chunk, in order; those of an only chunk stay in memory.

        Raises:
            ExtractRefusedError: a file cannot be read to its end, though it began well.
        """
        if self._held is not None:
            return self._held
        tables = _read(chunk)
        if len(self.chunks) == 1:
            self._held = tables
        return tables


def _fitting(sources: Sequence[Source], at_once: int) -> int:
    """Return how many rows take no more memory than `at_once` usual ones, by a sample."""
    largest = nlargest(_SAMPLED, (source for source in sources if source.rows), key=_rows)
    sample = tuple(Slice(source, 0, min(source.rows, _SAMPLE)) for source in largest)
    sizes = (table.rows.estimated_size() / table.rows.height for table in _read(sample))
    widest = max(sizes, default=0)
    return min(at_once, max(_SAMPLE, int(at_once * _ROW_BYTES / max(widest, _ROW_BYTES))))


def _rows(source: Source) -> int:
    return source.rows


def _cut(sources: Iterable[Source], at_once: int) -> Iterator[Chunk]:
    chunk: list[Slice] = []
    room = at_once
    for source in sources:
        offset = 0
        while offset < source.rows:
            taken = min(room, source.rows - offset)
            chunk.append(Slice(source, offset, taken))
            offset += taken
            room -= taken
            if not room:
                yield tuple(chunk)
                chunk, room = [], at_once
    if chunk:
        yield tuple(chunk)


def _read(chunk: Chunk) -> list[Table]:
    alike = [list(slices) for _, slices in groupby(chunk, key=lambda piece: piece.layout)]
    try:
        with reading([piece.source.path for piece in chunk]):
            frames = pl.collect_all([_scan(slices) for slices in alike])
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        for piece in chunk:
            _read_alone(piece)
        raise
    return [
        Table(slices[0].source, rows.with_columns(_folders(slices)))
        for slices, rows in zip(alike, frames, strict=True)
    ]


def _scan(slices: list[Slice]) -> pl.LazyFrame:
    found = scan([piece.source.path for piece in slices])
    rows = sum(piece.rows for piece in slices)
    return found.select(list(slices[0].source.sent)).slice(slices[0].offset, rows)


def _folders(slices: list[Slice]) -> pl.Series | pl.Expr:
    """Return FOLDER of the rows; a single value takes no memory."""
    if len({piece.source.folder for piece in slices}) == 1:
        return pl.lit(slices[0].source.folder, pl.String).alias(FOLDER)
    parts = [pl.Series([piece.source.folder], dtype=pl.String) for piece in slices]
    return pl.concat(
        part.new_from_index(0, piece.rows) for part, piece in zip(parts, slices, strict=True)
    ).alias(FOLDER)


def _read_alone(piece: Slice) -> None:
    """Find the file at fault, which an error of many files at once does not tell."""
    try:
        with reading([piece.source.path]):
            _scan([piece]).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        problem = f"the file is damaged ({in_short(error)})"
        raise refused(piece.source.file, problem, SEND_AGAIN) from error


def picked(tables: Sequence[Table], rows: NDArray[np.intp]) -> list[Table]:
    """Return some rows of a chunk, given by their number in it, sorted."""
    starts = np.cumsum([0, *(table.rows.height for table in tables)])
    bounds = np.searchsorted(rows, starts)
    return [
        Table(table.source, table.rows[rows[bounds[n] : bounds[n + 1]] - starts[n]])
        for n, table in enumerate(tables)
    ]


def places(chunk: Chunk, rows: np.ndarray) -> pl.DataFrame:
    """Return `file` and `row` (from 1) of some rows of a chunk, given by their number in it."""
    starts = np.cumsum([0, *(piece.rows for piece in chunk)])
    piece = np.searchsorted(starts, rows, side="right") - 1
    first = np.array([piece.offset + 1 for piece in chunk]) - starts[:-1]
    files = pl.Series([piece.source.file for piece in chunk], dtype=pl.String)
    return pl.DataFrame({"file": files[piece], "row": rows + first[piece]})
