"""What a mart must satisfy before it is released: derived from its contract and its collection."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pyarrow

from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.contract import Column, Contract, arrow_schema, columns, keys
from schemas.errors import ContractError
from schemas.wording import plural

Severity = Literal["critical", "warning"]

_PATTERNS: Final = {
    "hash": (r"^[0-9a-f]{64}$", "a SHA-256 in lower-case hexadecimal"),
    "time": (
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$",
        "an ISO 8601 time with its offset from UTC",
    ),
}
"""How a text of a unit is written."""

_INCLUDED, _EXPECTED = "forces_included", "forces_expected"
_LARGEST: Final = sys.float_info.max
_AT_LEAST: Final = "greater_than_or_equal_to"
_TRANSLATED: Final = {"isin", _AT_LEAST}


@dataclass(frozen=True)
class Expectation:
    """One expectation of a mart: a type of Great Expectations, its arguments, and it in words.

    A critical one blocks the release where it is not met, a warning does not. The words do not
    name the column; what they quote stands between backticks.
    """

    type: str
    arguments: Mapping[str, Any] = field(hash=False)
    words: str
    severity: Severity = "critical"

    @property
    def column(self) -> str | None:
        """The column it is about; None where it is about several or the whole mart."""
        column: str | None = self.arguments.get("column")
        return column


Suite = tuple[Expectation, ...]


def suite(name: str, contract: Contract, collection: Collection) -> Suite:
    """Return all expectations of a mart: of the whole, then column by column, then its own.

    Args:
        name: the mart.
        contract: its contract.
        collection: the collection, which says which forces, codes and figures are expected.

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
    """Return what pandas calls a column of an Arrow type, as a mart is read to be evaluated."""
    return "string" if dtype == pyarrow.string() else f"{dtype}[pyarrow]"


def _of_the_table(contract: Contract, collection: Collection) -> Iterator[Expectation]:
    names, key = [column.name for column in columns(contract)], keys(contract)
    words = f"Must have the {len(names)} columns of its contract, in that order."
    yield Expectation("expect_table_columns_to_match_ordered_list", {"column_list": names}, words)
    if len(key) == 1:
        unique = {"column": key[0]}
        yield Expectation("expect_column_values_to_be_unique", unique, "Values must be unique.")
    elif key:
        # A null in a key is a value like any other, so no row is left out.
        compound = {"column_list": key, "ignore_row_if": "never"}
        words = f"No two rows may have the same {_quoted(key)}."
        yield Expectation("expect_compound_columns_to_be_unique", compound, words)
    if key == ["force_code"]:
        rows = len(collection.forces)
        words = f"Must have {plural(rows, 'row')}, one for each expected force."
        yield Expectation("expect_table_row_count_to_equal", {"value": rows}, words)
    if {_INCLUDED, _EXPECTED} <= set(names):
        pair = {"column_A": _EXPECTED, "column_B": _INCLUDED, "or_equal": True}
        # A null is told by the column's own expectation; here it could only crash.
        pair |= {"ignore_row_if": "either_value_is_missing"}
        words = f"`{_EXPECTED}` must be at least `{_INCLUDED}`."
        yield Expectation("expect_column_pair_values_a_to_be_greater_than_b", pair, words)


def _of_a_column(
    contract: Contract, column: Column, collection: Collection
) -> Iterator[Expectation]:
    on = {"column": column.name}
    dtype = pandas_name(arrow_schema(contract).field(column.name).type)
    words = f"Must be of type {column.type_name}."
    yield Expectation("expect_column_type_to_be", {**on, "type_": dtype}, words)
    if not column.nullable:
        words = "Values must never be null."
        yield Expectation("expect_column_values_to_not_be_null", on, words)
    codes = column.allowed_in(collection.template)
    if allowed := collection.forces if column.name == "force_code" else codes:
        words = f"Values must be one of {_quoted(allowed)}."
        yield _in_set(column.name, allowed, words)
    if column.unit in _PATTERNS:
        regex, words = _PATTERNS[column.unit]
        matched = {**on, "regex": regex}
        yield Expectation("expect_column_values_to_match_regex", matched, f"Must be {words}.")
    minimum = _minimum(contract, column)
    if column.type_name in {"int64", "float64"}:
        yield from _of_a_number(column, minimum, collection)


def _of_a_number(
    column: Column, minimum: float | None, collection: Collection
) -> Iterator[Expectation]:
    """Bound a number as its contract and its unit do.

    A float is bounded on both sides always: else one that is infinite or no number goes unseen.
    """
    maximum = _maxima(collection).get(column.unit)
    if minimum is None and maximum is not None:
        minimum = 0
    if maximum is not None:
        words = f"Values must be from `{minimum:g}` to `{maximum:g}`."
    else:
        kind = "finite numbers" if column.type_name == "float64" else "numbers"
        words = f"Values must be {kind}{'' if minimum is None else f' of at least `{minimum:g}`'}."
    if column.type_name == "float64" and maximum is None:
        minimum, maximum = -_LARGEST if minimum is None else minimum, _LARGEST
    if minimum is not None or maximum is not None:
        bounds = {"column": column.name, "min_value": minimum, "max_value": maximum}
        yield Expectation("expect_column_values_to_be_between", bounds, words)


def _maxima(collection: Collection) -> dict[str, float]:
    """Return the largest number of each unit that has one; the smallest of these is 0."""
    return {"percent": 100, "probability": 1, "forces": len(collection.forces)}


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


def _national_totals(collection: Collection) -> Suite:
    bounded = (
        Expectation(
            "expect_column_values_to_be_between",
            {"column": "value", "min_value": 0, "max_value": maximum, **_where("unit", unit)},
            f"Where `unit` is `{unit}`: values must be from `0` to `{maximum:g}`.",
        )
        for unit, maximum in _maxima(collection).items()
    )
    waits = "No total waits for an open query."
    return (*bounded, _in_set("provisional", [False], waits, "warning"))


def _national_checks(_: Collection) -> Suite:
    words = "No rule on the totals that blocks a release has failed."
    note = "No rule on the totals that is only told has failed."
    return (
        _in_set("passed", [True], words, **_where("severity", "B")),
        _in_set("passed", [True], note, "warning", **_where("severity", "N")),
    )


def _returns_status(_: Collection) -> Suite:
    words = "The return of every expected force is in the totals."
    return (_in_set("state", v.LIVE_STATES, words, "warning"),)


def _reconciliation(collection: Collection) -> Suite:
    figures = collection.published_figures.height
    agreeing = [status for status in v.RECONCILIATION_STATUSES if status != "differs"]
    words = "No computed figure differs from the published one."
    return (
        Expectation(
            "expect_table_row_count_to_be_between",
            {"min_value": figures},
            f"Must have at least {plural(figures, 'row')}, one for each published figure.",
        ),
        _in_set("status", agreeing, words, "warning"),
    )


PARTICULAR: Final[dict[str, Callable[[Collection], Suite]]] = {
    "national_totals": _national_totals,
    "national_checks": _national_checks,
    "returns_status": _returns_status,
    "reconciliation": _reconciliation,
}
"""What is expected of some marts that no contract can say, by name."""


def _in_set(
    column: str, values: Iterable[Any], words: str, severity: Severity = "critical", **more: Any
) -> Expectation:
    arguments = {"column": column, "value_set": list(values), **more}
    return Expectation("expect_column_values_to_be_in_set", arguments, words, severity)


def _where(column: str, code: str) -> dict[str, Any]:
    """Return the argument by which an expectation looks only at rows with a code in a column."""
    condition = {"type": "comparison", "column": {"name": column}, "operator": "=="}
    return {"row_condition": {**condition, "parameter": code}}


def _quoted(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in codes)
