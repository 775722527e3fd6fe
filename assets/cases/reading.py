"""Reads the rows of an extract a chunk at a time, into the types of the contract, without loss."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from heapq import nlargest
from itertools import accumulate, groupby
from operator import attrgetter, itemgetter
from typing import Final

import polars as pl

from assets.cases.bounds import MIB
from assets.cases.sources import DAMAGE, STRINGS, WRITE_ANEW, Source, reading, refused, scan
from schemas.cases import BLANKS, FOLDER, TYPES, UNREADABLE
from schemas.collection import Collection
from schemas.finding import FilesRefusedError


@dataclass(frozen=True)
class Limits:
    """How much is in memory at once; the results are the same for any limits.

    `rows_at_once`: rows that are read together, of about 300 bytes while they are judged; fewer
    where they are wide. Small forces are worked on together up to as many: 44 small passes take
    half as long again as a few.
    `keys_at_once`: keys that are compared together, of 16 bytes; more go through files.
    """

    rows_at_once: int = 2_000_000
    keys_at_once: int = 64_000_000


LIMITS: Final = Limits()


@dataclass(frozen=True)
class Part:
    """Files to be looked at together: all that can hold rows of `forces`, and no others."""

    name: str
    sources: tuple[Source, ...]
    forces: tuple[str, ...]

    @property
    def rows(self) -> int:
        """The rows of its files, about so many while CSV is not unpacked."""
        return _rows(self.sources)


def plan(sources: Sequence[Source], collection: Collection, together: int) -> list[Part]:
    """Return the parts in the order of their sources, which are sorted by folder.

    Forces are in one part as long as they have no more rows than `together`.

    A file that lies in no folder of a force may hold rows of any: then all is one part.
    """
    if any(source.folder is None for source in sources):
        return [Part("all", tuple(sources), collection.forces)]
    packs: list[list[Source]] = []
    for _, of_force in groupby(sources, key=attrgetter("folder")):
        members = list(of_force)
        if packs and _rows(packs[-1]) + _rows(members) <= together:
            packs[-1] += members
        else:
            packs.append(members)
    named = [{source.folder for source in pack} for pack in packs]
    return [
        Part(f"part-{number:04}", tuple(pack), tuple(f for f in collection.forces if f in folders))
        for number, (pack, folders) in enumerate(zip(packs, named, strict=True))
    ]


def _rows(sources: Sequence[Source]) -> int:
    return sum(source.rows for source in sources)


_DATE_TEXT: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


def trimmed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the columns as sent without what is BLANKS around text; nothing else is null."""
    sent = rows.drop(FOLDER).schema
    texts = [name for name, dtype in sent.items() if isinstance(dtype, STRINGS)]
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
        day = shaped.str.to_date("%Y-%m-%d", strict=False)
    elif isinstance(dtype, pl.Datetime):
        time = pl.when(_in_calendar(sent, dtype)).then(sent)
        day = pl.when(time.cast(pl.Date).cast(dtype, strict=False) == time).then(time.cast(pl.Date))
    else:
        return sent.cast(wanted)
    return pl.when(sent.is_not_null()).then(day.fill_null(UNREADABLE))


def _in_calendar(sent: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Tell the days or times that have a year of four digits; polars panics on some others."""
    if isinstance(dtype, pl.Date):
        return sent.is_between(date.min, date.max)
    return sent.is_between(datetime.min, datetime(9999, 12, 31, 23, 59, 59))


def as_sent(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the contract as text: what the quarantine shows of a row.

    A time beyond the calendar is the number that stands for it.
    """

    def text(sent: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        if not isinstance(dtype, (pl.Date, pl.Datetime)):
            return sent.cast(pl.String)
        shown = pl.when(_in_calendar(sent, dtype)).then(sent).cast(pl.String)
        return pl.coalesce(shown, sent.to_physical().cast(pl.String))

    return rows.select(
        text(pl.col(column), rows.schema[column]).alias(name)
        for name, column in _sent(rows).items()
    )


_ROW_BYTES: Final = 200
"""What a row takes at most, if it is not wide: one of 2,000 characters counts as ten."""

_MOST_BYTES: Final = 1024 * MIB
"""Of rows that are read together: what repeats one long value is then not spelt out."""

_KEPT: Final = 2
"""Chunks that stay in memory. Each row of a third of 100 million was read twice when it was one."""

_SAMPLE: Final = 1000
_SAMPLED: Final = 3


@dataclass(frozen=True)
class Slice:
    """So many rows of a file from an offset."""

    source: Source
    offset: int
    rows: int


Chunk = tuple[Slice, ...]
"""Rows that follow each other, of files that are alike: they are read as one table."""


class Rows:
    """The rows of some files in chunks of at most `at_once` rows, which can be read repeatedly."""

    def __init__(self, sources: Sequence[Source], at_once: int) -> None:
        """Cut the files into `chunks`, in order; where rows are wide, into smaller ones."""
        rows = _fitting(sources, at_once)
        alike = groupby(sources, lambda each: (each.text, type(each.path), *each.sent.items()))
        self.chunks = tuple(chunk for _, some in alike for chunk in _cut(some, rows))
        self._held: dict[int, pl.DataFrame] = {}

    def read(self, chunk: Chunk) -> pl.DataFrame:
        """Return the rows of a chunk as they were sent, with FOLDER beside their columns.

        Those of the last chunks stay in memory: who goes back through all reads these once.

        Raises:
            FilesRefusedError: a file cannot be read to its end, though it began well, or its rows
                are wider than any of an extract.
        """
        number = id(chunk)
        if number not in self._held:
            if len(self._held) == _KEPT:
                del self._held[next(iter(self._held))]
            self._held[number] = _read(chunk)
        return self._held[number]


def _fitting(sources: Sequence[Source], at_once: int) -> int:
    """Return how many rows take no more memory than `at_once` usual ones, by a sample."""
    some = nlargest(_SAMPLED, (source for source in sources if source.rows), attrgetter("rows"))
    samples = (_read((Slice(source, 0, min(source.rows, _SAMPLE)),)) for source in some)
    widest = max((_held(rows) / rows.height for rows in samples), default=0)
    return min(at_once, max(_SAMPLE, int(at_once * _ROW_BYTES / max(widest, _ROW_BYTES))))


def _held(rows: pl.DataFrame) -> int:
    """Return the bytes of rows, a value as often as it stands there, though it is kept once."""
    listed = [each for each in rows if isinstance(each.dtype, (pl.Categorical, pl.Enum))]
    return int(rows.estimated_size()) + sum(int(each.cat.len_bytes().sum()) for each in listed)


def _too_wide(chunk: Chunk, rows: pl.DataFrame) -> FilesRefusedError:
    """Name the file that has most of rows that are too wide, and which of its rows they are."""
    ends = [*accumulate(piece.rows for piece in chunk)]
    pieces = [
        (_held(rows.slice(end - piece.rows, piece.rows)), piece.offset + 1, piece)
        for end, piece in zip(ends, chunk, strict=True)
    ]
    size, first, of = max(pieces, key=itemgetter(0))
    problem = (
        f"rows {first:,} to {of.offset + of.rows:,} unpack to {size / MIB:,.0f} MB, expected at"
        f" most {_MOST_BYTES / MIB:,.0f} MB of so many"
    )
    return refused(of.source.file, problem, WRITE_ANEW)


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


def _read(chunk: Chunk) -> pl.DataFrame:
    try:
        with reading([piece.source.path for piece in chunk]):
            rows = _scan(chunk).collect()
    except DAMAGE:
        for piece in chunk:  # an error of many files at once does not tell which is at fault
            with reading([piece.source.path], piece.source.file):
                _scan([piece]).collect()
        raise
    if _held(rows) > _MOST_BYTES:
        raise _too_wide(chunk, rows)
    folders = [pl.Series(FOLDER, [piece.source.folder], pl.String) for piece in chunk]
    if len({piece.source.folder for piece in chunk}) == 1:
        one = pl.lit(chunk[0].source.folder, pl.String).alias(FOLDER)  # takes no memory
        return rows.with_columns(one)
    pieces = zip(folders, chunk, strict=True)
    return rows.with_columns(pl.concat(one.new_from_index(0, of.rows) for one, of in pieces))


def _scan(chunk: Sequence[Slice]) -> pl.LazyFrame:
    found = scan([piece.source.path for piece in chunk]).select(list(chunk[0].source.sent))
    return found.slice(chunk[0].offset, sum(piece.rows for piece in chunk))


def places(chunk: Chunk, rows: pl.Series) -> pl.DataFrame:
    """Return `file` and `row` (from 1) of some rows of a chunk, given by their number in it."""
    sizes = pl.Series([piece.rows for piece in chunk], dtype=pl.Int64)
    starts = sizes.cum_sum() - sizes
    piece = starts.search_sorted(rows, side="right") - 1
    files = pl.Series([piece.source.file for piece in chunk], dtype=pl.String)
    first = pl.Series([piece.offset + 1 for piece in chunk], dtype=pl.Int64) - starts
    return pl.DataFrame({"file": files.gather(piece), "row": first.gather(piece) + rows})
