"""What one would write in an afternoon: reads returns with openpyxl, checks them, and adds up.

It knows the sheets and their codes, no rules across cells, no versions, no queries and no
published figures. `python -m benchmarks.workbooks FILE ... OUT.parquet`.
"""

import sys
from pathlib import Path
from typing import Any, Final

import openpyxl
import pandas as pd
import pandera.pandas as pa

SHEETS: Final = ("investigations", "registers", "second_jobs", "capability", "comparators")
_MISSING: Final = ("not_held", "not_applicable")

ENTRIES: Final = pa.DataFrameSchema(
    {
        "force_code": pa.Column(str, pa.Check.str_matches("^[A-Z]{3}$")),
        "sheet": pa.Column(str, pa.Check.isin(SHEETS)),
        "row_code": pa.Column(str),
        "column_code": pa.Column(str),
        "value": pa.Column(object, nullable=False),
        "number": pa.Column(float, pa.Check.ge(0), nullable=True),
    },
    unique=["force_code", "sheet", "row_code", "column_code"],
)


def read(path: Path) -> pd.DataFrame:
    """Return one row an entry of a workbook."""
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    cover = {row[0]: row[2] for row in book["cover"].iter_rows(values_only=True) if row[0]}
    tables = [_entries(book[name].iter_rows(values_only=True), name) for name in SHEETS]
    book.close()
    return pd.concat(tables).assign(force_code=cover["force_code"])


def _entries(rows: Any, sheet: str) -> pd.DataFrame:
    head: tuple[Any, ...] | None = None
    found = []
    for row in rows:
        if row and row[0] == "code":
            head = row
        elif head and row and row[0]:
            found += [
                (sheet, row[0], column, value)
                for column, value in zip(head[2:], row[2:], strict=False)
                if column
            ]
    return pd.DataFrame(found, columns=["sheet", "row_code", "column_code", "value"])


def main() -> None:
    """Check the workbooks and write the national sum of every count."""
    *paths, out = map(Path, sys.argv[1:])
    entries = pd.concat([read(path) for path in paths], ignore_index=True)
    held = entries["value"].where(~entries["value"].isin(_MISSING))
    entries["number"] = pd.to_numeric(held, errors="coerce")
    valid = ENTRIES.validate(entries, lazy=True)
    counts = valid.dropna(subset="number").groupby(["sheet", "row_code", "column_code"])
    counts["number"].agg(["sum", "count"]).reset_index().to_parquet(out, index=False)


if __name__ == "__main__":
    main()
