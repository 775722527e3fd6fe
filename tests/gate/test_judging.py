"""What was not evaluated is never taken for met."""

from dataclasses import dataclass
from typing import Any

from assets.gate.evaluate import outcome
from assets.gate.suites import Expectation

NEVER_NULL = Expectation(
    "expect_column_values_to_not_be_null", {"column": "n"}, "Values must never be null.", "warning"
)


@dataclass
class _Result:
    success: bool
    result: dict[str, Any]
    exception_info: dict[str, Any]


def _crashed(message: str) -> dict[str, Any]:
    return {"raised_exception": True, "exception_traceback": "", "exception_message": message}


def test_an_expectation_that_gave_no_result_blocks() -> None:
    """One that the library left out would else pass unseen."""
    missed = outcome("cells", NEVER_NULL, None)
    assert (missed.status, missed.observed) == ("not_evaluated", "it gave no result")
    assert missed.blocks


def test_a_crash_blocks_even_where_success_is_claimed() -> None:
    crashed = outcome("cells", NEVER_NULL, _Result(True, {}, _crashed("No such\ncolumn.")))
    assert (crashed.status, crashed.observed) == ("not_evaluated", "No such column")
    assert crashed.blocks


def test_of_several_crashes_always_the_same_is_told() -> None:
    """The library lists them by metric, in the order of a set."""
    told = set()
    for order in (("one", "two"), ("two", "one")):
        info = {message: _crashed(message) for message in order}
        told.add(outcome("cells", NEVER_NULL, _Result(False, {}, info)).observed)
    assert told == {"one"}
