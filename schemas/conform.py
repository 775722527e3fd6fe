"""Holds a table to its contract.

Pandera asks each column for itself, which takes longer than making most tables, and so does loading
it: it is asked where a table does not hold, and says what is wrong.
"""

from functools import cache

import polars as pl

from schemas.contract import Contract, keys
from schemas.errors import ContractError
from schemas.template import Template
from schemas.wording import plural


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


def conform(
    contract: Contract, frame: pl.DataFrame, template: Template | None = None
) -> pl.DataFrame:
    """Return the frame in the contract's column order, sorted by all its columns, keys first.

    Columns that the contract does not have are left out; without a template any code may stand in
    it.

    Raises:
        ContractError: a column is missing or of another type, a key stands twice, or a value is
            outside what the contract allows.
    """
    names = [column.name for column in contract.columns]
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ContractError(f"{contract.name} lacks the columns {', '.join(missing)}")
    order = keys(contract) + [name for name in names if name not in keys(contract)]
    ordered = frame.select(names).sort(order, nulls_last=False, maintain_order=True)
    if holds(contract, ordered, template):
        return ordered
    from schemas.checking import broken  # noqa: PLC0415 (pandera)

    cases = broken(contract, ordered, template)
    # Not the values: this is logged and sent, and could quote a return.
    first = cases.select("column", "check").unique(maintain_order=True).head(5).to_dicts()
    raise ContractError(
        f"{contract.name} breaks its contract in {plural(cases.height, 'case')}; first of them:"
        f" {first}. This is a fault of the program; report it."
    )
