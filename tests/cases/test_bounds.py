"""A small file that holds gigabytes is refused before they are in memory; large ones are not."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow
import pyarrow.parquet
import pytest

from assets.cases import bounds
from assets.cases.job import run_cases
from assets.cases.sources import find_sources
from assets.cases.store import force_of
from schemas.cases import TYPES
from schemas.collection import Collection
from schemas.finding import FilesRefusedError
from tests.cases.extracts import frame, good, run
from tests.memory import bounded

MIB = 1024 * 1024


def _repeated(rows: int, *, listed: bool = True, **values: str) -> pyarrow.Table:
    """Return one row many times, each column that is text as a dictionary of its one value."""
    table, same = frame([good(1)]).to_arrow(), np.zeros(rows, np.int32)
    columns = {}
    for name, dtype in TYPES.items():
        value = values.get(name, table[name][0].as_py())
        one = pyarrow.array([value], pyarrow.string() if dtype == pl.String else None)
        column = pyarrow.DictionaryArray.from_arrays(pyarrow.array(same), one)
        columns[name] = column if listed and dtype == pl.String else one.take(pyarrow.array(same))
    return pyarrow.table(columns)


def _write(path: Path, table: pyarrow.Table, times: int = 1, **how: Any) -> None:
    how = {"compression": "zstd", "write_statistics": False} | how
    with pyarrow.parquet.ParquetWriter(path, table.schema, **how) as file:
        for _ in range(times):
            file.write_table(table, row_group_size=table.num_rows)


def _one_value(path: Path) -> None:
    """Every row points to one value of 2 MB; what reads it keeps one, and a copy is 40 GB."""
    _write(path, _repeated(20_000, category="x" * 2_000_000), store_schema=False)


def _one_of_a_list(path: Path) -> None:
    _write(path, _repeated(20_000, category="x" * 2_000_000))


def _pages(path: Path) -> None:
    """Pages of one letter over and over, which a thousandth of their bytes can say."""
    table = _repeated(100, listed=False, category="x" * MIB)
    _write(path, table, times=20, use_dictionary=False)


def _like_the_one_before(path: Path) -> None:
    """Each value is told by how much of the one before it is the same: all of a megabyte."""
    how = {"use_dictionary": False, "column_encoding": {"category": "DELTA_BYTE_ARRAY"}}
    _write(path, _repeated(100, listed=False, category="x" * MIB), times=20, **how)


def _rows(path: Path) -> None:
    """So many times the same row that a bit of the file stands for several."""
    _write(path, _repeated(1_000_000), times=40)


_slow = pytest.mark.slow
BOMBS = [
    pytest.param(_one_value, r"rows 1 to 1,000 unpack to 1,907 MB.*1,024 MB", id="value"),
    pytest.param(_one_of_a_list, r"category has a value of 2,000,000 bytes.*65,536", id="list"),
    pytest.param(_pages, r"2,\d\d\d MB.* 256 MB .*category", id="pages", marks=_slow),
    pytest.param(_like_the_one_before, r"256 MB .*category", id="prefix", marks=_slow),
    pytest.param(_rows, r"3\d\d MB or more, expected at most 256 MB", id="rows", marks=_slow),
]


@pytest.mark.parametrize(("write", "told"), BOMBS)
def test_a_small_file_of_gigabytes_is_refused(
    write: Callable[[Path], None], told: str, tmp_path: Path, collection: Collection
) -> None:
    write(tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < MIB
    with bounded(400), pytest.raises(FilesRefusedError) as caught:
        run_cases(find_sources([tmp_path]), tmp_path / "out", collection)
    (refusal,) = caught.value.findings
    assert refusal.sheet == str(tmp_path / "bomb.parquet")
    assert re.search(told, refusal.message), refusal.message
    assert "codes, references and dates alone" in refusal.how_to_fix
    assert "spaces, trim them" in refusal.how_to_fix


def test_whose_a_bomb_is_is_not_read_without_bounds(tmp_path: Path, collection: Collection) -> None:
    path = tmp_path / "bomb.parquet"
    _write(path, _repeated(20_000, force_code="x" * 2_000_000), store_schema=False)
    with bounded(200), pytest.raises(FilesRefusedError, match="unpack to"):
        force_of(path, collection)


def test_rows_that_widen_are_told_of_their_own_file(tmp_path: Path, collection: Collection) -> None:
    """What is read together is of several files, and the first rows of each are narrow."""
    for name in ("a", "c"):
        _write(tmp_path / f"{name}.parquet", _repeated(400), store_schema=False)
    narrow, wide = _repeated(1000), _repeated(600, category="x" * 4_000_000)
    with pyarrow.parquet.ParquetWriter(
        tmp_path / "b.parquet", narrow.schema, compression="zstd", store_schema=False
    ) as file:
        file.write_table(narrow)
        file.write_table(wide)
    with bounded(200), pytest.raises(FilesRefusedError) as caught:
        run_cases(find_sources([tmp_path]), tmp_path / "out", collection)
    assert [Path(each.sheet or "").name for each in caught.value.findings] == ["b.parquet"]
    assert "rows 1 to 1,600 unpack to 2,289 MB" in caught.value.findings[0].message


@pytest.mark.parametrize("how", [
    {"use_dictionary": False, "column_encoding": {"case_ref": "DELTA_BYTE_ARRAY"}},
    {"use_dictionary": False, "data_page_version": "2.0", "data_page_size": 100},
    {"compression": "none", "data_page_version": "2.0"},
    {"compression": "gzip", "data_page_size": 100, "write_statistics": True},
])  # fmt: skip
def test_what_other_writers_write_is_read(
    how: dict[str, Any], tmp_path: Path, collection: Collection
) -> None:
    rows = frame([good(number) for number in range(1000)])
    _write(tmp_path / "a.parquet", rows.to_arrow(), times=1, **how)
    assert run(tmp_path, tmp_path / "out", collection).summary["valid"] == 1000


def test_rows_of_short_values_are_counted_many_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By 16, as values of a megabyte were, a million rows took a quarter of a minute."""
    how: dict[str, Any] = {"use_dictionary": False}
    how["column_encoding"] = {"case_ref": "DELTA_BYTE_ARRAY"}
    _write(tmp_path / "a.parquet", frame(map(good, range(10_000))).to_arrow(), times=1, **how)
    sizes, read = list[int](), pyarrow.parquet.ParquetFile.iter_batches

    def counted(file: Any, rows: int, **how: Any) -> Any:
        sizes.append(rows)
        return read(file, rows, **how)

    monkeypatch.setattr(pyarrow.parquet.ParquetFile, "iter_batches", counted)
    assert find_sources([tmp_path])[0].rows == 10_000
    (size,) = sizes
    assert size > 200


def test_a_footer_that_says_other_things_is_told(tmp_path: Path) -> None:
    """Each byte may be where a field begins, and say that it is another or of another kind."""
    frame([good(1)]).write_parquet(path := tmp_path / "a.parquet")
    content = path.read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    for at in range(start, len(content) - 8, 7):
        path.write_bytes(content[:at] + b"\x15" + content[at + 1 :])
        with suppress(FilesRefusedError):  # and nothing else
            find_sources([path])


def test_the_bound_grows_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that millions of rows are what they are: they pack to a tenth, and a hundredth is held."""
    monkeypatch.setattr(bounds, "_ANY", 0)
    frame([good(number) for number in range(10_000)]).write_parquet(tmp_path / "a.parquet")
    assert find_sources([tmp_path])[0].rows == 10_000


@pytest.mark.slow
def test_a_line_without_end_is_told(tmp_path: Path, collection: Collection) -> None:
    (tmp_path / "a.csv").write_text(f"{','.join(TYPES)}\n{'x' * 70 * MIB}\n")
    with bounded(200), pytest.raises(FilesRefusedError, match="a row has more than 32 MB, or its"):
        run_cases(find_sources([tmp_path]), tmp_path / "out", collection)


def test_thousands_of_columns_are_not_all_named(tmp_path: Path, collection: Collection) -> None:
    others = ",".join(f"n{number}" for number in range(9000))
    (tmp_path / "a.csv").write_text(f"{','.join(TYPES)},{others}\n")
    with pytest.raises(FilesRefusedError, match="'n1005', 8,990 more") as caught:
        run_cases(find_sources([tmp_path]), tmp_path / "out", collection)
    assert len(str(caught.value)) < 2000
