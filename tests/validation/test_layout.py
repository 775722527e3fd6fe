"""Entries are found by their codes, wherever sheets, rows and columns stand."""

import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.intake.reader import read_return
from assets.intake.reading import Cell, RawSheet
from assets.returns.validation.cells import LARGEST, type_entry
from assets.returns.validation.layout import Slot, lay_out
from assets.sample.write import returns_template
from schemas.collection import Collection
from schemas.template import HEADER_CODE, Entry
from tests.returns import SampleReturn, validated

VALUE = ["sheet", "row_code", "column_code", "value", "number", "missing"]


def _entries(path: Path, collection: Collection) -> pl.DataFrame:
    result = validated(read_return(path), collection)
    assert result.findings.is_empty(), result.findings
    return result.entries.select(VALUE)


def _shuffle(seed: int) -> Callable[[Any], None]:
    """Put sheets, the rows below each header, and the columns in another order."""
    chance = random.Random(seed)

    def change(book: Any) -> None:
        chance.shuffle(book._sheets)
        for sheet in book.worksheets:
            rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
            top = next(n for n, row in enumerate(rows) if row[0] == HEADER_CODE)
            body = [row for row in rows[top + 1 :] if row[0]]
            chance.shuffle(body)
            columns = [n for n, head in enumerate(rows[top]) if n and head]
            order = [0, *chance.sample(columns, len(columns))]
            sheet.delete_rows(1, sheet.max_row)
            for row in [["x"], [], rows[top], *body]:
                sheet.append([row[n] for n in order] if len(row) > 1 else row)

    return change


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 5))]
)
def test_order_does_not_matter(
    seed: int, sample: Callable[[str], SampleReturn], tmp_path: Path, collection: Collection
) -> None:
    plain = sample("DER").write(tmp_path / "plain.xlsx")
    mixed = sample("DER").write(tmp_path / "mixed.xlsx", _shuffle(seed))
    assert _entries(mixed, collection).equals(_entries(plain, collection))


def test_every_entry_is_found_where_it_stands() -> None:
    template = returns_template()
    sheets = tuple(
        RawSheet(
            sheet.name,
            tuple(
                Cell(row, column, text, "text")
                for row, texts in enumerate(
                    [sheet.header, *([r.code, r.label] for r in sheet.rows)], 3
                )
                for column, text in enumerate(texts, 1)
            ),
        )
        for sheet in template.sheets
    )
    layout = lay_out(sheets, template)
    assert layout.findings == ()
    assert [slot.entry for slot in layout.slots] == list(template.entries())
    assert layout.slots[0].address == "C4"


COUNT = Slot(Entry("s", "r", "c", "count", missing=("not_held",)), "C7", None)


def _type(text: str, kind: str = "text") -> Slot | None:
    result = type_entry(Slot(COUNT.entry, COUNT.address, Cell(7, 3, text, kind)))
    return result if isinstance(result, Slot) else None


@given(st.integers(0, LARGEST), st.sampled_from(["{}", "{:,}", " {} ", "\t{:,}\n"]))
def test_every_whole_number_is_read_as_itself(number: int, form: str) -> None:
    typed = _type(form.format(number))
    assert typed is not None
    assert (typed.number, typed.value, typed.missing) == (number, str(number), None)


@given(st.text(max_size=12))
def test_no_text_is_read_as_a_number_it_does_not_say(text: str) -> None:
    """A value that cannot be typed is a finding; nothing becomes a null or another number."""
    typed = _type(text)
    if typed is None:
        return
    plain = text.strip()
    if typed.missing:
        assert plain == typed.missing
    else:
        assert plain.isascii()
        assert str(typed.number) == plain.replace(",", "").lstrip("0").rjust(1, "0")


@given(st.one_of(st.integers(max_value=-1), st.integers(LARGEST + 1), st.floats()))
def test_numbers_that_are_no_counts_are_refused(number: float) -> None:
    typed = _type(str(number), "number")
    assert typed is None


@pytest.mark.parametrize("kind", ["date", "text"])
@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2012-06-01", "2012-06-01"),
        ("2012-06-01T00:00:00", "2012-06-01"),
        ("2012-06-01 14:30", "2012-06-01"),
        ("2012-06-01T23:59:59.5+01:00", "2012-06-01"),
        ("2012-06-01 24:30", None),
        ("2012-06-31 14:30", None),
        ("2012-06-01 or later", None),
        ("2012-06-01T", None),
        ("14:30:00", None),
    ],
)
def test_the_day_of_a_date_counts(kind: str, text: str, day: str | None) -> None:
    slot = Slot(Entry("s", "r", "c", "date"), "C7", Cell(7, 3, text, kind))
    typed = type_entry(slot)
    assert (typed.value if isinstance(typed, Slot) else None) == day


def test_the_example_of_a_date_is_the_census_of_the_collection(collection: Collection) -> None:
    soon = SampleReturn.of("STF", collection).with_values({("cover", "submitted_on", "value"): "x"})
    census = date(2015, 3, 31)
    later = collection.model_copy(update={"census": census})
    told = validated(soon.reading(), later).findings.filter(rule_id="V003")["how_to_fix"].item()
    assert ": 2015-03-31. See docs/" in told


@pytest.mark.parametrize("kind", ["percent", "boolean", "date", "error", "formula"])
def test_only_numbers_and_texts_can_be_counts(kind: str) -> None:
    assert _type("1", kind) is None
    assert _type("1", "number") is not None
