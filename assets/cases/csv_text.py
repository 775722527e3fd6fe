"""Unpacks a CSV file into a Parquet file of text, which can be read in slices like any other."""

import codecs
import csv
import re
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

from assets import object_store
from assets.cases.bounds import MIB
from assets.cases.sources import Source, check_columns, refused
from assets.intake.csv_zip import SEP_LINE, SEPARATORS, encoding_of
from schemas.cases import BLANKS, CODED, TYPES

_BLOCK: Final = 32 * MIB
"""Bytes parsed at once."""

_LONGEST_HEADING: Final = 64 * 1024
_TOLD: Final = re.compile(r"Row #[0-9]+: Expected [0-9]+ columns, got [0-9]+")
"""What of pyarrow's words may be told; the rest quotes the row."""

_ROWS_WITHIN: Final = (
    "the file is not CSV (row {:,} holds other rows: its quotes do not fit together)"
)
_QUOTES: Final = (
    "Take the quote out that begins a value and does not end it, or write the file anew."
)

_NO_QUOTES: Final = "its quotes do not fit together"
_NO_ROW: Final = f"a row has more than {_BLOCK // MIB} MB, or {_NO_QUOTES}"

_LINE_END_BELOW: Final = ord("\r")
_BLANK_BELOW: Final = ord(" ")
_ASCII_BELOW: Final = 128


@dataclass(frozen=True)
class _Heading:
    """How a CSV file is written, as its heading tells: `names` are the columns as they stand."""

    names: tuple[str, ...]
    separator: str
    encoding: str
    skipped: int
    alone: bool


def unpack(source: Source, path: Path) -> Source:
    """Write the rows of a CSV file to `path` as text and return them as a source.

    Blank is null, quoted or not, and spaces around a value are no part of it. Lines without a
    value are no rows, whether they have separators or not.

    Raises:
        FilesRefusedError: it is not CSV in UTF-8 or UTF-16 with the columns of an extract.
    """
    rows, file = 0, source.path
    if isinstance(file, str):
        file = path.with_suffix(".csv")
        object_store.fetch(str(source.path), file)
    not_text = refused(
        source.file, "the file is not text in UTF-8 or UTF-16", "Save it as CSV UTF-8."
    )
    try:
        heading = _heading(file)
        names = [name.strip() for name in heading.names]
        check_columns(source, names)
        schema = pyarrow.schema([(name, pyarrow.string()) for name in names])
        with pyarrow.parquet.ParquetWriter(
            path, schema, compression="lz4", use_dictionary=[*CODED, "force_code"]
        ) as writer:
            # A heading that no line end follows is nothing to pyarrow.
            for batch in () if heading.alone else _reader(file, heading):
                sent = batch.columns
                columns = [_trimmed(column) for column in sent]
                filled = pyarrow.RecordBatch.from_arrays(columns, schema=schema)
                if all(column.null_count for column in columns):  # so a row may have no value
                    some = reduce(pyarrow.compute.or_, (each.is_valid() for each in columns))
                    filled = filled.filter(some)
                for at, column in enumerate(columns):
                    if column is not sent[at] and (found := _with_rows(filled.column(at), heading)):
                        raise refused(source.file, _ROWS_WITHIN.format(rows + found), _QUOTES)
                writer.write_batch(filled)
                rows += filled.num_rows
    except UnicodeDecodeError as error:
        raise not_text from error
    except (pyarrow.ArrowInvalid, csv.Error) as error:
        if "invalid UTF8" in str(error):
            raise not_text from error
        told = _TOLD.search(str(error))
        said = told[0] if told else _NO_ROW if "straddl" in str(error) else _NO_QUOTES
        problem = f"the file is not CSV ({said})"
        raise refused(source.file, problem) from error
    return replace(source, path=path, sent=dict.fromkeys(names, pl.String()), rows=rows)


def _trimmed(column: pyarrow.Array) -> pyarrow.Array:
    """Return a column without spaces around its values; what is nothing else becomes null."""
    data = column.buffers()[2]
    if data is None or not data.size:
        return column
    # Looking at the bytes takes no time: codes, references and dates hold no blank.
    seen = np.frombuffer(data, np.uint8)
    if seen.min() > _BLANK_BELOW and seen.max() < _ASCII_BELOW:
        return column
    trimmed = pyarrow.compute.utf8_trim(column, characters=BLANKS)
    blank = pyarrow.compute.equal(trimmed, "")
    return pyarrow.compute.if_else(blank, pyarrow.scalar(None, pyarrow.string()), trimmed)


def _with_rows(column: pyarrow.Array, heading: _Heading) -> int:
    """Return the number of the first value that holds other rows, 0 without one.

    Between two quotes that stand in the same column lie whole rows, with as many separators.
    """
    if np.frombuffer(column.buffers()[2] or b" ", np.uint8).min() > _LINE_END_BELOW:
        return 0
    lines = pyarrow.compute.match_substring_regex(column, "[\r\n]")
    count = pyarrow.compute.count_substring(column, heading.separator)
    many = pyarrow.compute.greater_equal(count, len(heading.names) - 1)
    found: int = pyarrow.compute.index(pyarrow.compute.and_(lines, many), value=True).as_py()
    return found + 1


def _reader(path: Path, heading: _Heading) -> pyarrow.csv.CSVStreamingReader:
    return pyarrow.csv.open_csv(
        str(path),
        # One thread, so that an error tells its row; parsing is not what takes the time.
        read_options=pyarrow.csv.ReadOptions(
            block_size=_BLOCK,
            use_threads=False,
            # With a mark it says so itself.
            encoding=heading.encoding.removesuffix("-sig"),
            skip_rows=heading.skipped,
        ),
        parse_options=pyarrow.csv.ParseOptions(
            newlines_in_values=True,
            delimiter=heading.separator,
            invalid_row_handler=_skipped,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(heading.names, pyarrow.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _skipped(row: pyarrow.csv.InvalidRow) -> str:
    """Pass over a line without a value, though it has other separators than the heading."""
    return "error" if row.text.strip(f' "\x1a\0{SEPARATORS}') else "skip"


def _heading(path: Path) -> _Heading:
    """Read how a file is written from its first lines; UnicodeDecodeError, csv.Error if not so."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_LONGEST_HEADING)
    encoding = encoding_of(head)
    text = codecs.getincrementaldecoder(encoding)().decode(head, final=len(head) == size)
    lines = text.removeprefix("\ufeff").splitlines(keepends=True) or [""]
    skipped, told = 0, SEP_LINE.fullmatch(lines[0])
    if told:
        lines, skipped = lines[1:] or [""], 1
    elif not lines[0].strip():
        lines = [line for line in lines if line.strip()] or [""]
    if told and told[1] in SEPARATORS:
        separator = told[1]
    else:
        named = {each: {n.strip(' \r\n"') for n in lines[0].split(each)} for each in SEPARATORS}
        separator = max(SEPARATORS, key=lambda each: len(named[each].intersection(TYPES)))
    names = tuple(next(csv.reader(lines, delimiter=separator), []))
    alone = len(head) == size and len(lines) == 1 and not lines[0].endswith(("\n", "\r"))
    return _Heading(names, separator, encoding, skipped, alone)
