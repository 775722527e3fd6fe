"""What a mart must satisfy before it is released, derived from its contract.

Belongs here: how a contract becomes expectations. Does not: any column, type or code, which stand
in the contracts, or what one mart alone must satisfy (particular.py).
"""

import sys
from collections.abc import Iterator
from typing import Final

import pyarrow

from assets.gate.expectation import Expectation, Suite
from assets.gate.particular import PARTICULAR, maxima
from schemas.collection import Collection
from schemas.contract import Column, Contract, arrow_schema, columns, keys
from schemas.errors import ContractError

_PATTERNS: Final = {
    "hash": r"^[0-9a-f]{64}$",
    "time": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$",
}
"""How a text of a unit is written: SHA-256 in hexadecimal; ISO 8601 with the offset from UTC."""

_INCLUDED, _EXPECTED = "forces_included", "forces_expected"
_LARGEST: Final = sys.float_info.max


def suite(name: str, contract: Contract, collection: Collection) -> Suite:
    """Return all expectations of a mart: of the whole, then column by column, then its own.

    Args:
        name: the mart.
        contract: its contract.
        collection: the collection, which says which forces and figures are expected.

    Raises:
        ContractError: the contract has a check that no expectation is derived from.
    """
    derived = [*_of_the_table(contract, collection)]
    for column in columns(contract):
        derived += _of_a_column(contract, column, collection)
    if name in PARTICULAR:
        derived += PARTICULAR[name](collection)
    return tuple(derived)


def pandas_name(dtype: pyarrow.DataType) -> str:
    """Return what pandas calls a column of an Arrow type, as engine.py reads it."""
    return "string" if dtype == pyarrow.string() else f"{dtype}[pyarrow]"


def _of_the_table(contract: Contract, collection: Collection) -> Iterator[Expectation]:
    names, key = [column.name for column in columns(contract)], keys(contract)
    words = f"Must have the {len(names)} columns of its contract, in that order."
    listed = {"column_list": names}
    yield Expectation("expect_table_columns_to_match_ordered_list", listed, words=words)
    if len(key) == 1:
        yield Expectation("expect_column_values_to_be_unique", {"column": key[0]})
    elif key:
        # A null in a key is a value like any other, so no row is left out.
        unique = {"column_list": key, "ignore_row_if": "never"}
        yield Expectation("expect_compound_columns_to_be_unique", unique)
    if key == ["force_code"]:
        yield Expectation("expect_table_row_count_to_equal", {"value": len(collection.forces)})
    if {_INCLUDED, _EXPECTED} <= set(names):
        pair = {"column_A": _EXPECTED, "column_B": _INCLUDED, "or_equal": True}
        # A null is told by the column's own expectation; here it could only crash.
        pair |= {"ignore_row_if": "either_value_is_missing"}
        yield Expectation("expect_column_pair_values_a_to_be_greater_than_b", pair)


def _of_a_column(
    contract: Contract, column: Column, collection: Collection
) -> Iterator[Expectation]:
    on = {"column": column.name}
    dtype = pandas_name(arrow_schema(contract).field(column.name).type)
    words = f"Must be of type {column.type_name}."
    yield Expectation("expect_column_type_to_be", {**on, "type_": dtype}, words=words)
    if not column.nullable:
        yield Expectation("expect_column_values_to_not_be_null", on)
    allowed = (
        collection.forces if column.name == "force_code" else column.allowed_in(collection.template)
    )
    if allowed:
        yield Expectation("expect_column_values_to_be_in_set", {**on, "value_set": list(allowed)})
    if column.unit in _PATTERNS:
        pattern = {**on, "regex": _PATTERNS[column.unit]}
        yield Expectation("expect_column_values_to_match_regex", pattern)
    minimum = _minimum(contract, column)
    if column.type_name in {"int64", "float64"}:
        yield from _of_a_number(column, minimum, collection)


def _of_a_number(
    column: Column, minimum: float | None, collection: Collection
) -> Iterator[Expectation]:
    """Bound a number as its contract and its unit do.

    A float is bounded on both sides always: else one that is infinite or no number goes unseen.
    """
    maximum = maxima(collection).get(column.unit)
    if minimum is None and maximum is not None:
        minimum = 0
    words = None
    if column.type_name == "float64" and maximum is None:
        at_least = "" if minimum is None else f" of at least {minimum:g}"
        words = f"Values must be finite numbers{at_least}."
        minimum, maximum = -_LARGEST if minimum is None else minimum, _LARGEST
    if minimum is not None or maximum is not None:
        bounds = {"column": column.name, "min_value": minimum, "max_value": maximum}
        yield Expectation("expect_column_values_to_be_between", bounds, words=words)


def _minimum(contract: Contract, column: Column) -> float | None:
    """Return the smallest number the contract lets a column hold, None for any."""
    schema = contract.to_schema()
    checks = {check.name: check.statistics for check in schema.columns[column.name].checks}
    unknown = [*schema.checks, *(name for name in checks if name not in _TRANSLATED)]
    if unknown:
        raise ContractError(
            f"no expectation is derived from {unknown} of {contract.__name__}.{column.name}."
            " Derive one in assets/gate/suites.py."
        )
    minimum: float | None = checks.get(_AT_LEAST, {}).get("min_value")
    return minimum


_AT_LEAST: Final = "greater_than_or_equal_to"
_TRANSLATED: Final = {"isin", _AT_LEAST}
