"""Unpacks a CSV file into a Parquet file of text, which can be read in slices like any other.

Belongs here: what CSV is and when it is refused. Does not: what a value means (typed.py).
"""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow
import pyarrow.csv
import pyarrow.parquet

from assets.cases.place import brought
from assets.cases.refusal import SEND_AGAIN, in_short, refused
from assets.cases.source import Source, check_columns
from schemas.cases.columns import CODES, TYPES

_BLOCK: Final = 32 * 1024 * 1024
"""Bytes parsed at once."""

_LONGEST_HEADING: Final = 64 * 1024


def unpack(source: Source, path: Path) -> Source:
    """Write the rows of a CSV file to `path` as text and return them as a source.

    Blank is null, quoted or not. Blank lines are no rows.

    Raises:
        ExtractRefusedError: it is not CSV in UTF-8 with the columns of an extract.
    """
    rows = 0
    file = brought(source.path, path.with_suffix(".csv"))
    try:
        with _reader(file) as reader:
            names = reader.schema.names
            check_columns(source, names)
            with pyarrow.parquet.ParquetWriter(
                path, reader.schema, compression="lz4", use_dictionary=[*CODES, "force_code"]
            ) as writer:
                for batch in reader:
                    writer.write_batch(batch)
                    rows += batch.num_rows
    except UnicodeDecodeError as error:
        raise _not_text(source) from error
    except pyarrow.ArrowInvalid as error:
        if "invalid UTF8" in str(error) or _starts_as_utf16(file):
            raise _not_text(source) from error
        problem = f"the file is not CSV ({in_short(error)})"
        raise refused(source.file, problem, SEND_AGAIN) from error
    return replace(source, path=path, sent=dict.fromkeys(names, pl.String()), rows=rows)


def _reader(path: Path) -> pyarrow.csv.CSVStreamingReader:
    return pyarrow.csv.open_csv(
        _with_line_end(path) or str(path),
        # One thread, so that an error tells its row; parsing is not what takes the time.
        read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(TYPES, pyarrow.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _with_line_end(path: Path) -> BytesIO | None:
    """Return the content of a heading that no line end follows, which pyarrow takes for nothing."""
    with path.open("rb") as file:
        line = file.readline(_LONGEST_HEADING)
    alone = len(line) == path.stat().st_size and not line.endswith((b"\n", b"\r"))
    return BytesIO(line + b"\n") if alone else None


def _not_text(source: Source) -> Exception:
    return refused(source.file, "the file is not text in UTF-8", "Save it as CSV UTF-8.")


def _starts_as_utf16(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) in {b"\xff\xfe", b"\xfe\xff"}
