"""How a table's contract is written and what is derived from it.

A contract is a pandera model: column names, types, units, descriptions, keys and checks are
written there once. Arrow schemas, documentation and expectations are derived by the functions
here. Codes that a template lists are not in the contract: each collection has its own.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from weakref import ref

import polars as pl
import pyarrow

from schemas.checking import SchemaErrors, pa
from schemas.errors import ContractError
from schemas.template import Template
from schemas.wording import plural

CONTRACT_VERSION: Final = "1"
"""Raised when a mart's columns, types, keys or meanings change."""

_ARROW_TYPES: Final[dict[Any, pyarrow.DataType]] = {
    pl.String: pyarrow.string(),
    pl.Int64: pyarrow.int64(),
    pl.Float64: pyarrow.float64(),
    pl.Boolean: pyarrow.bool_(),
    pl.Date: pyarrow.date32(),
}

_TYPE_NAMES: Final[dict[Any, str]] = {
    pl.String: "string",
    pl.Int64: "int64",
    pl.Float64: "float64",
    pl.Boolean: "bool",
    pl.Date: "date",
}


class Table(pa.DataFrameModel):
    """Base of every contract: exactly these columns, in this order, of these types."""

    class Config:
        """Nothing is coerced: a wrong type is a fault to mend, not to hide."""

        strict = True
        ordered = True
        coerce = False


Contract = type[Table]


@dataclass(frozen=True)
class Column:
    """One column of a contract, as the derived artefacts need it."""

    name: str
    dtype: type[pl.DataType]
    description: str
    unit: str
    key: bool
    nullable: bool
    allowed: tuple[str, ...] = ()
    codes: str | None = None
    least: float | None = None

    def allowed_in(self, template: Template) -> tuple[str, ...]:
        """Return the codes it may hold in a collection on a template; empty for any."""
        if self.codes is None:
            return self.allowed
        return template.codes_of(*self.codes.split("."))

    @property
    def type_name(self) -> str:
        """The type as readers of Parquet know it: string, int64, float64, bool or date."""
        return _TYPE_NAMES[self.dtype]


def column(
    description: str,
    unit: str,
    *,
    key: bool = False,
    nullable: bool = False,
    isin: Any = None,
    codes: str | None = None,
    ge: float | None = None,
) -> Any:
    """Declare a column in a contract.

    Args:
        description: what the column means, for a reader who sees nothing else.
        unit: `count`, `people`, `percent`, ... or `code`, `text`, `date`, `hash` for the rest.
        key: whether the column is part of the table's key.
        nullable: whether a value may be unknown.
        isin: the codes the column may hold; None for any.
        codes: `measure.dimension` of the template, whose codes the column may hold.
        ge: the smallest number the column may hold.
    """
    allowed = None if isin is None else list(isin)
    about = {"unit": unit, "key": key, "allowed": tuple(allowed or ()), "codes": codes, "least": ge}
    return pa.Field(nullable=nullable, description=description, isin=allowed, ge=ge, metadata=about)


def contract_of(name: str, about: str, described: Iterable[Column]) -> Contract:
    """Return a contract of described columns: one that follows from other contracts, or from data.

    Args:
        name: its name.
        about: its description.
        described: its columns, in order.
    """
    types: dict[str, Any] = {}
    fields: dict[str, Any] = {}
    for item in described:
        types[item.name] = item.dtype
        fields[item.name] = column(
            item.description,
            item.unit,
            key=item.key,
            nullable=item.nullable,
            isin=item.allowed or None,
            codes=item.codes,
            ge=item.least,
        )
    body = {"__doc__": about, "__annotations__": types, **fields}
    made: Contract = type(name, (Table,), body)
    return made


@cache
def _schema(contract: Contract, template: Template | None = None) -> pa.DataFrameSchema:
    # Pandera hands out one and the same each time: what is changed of it here is a copy.
    schema = copy(contract.to_schema())
    schema.columns = dict(schema.columns)
    keys = [name for name, spec in schema.columns.items() if (spec.metadata or {})["key"]]
    schema.unique = keys or None
    for column in columns(contract) if template else ():
        if template and column.codes:
            allowed = pa.Check.isin(list(column.allowed_in(template)))
            own = schema.columns[column.name] = copy(schema.columns[column.name])
            own.checks = [*own.checks, allowed]
    return schema


_TOLD_BY_COLUMN: Final = {"isin", "greater_than_or_equal_to"}
"""The checks of pandera whose arguments a Column has."""


@cache
def _broken(contract: Contract, template: Template | None) -> pl.Expr | None:
    """Return whether anything in a table breaks a contract: one question for all its columns.

    Pandera asks each for itself, which takes longer than making most tables, so it is asked where
    this is so, and says what. None where a contract has a check that this does not know.
    """
    schema = _schema(contract, template)
    checks = {check.name for spec in schema.columns.values() for check in spec.checks}
    if schema.checks or not checks <= _TOLD_BY_COLUMN:
        return None
    key = keys(contract)
    asked = [pl.struct(key).is_duplicated()] if key else []
    for column in columns(contract):
        value, allowed = pl.col(column.name), column.allowed
        if template and column.codes:
            allowed = column.allowed_in(template)
        if not column.nullable:
            asked.append(value.is_null())
        if column.dtype == pl.Float64 and not column.nullable:
            asked.append(value.is_nan())
        if allowed or (template and column.codes):
            asked.append(value.is_not_null() & ~value.is_in([*allowed, None]))
        if column.least is not None:
            asked.append(value < column.least)
    return pl.any_horizontal(one.any() for one in asked) if asked else pl.lit(value=False)


def holds(contract: Contract, table: pl.DataFrame, template: Template | None) -> bool:
    """Return whether a table is certain to be as a contract says; its columns are in order."""
    broken = _broken(contract, template)
    types = [column.dtype for column in columns(contract)]
    return broken is not None and table.dtypes == types and not table.select(broken).item()


@cache
def columns(contract: Contract) -> tuple[Column, ...]:
    """Return the columns of a contract, in order."""
    return tuple(
        Column(
            name=name,
            dtype=spec.dtype.type.base_type(),
            description=spec.description or "",
            nullable=spec.nullable,
            **(spec.metadata or {}),
        )
        for name, spec in _schema(contract).columns.items()
    )


def keys(contract: Contract) -> list[str]:
    """Return the names of the key columns, in order."""
    return [column.name for column in columns(contract) if column.key]


def description(contract: Contract) -> str:
    """Return the contract's own description: its docstring, on one line."""
    return " ".join((contract.__doc__ or "").split())


def empty(contract: Contract) -> pl.DataFrame:
    """Return a frame of the contract's columns without rows."""
    return pl.DataFrame(schema={column.name: column.dtype for column in columns(contract)})


def arrow_schema(contract: Contract) -> pyarrow.Schema:
    """Return the Arrow schema, each field with its description and unit."""
    return pyarrow.schema(
        pyarrow.field(
            column.name,
            _ARROW_TYPES[column.dtype],
            nullable=column.nullable,
            metadata={"description": column.description, "unit": column.unit},
        )
        for column in columns(contract)
    )


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
    return template if any(column.codes for column in columns(contract)) else None


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
    names = [column.name for column in columns(contract)]
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ContractError(f"{contract.__name__} lacks the columns {', '.join(missing)}")
    order = keys(contract) + [name for name in names if name not in keys(contract)]
    ordered = frame.select(names).sort(order, nulls_last=False, maintain_order=True)
    if holds(contract, ordered, template):
        known_to_conform(contract, ordered, template)
        return ordered
    try:
        held = _schema(contract, template).validate(ordered, lazy=True)
    except SchemaErrors as error:
        # Neither the values nor the cause: this is logged and sent, and could quote a return.
        cases = error.failure_cases
        broken = cases.select("column", "check").unique(maintain_order=True).head(5).to_dicts()
        raise ContractError(
            f"{contract.__name__} breaks its contract in {plural(cases.height, 'case')}; first of"
            f" them: {broken}. This is a fault of the program; report it."
        ) from None
    known_to_conform(contract, held, template)
    return held
