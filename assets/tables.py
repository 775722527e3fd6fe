"""The tables between the stages as files of the lake."""

import hashlib
import io
import os
import shutil
from pathlib import Path
from typing import Final

import polars as pl

from assets.lake import Lake, write_anew, write_errors
from schemas.contract import Contract, empty
from schemas.errors import LakeError
from schemas.marts import MARTS, contracts_of
from schemas.tables import TABLES
from schemas.template import Template

_ANEW: Final = "muster run makes it anew."


def contract_of(name: str, template: Template | None = None) -> Contract:
    """Return the contract of a table by its `stage/name`: of a mart, its form on a template."""
    if name in TABLES:
        return TABLES[name]
    return (contracts_of(template) if template else MARTS)[name.split("/")[1]]


def write_made(lake: Lake, name: str, table: pl.DataFrame) -> str:
    """Write a table that is as its contract says, unless it lies there so; return its hash.

    Raises:
        LakeError: the lake cannot be written.
    """
    path, buffer = lake.table(name), io.BytesIO()
    table.write_parquet(buffer)
    content = buffer.getvalue()
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)  # what is below work/ is made anew, whatever has become of it
    if path.is_symlink() or not path.exists() or path.read_bytes() != content:
        # Not forced to the disk: what a power cut leaves of it is noticed, and made anew.
        with write_errors(path):
            write_anew(path, content)
    return hashlib.sha256(content).hexdigest()


def read_table(path: Path, schema: pl.Schema | None = None) -> pl.DataFrame:
    """Return a table between the stages, held to its schema where one is given.

    What an earlier version of Muster wrote may have more columns, which are left out.

    Raises:
        LakeError: it is not there yet, or is damaged; a run makes it anew.
    """
    if not os.path.lexists(path):
        raise LakeError(path, "is not there yet", "Drop returns in landing and: muster run")
    problem, table = "", pl.DataFrame()
    try:
        if path.is_file():
            table = pl.read_parquet(path, glob=False)
        else:
            problem = "it is no file"
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        # The words of another program could quote what stands in the table.
        problem = type(error).__name__
    if not problem and schema is not None:
        if schema.items() <= table.schema.items():
            return table.select(*schema)
        raise LakeError(path, "was written by another version of Muster", _ANEW)
    if problem:
        raise LakeError(path, f"is damaged ({problem})", _ANEW)
    return table


def work_table(lake: Lake, name: str) -> pl.DataFrame:
    """Return a table of TABLES that the last run wrote.

    Raises:
        LakeError: nothing has been run yet, or the table is damaged.
    """
    return read_table(lake.table(name), empty(TABLES[name]).schema)
