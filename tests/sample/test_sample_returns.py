"""The sample is complete, follows from its program, and keeps the arithmetic of a return."""

from collections import Counter

import polars as pl
import pytest

from assets.sample.returns import RETURNS_PATH, SUSPENDED, returns_template, sample_returns
from schemas import vocabulary as v
from schemas.collection import load_collection
from tools.make_sample.described import INVESTIGATION_ROWS, REGISTER_ROWS
from tools.make_sample.solve import COLLECTION, as_csv, solve

Values = dict[tuple[str, str, str, str], str]

INVESTIGATION_COLUMNS = (*v.OUTCOMES, "total", SUSPENDED)
PARTS = [row for row in INVESTIGATION_ROWS if row.is_part]
DISCLOSURE = "information_disclosure"


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return sample_returns(load_collection(COLLECTION))


@pytest.fixture(scope="module")
def values(frame: pl.DataFrame) -> Values:
    return {row[:4]: row[4] for row in frame.iter_rows()}


@pytest.fixture(scope="module", params=load_collection(COLLECTION).forces)
def force(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_entry_of_the_template_stands_once_in_each_return(frame: pl.DataFrame) -> None:
    """A missing entry would be a blank cell, one too many a column nobody asked for."""
    found = Counter(frame.select("force_code", "sheet", "row_code", "column_code").iter_rows())
    expected = Counter(
        (force_code, entry.sheet, entry.row_code, entry.column_code)
        for force_code in load_collection(COLLECTION).forces
        for entry in returns_template().entries()
    )
    assert found == expected
    assert frame.null_count().sum_horizontal().item() == 0


def test_only_entries_that_nothing_determines_are_stored(frame: pl.DataFrame) -> None:
    """A total stored beside its parts could come to contradict them."""
    stored = pl.read_csv(RETURNS_PATH, infer_schema=False)
    assert stored.filter(
        (pl.col("row_code") == "total") | (pl.col("column_code") == "total")
    ).is_empty()
    assert stored.filter(pl.col("row_code") == DISCLOSURE).is_empty()
    assert stored.equals(stored.sort(stored.columns))
    assert stored.join(frame, on=stored.columns, how="anti").is_empty()


@pytest.mark.slow
def test_solving_again_gives_the_stored_returns() -> None:
    """A sample edited by hand, or solved differently each time, could not be explained."""
    solved = as_csv(solve(load_collection(COLLECTION)))
    assert solved.encode() == RETURNS_PATH.read_bytes()


def test_outcomes_add_up_to_the_total_of_their_row(values: Values, force: str) -> None:
    for row in INVESTIGATION_ROWS:
        at = {c: int(values[force, "investigations", row.code, c]) for c in INVESTIGATION_COLUMNS}
        assert sum(at[outcome] for outcome in v.OUTCOMES) == at["total"], row.code


def test_rows_add_up_to_their_subtotal_and_total(values: Values, force: str) -> None:
    """People suspended are summed like the outcomes, though they are not part of them."""
    for column in INVESTIGATION_COLUMNS:
        at = {
            r.code: int(values[force, "investigations", r.code, column]) for r in INVESTIGATION_ROWS
        }
        disclosure = sum(at[row.code] for row in PARTS if row.category == DISCLOSURE)
        assert disclosure == at[DISCLOSURE], column
        assert sum(at[row.code] for row in PARTS) == at["total"], column


def test_register_decisions_add_up(values: Values, force: str) -> None:
    """What is not recorded counts for nothing; what does not apply has no total of 0."""
    for row in REGISTER_ROWS:
        accepted, declined, total = (
            values[force, "registers", row, column] for column in ("accepted", "declined", "total")
        )
        if v.NOT_APPLICABLE in (accepted, declined, total):
            assert accepted == declined == total
        elif declined == v.NOT_HELD:
            assert accepted == total
        else:
            assert int(accepted) + int(declined) == int(total)


def test_declined_offers_are_held_where_they_are_recorded(values: Values, force: str) -> None:
    """The answer and the register would otherwise contradict each other."""
    recorded = values[force, "capability", "register_records_declined", "answer"] == "yes"
    for kind in v.REGISTER_KINDS:
        declined = values[force, "registers", f"force.{kind}", "declined"]
        assert (declined != v.NOT_HELD) == recorded


def test_decisions_add_up_to_the_applications(values: Values, force: str) -> None:
    at = {row: int(values[force, "second_jobs", row, "count"]) for row in v.SECOND_JOB_DECISIONS}
    assert sum(at.values()) == int(values[force, "second_jobs", "total", "count"])


def test_each_value_is_of_its_kind(values: Values, force: str) -> None:
    """A code outside its list, or a reason where none is allowed, would block the return."""
    for entry in returns_template().entries():
        value = values[force, entry.sheet, entry.row_code, entry.column_code]
        where = (entry.sheet, entry.row_code, entry.column_code, value)
        if entry.answers:
            assert value in entry.answers, where
        elif value in v.MISSING_REASONS:
            assert value in entry.missing, where
        elif entry.kind == "count":
            assert value.isdigit(), where
        else:
            assert value == value.strip() != "", where


def test_no_return_claims_to_be_a_force_s_own(values: Values, force: str) -> None:
    assert values[force, "cover", "basis", "value"] == "reconstructed"
    assert values[force, "cover", "force_code", "value"] == force
