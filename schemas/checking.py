"""Pandera for polars, loaded without pandas and hypothesis.

Pandera loads either wherever it is installed, which takes longer than all else of it; and nothing
here validates a table of pandas, or makes one up.
"""

import polars as pl  # before, as it looks for pandas itself and remembers what it finds

from schemas.contract import Contract, keys
from schemas.lean import without
from schemas.template import Template

with without(absent=("pandas", "hypothesis")):
    import pandera.polars as pa
    from pandera.errors import SchemaErrors

    # What it looks for when it first validates a table it then remembers, too.
    pa.DataFrameSchema({"one": pa.Column(int, pa.Check.ge(1))}).validate(pl.DataFrame({"one": [1]}))

__all__ = ["SchemaErrors", "pa"]


def schema_of(contract: Contract, template: Template | None = None) -> pa.DataFrameSchema:
    """Return pandera's schema of a contract."""
    found = {}
    for column in contract.columns:
        allowed, least = column.allowed_in(template), column.least
        checks = [] if allowed is None else [pa.Check.isin(list(allowed))]
        checks += [] if least is None else [pa.Check.ge(least)]
        found[column.name] = pa.Column(column.dtype, checks, nullable=column.nullable)
    return pa.DataFrameSchema(found, strict=True, ordered=True, unique=keys(contract) or None)


def broken(contract: Contract, table: pl.DataFrame, template: Template | None) -> pl.DataFrame:
    """Return the cases in which a table breaks a contract, as pandera finds them."""
    try:
        schema_of(contract, template).validate(table, lazy=True)
    except SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
        return cases
    return pl.DataFrame(schema={"column": pl.String, "check": pl.String})
