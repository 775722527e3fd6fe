"""The sample is complete, follows from its program, and keeps the arithmetic of a return."""

from collections import Counter

import polars as pl
import pytest

from assets.sample.write import RETURNS_PATH, returns_template, sample_returns
from schemas.collection import load_collection
from schemas.vocabulary import NOT_HELD
from tools.make_sample.solve import COLLECTION, as_csv, solve

Values = dict[tuple[str, str, str, str], str]

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


def test_no_sample_return_breaks_a_rule_that_blocks(
    frame: pl.DataFrame, live: pl.DataFrame
) -> None:
    """Sums, kinds of values, lists of answers, reasons: each is read and held to every rule."""
    at = ["force_code", "sheet", "row_code", "column_code", "value"]
    words = [e.row_code for e in returns_template().entries() if e.kind == "text" and not e.locked]
    told = frame.filter(~pl.col("row_code").is_in(words))
    assert told.join(live, on=at, how="anti").is_empty()


def test_declined_offers_are_held_where_they_are_recorded(values: Values, force: str) -> None:
    """The answer and the register would otherwise contradict each other."""
    recorded = values[force, "capability", "register_records_declined", "answer"] == "yes"
    for kind in ("gratuity", "hospitality"):
        declined = values[force, "registers", f"force.{kind}", "declined"]
        assert (declined != NOT_HELD) == recorded


def test_no_return_claims_to_be_a_force_s_own(values: Values, force: str) -> None:
    assert values[force, "cover", "basis", "value"] == "reconstructed"
    assert values[force, "cover", "force_code", "value"] == force
