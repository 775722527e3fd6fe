"""Writes the sample as files that can be dropped in landing: `muster sample`."""

from pathlib import Path

from assets.lake import write_errors
from assets.sample.cases import sample_cases
from assets.sample.research import sample_research
from assets.sample.returns import sample_returns
from assets.template.workbook import write_workbook
from schemas.collection import Collection


def write_research(folder: Path, collection: Collection) -> list[Path]:
    """Write the files of the research folder; return their paths.

    Raises:
        LakeError: the folder cannot be written.
    """
    paths = []
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in sample_research(collection).items():
            path = folder / name
            path.write_text(text, encoding="utf-8", newline="")
            paths.append(path)
    return paths


def write_cases(folder: Path, collection: Collection) -> list[Path]:
    """Write one case-level extract for each force of the collection; return their paths.

    Each agrees with the workbook of its force. Its metadata say that it is reconstructed.

    Raises:
        LakeError: the folder cannot be written.
    """
    paths = []
    by_force = sample_cases(collection).partition_by("force_code", as_dict=True)
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for (force_code,), cases in sorted(by_force.items()):
            path = folder / f"{force_code}.parquet"
            cases.write_parquet(path, metadata={"basis": "reconstructed"})
            paths.append(path)
    return paths


def write_sample(folder: Path, collection: Collection) -> list[Path]:
    """Write one workbook for each force of the collection; return their paths.

    Raises:
        LakeError: the folder cannot be written.
    """
    paths = []
    template = collection.template
    by_force = sample_returns(collection).partition_by("force_code", as_dict=True)
    with write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for (force_code,), entries in sorted(by_force.items()):
            path = folder / f"{force_code}.xlsx"
            rows = entries.select("sheet", "row_code", "column_code", "value").iter_rows()
            values = {(sheet, row, column): value for sheet, row, column, value in rows}
            write_workbook(path, template, collection, values)
            paths.append(path)
    return paths
