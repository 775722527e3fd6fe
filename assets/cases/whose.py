"""Whose extract a file is, and what it says of its own basis.

Belongs here: what must be known of a received file before it is judged. Does not: its rows.
"""

import tempfile
from pathlib import Path
from typing import Final

import polars as pl

from assets.cases.csv_text import unpack
from assets.cases.sources import SEND_AGAIN, find_sources, reading, refused, scan
from schemas.cases.columns import BLANKS
from schemas.collection import Collection
from schemas.vocabulary import BASES

SUBMITTED: Final = "submitted"
RECONSTRUCTED: Final = "reconstructed"
_ONE_FORCE: Final = "Send the rows of each force in files of its own."


def force_of(path: Path, collection: Collection) -> str:
    """Return the force of a file: that of its folder, or the one that its rows name.

    Raises:
        ExtractRefusedError: it cannot be read as an extract, or is not of exactly one force.
    """
    (source,) = find_sources([path])
    if source.folder:
        named = {source.folder}
    else:
        with tempfile.TemporaryDirectory() as scratch:
            read = unpack(source, Path(scratch) / "text.parquet") if source.text else source
            rows = scan([read.path]).select(
                pl.col("force_code").cast(pl.String).str.strip_chars(BLANKS).unique()
            )
            try:
                with reading([read.path]):
                    codes = rows.collect()
            except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
                problem = f"the file is damaged ({type(error).__name__})"
                raise refused(path.name, problem, SEND_AGAIN) from error
        named = set(codes["force_code"])
    known = sorted(named.intersection(collection.forces))
    if len(known) == 1:
        return known[0]
    told = f"rows of several forces ({', '.join(known)})" if known else "no force of the collection"
    raise refused(path.name, f"the file has {told}", _ONE_FORCE)


def basis_of(path: Path) -> str:
    """Return what a Parquet file's own metadata say of its basis; `submitted` unless they do.

    The sample says `reconstructed` there, so that it is never taken for what a force sent.
    """
    if path.suffix.lower() != ".parquet":
        return SUBMITTED
    try:
        with reading([path]):
            said = pl.read_parquet_metadata(path).get("basis", SUBMITTED)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return SUBMITTED
    return said if said in BASES else SUBMITTED
