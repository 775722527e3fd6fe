"""Hundreds of damaged files go through `check`, and none gets out of hand."""

import csv
import io
import resource
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from openpyxl import load_workbook

from assets.intake.reader import read_return
from assets.returns.validation.check import check_files
from schemas.collection import Collection
from tests.hostile.mutate import mutated
from tests.intake.test_reader import write_csv_zip
from tests.ods import write_ods
from tests.returns import SampleReturn, validated

BATCH = 100
FEW = 30
MEMORY_MB = 400
"""What a process that checks one damaged file after another may take, its libraries included."""


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("originals")
    book = SampleReturn.of("STF", collection).write(folder / "STF.xlsx")
    packed = write_csv_zip(folder / "STF.zip", read_return(book).sheets)
    ods = write_ods(folder / "STF.ods", read_return(book))
    return {"xlsx": book.read_bytes(), "zip": packed.read_bytes(), "ods": ods.read_bytes()}


def _drive(seeds: range, kind: str, content: bytes, folder: Path, collection: Collection) -> int:
    """Check one batch of damaged files; return how many were acceptable."""
    paths = []
    for seed in seeds:
        path = folder / f"{seed}.{kind}"
        path.write_bytes(mutated(seed, content))
        paths.append(path)
    acceptable = 0
    for item in check_files(paths, collection):
        assert item.state in {"accepted", "queried", "rejected"}
        assert item.readable or item.findings, item.file
        if item.exit_code == 0:
            acceptable += 1
            _holds_what_it_says(Path(item.file), collection)
    for path in paths:
        path.unlink()
    return acceptable


def _holds_what_it_says(path: Path, collection: Collection) -> None:
    """Every count that was read is what another reader finds at that address."""
    other = _other_reader(path)
    if other is None:
        return
    entries = validated(read_return(path), collection).entries.filter(
        pl.col("number").is_not_null()
    )
    for sheet, cell, number in entries.select("sheet", "cell", "number").iter_rows():
        text = str(other[sheet][cell]).strip().replace(",", "")
        assert _as_number(text) == number, f"{path.name} {sheet} {cell}: {text!r} read as {number}"


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _other_reader(path: Path) -> dict[str, dict[str, object]] | None:
    """Return the cells as another reader finds them; None where it cannot read the file."""
    if zipfile.ZipFile(path).namelist()[0].endswith(".csv"):
        return _csv_cells(path)
    if path.suffix == ".ods":
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            book = load_workbook(io.BytesIO(path.read_bytes()), data_only=True)
        except Exception:
            return None
    return {
        sheet.title: {cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row}
        for sheet in book.worksheets
    }


def _csv_cells(path: Path) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            try:
                text = content.decode("utf-8-sig")
            except UnicodeDecodeError:
                text = content.decode("cp1252", "replace")
            rows = csv.reader(io.StringIO(text, newline=""))
            found[Path(name).stem] = {
                f"{chr(ord('A') + column)}{row}": text
                for row, texts in enumerate(rows, 1)
                for column, text in enumerate(texts)
            }
    return found


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_a_few_damaged_files(
    kind: str, originals: dict[str, bytes], tmp_path: Path, collection: Collection
) -> None:
    _drive(range(FEW), kind, originals[kind], tmp_path, collection)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xlsx", "zip", "ods"])
@pytest.mark.parametrize("batch", range(4))
def test_hundreds_of_damaged_files(
    kind: str,
    batch: int,
    originals: dict[str, bytes],
    tmp_path: Path,
    collection: Collection,
    memory_before: Callable[[], float],
) -> None:
    """1,200 in all: no exception reaches the user, no count passes as another."""
    seeds = range(batch * BATCH, (batch + 1) * BATCH)
    _drive(seeds, kind, originals[kind], tmp_path, collection)
    assert _memory_mb() < memory_before() + MEMORY_MB


@pytest.fixture(scope="session")
def memory_before() -> Callable[[], float]:
    start = _memory_mb()
    return lambda: start
