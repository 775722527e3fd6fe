"""A breakdown has one text, so that a published figure and a computed total meet."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.breakdown import FIRST, LAST, Band, breakdown_of, read_breakdown, write_breakdown
from schemas.collection import Collection

KEYS = (*FIRST, "category", "outcome", *LAST)
CODES = st.text("abcdefghij_|.0123456789", min_size=1, max_size=12)


@given(st.dictionaries(st.sampled_from(KEYS), CODES))
def test_reading_is_the_reverse_of_writing(parts: dict[str, str]) -> None:
    assert read_breakdown(write_breakdown(parts)) == parts


def test_published_breakdowns_are_written_as_we_write_them(collection: Collection) -> None:
    """Another order of the keys would make the join miss, and the figure look not computable."""
    ours = collection.published_figures.filter(~pl.col("basis").is_in(["document", "external"]))
    for text in ours["breakdown"]:
        assert write_breakdown(read_breakdown(text)) == text


def test_an_expression_writes_what_the_function_writes() -> None:
    rows = [{"category": "other", "outcome": None}, {"category": None, "outcome": "continuing"}]
    frame = pl.DataFrame(rows, schema={"category": pl.String, "outcome": pl.String})
    texts = frame.select(breakdown_of("category", "outcome"))["breakdown"].to_list()
    assert texts == [write_breakdown(row) for row in rows]
    assert frame.select(breakdown_of())["breakdown"].to_list() == [""]


def test_malformed_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="key=value"):
        read_breakdown("category")


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [("2", [2], [1, 3]), ("0..10", [0, 10], [11]), ("60..", [60, 9999], [59])],
)
def test_bands_include_both_ends(text: str, inside: list[int], outside: list[int]) -> None:
    counts = pl.DataFrame({"n": inside + outside})
    kept = counts.filter(Band.parse(text).contains(pl.col("n")))["n"].to_list()
    assert kept == inside


@pytest.mark.parametrize("text", ["", "..5", "5..2", "a..b", "1..2..3"])
def test_malformed_bands_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="band"):
        Band.parse(text)
