"""What is expected of one mart alone, beyond its contract, and what is worth a warning.

Belongs here: what no contract can say. Does not: columns, types, codes and keys (suites.py).
"""

from collections.abc import Callable
from typing import Any, Final

from assets.gate.expectation import Expectation, Severity, Suite, where
from schemas import vocabulary as v
from schemas.collection import Collection


def maxima(collection: Collection) -> dict[str, float]:
    """Return the largest number of each unit that has one; the smallest of these is 0."""
    return {"percent": 100, "probability": 1, "forces": len(collection.forces)}


def _national_totals(collection: Collection) -> Suite:
    bounded = (
        {"column": "value", "min_value": 0, "max_value": maximum, **where("unit", unit)}
        for unit, maximum in maxima(collection).items()
    )
    return (
        *(Expectation("expect_column_values_to_be_between", bounds) for bounds in bounded),
        _only("provisional", [False], "No total waits for an open query.", "warning"),
    )


def _national_checks(_: Collection) -> Suite:
    words = "No rule on the totals that blocks a release has failed."
    note = "No rule on the totals that is only told has failed."
    return (
        _only("passed", [True], words, "critical", **where("severity", "B")),
        _only("passed", [True], note, "warning", **where("severity", "N")),
    )


def _returns_status(_: Collection) -> Suite:
    words = "The return of every expected force is in the totals."
    return (_only("state", list(v.LIVE_STATES), words, "warning"),)


def _reconciliation(collection: Collection) -> Suite:
    figures = collection.published_figures.height
    agreeing = [status for status in v.RECONCILIATION_STATUSES if status != "differs"]
    words = "No computed figure differs from the published one."
    return (
        Expectation("expect_table_row_count_to_be_between", {"min_value": figures}),
        _only("status", agreeing, words, "warning"),
    )


def _only(
    column: str, values: list[Any], words: str, severity: Severity, **more: Any
) -> Expectation:
    arguments = {"column": column, "value_set": values, **more}
    return Expectation("expect_column_values_to_be_in_set", arguments, severity, words)


PARTICULAR: Final[dict[str, Callable[[Collection], Suite]]] = {
    "national_totals": _national_totals,
    "national_checks": _national_checks,
    "returns_status": _returns_status,
    "reconciliation": _reconciliation,
}
"""What is expected of some marts, by name."""
