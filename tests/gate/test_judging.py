"""What was not evaluated is never taken for met."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from assets.release.gate.evaluate import outcome
from assets.release.gate.outcome import GateResult, outcomes
from assets.release.gate.suites import Expectation


def _crashed(message: str) -> dict[str, Any]:
    return {"raised_exception": True, "exception_traceback": "", "exception_message": message}


def _result(info: dict[str, Any], *, success: bool) -> SimpleNamespace:
    return SimpleNamespace(success=success, result={}, exception_info=info)


def test_what_gave_no_result_or_crashed_is_not_evaluated_and_blocks() -> None:
    """One that the library left out would else pass unseen, or one that claims success."""
    never_null = Expectation("expect_something", {"column": "n"}, "Never null.", "warning")
    crashed = _result(_crashed("No such\ncolumn."), success=True)
    for result, why in ((None, "it gave no result"), (crashed, "No such column")):
        told = outcome({"column": "n"}, result)
        found = GateResult(outcomes({"cells": (never_null,)}, {"cells": {0: told}}), Path())
        assert [(one.label, one.observed) for one in found.critical] == [("not checked", why)]


def test_of_several_crashes_always_the_same_is_told() -> None:
    """The library lists them by metric, in the order of a set."""
    told = set()
    for order in (("one", "two"), ("two", "one")):
        info = {message: _crashed(message) for message in order}
        told.add(outcome({}, _result(info, success=False))[1])
    assert told == {"one"}
