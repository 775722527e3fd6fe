"""How a table's contract is written and what is derived from it.

A contract is data: column names, types, units, descriptions, keys and checks are written once, most
of them in TOML. Pandera's and Arrow's schemas, documentation and expectations are derived. Codes
that a template lists are not in the contract: each collection has its own. Neither of both
libraries is loaded here: commands that only read would wait for them.
"""

import importlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from weakref import ref

import polars as pl

from schemas import vocabulary
from schemas.errors import ContractError
from schemas.template import Template
from schemas.wording import plural

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
    codes it may hold. `least`: the smallest number that it may hold.
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
        return template.codes_of(*self.codes.split("."))

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

    Args:
        tables: the tables, by their heads.
        lists: lists of codes by the names under which the file means them.
    """
    return {
        head: Contract(
            said.get("name", head),
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


@cache
def _broken(contract: Contract, template: Template | None) -> pl.Expr:
    """Return whether anything in a table breaks a contract: one question for all its columns."""
    key = keys(contract)
    asked = [pl.struct(key).is_duplicated()] if key else []
    for column in contract.columns:
        value, allowed = pl.col(column.name), column.allowed_in(template)
        if not column.nullable:
            asked.append(value.is_null())
        if column.dtype == pl.Float64 and not column.nullable:
            asked.append(value.is_nan())
        if allowed is not None:
            asked.append(value.is_not_null() & ~value.is_in([*allowed, None]))
        if column.least is not None:
            asked.append(value < column.least)
    return pl.any_horizontal(one.any() for one in asked) if asked else pl.lit(value=False)


def holds(contract: Contract, table: pl.DataFrame, template: Template | None) -> bool:
    """Return whether a table is as a contract says; its columns are in order."""
    types = [column.dtype for column in contract.columns]
    return table.dtypes == types and not table.select(_broken(contract, template)).item()


def keys(contract: Contract) -> list[str]:
    """Return the names of the key columns, in order."""
    return [column.name for column in contract.columns if column.key]


def empty(contract: Contract) -> pl.DataFrame:
    """Return a frame of the contract's columns without rows."""
    return pl.DataFrame(schema={column.name: column.dtype for column in contract.columns})


_KNOWN: Final[dict[int, tuple[ref[pl.DataFrame], Contract, Template | None]]] = {}
"""Frames that are as a contract says, by their `id`: looking takes longer than making them."""


def known_to_conform(
    contract: Contract, frame: pl.DataFrame, template: Template | None = None
) -> None:
    """Say of a frame that it is as `conform` returns it, so that it is not looked at again."""
    at, forgotten = id(frame), _KNOWN.pop
    _KNOWN[at] = ref(frame, lambda _: forgotten(at, None)), contract, _asked(contract, template)


def _asked(contract: Contract, template: Template | None) -> Template | None:
    """Return the template where anything of a contract depends on it."""
    return template if any(column.codes for column in contract.columns) else None


def conform(
    contract: Contract, frame: pl.DataFrame, template: Template | None = None
) -> pl.DataFrame:
    """Return the frame in the contract's column order, sorted by all its columns, keys first.

    Args:
        contract: the contract.
        frame: the frame; columns that the contract does not have are left out.
        template: the template whose codes may stand in it; None to let any stand.

    Raises:
        ContractError: a column is missing or of another type, a key stands twice, or a value is
            outside what the contract allows.
    """
    template = _asked(contract, template)
    if id(frame) in _KNOWN and _KNOWN[id(frame)][1:] == (contract, template):
        return frame
    names = [column.name for column in contract.columns]
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ContractError(f"{contract.name} lacks the columns {', '.join(missing)}")
    order = keys(contract) + [name for name in names if name not in keys(contract)]
    ordered = frame.select(names).sort(order, nulls_last=False, maintain_order=True)
    if holds(contract, ordered, template):
        known_to_conform(contract, ordered, template)
        return ordered
    # Pandera asks each column for itself, which takes longer than making most tables, and so does
    # loading it: it is asked where a table does not hold, and says what is wrong.
    cases = importlib.import_module("schemas.checking").broken(contract, ordered, template)
    # Not the values: this is logged and sent, and could quote a return.
    first = cases.select("column", "check").unique(maintain_order=True).head(5).to_dicts()
    raise ContractError(
        f"{contract.name} breaks its contract in {plural(cases.height, 'case')}; first of them:"
        f" {first}. This is a fault of the program; report it."
    )
