"""What is wrong in a mart is caught before it is released, and the page loads nothing.

The only module of the default tests that loads Great Expectations on its own.
"""

import re
import socket
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
from typing import Any

import pyarrow
import pytest

from assets.release.gate.outcome import GateResult
from assets.release.gate.suites import Expectation, suite
from schemas.collection import Collection
from schemas.marts import MARTS
from tests.gate.gated import run_gate
from tests.gate.sound import put, sound_mart, twice, write_mart

ABOUT = {
    "release": "2012-revisit-0123456789ab",
    "collection": "2012-revisit",
    "sources": "returns of the forces",
    "basis": "reconstructed: made so that the published totals hold",
}
Change = Callable[[pyarrow.Table], pyarrow.Table]
Gate = Callable[[str, Change], GateResult]


@dataclass(frozen=True)
class Broken:
    """A mart, what is done to it, and the expectation that must catch it."""

    mart: str
    change: Change
    type: str
    column: str | None = None


def _set(**values: Any) -> Change:
    return lambda table: put(table, **values)


_NULL, _SET = "expect_column_values_to_not_be_null", "expect_column_values_to_be_in_set"
_BETWEEN, _TYPE = "expect_column_values_to_be_between", "expect_column_type_to_be"
_COLUMNS, _REGEX = (
    "expect_table_columns_to_match_ordered_list",
    "expect_column_values_to_match_regex",
)
_COMPOUND, _UNIQUE = "expect_compound_columns_to_be_unique", "expect_column_values_to_be_unique"
_PAIR = "expect_column_pair_values_a_to_be_greater_than_b"
_ROWS, _AT_LEAST = "expect_table_row_count_to_equal", "expect_table_row_count_to_be_between"

BROKEN = {
    "null in a key": Broken("outcome_breakdown", _set(category=None), _NULL, "category"),
    "null in a value": Broken("outcome_breakdown", _set(cases=None), _NULL, "cases"),
    "key twice": Broken("outcome_breakdown", twice, _COMPOUND),
    "key with a null twice": Broken(
        "investigations", lambda table: twice(put(table, media=None)), _COMPOUND
    ),
    "single key twice": Broken("reconciliation", twice, _UNIQUE, "figure_id"),
    "unknown code": Broken("outcome_breakdown", _set(outcome="vanished"), _SET, "outcome"),
    "unknown force": Broken("second_jobs", _set(force_code="XXX"), _SET, "force_code"),
    "negative count": Broken("outcome_breakdown", _set(cases=-1), _BETWEEN, "cases"),
    "NaN": Broken("comparisons", _set(ratio=nan), _BETWEEN, "ratio"),
    "infinite": Broken("distribution", _set(value=inf), _BETWEEN, "value"),
    "minus infinite": Broken("distribution", _set(value=-inf), _BETWEEN, "value"),
    "NaN in a share": Broken("outcome_breakdown", _set(share=nan), _BETWEEN, "share"),
    "share of 101": Broken("outcome_breakdown", _set(share=101.0), _BETWEEN, "share"),
    "share below 0": Broken("outcome_breakdown", _set(share=-0.1), _BETWEEN, "share"),
    "total share of 101": Broken(
        "national_totals", _set(unit="percent", value=101.0), _BETWEEN, "value"
    ),
    "more forces than there are": Broken(
        "capability_adoption", _set(forces=45), _BETWEEN, "forces"
    ),
    "more in than expected": Broken(
        "national_totals", _set(forces_included=44, forces_expected=43), _PAIR
    ),
    "float for a whole number": Broken(
        "outcome_breakdown", _set(cases=1.0, dtype=pyarrow.float64()), _TYPE, "cases"
    ),
    "other kind of text": Broken(
        "outcome_breakdown", _set(category="other", dtype=pyarrow.large_string()), _TYPE, "category"
    ),
    "number of fewer bits": Broken(
        "outcome_breakdown", _set(cases=1, dtype=pyarrow.int32()), _TYPE, "cases"
    ),
    "column lost": Broken(
        "outcome_breakdown", lambda table: table.drop_columns(["share"]), _COLUMNS
    ),
    "column more": Broken(
        "outcome_breakdown", lambda table: table.append_column("note", table["share"]), _COLUMNS
    ),
    "columns in another order": Broken(
        "outcome_breakdown", lambda table: table.select(table.column_names[::-1]), _COLUMNS
    ),
    "force without a row": Broken("returns_status", lambda table: table[1:], _ROWS),
    "published figure without a row": Broken("reconciliation", lambda table: table[1:], _AT_LEAST),
    "no hash": Broken("returns_status", _set(sha256="A" * 64), _REGEX, "sha256"),
    "no time": Broken("returns_status", _set(received_at="1 July 2012"), _REGEX, "received_at"),
}

WARNED = {
    "open query": Broken("national_totals", _set(provisional=True), _SET, "provisional"),
    "force not in": Broken("returns_status", _set(state="missing"), _SET, "state"),
    "figure that differs": Broken("reconciliation", _set(status="differs"), _SET, "status"),
    "rule that is told": Broken(
        "national_checks", _set(severity="N", passed=False), _SET, "passed"
    ),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, collection: Collection) -> Path:
    folder = tmp_path_factory.mktemp("marts")
    for name, contract in MARTS.items():
        write_mart(folder, name, sound_mart(name, contract, collection))
    return folder


@pytest.fixture(scope="module")
def passed(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, collection: Collection
) -> GateResult:
    shown = warnings.showwarning
    found = run_gate(sound, collection, tmp_path_factory.mktemp("docs"), ABOUT)
    # On import the library sends every warning of the process to its log.
    assert warnings.showwarning is shown
    return found


@pytest.fixture
def gate(tmp_path: Path, collection: Collection) -> Gate:
    """Return a function that changes one mart and gives what the gate says of it alone."""

    def run(name: str, change: Change) -> GateResult:
        table = change(sound_mart(name, MARTS[name], collection))
        write_mart(tmp_path, name, table)
        return run_gate(tmp_path, collection, tmp_path / "docs", ABOUT, {name: MARTS[name]})

    return run


def test_marts_that_are_as_they_should_be_pass(passed: GateResult, collection: Collection) -> None:
    assert passed.critical == passed.warnings == []
    assert passed.marts == list(MARTS)
    suites = sum(len(suite(name, contract, collection)) for name, contract in MARTS.items())
    assert len(passed.outcomes) == suites


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_is_caught_and_blocks(broken: Broken, gate: Gate) -> None:
    result = gate(broken.mart, broken.change)
    assert result.critical
    failed = {
        (outcome.expectation.type, outcome.expectation.column)
        for outcome in result.outcomes
        if outcome.label == "not met"
    }
    assert (broken.type, broken.column) in failed
    line = result.blocking_line
    assert "\n" not in line
    assert line.startswith(f"Not released: {broken.mart}")


@pytest.mark.parametrize("warned", WARNED.values(), ids=WARNED)
def test_a_warning_does_not_block(warned: Broken, gate: Gate) -> None:
    result = gate(warned.mart, warned.change)
    assert not result.critical
    assert [(each.mart, each.expectation.column) for each in result.warnings] == [
        (warned.mart, warned.column)
    ]
    assert result.metadata()["warned_of"][0].startswith(f"{warned.mart}, column")


def test_a_query_may_move_a_figure_to_many_times_what_it_is(gate: Gate) -> None:
    """A slip of a digit or two makes hundreds of per cent, and must not hold up the other 43."""
    assert not gate("findings", _set(effect=1500.0)).critical


def test_every_type_of_expectation_has_been_seen_to_block(collection: Collection) -> None:
    """An expectation that never fails expects nothing."""
    used = {
        expectation.type
        for name, contract in MARTS.items()
        for expectation in suite(name, contract, collection)
    }
    assert used == {broken.type for broken in BROKEN.values()}


def test_the_rows_that_break_it_are_named_with_their_key(gate: Gate) -> None:
    result = gate("outcome_breakdown", lambda table: put(put(table, share=101.0), 3, share=nan))
    outcome = result.critical[0]
    first, second = outcome.sample
    assert list(first) == ["share", "category", "outcome"]
    assert (first["share"], second["share"]) == ("101", "nan")
    assert "2 of 35 rows break this, the first is share 101, category" in result.blocking_line


def test_a_row_of_a_mart_without_a_key_is_named_by_its_number(gate: Gate) -> None:
    result = gate("findings", lambda table: put(table, 7, message=None))
    assert result.critical[0].sample == ({"message": "null", "row": "8"},)


def test_the_wrong_type_is_told_before_what_could_not_be_checked_for_it(gate: Gate) -> None:
    result = gate(
        "outcome_breakdown",
        lambda table: table.set_column(
            table.column_names.index("cases"), "cases", pyarrow.array(["1"] * table.num_rows)
        ),
    )
    assert {outcome.label for outcome in result.critical} == {"not met", "not checked"}
    assert 'expected "Must be of type int64."; found string' in result.blocking_line


def test_an_expectation_that_crashes_blocks_and_is_our_own_fault(
    tmp_path: Path, collection: Collection
) -> None:
    """Even a warning: nobody knows what it would have said."""
    name = "outcome_breakdown"
    bounds = {"column": "category", "min_value": 0}
    crashing = Expectation("expect_column_values_to_be_between", bounds, "Numbers.", "warning")
    write_mart(tmp_path, name, sound_mart(name, MARTS[name], collection))
    suites = {name: (crashing,)}
    result = run_gate(tmp_path, collection, tmp_path, ABOUT, {name: MARTS[name]}, suites)
    assert [outcome.label for outcome in result.critical] == ["not checked"]
    assert result.critical
    line = result.blocking_line
    assert "could not check" in line
    assert "fault of Muster, not of the data: report it" in line
    assert "; this is a fault of Muster, not of the data<" in result.page.read_text()


def test_marts_without_a_row_are_evaluated(gate: Gate) -> None:
    """Before the first return, most marts are empty."""
    result = gate("outcome_breakdown", lambda table: table[:0])
    assert not result.critical
    assert {outcome.observed for outcome in result.outcomes} == {
        "found 4 columns",
        "found string",
        "found int64",
        "found float64",
        "no row to look at",
    }


def test_one_page_that_loads_nothing_has_every_mart(passed: GateResult) -> None:
    assert [*passed.page.parent.iterdir()] == [passed.page]
    page = passed.page.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//|<script|@import|url\(|srcset|<img|<iframe", page)
    links = set(re.findall(r"""(?:href|src)=["']([^"']*)["']""", page))
    assert links == {"data:,", "#main"}
    assert "default-src 'none'" in page
    assert page.count(">met</td>") == len(passed.outcomes)


def test_it_says_which_release_it_is_and_on_what_basis(passed: GateResult) -> None:
    page = passed.page.read_text(encoding="utf-8")
    assert ABOUT["release"] in page
    assert "<p>Reconstructed: made so that the published totals hold.</p>" in page


def test_the_same_marts_have_the_same_page(tmp_path: Path, collection: Collection) -> None:
    """No time, no random id, no path of this machine."""
    some = {name: MARTS[name] for name in ("outcome_breakdown", "capability_adoption")}
    written = []
    for where in ("here", "there"):
        for name, contract in some.items():
            table = put(sound_mart(name, contract, collection), share=101.0)
            write_mart(tmp_path / where, name, table)
        result = run_gate(tmp_path / where, collection, tmp_path / where / "docs", ABOUT, some)
        written.append(result.page.read_bytes())
    assert written[0] == written[1]
    assert str(tmp_path).encode() not in written[0]


def test_what_stands_in_a_mart_cannot_change_a_page(gate: Gate) -> None:
    result = gate("outcome_breakdown", _set(outcome="<script>alert(1)</script>"))
    page = result.page.read_text()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page


def test_nothing_goes_out_and_nothing_is_written_but_the_page(
    gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the gate went out of its folder")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(here))
    assert gate("outcome_breakdown", lambda table: table).critical == []
    assert list(here.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {
        "here",
        "docs",
        "outcome_breakdown.parquet",
    }
