"""Marts that meet everything, made from their contracts, for tests to break."""

from datetime import date
from math import prod
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from assets.marts import arrow_schema
from schemas.collection import Collection
from schemas.contract import Column, Contract

ROWS = 44
ENOUGH = {"reconciliation": 248}
"""Rows of marts that must have more."""

SOUND: dict[str, dict[str, Any]] = {
    "national_totals": {"unit": "count"},
    "national_checks": {"passed": True},
    "returns_status": {"state": "accepted"},
    "reconciliation": {"status": "match"},
}
"""What must stand in a column for a mart to be without warnings."""

_PLAIN: dict[str, Any] = {
    "int64": 1,
    "float64": 0.5,
    "bool": False,
    "date": date(2012, 5, 31),
}
_TEXTS = {"hash": "a" * 64, "time": "2012-07-01T10:00:00+00:00"}


def sound_mart(name: str, contract: Contract, collection: Collection) -> pyarrow.Table:
    """Return a mart of its contract's columns; its keys count through their codes."""
    radix = [_codes(column, collection) for column in contract.columns if column.key]
    rows = ENOUGH.get(name, ROWS)
    if radix and all(radix):
        rows = min(rows, prod(len(codes) for codes in radix))
    values: dict[str, list[Any]] = {column.name: [] for column in contract.columns}
    for number in range(rows):
        left = number
        for column in contract.columns:
            codes = _codes(column, collection)
            if column.key and codes:
                left, digit = divmod(left, len(codes))
                value: Any = codes[digit]
            elif column.key and column.type_name == "int64":
                value = 2000 + number
            elif column.key and column.unit not in {"hash", "date"}:
                value = f"{column.name}{number}"
            else:
                value = _value(column, codes)
            values[column.name].append(SOUND.get(name, {}).get(column.name, value))
    return pyarrow.table(
        {
            field.name: pyarrow.array(values[field.name], field.type)
            for field in arrow_schema(contract)
        }
    )


def _codes(column: Column, collection: Collection) -> tuple[str, ...]:
    return (
        collection.forces if column.name == "force_code" else column.allowed_in(collection.template)
    )


def _value(column: Column, codes: tuple[str, ...]) -> Any:
    if column.type_name == "string":
        return codes[0] if codes else _TEXTS.get(column.unit, "text")
    return _PLAIN[column.type_name]


def write_mart(folder: Path, name: str, table: pyarrow.Table) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table, folder / f"{name}.parquet")


def put(table: pyarrow.Table, row: int = 0, dtype: Any = None, **values: Any) -> pyarrow.Table:
    """Return the table with other values in one row; `dtype` changes the type of their columns."""
    for name, value in values.items():
        position = table.column_names.index(name)
        changed = table[name].to_pylist()
        changed[row] = value
        array = pyarrow.array(changed, dtype or table.schema.field(name).type)
        table = table.set_column(position, name, array)
    return table


def twice(table: pyarrow.Table) -> pyarrow.Table:
    """Return the table with its first row a second time."""
    return pyarrow.concat_tables([table, table[:1]])
