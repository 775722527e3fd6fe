"""What a mart must satisfy before it is released: derived from its contract and its collection."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pyarrow

from assets.marts import arrow_schema
from schemas import vocabulary as v
from schemas.collection import Collection
from schemas.contract import Column, Contract, keys
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


@dataclass(frozen=True)
class Expectation:
    """One expectation of a mart: a type of Great Expectations, its arguments, and it in words.

    A critical one blocks the release where it is not met, a warning does not. The words do not
    name the column.
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

    The collection says which forces, codes and figures are expected.
    """
    derived = list(_of_the_table(contract, collection))
    for column in contract.columns:
        derived += _of_a_column(contract, column, collection)
    return (*derived, *particular(collection).get(name, ()))


def particular(collection: Collection) -> dict[str, Suite]:
    """Return what is expected of some marts that no contract can say, by name."""
    figures = collection.published_figures.height
    agreeing = [status for status in v.RECONCILIATION_STATUSES if status != "differs"]
    of_units = []
    for unit, most in _maxima(collection).items():
        words = f"Where unit is {unit}: values must be from 0 to {most:g}."
        bounds = {"column": "value", "min_value": 0, "max_value": most, **_where("unit", unit)}
        of_units.append(_expect("column_values_to_be_between", words, bounds))
    waits = "No total waits for an open query."
    tells = "No rule on the totals has failed that is only told."
    included = "The return of every expected force is in the totals."
    rows = f"Must have at least {plural(figures, 'row')}, one for each published figure."
    agrees = "No computed figure differs from the published one."
    return {
        "national_totals": (*of_units, _in_set("provisional", [False], waits, "warning")),
        "cube": tuple(of_units),
        # One that blocks a release has done so by then.
        "national_checks": (_in_set("passed", [True], tells, "warning"),),
        "returns_status": (_in_set("state", v.LIVE_STATES, included, "warning"),),
        "reconciliation": (
            _expect("table_row_count_to_be_between", rows, {"min_value": figures}),
            _in_set("status", agreeing, agrees, "warning"),
        ),
    }


def _of_the_table(contract: Contract, collection: Collection) -> Iterator[Expectation]:
    names, key = [column.name for column in contract.columns], keys(contract)
    words = f"Must have the {len(names)} columns of its contract, in that order."
    yield _expect("table_columns_to_match_ordered_list", words, {"column_list": names})
    if len(key) == 1:
        yield _expect("column_values_to_be_unique", "Values must be unique.", {"column": key[0]})
    elif key:
        # A null in a key is a value like any other, so no row is left out.
        words = f"No two rows may have the same {', '.join(key)}."
        on = {"column_list": key, "ignore_row_if": "never"}
        yield _expect("compound_columns_to_be_unique", words, on)
    if key == ["force_code"]:
        rows = len(collection.forces)
        words = f"Must have {plural(rows, 'row')}, one for each expected force."
        yield _expect("table_row_count_to_equal", words, {"value": rows})
    if {_INCLUDED, _EXPECTED} <= set(names):
        pair = {"column_A": _EXPECTED, "column_B": _INCLUDED, "or_equal": True}
        # A null is told by the column's own expectation; here it could only crash.
        pair |= {"ignore_row_if": "either_value_is_missing"}
        words = f"{_EXPECTED} must be at least {_INCLUDED}."
        yield _expect("column_pair_values_a_to_be_greater_than_b", words, pair)


def _of_a_column(
    contract: Contract, column: Column, collection: Collection
) -> Iterator[Expectation]:
    on = {"column": column.name}
    dtype = arrow_schema(contract).field(column.name).type
    # As a mart is read to be evaluated: text can be named only as pandas' own.
    named = "string" if dtype == pyarrow.string() else f"{dtype}[pyarrow]"
    words = f"Must be of type {column.type_name}."
    yield _expect("column_type_to_be", words, {**on, "type_": named})
    if not column.nullable:
        yield _expect("column_values_to_not_be_null", "Values must never be null.", on)
    codes = column.allowed_in(collection.template)
    if allowed := collection.forces if column.name == "force_code" else codes:
        yield _in_set(column.name, allowed, f"Values must be one of {', '.join(allowed)}.")
    if column.unit in _PATTERNS:
        regex, words = _PATTERNS[column.unit]
        yield _expect("column_values_to_match_regex", f"Must be {words}.", {**on, "regex": regex})
    minimum, maximum = column.least, _maxima(collection).get(column.unit)
    if column.type_name in {"int64", "float64"}:
        yield from _between(column, minimum, maximum)


def _between(column: Column, minimum: float | None, maximum: float | None) -> Iterator[Expectation]:
    """Bound a number as its contract and its unit do.

    A float is bounded on both sides always: else one that is infinite or no number goes unseen.
    """
    if maximum is not None:
        minimum = minimum or 0
        words = f"Values must be from {minimum:g} to {maximum:g}."
    else:
        kind = "finite numbers" if column.type_name == "float64" else "numbers"
        words = f"Values must be {kind}{'' if minimum is None else f' of at least {minimum:g}'}."
        if column.type_name == "float64":
            minimum, maximum = -_LARGEST if minimum is None else minimum, _LARGEST
    if minimum is not None or maximum is not None:
        bounds = {"column": column.name, "min_value": minimum, "max_value": maximum}
        yield _expect("column_values_to_be_between", words, bounds)


def _maxima(collection: Collection) -> dict[str, float]:
    """Return the largest number of each unit that has one; the smallest of these is 0."""
    return {"percent": 100, "probability": 1, "forces": len(collection.forces)}


def _expect(
    kind: str, words: str, arguments: Mapping[str, Any], severity: Severity = "critical"
) -> Expectation:
    return Expectation(f"expect_{kind}", arguments, words, severity)


def _in_set(
    column: str, values: Iterable[Any], words: str, severity: Severity = "critical", **more: Any
) -> Expectation:
    told = {"column": column, "value_set": list(values), **more}
    return _expect("column_values_to_be_in_set", words, told, severity)


def _where(column: str, code: str) -> dict[str, Any]:
    """Return the argument by which an expectation looks only at rows with a code in a column."""
    condition = {"type": "comparison", "column": {"name": column}, "operator": "=="}
    return {"row_condition": {**condition, "parameter": code}}
