"""A blocked release says in one line what to do."""

from pathlib import Path

import pytest

from assets.release.gate.outcome import GateResult, Label, Outcome, write_page
from assets.release.gate.suites import Expectation
from schemas.collection import Collection


def _outcome(label: Label, observed: str, *samples: dict[str, str]) -> Outcome:
    expected = Expectation("expect_something", {"column": "n"}, "Values must be at least 0.")
    return Outcome("cells", expected, label, observed, samples)


def _result(*outcomes: Outcome) -> GateResult:
    return GateResult(outcomes, Path("quality/index.html"))


FAILED = _outcome("not met", "1 of 3 rows breaks this", {"n": "-1", "force_code": "STF"})
CRASHED = _outcome("not checked", "no such column")


def test_the_line_names_mart_column_expected_observed_row_and_next_step() -> None:
    assert _result(FAILED).blocking_line == (
        'Not released: cells, column n: expected "Values must be at least 0."; 1 of 3 rows breaks'
        " this, the first is n -1, force_code STF. What analysts see stays as it is. Next: mend"
        " what this was made from, or report it as a fault of Muster, and run again; see"
        " quality/index.html."
    )


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (0, "more"),
        (1, " 1 more expectation blocks it too."),
        (2, " 2 more expectations block it too."),
    ],
)
def test_the_others_are_counted(others: int, told: str) -> None:
    line = _result(*[FAILED] * (others + 1)).blocking_line
    assert (told in line) == bool(others)


def test_what_is_not_met_is_told_before_what_could_not_be_checked() -> None:
    """A column of the wrong type makes its other expectations crash; the type is the cause."""
    assert "1 of 3 rows" in _result(CRASHED, FAILED).blocking_line


def test_whatever_stands_in_a_mart_the_line_stays_one_line_of_readable_length() -> None:
    long = _outcome("not met", "found\nthis", {"n": "\x1b[2J" + "long\r\n" * 999})
    line = _result(long).blocking_line
    assert line.isprintable()
    assert len(line) < 700


def test_the_check_shows_every_reason() -> None:
    shown = _result(FAILED, CRASHED).metadata()
    assert (shown["expectations"], shown["marts"], shown["blocking"], shown["warnings"]) == (
        2,
        1,
        2,
        0,
    )
    assert [line.partition(";")[0] for line in shown["blocked_by"]] == [
        'cells, column n: expected "Values must be at least 0."',
        'cells, column n: could not check "Values must be at least 0." (no such column)',
    ]


def test_the_page_shows_the_first_rows_that_break_an_expectation_as_rows(
    tmp_path: Path, collection: Collection
) -> None:
    samples = ({"n": "-1", "force_code": "STF"}, {"n": "-2", "force_code": "a<b\x1b"})
    outcomes = _outcome("not met", "2 of 3 rows break this", *samples), CRASHED
    about = {"release": "r-1", "sources": "returns", "basis": "submitted"}
    write_page(GateResult(outcomes, tmp_path / "index.html"), collection, about)
    _, table, *more = (tmp_path / "index.html").read_text().split("<caption>")[1:]
    assert "cells, column n: the first rows that break &#34;Values must be at least 0&#34;" in table
    assert '<th scope="col">n</th><th scope="col">force_code</th>' in table
    assert '<th scope="row">-1</th><td>STF</td>' in table
    assert '<th scope="row">-2</th><td>a&lt;b\\x1b</td>' in table
    assert len(more) == 1, "what came of every expectation names none of them again"
    assert "STF" not in more[0]
