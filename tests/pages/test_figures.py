"""Figures looked up in marts, and how numbers and codes are written."""

from typing import Any

import polars as pl
import pytest

from assets.release.pages.content import CHANGE, COUNT, EXACT, PERCENT, Figure, Style
from assets.release.pages.figures import Edition, share
from assets.release.pages.wording import band
from tests.pages.released import ABOUT


@pytest.fixture
def edition() -> Edition:
    entries = pl.DataFrame(
        {"force_code": ["STF", "STF", "DER", "DER"], "kind": ["a", "b", "a", "b"],
         "entries": [3, 4, 5, None], "basis": ["x", "x", "y", "z"]}
    )  # fmt: skip
    return Edition({"entries": entries}, ABOUT)


def test_rows_at_an_address_are_added_up(edition: Edition) -> None:
    assert edition.figure("entries", "entries", force_code="STF").value == 7
    assert edition.figure("entries", "entries", force_code="DER", kind="a").value == 5


def test_a_sum_of_something_unknown_is_unknown(edition: Edition) -> None:
    """5 and unknown are not 5."""
    assert edition.figure("entries", "entries", force_code="DER").value is None
    assert edition.figure("entries", "entries").value is None


def test_what_is_not_there_is_unknown_and_not_zero(edition: Edition) -> None:
    assert edition.figure("entries", "entries", force_code="BED").text == "not known"
    assert edition.figure("none_such", "entries", force_code="STF").text == "not known"
    assert edition.figure("none_such", "rows", force_code="STF").text == "not known"
    assert edition.figure("entries", "rows", force_code="BED").text == "0"


def test_a_word_of_several_rows_is_no_word(edition: Edition) -> None:
    assert edition.figure("entries", "basis", force_code="DER", kind="a").value == "y"
    assert edition.figure("entries", "basis", force_code="DER").value is None


def test_a_share_of_nothing_is_unknown() -> None:
    three, none, unknown = (Figure(value, "a") for value in (3, 0, None))
    assert share(three, Figure(12, "b")).value == 25
    assert share(three, none).value is None
    assert share(three, unknown).value is None
    assert share(unknown, three).value is None


@pytest.mark.parametrize(
    ("style", "value", "text"),
    [
        (COUNT, 2207.0, "2,207"),
        (PERCENT, 78.704, "78.7%"),
        (EXACT, 33.3, "33.30"),
        (EXACT, 1662.0, "1,662"),
        (CHANGE, -4.66, "\u22124.66"),
        (CHANGE, 3.0, "+3"),
        (CHANGE, 0.0, "0"),
        (Style(decimals=1, signed=True), -0.004, "0.0"),
    ],
)
def test_numbers_as_people_read_them(style: Style, value: Any, text: str) -> None:
    assert style.write(value) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("0", "none"),
        ("2", "exactly 2"),
        ("1..", "1 or more"),
        ("0..10", "10 or fewer"),
        ("11..59", "11 to 59"),
        ("60..", "60 or more"),
        ("91..", "more than 90"),
    ],
)
def test_bands_in_words(code: str, text: str) -> None:
    assert band(code) == text


def test_a_breakdown_in_words() -> None:
    wording = Edition({}, ABOUT).wording
    measured = wording.measured
    said = measured("investigations", "category=second_jobs;outcome=continuing")
    assert said == "Investigations: Second jobs and business interests, Continuing"
    assert measured("capability", "question=audit_software;answer=in_place|considering").endswith(
        "in place or considering"
    )
    why = "new: category=second_jobs;outcome=continuing, category=other; merged: BED, HRT are BEH"
    assert wording.parts_told(why) == (
        "new: Second jobs and business interests, Continuing, Other integrity matters;"
        " merged: BED, HRT are BEH"
    )
