"""Writes the sample as files that can be dropped in landing: `muster sample`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import polars as pl

from assets.lake import write_errors
from assets.returns.template.workbook import write_workbook
from assets.sample.cases import sample_cases
from assets.sample.research import sample_research
from assets.sample.returns import sample_returns
from schemas.collection import Collection

T = TypeVar("T")


def write_research(folder: Path, collection: Collection) -> list[Path]:
    """Write the files of the research folder; return their paths.

    Raises:
        LakeError: the folder cannot be written.
    """
    texts = sample_research(collection)
    return _write(folder, texts, lambda path, text: path.write_bytes(text.encode()))


def write_cases(folder: Path, collection: Collection) -> list[Path]:
    """Write one case-level extract for each force of the collection; return their paths.

    Each agrees with the workbook of its force. Its metadata say that it is reconstructed.

    Raises:
        LakeError: the folder cannot be written.
    """
    cases = _by_force(sample_cases(collection), "parquet")
    basis = {"basis": "reconstructed"}
    return _write(folder, cases, lambda path, mine: mine.write_parquet(path, metadata=basis))


def write_sample(folder: Path, collection: Collection) -> list[Path]:
    """Write one workbook for each force of the collection; return their paths.

    Raises:
        LakeError: the folder cannot be written.
    """

    def workbook(path: Path, entries: pl.DataFrame) -> None:
        rows = entries.select("sheet", "row_code", "column_code", "value").iter_rows()
        values = {(sheet, row, column): value for sheet, row, column, value in rows}
        write_workbook(path, collection.template, collection, values)

    return _write(folder, _by_force(sample_returns(collection), "xlsx"), workbook)


def _by_force(frame: pl.DataFrame, ending: str) -> dict[str, pl.DataFrame]:
    parts = frame.partition_by("force_code", as_dict=True)
    return {f"{force}.{ending}": mine for (force,), mine in sorted(parts.items())}


def _write(folder: Path, files: Mapping[str, T], write: Callable[[Path, T], object]) -> list[Path]:
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write(folder / name, content)
    return [folder / name for name in files]
