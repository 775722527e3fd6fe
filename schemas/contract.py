"""How a table's contract is written and what is derived from it.

A contract is data: column names, types, units, descriptions, keys and checks are written once, most
of them in TOML. Pandera's and Arrow's schemas, documentation and expectations are derived. Codes
that a template lists are not in the contract: each collection has its own.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from schemas import vocabulary
from schemas.template import Template

CONTRACT_VERSION: Final = "1"
"""Raised when a mart's columns, types, keys or meanings change."""

_TYPE_NAMES: Final[dict[Any, str]] = {
    pl.String: "string",
    pl.Int64: "int64",
    pl.Float64: "float64",
    pl.Boolean: "bool",
    pl.Date: "date",
}


@dataclass(frozen=True)
class Column:
    """One column of a contract.

    `unit`: `count`, `people`, `percent`, ... or `code`, `text`, `date`, `hash` for the rest. `key`:
    whether it is part of the table's key. `nullable`: whether a value may be unknown. `allowed`:
    the codes that it may hold, () for any. `codes`: `measure.dimension` of the template, whose
    codes it may hold; `cases` is the measure that case rows count. `least`: the smallest number
    that it may hold.
    """

    name: str
    dtype: type[pl.DataType]
    description: str
    unit: str
    key: bool = False
    nullable: bool = False
    allowed: tuple[str, ...] = ()
    codes: str | None = None
    least: float | None = None

    def allowed_in(self, template: Template | None) -> tuple[str, ...] | None:
        """Return the codes it may hold in a collection on a template; None for any."""
        if self.codes is None or template is None:
            return self.allowed or None
        measure, dimension = self.codes.split(".")
        return template.codes_of(template.of_cases if measure == "cases" else measure, dimension)

    @property
    def type_name(self) -> str:
        """The type as readers of Parquet know it: string, int64, float64, bool or date."""
        return _TYPE_NAMES[self.dtype]


@dataclass(frozen=True, eq=False)
class Contract:
    """A table of exactly these columns, in this order, of these types: nothing is coerced."""

    name: str
    about: str
    columns: tuple[Column, ...]


_SHARED: Final = tomllib.loads(Path(__file__).with_name("columns.toml").read_text(encoding="utf-8"))
"""The columns that several tables share, each described once."""

_TYPES: Final[dict[str, type[pl.DataType]]] = {
    "text": pl.String, "int": pl.Int64, "float": pl.Float64, "bool": pl.Boolean, "date": pl.Date,
}  # fmt: skip
_OF_UNIT: Final = {"count": "int", "bytes": "int", "true or false": "bool", "date": "date"}
"""The type of a column by its unit, where that is no text and nothing else is said."""


def contracts(path: Path) -> dict[str, Contract]:
    """Return the contracts that a file describes, by the heads of its tables."""
    return described(tomllib.loads(path.read_text(encoding="utf-8")), vars(vocabulary))


def described(tables: Mapping[str, Any], lists: Mapping[str, Any]) -> dict[str, Contract]:
    """Return the contracts that the tables of a file describe; tables.toml says how.

    Each is named by its head without the stage: `intake/receipts` is Receipts. `lists` are lists of
    codes by the names under which the file means them.
    """
    return {
        head: Contract(
            head.rpartition("/")[2].title().replace("_", ""),
            said["about"],
            tuple(_column(name, about, lists) for name, about in said["columns"].items()),
        )
        for head, said in tables.items()
    }


def _column(name: str, own: Mapping[str, Any], lists: Mapping[str, Any]) -> Column:
    said = {**({} if "about" in own else _SHARED[own.get("like", name)]), **own}
    about, allowed = said["about"], said.get("isin", ())
    if isinstance(allowed, str):
        allowed = lists[allowed]
        if "{isin}" in about:
            told = "; ".join(f"{code} = {text}" for code, text in allowed.items())
            about = about.replace("{isin}", told)
    return Column(
        name,
        _TYPES[said.get("type", _OF_UNIT.get(said["unit"], "text"))],
        about,
        said["unit"],
        said.get("key", False),
        said.get("nullable", False),
        tuple(allowed),
        said.get("codes"),
        said.get("ge"),
    )


def named(name: str, contracts: Mapping[str, Contract]) -> Contract:
    """Return the contract of a name, such as Receipts, for the `__getattr__` of a module.

    Raises:
        AttributeError: there is none.
    """
    found = next((contract for contract in contracts.values() if contract.name == name), None)
    if found is None:
        raise AttributeError(f"no table is called {name}")
    return found


def keys(contract: Contract) -> list[str]:
    """Return the names of the key columns, in order."""
    return [column.name for column in contract.columns if column.key]


def empty(contract: Contract) -> pl.DataFrame:
    """Return a frame of the contract's columns without rows."""
    return pl.DataFrame(schema={column.name: column.dtype for column in contract.columns})
